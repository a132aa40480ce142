-- Requests of an engagement: what auditors ask for, what the team answers, and what became of it. Nothing of it is altered:
-- what happens to a request is an event.

create table engagement_request (
    engagement_request_id bigint generated always as identity primary key,
    engagement_id bigint not null references engagement,
    -- 1, 2, 3 within the engagement.
    number integer not null constraint engagement_request_number_check check (number > 0),
    title text not null constraint engagement_request_title_check check (title <> ''),
    wanted text not null constraint engagement_request_wanted_check check (wanted <> ''),
    due_day date not null,
    -- The days that the evidence is to speak of, where they are named.
    first_day date,
    last_day date,
    asked_by text not null,
    -- For whom it was entered, where the team entered it.
    asked_for text constraint engagement_request_asked_for_check check (asked_for <> ''),
    asked_at timestamptz not null default clock_timestamp(),
    constraint engagement_request_number_key unique (engagement_id, number),
    constraint engagement_request_days_check check ((first_day is null) = (last_day is null) and first_day <= last_day)
);

create table engagement_request_event (
    engagement_request_event_id bigint generated always as identity primary key,
    engagement_request_id bigint not null references engagement_request,
    kind text not null constraint engagement_request_event_kind_check
        check (kind in ('answered', 'accepted', 'returned', 'declined', 'withdrawn', 'due-changed')),
    reason text not null,
    -- Of 'due-changed' alone.
    due_day date,
    made_by text not null,
    made_at timestamptz not null default clock_timestamp(),
    constraint engagement_request_event_due_check check ((due_day is not null) = (kind = 'due-changed')),
    constraint engagement_request_event_reason_check check (reason <> '' or kind in ('answered', 'accepted'))
);

create index engagement_request_event_request_idx on engagement_request_event (engagement_request_id, engagement_request_event_id);

-- What a request is answered with: one piece of evidence each.
create table engagement_answer (
    engagement_answer_id bigint generated always as identity primary key,
    engagement_request_event_id bigint not null references engagement_request_event,
    kind text not null constraint engagement_answer_kind_check check (kind in ('note', 'file', 'view', 'pack', 'report')),
    note text not null,
    -- The days that the evidence speaks of: apart from the moment at which it was put here.
    first_day date not null,
    last_day date not null,
    pack_id text collate "C" references pack,
    artifact_file_id bigint references artifact_file,
    -- A file that was uploaded.
    artifact_document_id bigint references artifact_document,
    file_name text,
    -- A view: the evaluations of the day, of a rule and a result or of all, within the terms of the engagement.
    engagement_terms_id bigint references engagement_terms,
    core_name text collate "C",
    status text,
    job_id bigint references job,
    constraint engagement_answer_days_check check (first_day <= last_day),
    constraint engagement_answer_note_check check (note <> '' or kind <> 'note'),
    constraint engagement_answer_pack_check check ((pack_id is not null) = (kind = 'pack')),
    constraint engagement_answer_report_check check ((artifact_file_id is not null) = (kind = 'report')),
    constraint engagement_answer_file_check
        check ((artifact_document_id is not null) = (kind = 'file') and (file_name is not null) = (kind = 'file')),
    constraint engagement_answer_view_check
        check ((engagement_terms_id is not null) = (kind = 'view') and (job_id is not null) = (kind = 'view')
            and (kind = 'view' or core_name is null and status is null))
);

create index engagement_answer_event_idx on engagement_answer (engagement_request_event_id);

-- A view as it was frozen: up to which collection it knows, and the SHA-256 of its rows.
create table engagement_answer_frozen (
    engagement_answer_id bigint primary key references engagement_answer,
    known_at_collection bigint not null references collection,
    rows bigint not null,
    sha256 bytea not null constraint engagement_answer_frozen_sha256_check check (octet_length(sha256) = 32),
    frozen_at timestamptz not null default clock_timestamp()
);

-- A file that should not have been given: it stays on record, and is not handed out any more.
create table engagement_answer_end (
    engagement_answer_id bigint primary key references engagement_answer,
    reason text not null constraint engagement_answer_end_reason_check check (reason <> ''),
    ended_by text not null,
    ended_at timestamptz not null default clock_timestamp()
);

alter table artifact_document drop constraint artifact_document_media_type_check;
alter table artifact_document add constraint artifact_document_media_type_check
    check (media_type in ('application/pdf', 'application/zip', 'image/png', 'image/jpeg', 'text/plain'));

do $$
declare
    kept text;
begin
    foreach kept in array array['engagement_request', 'engagement_request_event', 'engagement_answer',
            'engagement_answer_frozen', 'engagement_answer_end'] loop
        execute format('create trigger %I before update or delete on %I for each row execute function refuse_change()',
            kept || '_never_altered', kept);
        execute format('create trigger %I before truncate on %I for each statement execute function refuse_change()',
            kept || '_no_truncate', kept);
        execute format('alter table %I enable row level security', kept);
    end loop;
end
$$;

create policy room on engagement_request
    using (current_user <> 'auditfolio_room' or engagement_id = (select room_engagement()))
    with check (current_user <> 'auditfolio_room');
create policy room on engagement_request_event
    using (current_user <> 'auditfolio_room'
        or engagement_request_id in (select r.engagement_request_id from engagement_request r))
    with check (current_user <> 'auditfolio_room');
create policy room on engagement_answer
    using (current_user <> 'auditfolio_room'
        or engagement_request_event_id in (select e.engagement_request_event_id from engagement_request_event e))
    with check (current_user <> 'auditfolio_room');
create policy room on engagement_answer_frozen
    using (current_user <> 'auditfolio_room'
        or engagement_answer_id in (select a.engagement_answer_id from engagement_answer a))
    with check (current_user <> 'auditfolio_room');
create policy room on engagement_answer_end
    using (current_user <> 'auditfolio_room'
        or engagement_answer_id in (select a.engagement_answer_id from engagement_answer a))
    with check (current_user <> 'auditfolio_room');

-- Of AWS's reports the room names those that are released: what Artifact says of them.
alter table artifact_version enable row level security;
create policy room on artifact_version
    using (current_user <> 'auditfolio_room'
        or exists (select from artifact_file f where (f.organization_id, f.report_id, f.version)
            = (artifact_version.organization_id, artifact_version.report_id, artifact_version.version)))
    with check (current_user <> 'auditfolio_room');
