-- What AWS Artifact says, as history: a version of a report, once seen, is never forgotten.

-- Each try to read it: the reports as one account sees them, or one account's agreements.
create table artifact_reading (
    artifact_reading_id bigint generated always as identity primary key,
    organization_id smallint not null references organization,
    subject text not null constraint artifact_reading_subject_check check (subject in ('reports', 'agreements')),
    -- Whose agreements; null for reports.
    account_id text collate "C",
    -- When AWS answered; of files, when they were written.
    read_at timestamptz not null,
    recorded_at timestamptz not null default clock_timestamp(),
    source text not null,
    -- Null: it was read.
    failure text constraint artifact_reading_failure_check check (failure <> ''),
    constraint artifact_reading_account_check check ((subject = 'agreements') = (account_id is not null))
);

create index artifact_reading_idx on artifact_reading (organization_id, subject, account_id, artifact_reading_id desc);

-- A report's version as readings described it, for as long as successive ones said the same.
create table artifact_version (
    organization_id smallint not null references organization,
    report_id text collate "C" not null,
    version bigint not null,
    since_reading bigint not null references artifact_reading,
    until_reading bigint references artifact_reading,
    -- Whether AWS listed it; false from the first whole reading on that did not.
    listed boolean not null,
    -- AWS's fields by AWS's names.
    facts jsonb not null,
    primary key (organization_id, report_id, version, since_reading)
);

create unique index artifact_version_current_idx on artifact_version (organization_id, report_id, version)
    where until_reading is null;

-- An agreement as one account's readings described it, likewise.
create table artifact_agreement (
    organization_id smallint not null references organization,
    account_id text collate "C" not null,
    agreement_id text collate "C" not null,
    since_reading bigint not null references artifact_reading,
    until_reading bigint references artifact_reading,
    listed boolean not null,
    facts jsonb not null,
    primary key (organization_id, account_id, agreement_id, since_reading)
);

create unique index artifact_agreement_current_idx on artifact_agreement (organization_id, account_id, agreement_id)
    where until_reading is null;

-- What people say a report is, where its name does not: the newest word counts.
create table artifact_kind (
    artifact_kind_id bigint generated always as identity primary key,
    organization_id smallint not null references organization,
    report_id text collate "C" not null,
    kind text not null,
    reason text not null constraint artifact_kind_reason_check check (reason <> ''),
    made_by text not null,
    made_at timestamptz not null default clock_timestamp()
);

create index artifact_kind_idx on artifact_kind (organization_id, report_id, artifact_kind_id desc);
