-- What AWS Config's aggregator says, as history, beside what was delivered.

-- Each try to read the aggregator: whole, or failed with the reason.
create table aggregator_reading (
    aggregator_reading_id bigint generated always as identity primary key,
    organization_id smallint not null references organization,
    collection_id bigint not null constraint aggregator_reading_collection_key unique references collection,
    aggregator text not null,
    region text not null,
    -- The role that it was read as; null for the program's own credentials.
    role text,
    started_at timestamptz not null,
    ended_at timestamptz not null default clock_timestamp(),
    -- Null: it was read whole.
    failure text constraint aggregator_reading_failure_check check (failure <> ''),
    -- The day of the store that it was compared with; null where there was none yet, or where it failed.
    day date,
    sources integer,
    rules bigint,
    packs bigint,
    constraint aggregator_reading_whole_check check (
        (failure is null) = (sources is not null) and (failure is null) = (rules is not null)
        and (failure is null) = (packs is not null) and (failure is null or day is null))
);

create index aggregator_reading_organization_idx on aggregator_reading (organization_id, aggregator_reading_id desc);

-- What a source of the aggregator was found to be, for as long as successive whole readings found the same. A reading that
-- failed opens and closes nothing.
create table aggregator_source (
    organization_id smallint not null references organization,
    -- ACCOUNT or ORGANIZATION, and its id.
    kind text not null,
    source_id text collate "C" not null,
    region text collate "C" not null,
    status text not null,
    error_code text not null,
    error_message text not null,
    -- As the last of these readings had it: it moves on with every one of them and is no part of what is the same.
    updated_at timestamptz,
    since_reading bigint not null references aggregator_reading,
    until_reading bigint references aggregator_reading,
    primary key (organization_id, kind, source_id, region, since_reading)
);

create unique index aggregator_source_current_idx on aggregator_source (organization_id, kind, source_id, region)
    where until_reading is null;

-- A rule's result in an account and Region, likewise.
create table aggregate_rule (
    organization_id smallint not null references organization,
    account_id text collate "C" not null,
    region text collate "C" not null,
    rule_name text collate "C" not null,
    compliance text not null,
    -- Resources that make it what it is, where AWS counts them; `capped`: so many at least.
    contributors integer,
    capped boolean not null,
    since_reading bigint not null references aggregator_reading,
    until_reading bigint references aggregator_reading,
    primary key (organization_id, account_id, region, rule_name, since_reading)
);

create unique index aggregate_rule_current_idx on aggregate_rule (organization_id, account_id, region, rule_name)
    where until_reading is null;

-- A conformance pack's verdict in an account and Region, likewise.
create table aggregate_pack (
    organization_id smallint not null references organization,
    account_id text collate "C" not null,
    region text collate "C" not null,
    pack_name text collate "C" not null,
    compliance text not null,
    compliant_rules integer not null,
    non_compliant_rules integer not null,
    total_rules integer not null,
    since_reading bigint not null references aggregator_reading,
    until_reading bigint references aggregator_reading,
    primary key (organization_id, account_id, region, pack_name, since_reading)
);

create unique index aggregate_pack_current_idx on aggregate_pack (organization_id, account_id, region, pack_name)
    where until_reading is null;

-- The last whole reading beside the store's newest day of then: a row for each rule in an account and Region that either
-- side has a result of. Derived; only rows that change are written.
create table comparison (
    comparison_id bigint generated always as identity primary key,
    organization_id smallint not null references organization,
    account_id text collate "C" not null,
    region text collate "C" not null,
    rule_name text collate "C" not null,
    core_name text collate "C" not null,
    -- 0 differ, 1 only here, 2 only there, 3 not comparable, 4 agree.
    verdict smallint not null constraint comparison_verdict_check check (verdict between 0 and 4),
    -- Why it cannot be compared; '' elsewhere.
    reason text not null constraint comparison_reason_check check ((verdict = 3) = (reason <> '')),
    -- Resources by status here; null where the store has nothing to say.
    complying bigint,
    not_complying bigint,
    insufficient_data bigint,
    not_applicable bigint,
    unrecognised bigint,
    -- AWS's word and count; null where the aggregator has nothing to say.
    there_compliance text,
    there_count integer,
    there_capped boolean not null,
    constraint comparison_key unique (organization_id, account_id, region, rule_name)
);

create index comparison_list_idx on comparison (organization_id, (verdict::bigint), comparison_id);
create index comparison_core_idx on comparison (organization_id, core_name, verdict);

-- Each try to fetch AWS's notes on what fails under a rule in an account and Region.
create table note_reading (
    note_reading_id bigint generated always as identity primary key,
    organization_id smallint not null references organization,
    job_id bigint references job,
    account_id text collate "C" not null,
    region text collate "C" not null,
    rule_name text collate "C" not null,
    -- Whom we asked: the aggregator's name, or '' for the account itself.
    aggregator text not null,
    fetched_by text not null,
    fetched_at timestamptz not null default clock_timestamp()
);

create index note_reading_rule_idx on note_reading (organization_id, account_id, region, rule_name, note_reading_id desc);

-- What AWS noted on a resource that fails. Not part of the evidence: it is as of when it was fetched.
create table note (
    note_reading_id bigint not null references note_reading,
    resource_type text collate "C" not null,
    resource_id text collate "C" not null,
    -- AWS keeps up to 256 characters; null where the rule gave none.
    annotation text,
    recorded_at timestamptz,
    invoked_at timestamptz,
    primary key (note_reading_id, resource_type, resource_id)
);

-- The jobs that fetch them.
create index job_notes_idx on job ((payload ->> 'account_id'), (payload ->> 'rule')) where kind = 'notes';

create index note_resource_idx on note (resource_id, resource_type);
