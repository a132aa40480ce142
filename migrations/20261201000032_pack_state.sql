-- States of packs: what happened to one after it was stored. A pack itself is never altered, so neither is what happened to it.
-- A pack without any row was issued before packs had states.

create table pack_event (
    pack_event_id bigint generated always as identity primary key,
    pack_id text collate "C" not null references pack,
    kind text not null constraint pack_event_kind_check
        check (kind in ('draft', 'propose', 'return', 'approve', 'final', 'supersede', 'withdraw')),
    -- Who, as the audit log has it, and as what; no role on the command line.
    by_identity text not null,
    by_role text,
    demo boolean not null,
    -- The reason, or what was said with a proposal.
    note text constraint pack_event_note_check check (note <> ''),
    -- The pack that supersedes this one; of a final pack the draft.
    other_pack_id text collate "C" references pack,
    made_at timestamptz not null default clock_timestamp(),
    constraint pack_event_reason_check check (kind not in ('return', 'supersede', 'withdraw') or note is not null),
    constraint pack_event_other_check check ((kind in ('final', 'supersede')) = (other_pack_id is not null))
);

create index pack_event_pack_idx on pack_event (pack_id, pack_event_id);
-- What can happen to a pack only once, whoever comes at the same moment.
create unique index pack_event_once_idx on pack_event (pack_id, kind) where kind in ('draft', 'final', 'supersede', 'withdraw');

-- What was asked for, so that the final pack is made of the same.
create table pack_request (
    pack_id text collate "C" primary key references pack,
    request jsonb not null
);

-- The key of pseudonyms, apart from the one that signs: who has it can tell whether a name is behind a pseudonym.
create table pseudonym_key (
    only_one boolean primary key default true constraint pseudonym_key_only_one_check check (only_one),
    key bytea not null,
    created_at timestamptz not null default clock_timestamp()
);

-- Pseudonyms that were given: each name's keyed hash, and not the name.
create table pseudonym (
    digest bytea primary key,
    shown text collate "C" not null unique
);

do $$
declare
    kept text;
begin
    foreach kept in array array['pack_event', 'pack_request', 'pseudonym_key', 'pseudonym'] loop
        execute format('create trigger %I before update or delete on %I for each row execute function refuse_change()',
            kept || '_never_altered', kept);
        execute format('create trigger %I before truncate on %I for each statement execute function refuse_change()',
            kept || '_no_truncate', kept);
    end loop;
end
$$;

-- In a room: of its packs, and without what the team says among itself while it reviews.
alter table pack_event enable row level security;
create policy room on pack_event using (current_user <> 'auditfolio_room'
    or kind in ('draft', 'final', 'supersede', 'withdraw') and pack_id in (select s.pack_id from engagement_pack s))
    with check (current_user <> 'auditfolio_room');
