-- Documents: AWS's reports and their terms, as they were fetched.
create table artifact_document (
    artifact_document_id bigint generated always as identity primary key,
    organization_id smallint not null references organization,
    media_type text not null constraint artifact_document_media_type_check
        check (media_type in ('application/pdf', 'application/zip')),
    size_bytes bigint not null constraint artifact_document_size_check check (size_bytes > 0),
    sha256 bytea not null constraint artifact_document_sha256_check check (octet_length(sha256) = 32),
    stored_at timestamptz not null default clock_timestamp()
);

create table artifact_document_chunk (
    artifact_document_id bigint not null references artifact_document,
    ordinal integer not null,
    bytes bytea not null,
    primary key (artifact_document_id, ordinal)
);

alter table artifact_document_chunk alter column bytes set storage external;

-- A document is whole when it is committed.
create function refuse_late_document_chunk() returns trigger language plpgsql as $$
begin
    if not exists (select from artifact_document d
                   where d.artifact_document_id = new.artifact_document_id and d.xmin = pg_current_xact_id()::xid) then
        raise exception 'insert of artifact_document_chunk is refused: document % is stored', new.artifact_document_id
            using errcode = 'insufficient_privilege';
    end if;
    return new;
end
$$;

create trigger artifact_document_chunk_never_added before insert on artifact_document_chunk
    for each row execute function refuse_late_document_chunk();
create trigger artifact_document_never_altered before update or delete on artifact_document
    for each row execute function refuse_change();
create trigger artifact_document_no_truncate before truncate on artifact_document
    for each statement execute function refuse_change();
create trigger artifact_document_chunk_never_altered before update or delete on artifact_document_chunk
    for each row execute function refuse_change();
create trigger artifact_document_chunk_no_truncate before truncate on artifact_document_chunk
    for each statement execute function refuse_change();

-- A version's terms, as somebody asked AWS for them.
create table artifact_terms (
    artifact_terms_id bigint generated always as identity primary key,
    organization_id smallint not null references organization,
    report_id text collate "C" not null,
    version bigint not null,
    artifact_document_id bigint not null references artifact_document,
    asked_by text not null,
    fetched_at timestamptz not null default clock_timestamp(),
    -- AWS's record of that request, good for fetching the report once; null from when it is used.
    token text,
    used_at timestamptz,
    constraint artifact_terms_token_check check ((token is null) = (used_at is not null))
);

create index artifact_terms_idx on artifact_terms (organization_id, report_id, version, artifact_terms_id desc);

-- Who opened which terms, the first time.
create table artifact_terms_reading (
    artifact_terms_id bigint not null references artifact_terms,
    read_by text not null,
    read_at timestamptz not null default clock_timestamp(),
    primary key (artifact_terms_id, read_by)
);

create table artifact_acceptance (
    artifact_terms_id bigint primary key references artifact_terms,
    accepted_by text not null,
    demo boolean not null,
    accepted_at timestamptz not null default clock_timestamp(),
    -- Who accepts has opened them.
    constraint artifact_acceptance_read_key foreign key (artifact_terms_id, accepted_by)
        references artifact_terms_reading (artifact_terms_id, read_by)
);

create trigger artifact_acceptance_never_altered before update or delete on artifact_acceptance
    for each row execute function refuse_change();

-- A version's file; the newest counts.
create table artifact_file (
    artifact_file_id bigint generated always as identity primary key,
    organization_id smallint not null references organization,
    report_id text collate "C" not null,
    version bigint not null,
    artifact_document_id bigint not null references artifact_document,
    -- Null: it was brought in from a folder, and its terms were accepted elsewhere.
    artifact_terms_id bigint references artifact_acceptance,
    source text not null,
    stored_by text not null,
    stored_at timestamptz not null default clock_timestamp()
);

create index artifact_file_idx on artifact_file (organization_id, report_id, version, artifact_file_id desc);

create trigger artifact_file_never_altered before update or delete on artifact_file
    for each row execute function refuse_change();

-- Who let auditors have a file, and who ended that.
create table artifact_release (
    artifact_release_id bigint generated always as identity primary key,
    artifact_file_id bigint not null references artifact_file,
    released_by text not null,
    reason text not null constraint artifact_release_reason_check check (reason <> ''),
    released_at timestamptz not null default clock_timestamp(),
    withdrawn_by text,
    withdrawn_at timestamptz,
    constraint artifact_release_withdrawn_check check ((withdrawn_by is null) = (withdrawn_at is null))
);

create unique index artifact_release_open_idx on artifact_release (artifact_file_id) where withdrawn_at is null;

-- What somebody found who reviewed a version: the newest counts.
create table artifact_review (
    artifact_review_id bigint generated always as identity primary key,
    organization_id smallint not null references organization,
    report_id text collate "C" not null,
    version bigint not null,
    reviewer text not null constraint artifact_review_reviewer_check check (reviewer <> ''),
    reviewed_on date not null,
    opinion text not null constraint artifact_review_opinion_check
        check (opinion in ('unqualified', 'qualified', 'adverse', 'disclaimer', 'none')),
    exceptions text not null,
    -- [{"control": …, "owner": …}]
    user_entity_controls jsonb not null,
    carve_outs text not null,
    conclusion text not null constraint artifact_review_conclusion_check check (conclusion <> ''),
    next_due date,
    recorded_by text not null,
    recorded_at timestamptz not null default clock_timestamp()
);

create index artifact_review_idx on artifact_review (organization_id, report_id, version, artifact_review_id desc);

create trigger artifact_review_never_altered before update or delete on artifact_review
    for each row execute function refuse_change();

-- A Business Associate Addendum that was signed outside Artifact, as somebody records it.
create table artifact_offline_agreement (
    artifact_offline_agreement_id bigint generated always as identity primary key,
    organization_id smallint not null references organization,
    -- Null: every account of the organisation.
    account_id text collate "C" constraint artifact_offline_agreement_account_check check (account_id ~ '^[0-9]{12}$'),
    title text not null constraint artifact_offline_agreement_title_check check (title <> ''),
    effective_from date not null,
    -- The first day without it; null where no end is known.
    effective_until date,
    note text not null,
    artifact_document_id bigint not null references artifact_document,
    recorded_by text not null,
    recorded_at timestamptz not null default clock_timestamp(),
    withdrawn_by text,
    withdrawn_at timestamptz,
    withdrawn_because text,
    constraint artifact_offline_agreement_days_check check (effective_until > effective_from),
    constraint artifact_offline_agreement_withdrawn_check
        check ((withdrawn_by is null) = (withdrawn_at is null) and (withdrawn_by is null) = (withdrawn_because is null))
);

create index artifact_offline_agreement_idx on artifact_offline_agreement (organization_id, account_id);

-- Notices of Artifact's.
alter table notice drop constraint notice_kind_check;
alter table notice add constraint notice_kind_check check (kind in (
    'place-silent', 'items-dropped', 'rule-gone', 'critical-failing', 'collection-failed', 'objects-unreadable',
    'aggregator-unread', 'definitions-unread', 'report-version', 'review-due', 'certificate-ending', 'artifact-unread'));
