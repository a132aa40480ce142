-- An object version of S3 is told from others by its ETag: a listing does not say its VersionId, which is known once the
-- object is read. (Until now only folders were collected, whose objects have neither.)
alter table object drop constraint object_version_key;
alter table object add constraint object_version_key
    unique nulls not distinct (place_id, key, size_bytes, modified_ns, etag);

-- A day whose evidence AWS did not hand over because of a fault of its own, or without an answer, is neither denied nor
-- throttled.
alter table delivery drop constraint delivery_state_check;
alter table delivery add constraint delivery_state_check check (state in (
    'delivered', 'delivered, later object unreadable', 'inferred from history', 'no compliance items',
    'unreadable', 'missing', 'denied', 'throttled', 'not reachable', 'region off'));
