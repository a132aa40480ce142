-- What both sides of an engagement see of the log at once: who of its auditors came, and what was downloaded in its room.

-- The engagements in whose rooms an entry is shown; null: in none. What auditors view and draw is their own until they
-- publish it, and is not shown here. A sign-in is of each engagement that the person is invited to.
create function audit_shown_in(act text, detail jsonb) returns text[] language sql immutable as $$
    select case
        when not (act in ('sign in', 'sign out', 'enter room') or act like 'download %') then null
        when jsonb_typeof(detail -> 'engagements') = 'array' then
            array(select jsonb_array_elements_text(detail -> 'engagements'))
        when detail ? 'engagement' then array[detail ->> 'engagement']
    end
$$;

create index audit_log_shown_in_idx on audit_log using gin (audit_shown_in(act, detail))
    where audit_shown_in(act, detail) is not null;

alter table audit_log enable row level security;
create policy room on audit_log using (current_user <> 'auditfolio_room'
    or audit_shown_in(act, detail) @> array[(select room_engagement())::text])
    with check (current_user <> 'auditfolio_room');
