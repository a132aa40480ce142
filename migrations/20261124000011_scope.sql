-- Scope sets: named sets of accounts. What a definition says is never altered and never deleted: it is ended, and another
-- one may follow it under the same name.

-- Numbers definitions and their ends together, in the order in which they were written: "what was known up to number 7".
-- Whoever writes holds an advisory lock until the commit, so a smaller number never comes later.
create sequence scope_record_id;

create table scope_definition (
    scope_definition_id bigint primary key default nextval('scope_record_id'),
    organization_id smallint not null references organization,
    -- Stands in addresses. Definitions under one name add up.
    name text collate "C" not null constraint scope_definition_name_check check (name ~ '^[a-z0-9][a-z0-9-]{0,23}$'),
    title text not null constraint scope_definition_title_check check (title <> ''),
    kind text not null constraint scope_definition_kind_check check (kind in ('unit', 'tag', 'accounts')),
    -- For unit: an organizational unit or root by its id, with everything below it.
    unit_id text,
    -- For tag: accounts that carry it with this value.
    tag_key text,
    tag_value text,
    -- For accounts: twelve digits each, in order.
    account_ids text[],
    -- Accounts belong from this day on, until the definition is ended.
    first_day date not null,
    reason text not null constraint scope_definition_reason_check check (reason <> ''),
    made_by text not null,
    made_at timestamptz not null default clock_timestamp(),
    constraint scope_definition_whole_check check (case kind
        when 'unit' then unit_id is not null and tag_key is null and tag_value is null and account_ids is null
        when 'tag' then unit_id is null and tag_key is not null and tag_value is not null and account_ids is null
        else unit_id is null and tag_key is null and tag_value is null and cardinality(account_ids) > 0 end)
);

create index scope_definition_name_idx on scope_definition (organization_id, name, scope_definition_id);

create table scope_end (
    scope_definition_id bigint primary key references scope_definition,
    scope_end_id bigint not null default nextval('scope_record_id') constraint scope_end_key unique,
    -- From this day on accounts no longer belong by it. The definition's first day or earlier: it never held.
    end_day date not null,
    reason text not null constraint scope_end_reason_check check (reason <> ''),
    made_by text not null,
    made_at timestamptz not null default clock_timestamp()
);

create trigger scope_definition_never_altered before update or delete on scope_definition
    for each row execute function refuse_change();
create trigger scope_definition_no_truncate before truncate on scope_definition
    for each statement execute function refuse_change();
create trigger scope_end_never_altered before update or delete on scope_end
    for each row execute function refuse_change();
create trigger scope_end_no_truncate before truncate on scope_end
    for each statement execute function refuse_change();
