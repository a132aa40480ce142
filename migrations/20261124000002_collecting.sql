-- What collections keep beside the evidence.

-- Expected Regions that were never seen, of accounts that were seen elsewhere: at least is not computable with them either.
alter table day_total add column never_seen_places integer not null default 0;

with first_known as (
    select p.place_id, p.organization_id, p.account_id, min(d.day) as day
    from place p join delivery d using (place_id)
    where d.known and d.until_collection is null group by p.place_id
), unseen as (
    select t.organization_id, t.day, count(*) as places
    from day_total t
    join place p on p.organization_id = t.organization_id
    join expected_place e on e.place_id = p.place_id and e.until_collection is null
         and e.first_day <= t.day and e.end_day > t.day
    where not exists (select from first_known f where f.place_id = p.place_id and f.day <= t.day)
      and exists (select from first_known f where f.organization_id = p.organization_id
                  and f.account_id = p.account_id and f.day <= t.day)
    group by t.organization_id, t.day
)
update day_total t set never_seen_places = u.places
from unseen u where u.organization_id = t.organization_id and u.day = t.day;

-- For unreadable: null where the object's bytes are at fault. Else every later collection reads it again whose limit on
-- unpacked bytes is above this (0: every one).
alter table object_outcome add column retry_above bigint;

update object_outcome set retry_above = 0
where outcome = 'unreadable' and reason like 'the file could not be read%';
update object_outcome
set retry_above = substring(reason from 'it unpacks to more than the limit of ([0-9]{1,18}) bytes')::bigint
where outcome = 'unreadable' and reason like 'it unpacks to more than the limit of %';

-- The day of the pack item that gave the name: an older one, collected later, does not give it again.
alter table conformance_pack add column named_on date;
update conformance_pack c set named_on = (
    select max(first_day) from conformance_pack_run r where r.conformance_pack_id = c.conformance_pack_id);

create index history_item_day_idx on history_item (place_id, day);

-- Conformance-pack items of history objects, as history_item keeps compliance items.
create table history_pack_item (
    place_id integer not null references place,
    object_id bigint not null references object,
    ordinal integer not null,
    day date not null,
    captured_at timestamptz not null,
    state_id bigint not null,
    conformance_pack_id integer not null references conformance_pack,
    -- Null where the pack is deleted.
    status_id smallint references status,
    compliant_rules integer not null,
    non_compliant_rules integer not null,
    total_rules integer not null,
    -- The rules that the pack's list names, whether they evaluated anything or not.
    rule_ids integer[] not null,
    primary key (place_id, object_id, ordinal)
);

create index history_pack_item_day_idx on history_pack_item (place_id, day);
