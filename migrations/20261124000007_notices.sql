-- Scheduled collections, jobs that can be cancelled and tried again, and notices.

-- The kinds are the program's: a list here would have to grow with each of them.
alter table job drop constraint job_kind_check, add constraint job_kind_check check (kind ~ '^[a-z-]+$');
alter table job drop constraint job_state_check,
    add constraint job_state_check check (state in ('queued', 'running', 'done', 'failed', 'cancelled'));
alter table job
    -- A job that failed and is tried again by itself waits until then.
    add column not_before timestamptz,
    -- Attempts that ended with an error. The others ended with their program.
    add column failures integer not null default 0,
    add column cancel_asked_at timestamptz,
    add column cancel_asked_by text,
    -- The failed job that somebody asked to have done again by this one.
    add column retry_of bigint references job;

-- One collection at a time, whoever asks for it and however many programs there are.
create unique index job_one_collection_idx on job (kind) where kind = 'collect' and state in ('queued', 'running');
create unique index job_retry_of_idx on job (retry_of);

-- When the next scheduled collection is due. One row, shared by all programs of this database.
create table collect_schedule (
    collect_schedule_id boolean primary key default true constraint collect_schedule_one_check check (collect_schedule_id),
    every_seconds integer not null constraint collect_schedule_every_check check (every_seconds > 0),
    -- Where the program that set the schedule looks, in words.
    source text not null,
    due_at timestamptz not null,
    -- When a program last looked at the schedule: one that nobody keeps is off.
    kept_at timestamptz not null default clock_timestamp()
);

-- One look at what the store says, after a collection: what it opened and closed points here.
create table notice_decision (
    notice_decision_id bigint generated always as identity primary key,
    organization_id smallint not null references organization,
    -- Null: the collection failed before it had a row of its own.
    collection_id bigint references collection,
    -- Whether the collection had finished, so that all causes were looked at.
    whole boolean not null,
    decided_at timestamptz not null
);

create index notice_decision_whole_idx on notice_decision (organization_id, collection_id) where whole;

-- Something that a person should look at, once for its cause.
create table notice (
    notice_id bigint generated always as identity primary key,
    organization_id smallint not null references organization,
    kind text not null constraint notice_kind_check check (kind in (
        'place-silent', 'items-dropped', 'rule-gone', 'critical-failing', 'collection-failed', 'objects-unreadable')),
    -- What it is about: a place, a core rule, a collection. With the kind it is the cause.
    about text collate "C" not null,
    sentence text not null,
    -- The newest collected day when it was opened; null before there was one.
    as_of_day date,
    -- What was seen, as it was seen then: {"members": [...], ...}.
    facts jsonb not null,
    opened_at timestamptz not null,
    opened_by bigint not null references notice_decision,
    closed_at timestamptz,
    closed_by bigint references notice_decision,
    closed_because text,
    acknowledged_at timestamptz,
    acknowledged_by text,
    constraint notice_closed_check check ((closed_at is null) = (closed_by is null) and (closed_at is null) = (closed_because is null)),
    constraint notice_acknowledged_check check ((acknowledged_at is null) = (acknowledged_by is null))
);

create index notice_open_idx on notice (organization_id, notice_id desc) where closed_at is null;
-- The list's usual order: what nobody has acknowledged first, then what is open, then the rest; the newest of each first.
create index notice_list_idx on notice (organization_id,
    ((case when closed_at is not null then 0 when acknowledged_at is not null then 1 else 2 end)::bigint), notice_id);
create index notice_opened_by_idx on notice (opened_by);
create index notice_closed_by_idx on notice (closed_by) where closed_by is not null;

-- A notice is closed once and acknowledged once; nothing else of it ever changes.
create function notice_history() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' or tg_op = 'TRUNCATE'
        or (old.closed_at is not null and (new.closed_at, new.closed_by, new.closed_because)
            is distinct from (old.closed_at, old.closed_by, old.closed_because))
        or (old.acknowledged_at is not null and (new.acknowledged_at, new.acknowledged_by)
            is distinct from (old.acknowledged_at, old.acknowledged_by))
        or (new.notice_id, new.organization_id, new.kind, new.about, new.sentence, new.as_of_day, new.facts,
            new.opened_at, new.opened_by)
            is distinct from (old.notice_id, old.organization_id, old.kind, old.about, old.sentence, old.as_of_day,
                              old.facts, old.opened_at, old.opened_by)
    then
        raise exception '% of notice is refused: what was noticed is never altered', tg_op
            using errcode = 'insufficient_privilege';
    end if;
    return new;
end
$$;

create trigger notice_history before update or delete on notice for each row execute function notice_history();
create trigger notice_no_truncate before truncate on notice for each statement execute function refuse_change();
create trigger notice_decision_never_altered before update or delete on notice_decision
    for each row execute function refuse_change();
create trigger notice_decision_no_truncate before truncate on notice_decision
    for each statement execute function refuse_change();

-- The e-mail that tells of a decision. Sent at least once, always under the same Message-ID.
create table notice_digest (
    notice_decision_id bigint primary key references notice_decision,
    message_id text not null constraint notice_digest_message_id_key unique,
    sent_at timestamptz,
    recipients integer
);
