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
