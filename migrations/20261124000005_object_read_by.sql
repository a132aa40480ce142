-- An object's row is completed when a later collection comes to read it. What an earlier one knew of it must be told from
-- that: a pack of an old knowledge point is made of the same bytes however often it is asked for.
alter table object
    -- Which collection gave the hash, and which one the counts; null where there is none.
    add column hashed_by bigint references collection,
    add column read_by bigint references collection;

-- Until now nothing but an outcome says when: an object that was read or failed was hashed by then.
update object o set
    hashed_by = case when o.sha256 is not null then coalesce(w.hashed_by, o.first_collection) end,
    read_by = case when o.unpacked_bytes is not null then coalesce(w.read_by, w.hashed_by, o.first_collection) end
from (
    select o.object_id,
        min(w.collection_id) filter (where w.outcome in ('collected', 'unreadable', 'changed')) as hashed_by,
        min(w.collection_id) filter (where w.outcome in ('collected', 'changed')) as read_by
    from object o left join object_outcome w using (object_id)
    group by o.object_id
) w
where w.object_id = o.object_id and (o.sha256 is not null or o.unpacked_bytes is not null);

alter table object
    add constraint object_hashed_by_check check ((sha256 is null) = (hashed_by is null)),
    add constraint object_read_by_check check ((unpacked_bytes is null) = (read_by is null));
