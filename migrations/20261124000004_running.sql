-- A collection that says "running" is running only while its program lives: that holds the organisation's advisory lock
-- for as long (see collection::run_db, LIFE_LOCK). A killed program leaves its row behind until the next one ends it.
create function collection_is_running(collection_id bigint) returns boolean language sql volatile as $$
    select exists (
        select from collection c join pg_locks l on l.objid = c.organization_id::integer::oid
        where c.collection_id = $1 and l.locktype = 'advisory' and l.granted
            and l.database = (select oid from pg_database where datname = current_database())
            and l.classid = 1634100079 and l.objsubid = 2
    )
$$;

create index collection_running_idx on collection (organization_id) where state = 'running';

-- The few objects of a collection that somebody must look at, found without reading all others.
create index object_outcome_bad_idx on object_outcome (collection_id, object_id) where outcome in ('unreadable', 'changed');

-- Failing evaluations by age, counted from the index alone: with the resource, without a look at the table.
create index run_failing_resource_idx on run (rule_id, place_id, first_day) include (end_day, resource_id) where status_id = 2;
drop index run_failing_idx;
alter index run_failing_resource_idx rename to run_failing_idx;
