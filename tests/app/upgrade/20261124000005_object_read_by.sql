-- The 26th: an object that is read at once, one that is hashed and not read, and one of before that is hashed now.
insert into collection (collection_id, organization_id, engine, source, options, state, started_by, started_at, finished_at, program_version, program_commit, first_day, last_day, objects_done, objects_total, ladder) overriding system value values
	(10, 1, 'files', 's', '{}', 'finished', 'root', '2026-11-27 05:00Z', '2026-11-27 05:01Z', '0.1.0', 'abc', '2026-11-26', '2026-11-26', 2, 2, '{"objects_listed": 2}');
insert into object (object_id, place_id, day, kind, key, taken_at, size_bytes, modified_ns, sha256, hashed_by, unpacked_bytes, read_by, snapshot_id, items, compliance_items, evaluations, first_collection) overriding system value values
	(58, 3, '2026-11-26', 'snapshot', 'AWSLogs/589659138073/Config/eu-central-1/2026/11/26/ConfigSnapshot/58.json.gz', '2026-11-26 01:18:09Z', 4700, 58, sha256('58'), 10, 19000, 10, 'a58', 10, 4, 4, 10),
	(59, 3, '2026-11-26', 'history', 'AWSLogs/589659138073/Config/eu-central-1/2026/11/26/ConfigHistory/59.json.gz', '2026-11-26 01:28:09Z', 700, 59, null, null, null, null, null, null, null, null, 10);
update object set sha256 = sha256('51'), hashed_by = 10 where object_id = 51;
insert into object_outcome (object_id, collection_id, outcome, reason, position_bytes, evaluations, retry_above) values
	(58, 10, 'collected', null, null, 4, null),
	(59, 10, 'superseded', 'the place''s snapshots speak from its first one on', null, 0, null),
	(51, 10, 'unreadable', 'the gzip stream ends early', 99, 0, null);
insert into delivery (place_id, day, state, since_collection, object_id, snapshot_at, items, compliance_items, complying, insufficient_data, rows_added) values
	(3, '2026-11-26', 'delivered', 10, 58, '2026-11-26 01:18:09Z', 10, 4, 3, 1, 4);
insert into day_total (organization_id, day, expected_places, known_places, never_seen_accounts, never_seen_places, complying, not_complying, insufficient_data, not_applicable, unrecognised, unknown_carried) values
	(1, '2026-11-26', 5, 1, 1, 1, 3, 0, 1, 0, 0, 8);
select setval('collection_collection_id_seq', 10), setval('object_object_id_seq', 59);
