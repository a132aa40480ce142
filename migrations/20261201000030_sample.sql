-- Samples that auditors draw in a room. Every draw stays on record; its population is frozen by its hash.

create table engagement_sample (
    engagement_sample_id bigint generated always as identity primary key,
    engagement_id bigint not null references engagement,
    -- The terms that held when it was asked for: whose scope and rules the population is of.
    engagement_terms_id bigint not null references engagement_terms,
    as_of date not null,
    -- Null: of every rule, of every status.
    core_name text collate "C",
    status text,
    size integer not null constraint engagement_sample_size_check check (size > 0),
    seed text not null constraint engagement_sample_seed_check check (seed ~ '^[ -~]{1,64}$'),
    -- So many rows of all, or of each account, rule or status.
    strata text not null constraint engagement_sample_strata_check check (strata in ('none', 'account', 'rule', 'status')),
    purpose text not null constraint engagement_sample_purpose_check check (purpose <> ''),
    asked_by text not null,
    asked_at timestamptz not null default clock_timestamp(),
    job_id bigint not null references job
);

create index engagement_sample_engagement_idx on engagement_sample (engagement_id, engagement_sample_id desc);

create table engagement_sample_drawn (
    engagement_sample_id bigint primary key references engagement_sample,
    -- The knowledge point of the population.
    known_at_collection bigint not null references collection,
    population_rows bigint not null,
    population_sha256 bytea not null
        constraint engagement_sample_sha256_check check (octet_length(population_sha256) = 32),
    drawn_at timestamptz not null default clock_timestamp()
);

create table engagement_sample_row (
    engagement_sample_id bigint not null references engagement_sample,
    ordinal integer not null,
    stratum text not null,
    -- SHA-256 of the seed and the row, by which rows are ordered and taken.
    digest bytea not null,
    account_id text collate "C" not null,
    region text collate "C" not null,
    rule_name text collate "C" not null,
    resource_type text collate "C" not null,
    resource_id text collate "C" not null,
    status text not null,
    primary key (engagement_sample_id, ordinal)
);

-- An auditor shows the team what was viewed and drawn in a room, before it closes.
create table engagement_publication (
    engagement_id bigint primary key references engagement,
    published_by text not null,
    published_at timestamptz not null default clock_timestamp()
);

do $$
declare
    kept text;
begin
    foreach kept in array array['engagement_sample', 'engagement_sample_drawn', 'engagement_sample_row',
            'engagement_publication'] loop
        execute format('create trigger %I before update or delete on %I for each row execute function refuse_change()',
            kept || '_never_altered', kept);
        execute format('create trigger %I before truncate on %I for each statement execute function refuse_change()',
            kept || '_no_truncate', kept);
        execute format('alter table %I enable row level security', kept);
    end loop;
end
$$;

create policy room on engagement_sample
    using (current_user <> 'auditfolio_room' or engagement_id = (select room_engagement()))
    with check (current_user <> 'auditfolio_room');
create policy room on engagement_publication
    using (current_user <> 'auditfolio_room' or engagement_id = (select room_engagement()))
    with check (current_user <> 'auditfolio_room');
create policy room on engagement_sample_drawn
    using (current_user <> 'auditfolio_room'
        or engagement_sample_id in (select s.engagement_sample_id from engagement_sample s))
    with check (current_user <> 'auditfolio_room');
create policy room on engagement_sample_row
    using (current_user <> 'auditfolio_room'
        or engagement_sample_id in (select s.engagement_sample_id from engagement_sample s))
    with check (current_user <> 'auditfolio_room');
