-- Evidence that a setting has removed: from which day on it is kept, and what was taken away.

-- A row is there, committed, before anything is removed: from then on days before `first_day` are told by nobody. The largest
-- `first_day` of an organisation is its floor; it never falls.
create table retention (
    retention_id bigint generated always as identity primary key,
    organization_id smallint not null references organization,
    -- As it was set, e.g. 7y.
    setting text not null constraint retention_setting_check check (setting <> ''),
    first_day date not null,
    -- The floor before; null for the first removal.
    first_day_before date,
    started_by text not null,
    started_at timestamptz not null default clock_timestamp(),
    -- Null: under way, or cut off. A later removal finishes its work.
    finished_at timestamptz,
    -- Rows removed, by table.
    removed jsonb not null default '{}',
    constraint retention_first_day_key unique (organization_id, first_day),
    constraint retention_first_day_check check (first_day_before < first_day)
);

-- A removal is counted while it is under way and ended once; nothing else of it ever changes.
create function retention_history() returns trigger language plpgsql as $$
begin
    if tg_op <> 'UPDATE' or old.finished_at is not null
        or (new.retention_id, new.organization_id, new.setting, new.first_day, new.first_day_before, new.started_by,
            new.started_at)
            is distinct from (old.retention_id, old.organization_id, old.setting, old.first_day, old.first_day_before,
                              old.started_by, old.started_at)
    then
        raise exception '% of retention is refused: what was removed is never altered', tg_op
            using errcode = 'insufficient_privilege';
    end if;
    return new;
end
$$;

create trigger retention_history before update or delete on retention for each row execute function retention_history();
create trigger retention_no_truncate before truncate on retention for each statement execute function refuse_change();

-- One removal at a time for an organisation, however many programs there are.
create unique index job_one_retention_idx on job ((payload ->> 'organization'))
    where kind = 'retain' and state in ('queued', 'running');

-- Rows that point at what is removed, found without reading all of them.
create index delivery_object_idx on delivery (object_id) where object_id is not null;
create index history_item_object_idx on history_item (object_id);
create index history_item_resource_idx on history_item (resource_id);
create index history_pack_item_object_idx on history_pack_item (object_id);
