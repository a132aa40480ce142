-- A store of one million current evaluations and 90 days, written straight into the tables: 180 places, 130 rules in
-- each, 300 resources a place, one evaluation in a thousand changing a day. Half of the rules come by a conformance
-- pack, which gives them a name of their own in each place, as AWS does. Run with psql on a migrated, empty database;
-- -v accounts=600 makes ten times as much. It measures reading only: a collection writes these tables in earnest.
\set ON_ERROR_STOP on
\if :{?accounts} \else \set accounts 60 \endif
\set first '''2026-08-24'''
\set days 90
begin;
set local work_mem = '512MB';
set local jit = off;
do $$ begin perform setseed(0.5); end $$;

insert into organization (name) values ('Million');
insert into collection (organization_id, engine, source, state, started_by, started_at, finished_at, program_version,
    program_commit, first_day, last_day)
select organization_id, 'files', '/bench', 'finished', 'bench', now(), now(), '0', 'bench', :first::date,
    :first::date + :days - 1 from organization;

insert into account (organization_id, account_id, name, status, joined_on)
select organization_id, lpad((100000000000 + n * 7919)::text, 12, '0'), 'account-' || lpad(n::text, 4, '0'), 'ACTIVE', '2024-01-01'
from organization, generate_series(1, :accounts) n;

insert into place (organization_id, account_id, region)
select organization_id, account_id, region
from account, unnest(array['eu-central-1', 'eu-west-1', 'us-east-1']) region;

insert into expected_place (place_id, first_day, since_collection)
select place_id, :first::date - 300, 1 from place;

insert into resource_type (name)
select 'AWS::Service' || n || '::Thing' || chr(65 + n % 26) from generate_series(1, 20) n;

insert into timeline (organization_id, core_name, origin, pack)
select organization_id, 'core-rule-number-' || n / 2 || '-enabled', case when n % 2 = 0 then 'direct' else 'conformance-pack' end,
    case when n % 2 = 0 then '' else 'operational-best-practices' end
from organization, generate_series(1, 130) n;

-- Rules outside packs have one name everywhere.
insert into rule (organization_id, name, core_name, timeline_id, origin, suffix, source_identifier, severity, title)
select organization_id, core_name, core_name, timeline_id, origin, null, upper(replace(core_name, '-', '_')), timeline_id % 5,
    'Thing ' || timeline_id || ' should be switched on' from timeline where origin = 'direct';

-- Those of a pack have its suffix, another one in each place.
insert into rule (organization_id, name, core_name, timeline_id, origin, suffix, source_identifier, severity, title)
select organization_id, core_name || '-conformance-pack-' || suffix, core_name, timeline_id, origin, suffix,
    upper(replace(core_name, '-', '_')), timeline_id % 5, 'Thing ' || timeline_id || ' should be switched on'
from timeline, (select place_id, substr(md5('suffix ' || place_id), 1, 9) as suffix from place) each where origin = 'conformance-pack';

create temp table rule_in_place on commit drop as
select place_id, rule_id, timeline_id from place, rule where origin = 'direct'
union all
select place_id, rule_id, timeline_id from place join rule on suffix = substr(md5('suffix ' || place_id), 1, 9);

-- 15 resources of each type in each place.
insert into resource (place_id, resource_type_id, id)
select place_id, resource_type_id, 'arn:aws:thing:' || resource_type_id || '/' || md5(place_id || '-' || resource_type_id || '-' || n)
from place, resource_type, generate_series(1, 15) n;

-- Statuses: 92 % complying, 6 % not, 1 % insufficient data, 1 % not applicable.
create temp table evaluation on commit drop as
select place_id, rule_id, resource_id, resource_type_id,
    case when random() < 0.085 then 1 + (random() * :days)::integer end as changes_on,
    case when random() < 0.92 then 1 when random() < 0.75 then 2 when random() < 0.5 then 3 else 4 end::smallint as status_id,
    random() as luck
from resource join rule_in_place rule using (place_id) where (timeline_id + resource.resource_type_id) % 7 = 0;

insert into run (place_id, rule_id, resource_id, first_day, end_day, status_id, item_captured_at)
select place_id, rule_id, resource_id, :first::date, case when changes_on < :days then :first::date + changes_on else 'infinity' end,
    case when changes_on < :days and luck < 0.45 then 2 else status_id end, :first::timestamptz
from evaluation order by place_id, rule_id, resource_id;

-- What changed: mostly from failing to complying and back; one in twenty resources goes for good.
insert into run (place_id, rule_id, resource_id, first_day, end_day, status_id, item_captured_at)
select place_id, rule_id, resource_id, :first::date + changes_on, 'infinity',
    case when luck < 0.45 then 1 when status_id = 2 then 1 else 2 end, :first::timestamptz + changes_on * interval '1 day'
from evaluation where changes_on < :days and luck < 0.95 order by changes_on, place_id, rule_id, resource_id;

-- One in ten of those comes back.
with again as (
    update run set end_day = first_day + 3 where first_day > :first::date and first_day < :first::date + :days - 6 and random() < 0.1
    returning place_id, rule_id, resource_id, end_day, status_id
)
insert into run (place_id, rule_id, resource_id, first_day, status_id)
select place_id, rule_id, resource_id, end_day, 3 - status_id from again;

insert into rule_presence (place_id, rule_id, first_day)
select place_id, rule_id, :first::date from rule_in_place where (place_id * 31 + timeline_id) % 97 <> 0;

insert into rollup
with delta as (
    select place_id, rule_id, resource_type_id, day, sum(sign) filter (where status_id = 1) c, sum(sign) filter (where status_id = 2) n,
        sum(sign) filter (where status_id = 3) i, sum(sign) filter (where status_id = 4) a
    from (
        select run.place_id, rule_id, resource_type_id, first_day as day, status_id, 1 as sign from run join resource using (resource_id)
        union all
        select run.place_id, rule_id, resource_type_id, end_day, status_id, -1 from run join resource using (resource_id)
        where end_day < 'infinity'
    ) edge
    group by 1, 2, 3, 4
)
select place_id, rule_id, resource_type_id, day,
    coalesce(lead(day) over part, 'infinity'), coalesce(sum(c) over part, 0), coalesce(sum(n) over part, 0), coalesce(sum(i) over part, 0),
    coalesce(sum(a) over part, 0), 0
from delta window part as (partition by place_id, rule_id, resource_type_id order by day);

-- Delivery: 1.5 % gaps; the last account is silent for the last 20 days.
insert into delivery (place_id, day, state, since_collection, snapshot_at, complying, not_complying, insufficient_data, not_applicable)
select place_id, day, 'delivered', 1, day + time '05:00', c, n, i, a
from (
    select place_id, day::date, random() as luck, dense_rank() over (order by account_id desc) as rank
    from place, generate_series(:first::date, :first::date + :days - 1, interval '1 day') day
) wanted
cross join lateral (
    select sum(complying) c, sum(not_complying) n, sum(insufficient_data) i, sum(not_applicable) a
    from rollup where rollup.place_id = wanted.place_id and first_day <= wanted.day and wanted.day < end_day
) counted
where luck > 0.015 and not (rank = 1 and day > :first::date + :days - 20);

insert into object (place_id, day, kind, key, taken_at, size_bytes, modified_ns, first_collection, read_by, items, compliance_items, evaluations)
select place_id, day, 'snapshot', 'AWSLogs/' || account_id || '/Config/' || region || '/' || day || '/ConfigSnapshot/snapshot.json.gz',
    snapshot_at, 400000, 1, 1, 1, 900, 300, 5565
from delivery join place using (place_id);

update delivery set object_id = object.object_id from object where object.place_id = delivery.place_id and object.day = delivery.day;

insert into object_outcome (object_id, collection_id, outcome, reason, position_bytes, evaluations)
select object_id, 1, case when object_id % 400 = 0 then 'unreadable' when object_id % 50 = 0 then 'superseded' else 'collected' end,
    case when object_id % 400 = 0 then 'truncated gzip' when object_id % 50 = 0 then 'a later snapshot of the day' end,
    case when object_id % 400 = 0 then 1024 end, case when object_id % 50 = 0 then 0 else 5565 end
from object;

update collection set objects_done = counted.objects, objects_total = counted.objects
from (select count(*) as objects from object_outcome) counted;

-- A later collection that took nothing in but one day anew.
insert into collection (organization_id, engine, source, state, started_by, started_at, finished_at, program_version,
    program_commit, first_day, last_day)
select organization_id, 'files', '/bench', 'finished', 'bench', now(), now(), '0', 'bench', :first::date + 80, :first::date + 80
from organization;
update delivery set until_collection = 2 where day = :first::date + 80;
insert into delivery (place_id, day, state, since_collection, snapshot_at, complying, not_complying, insufficient_data,
    not_applicable, rows_added, rows_removed)
select place_id, day, state, 2, snapshot_at + interval '6 hours', complying, not_complying, insufficient_data, not_applicable, 3, 3
from delivery where until_collection = 2;

-- Packs of every tenth day, each issued before the second collection. Their bytes do not matter here.
insert into installation_key (key_id, private_key, public_key) values ('bench', '\x00', '\x00');
insert into pack (pack_id, organization_id, title, from_day, as_of_day, known_at_collection, created_by, demo, printed_at,
    clock_set, pages, evaluations, not_complying, gap_days, expected_days, pdf_bytes, pdf_sha256, zip_bytes, zip_sha256, key_id,
    signature, cover)
select 'AF-BENCH-' || lpad(n::text, 4, '0'), organization_id, 'Pack ' || n, :first::date, :first::date + n * 10 - 1, 1, 'bench', false,
    now(), false, 40, 1000800, 60000, 200, n * 1800, 1000000, sha256(('pdf' || n)::bytea), 1000000, sha256(('zip' || n)::bytea), 'bench',
    '\x00', '{}'
from organization, generate_series(1, 9) n;

insert into day_total
select organization_id, day.day::date, count(*), count(*) filter (where today.known), 0,
    coalesce(sum(today.complying) filter (where today.known), 0), coalesce(sum(today.not_complying) filter (where today.known), 0),
    coalesce(sum(today.insufficient_data) filter (where today.known), 0), coalesce(sum(today.not_applicable) filter (where today.known), 0), 0,
    coalesce(sum(last.unknown) filter (where today.known is not true), 0)
from place
cross join generate_series(:first::date, :first::date + :days - 1, interval '1 day') day
left join delivery today on today.place_id = place.place_id and today.day = day.day and today.until_collection is null
left join lateral (
    select complying + not_complying + insufficient_data as unknown from delivery
    where delivery.place_id = place.place_id and delivery.day < day.day and known and until_collection is null order by delivery.day desc limit 1
) last on true
group by organization_id, day.day;
commit;
vacuum analyze;
select (select count(*) from run) as runs, (select count(*) from run where end_day = 'infinity') as current,
    (select count(*) from rollup) as rollup, (select count(*) from rollup where end_day = 'infinity') as rollup_current,
    (select count(*) from delivery) as deliveries, (select count(*) from rule_presence) as presence;
