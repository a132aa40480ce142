-- What an earlier knowledge point needs beside the evaluations: whether a rule was there, and on which timeline.

-- Whether an already known day had a rule in a place before a later collection said otherwise. The first one after a
-- knowledge point says what was known at it; without one the presence of today does.
create table rule_presence_restatement (
    collection_id bigint not null references collection,
    place_id integer not null,
    day date not null,
    rule_id integer not null,
    was_present boolean not null,
    primary key (place_id, rule_id, day, collection_id)
);

-- Presence that earlier collections restated was not written down: a rule with evaluations was there, one without was not.
with touched as (
    select place_id, day, rule_id, collection_id, count(new_status_id) - count(old_status_id) as difference
    from restatement group by place_id, day, rule_id, collection_id
), counted as (
    select t.*, (select count(*) from run r
                 where r.place_id = t.place_id and r.rule_id = t.rule_id and r.first_day <= t.day and r.end_day > t.day)
             - coalesce(sum(difference) over (partition by place_id, day, rule_id order by collection_id desc
                                              rows between unbounded preceding and 1 preceding), 0) as evaluations
    from touched t
)
insert into rule_presence_restatement (collection_id, place_id, day, rule_id, was_present)
select collection_id, place_id, day, rule_id, evaluations - difference > 0
from counted where (evaluations > 0) <> (evaluations - difference > 0);

-- The timeline that a rule had before a collection put it onto another, e.g. because an item named its pack.
create table rule_timeline_move (
    collection_id bigint not null references collection,
    rule_id integer not null references rule,
    old_timeline_id integer not null references timeline,
    primary key (rule_id, collection_id)
);

-- The collection that runs is the one that moves rules: an organisation has one at a time.
create function note_timeline_move() returns trigger language plpgsql as $$
begin
    insert into rule_timeline_move (collection_id, rule_id, old_timeline_id)
    select max(collection_id), old.rule_id, old.timeline_id from collection
    where organization_id = old.organization_id and state = 'running' having max(collection_id) is not null
    on conflict do nothing;
    return null;
end
$$;

create trigger rule_timeline_moved after update of timeline_id on rule for each row
    when (old.timeline_id <> new.timeline_id) execute function note_timeline_move();

-- Five rules of the rule data are INFORMATIONAL, which had no number of its own.
comment on column rule.severity is '4 CRITICAL, 3 HIGH, 2 MEDIUM, 1 LOW, 5 INFORMATIONAL, 0 not known';
update rule set severity = 5 where severity = 0 and source_identifier in (
    'ATHENA_DATA_CATALOG_DESCRIPTION', 'ATHENA_PREPARED_STATEMENT_DESCRIPTION', 'ATHENA_WORKGROUP_DESCRIPTION',
    'AWS_CONFIG_PROCESS_CHECK', 'SAGEMAKER_IMAGE_DESCRIPTION');

-- Lists of packs go by their newest.
create index pack_list_idx on pack (organization_id, created_at desc, pack_id desc);
drop index pack_organization_idx;
