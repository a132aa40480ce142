-- The compliance store: what was delivered, what it said, and what was known when.
-- Ids inside are small integers; wherever order must be the same everywhere it is by text collate "C".

create table organization (
    organization_id smallint generated always as identity primary key,
    name text not null constraint organization_name_key unique check (name <> ''),
    created_at timestamptz not null default now()
);

-- One run that brings evidence in. A row is never deleted; `finished_at` and `state` are set once.
create table collection (
    collection_id bigint generated always as identity primary key,
    organization_id smallint not null references organization,
    engine text not null constraint collection_engine_check check (engine in ('files', 'athena')),
    source text not null,
    options jsonb not null default '{}',
    state text not null default 'running'
        constraint collection_state_check check (state in ('running', 'finished', 'failed', 'interrupted')),
    failure text,
    started_by text not null,
    started_at timestamptz not null default now(),
    finished_at timestamptz,
    program_version text not null,
    program_commit text not null,
    first_day date,
    last_day date,
    -- Progress while it runs, in objects of the source.
    objects_done bigint not null default 0,
    objects_total bigint not null default 0,
    -- The count ladder, written at the end (see collection::ladder).
    ladder jsonb
);

create index collection_organization_idx on collection (organization_id, collection_id desc);

-- The smallest thing that delivers: an account in a Region, of an organisation.
create table place (
    place_id integer generated always as identity primary key,
    organization_id smallint not null references organization,
    account_id text collate "C" not null constraint place_account_check check (account_id ~ '^[0-9]{12}$'),
    region text collate "C" not null constraint place_region_check check (region <> ''),
    constraint place_key unique (organization_id, account_id, region)
);

-- Organizations' account list as it was read, one row a reading.
create table account_list (
    account_list_id bigint generated always as identity primary key,
    organization_id smallint not null references organization,
    collection_id bigint not null references collection,
    listed_on date not null,
    source text not null,
    sha256 bytea not null constraint account_list_sha256_check check (octet_length(sha256) = 32),
    constraint account_list_key unique (organization_id, listed_on, sha256)
);

create table account_listing (
    account_list_id bigint not null references account_list,
    account_id text collate "C" not null constraint account_listing_account_check check (account_id ~ '^[0-9]{12}$'),
    name text not null,
    email text,
    arn text,
    status text not null,
    joined_at timestamptz,
    primary key (account_list_id, account_id)
);

-- The list of Regions that should deliver, one row a reading.
create table region_list (
    region_list_id bigint generated always as identity primary key,
    organization_id smallint not null references organization,
    collection_id bigint not null references collection,
    listed_on date not null,
    regions text[] not null
);

-- Derived from the lists: what an account is called and when it belonged to the organisation.
create table account (
    organization_id smallint not null references organization,
    account_id text collate "C" not null constraint account_id_check check (account_id ~ '^[0-9]{12}$'),
    name text not null,
    status text not null,
    joined_on date,
    left_on date,
    primary key (organization_id, account_id)
);

-- Derived from the lists: on which days a place should deliver, and since when we know that.
create table expected_place (
    place_id integer not null references place,
    first_day date not null,
    end_day date not null default 'infinity',
    since_collection bigint not null references collection,
    until_collection bigint references collection,
    constraint expected_place_days_check check (first_day < end_day),
    primary key (place_id, first_day, since_collection)
);

create index expected_place_current_idx on expected_place (place_id) where until_collection is null;

-- One version of one delivered object, by what tells versions apart: size and modification time, or ETag and VersionId.
create table object (
    object_id bigint generated always as identity primary key,
    place_id integer not null references place,
    day date not null,
    kind text not null constraint object_kind_check check (kind in ('snapshot', 'history')),
    key text collate "C" not null,
    taken_at timestamptz,
    size_bytes bigint not null,
    -- Nanoseconds since 1970 of the file's modification; null for objects in S3.
    modified_ns bigint,
    etag text,
    version_id text,
    -- Null: the bytes were not read by us.
    sha256 bytea constraint object_sha256_check check (octet_length(sha256) = 32),
    unpacked_bytes bigint,
    snapshot_id text,
    items bigint,
    compliance_items bigint,
    evaluations bigint,
    first_collection bigint not null references collection,
    constraint object_version_key unique nulls not distinct (place_id, key, size_bytes, modified_ns, etag, version_id)
);

create index object_day_idx on object (place_id, day);

-- What a collection made of an object. The newest row is the object's standing; older rows are its history.
create table object_outcome (
    object_id bigint not null references object,
    collection_id bigint not null references collection,
    outcome text not null constraint object_outcome_check
        check (outcome in ('collected', 'superseded', 'unreadable', 'changed')),
    -- For unreadable: why. For superseded: by what.
    reason text,
    -- For unreadable: where, in bytes of the unpacked text (or of the file, when the reason is in the gzip).
    position_bytes bigint,
    evaluations bigint not null default 0,
    -- Evaluations read and not stored, by reason.
    left_out jsonb not null default '{}',
    primary key (object_id, collection_id)
);

create index object_outcome_collection_idx on object_outcome (collection_id, object_id);

-- What arrived for a place on a day. A row is closed by a later collection, never changed.
-- No row: nothing arrived. Then the day is a gap where the place is expected.
create table delivery (
    place_id integer not null references place,
    day date not null,
    state text not null constraint delivery_state_check check (state in (
        'delivered', 'delivered, later object unreadable', 'inferred from history', 'no compliance items',
        'unreadable', 'missing', 'denied', 'throttled', 'region off')),
    since_collection bigint not null references collection,
    until_collection bigint references collection,
    -- True where the store's runs speak for this day.
    known boolean generated always as
        (state in ('delivered', 'delivered, later object unreadable', 'inferred from history')) stored,
    object_id bigint references object,
    snapshot_at timestamptz,
    items bigint not null default 0,
    compliance_items bigint not null default 0,
    complying bigint not null default 0,
    not_complying bigint not null default 0,
    insufficient_data bigint not null default 0,
    not_applicable bigint not null default 0,
    unrecognised bigint not null default 0,
    -- Evaluations against the day as known before `since_collection`: all of them are added when the day was not known.
    rows_added bigint not null default 0,
    rows_removed bigint not null default 0,
    primary key (place_id, day, since_collection)
);

create unique index delivery_current_idx on delivery (place_id, day) where until_collection is null;
create index delivery_day_idx on delivery (day, place_id) where until_collection is null;
create index delivery_collection_idx on delivery (since_collection, day);

-- The status words of AWS, and any other word that was delivered: kept as its own, never counted as complying.
create table status (
    status_id smallint generated by default as identity (start with 100) primary key,
    name text not null constraint status_name_key unique
);

insert into status (status_id, name) values
    (1, 'COMPLIANT'), (2, 'NON_COMPLIANT'), (3, 'INSUFFICIENT_DATA'), (4, 'NOT_APPLICABLE');

create table resource_type (
    resource_type_id smallint generated always as identity primary key,
    name text collate "C" not null constraint resource_type_name_key unique
);

-- What continues when a conformance pack is deployed again: the core rule within its pack.
create table timeline (
    timeline_id integer generated always as identity primary key,
    organization_id smallint not null references organization,
    core_name text collate "C" not null,
    -- How the rule came to be there: direct, conformance-pack, security-hub, control-tower, service-linked.
    origin text not null,
    -- The pack's core name; its suffix where no pack item named it; '' for rules outside packs.
    pack text collate "C" not null default '',
    constraint timeline_key unique (organization_id, core_name, origin, pack)
);

-- A rule by its name as delivered.
create table rule (
    rule_id integer generated always as identity primary key,
    organization_id smallint not null references organization,
    name text collate "C" not null,
    core_name text collate "C" not null,
    timeline_id integer not null references timeline,
    origin text not null,
    suffix text,
    -- Null where the rule data does not know the core name.
    source_identifier text,
    -- 4 CRITICAL, 3 HIGH, 2 MEDIUM, 1 LOW, 0 not known.
    severity smallint not null default 0,
    title text,
    constraint rule_key unique (organization_id, name)
);

create index rule_core_idx on rule (organization_id, core_name);

-- ARN and configRuleId of a rule in a place: a row for each pair, with the day it was first seen.
create table rule_attribute (
    place_id integer not null references place,
    rule_id integer not null references rule,
    arn text not null default '',
    config_rule_id text not null default '',
    first_day date not null,
    primary key (place_id, rule_id, arn, config_rule_id)
);

create table resource (
    resource_id integer generated always as identity primary key,
    place_id integer not null references place,
    resource_type_id smallint not null references resource_type,
    id text collate "C" not null,
    constraint resource_key unique (place_id, resource_type_id, id)
);

create index resource_id_idx on resource (id, place_id);

-- A status that held from first_day until before end_day. Open runs end at infinity and stay open over gaps:
-- `delivery.known` decides whether a day is known.
create table run (
    place_id integer not null,
    rule_id integer not null,
    resource_id integer not null,
    first_day date not null,
    end_day date not null default 'infinity',
    status_id smallint not null,
    -- The item's capture time on first_day; null where a later restatement split the run and the time was not kept.
    item_captured_at timestamptz,
    constraint run_days_check check (first_day < end_day),
    primary key (place_id, rule_id, resource_id, first_day)
) with (fillfactor = 90);

create index run_resource_idx on run (resource_id);
create index run_failing_idx on run (rule_id, place_id, first_day) include (end_day) where status_id = 2;
-- What began or ended between two days. Open ends are left out: they are nearly all rows and no change.
create index run_first_day_idx on run (first_day);
create index run_end_day_idx on run (end_day) where end_day < 'infinity';

-- Whether a rule exists in a place, as runs of days.
create table rule_presence (
    place_id integer not null,
    rule_id integer not null,
    first_day date not null,
    end_day date not null default 'infinity',
    primary key (place_id, rule_id, first_day)
);

create index rule_presence_rule_idx on rule_presence (rule_id);

-- Counts of runs, as runs of days that change only when a count does.
create table rollup (
    place_id integer not null,
    rule_id integer not null,
    resource_type_id smallint not null,
    first_day date not null,
    end_day date not null default 'infinity',
    complying integer not null,
    not_complying integer not null,
    insufficient_data integer not null,
    not_applicable integer not null,
    unrecognised integer not null,
    primary key (place_id, rule_id, resource_type_id, first_day)
);

create index rollup_rule_idx on rollup (rule_id, end_day);
create index rollup_open_idx on rollup (end_day, first_day);

-- A conformance pack as deployed in a place.
create table conformance_pack (
    conformance_pack_id integer generated always as identity primary key,
    place_id integer not null references place,
    id text collate "C" not null,
    name text not null,
    core_name text collate "C" not null,
    constraint conformance_pack_key unique (place_id, id)
);

-- AWS's own verdict on a pack and AWS's own counts of its rules, beside ours.
create table conformance_pack_run (
    conformance_pack_id integer not null references conformance_pack,
    first_day date not null,
    end_day date not null default 'infinity',
    status_id smallint not null references status,
    compliant_rules integer not null,
    non_compliant_rules integer not null,
    total_rules integer not null,
    primary key (conformance_pack_id, first_day)
);

-- Items of history objects of a place that has no snapshot yet: needed again when an earlier day arrives late.
create table history_item (
    place_id integer not null references place,
    object_id bigint not null references object,
    ordinal integer not null,
    day date not null,
    captured_at timestamptz not null,
    state_id bigint not null,
    resource_id integer not null references resource,
    deleted boolean not null,
    rule_ids integer[] not null,
    status_ids smallint[] not null,
    primary key (place_id, object_id, ordinal)
);

-- What an already known day said of an evaluation, before and after a later collection. Null is absent; where only the
-- capture time differs, the statuses are equal. Runs with these undone, newest first, are the store as known earlier.
create table restatement (
    collection_id bigint not null references collection,
    place_id integer not null,
    day date not null,
    rule_id integer not null,
    resource_id integer not null,
    old_status_id smallint,
    new_status_id smallint,
    old_item_captured_at timestamptz,
    new_item_captured_at timestamptz,
    primary key (place_id, day, collection_id, rule_id, resource_id)
);

-- The organisation's day, summed over places at the end of each collection.
-- unknown_carried: last known evaluations (C + NC + unknown) of expected places without evidence that day.
create table day_total (
    organization_id smallint not null references organization,
    day date not null,
    expected_places integer not null,
    known_places integer not null,
    never_seen_accounts integer not null,
    complying bigint not null,
    not_complying bigint not null,
    insufficient_data bigint not null,
    not_applicable bigint not null,
    unrecognised bigint not null,
    unknown_carried bigint not null,
    primary key (organization_id, day)
);
