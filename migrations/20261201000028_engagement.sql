-- Engagements: one audit each, with its room. What is agreed is never altered: a change is a new row, and shows.

create table engagement (
    engagement_id bigint generated always as identity primary key,
    organization_id smallint not null references organization,
    created_by text not null,
    created_at timestamptz not null default clock_timestamp()
);

-- What holds of an engagement from the moment of writing until the next row.
create table engagement_terms (
    engagement_terms_id bigint generated always as identity primary key,
    engagement_id bigint not null references engagement,
    title text not null constraint engagement_terms_title_check check (title <> ''),
    -- A scope set, as its record stood at scope_record: what is defined later does not reach into the room. Null: the
    -- whole organisation.
    scope_name text collate "C",
    scope_record bigint not null,
    -- Core names of the rules; null: all of them.
    core_names text[] constraint engagement_terms_rules_check check (cardinality(core_names) > 0),
    -- The audited period, both days included.
    first_day date not null,
    last_day date not null,
    opens_at timestamptz not null,
    closes_at timestamptz not null,
    reason text not null constraint engagement_terms_reason_check check (reason <> ''),
    made_by text not null,
    made_at timestamptz not null default clock_timestamp(),
    constraint engagement_terms_days_check check (first_day <= last_day),
    constraint engagement_terms_moments_check check (opens_at <= closes_at)
);

create index engagement_terms_engagement_idx on engagement_terms (engagement_id, engagement_terms_id desc);

-- Who was invited: by e-mail address, and by which identity provider where one is named.
create table engagement_auditor (
    engagement_auditor_id bigint generated always as identity primary key,
    engagement_id bigint not null references engagement,
    email text not null constraint engagement_auditor_email_check check (email = lower(email) and email <> ''),
    provider text,
    invited_by text not null,
    invited_at timestamptz not null default clock_timestamp()
);

create index engagement_auditor_engagement_idx on engagement_auditor (engagement_id);
create index engagement_auditor_email_idx on engagement_auditor (email);

-- Who an invitation turned out to be, at the first sign-in: from then on the person counts, not the address.
create table engagement_binding (
    engagement_auditor_id bigint primary key references engagement_auditor,
    person_id bigint not null references person,
    bound_at timestamptz not null default clock_timestamp()
);

create index engagement_binding_person_idx on engagement_binding (person_id);

create table engagement_auditor_end (
    engagement_auditor_id bigint primary key references engagement_auditor,
    reason text not null constraint engagement_auditor_end_reason_check check (reason <> ''),
    ended_by text not null,
    ended_at timestamptz not null default clock_timestamp()
);

-- Packs that lie in a room.
create table engagement_pack (
    engagement_pack_id bigint generated always as identity primary key,
    engagement_id bigint not null references engagement,
    pack_id text collate "C" not null references pack,
    shared_by text not null,
    shared_at timestamptz not null default clock_timestamp(),
    -- Why, where the pack says more than the room shows.
    wider_because text
);

create index engagement_pack_engagement_idx on engagement_pack (engagement_id);

create table engagement_pack_end (
    engagement_pack_id bigint primary key references engagement_pack,
    reason text not null constraint engagement_pack_end_reason_check check (reason <> ''),
    ended_by text not null,
    ended_at timestamptz not null default clock_timestamp()
);

do $$
declare
    kept text;
begin
    foreach kept in array array['engagement', 'engagement_terms', 'engagement_auditor', 'engagement_binding',
            'engagement_auditor_end', 'engagement_pack', 'engagement_pack_end'] loop
        execute format('create trigger %I before update or delete on %I for each row execute function refuse_change()',
            kept || '_never_altered', kept);
        execute format('create trigger %I before truncate on %I for each statement execute function refuse_change()',
            kept || '_no_truncate', kept);
    end loop;
end
$$;

-- The room that an auditor's session is in.
alter table session add column engagement_id bigint references engagement;

-- The second wall of a room: an auditor's pages read as the role auditfolio_room, which sees the rows of the places, rules
-- and accounts that its transaction was given, and without them nothing. Nobody else is touched. The first wall is that
-- the pages ask for no more.
--
-- Names of rules are shown only of those that exist, or existed, in the places of the room: room_rules has all their ids.
-- Of what they say, rows are rarely kept apart by rule; room_has_all_rules saves looking each of them up.
create function room_places() returns setof integer language sql stable as
    $$ select unnest(nullif(current_setting('auditfolio.places', true), '')::integer[]) $$;
create function room_rules() returns setof integer language sql stable as
    $$ select unnest(nullif(current_setting('auditfolio.rules', true), '')::integer[]) $$;
create function room_has_all_rules() returns boolean language sql stable as
    $$ select coalesce(current_setting('auditfolio.all_rules', true), '') = 'yes' $$;
create function room_accounts() returns setof text language sql stable as
    $$ select unnest(nullif(current_setting('auditfolio.accounts', true), '')::text[]) $$;
create function room_last_day() returns date language sql stable as
    $$ select nullif(current_setting('auditfolio.last_day', true), '')::date $$;
create function room_engagement() returns bigint language sql stable as
    $$ select nullif(current_setting('auditfolio.engagement', true), '')::bigint $$;

do $$
declare
    walled record;
begin
    for walled in select * from (values
        ('place', 'place_id in (select room_places())'),
        ('expected_place', 'place_id in (select room_places())'),
        ('account', 'account_id in (select room_accounts())'),
        ('aggregate_pack', 'account_id in (select room_accounts())'),
        ('account_listing', 'account_id in (select room_accounts())'),
        ('object', 'place_id in (select room_places()) and day <= (select room_last_day())'),
        ('object_outcome', 'exists (select from object o where o.object_id = object_outcome.object_id)'),
        ('delivery', 'place_id in (select room_places()) and day <= (select room_last_day())'),
        ('rule', 'rule_id in (select room_rules())'),
        ('timeline', 'timeline_id in (select r.timeline_id from rule r)'),
        ('rule_timeline_move', 'rule_id in (select room_rules())'),
        ('rule_attribute', 'place_id in (select room_places()) and ((select room_has_all_rules()) or rule_id in (select room_rules()))'),
        ('resource', 'place_id in (select room_places())'),
        ('run', 'place_id in (select room_places()) and ((select room_has_all_rules()) or rule_id in (select room_rules()))
             and first_day <= (select room_last_day())'),
        ('rule_presence', 'place_id in (select room_places()) and ((select room_has_all_rules()) or rule_id in (select room_rules()))
             and first_day <= (select room_last_day())'),
        ('rollup', 'place_id in (select room_places()) and ((select room_has_all_rules()) or rule_id in (select room_rules()))
             and first_day <= (select room_last_day())'),
        ('restatement', 'place_id in (select room_places()) and ((select room_has_all_rules()) or rule_id in (select room_rules()))
             and day <= (select room_last_day())'),
        ('rule_presence_restatement', 'place_id in (select room_places()) and ((select room_has_all_rules()) or rule_id in (select room_rules()))
             and day <= (select room_last_day())'),
        ('conformance_pack', 'place_id in (select room_places())'),
        ('conformance_pack_run', 'first_day <= (select room_last_day()) and exists (select from conformance_pack c
             where c.conformance_pack_id = conformance_pack_run.conformance_pack_id)'),
        ('rule_reading', 'place_id in (select room_places())'),
        ('rule_definition', 'place_id in (select room_places()) and rule_name in (select r.name from rule r)'),
        -- AWS's reports are of no account: released ones alone.
        ('artifact_file', 'artifact_file_id in (select r.artifact_file_id from artifact_release r)'),
        ('artifact_release', 'withdrawn_at is null'),
        ('engagement_pack', 'engagement_id = (select room_engagement())
             and not exists (select from engagement_pack_end e where e.engagement_pack_id = engagement_pack.engagement_pack_id)'),
        ('pack', 'pack_id in (select s.pack_id from engagement_pack s)'),
        ('pack_chunk', 'pack_id in (select s.pack_id from engagement_pack s)')
    ) as w (name, sight) loop
        execute format('alter table %I enable row level security', walled.name);
        -- Row security would also stand before whoever uses a database that belongs to somebody else.
        execute format('create policy room on %I using (current_user <> ''auditfolio_room'' or (%s))
            with check (current_user <> ''auditfolio_room'')', walled.name, walled.sight);
    end loop;
end
$$;
