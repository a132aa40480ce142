-- The 27th, from a bucket: two versions under one key, and a place that AWS did not answer for.
insert into collection (collection_id, organization_id, engine, source, options, state, started_by, started_at, finished_at, program_version, program_commit, first_day, last_day, objects_done, objects_total, ladder) overriding system value values
	(11, 1, 'files', 's3://example-config/o-ddcgfg0c5r', '{}', 'finished', 'root', '2026-11-28 05:00Z', '2026-11-28 05:01Z', '0.1.0', 'abc', '2026-11-27', '2026-11-27', 2, 2, '{"objects_listed": 3, "objects_unreached": 1, "unreached": [["AWSLogs/511035422550/Config/us-east-1/2026/11/27/ConfigSnapshot/62.json.gz", "AWS did not answer"]]}');
insert into object (object_id, place_id, day, kind, key, taken_at, size_bytes, modified_ns, etag, version_id, sha256, hashed_by, unpacked_bytes, read_by, snapshot_id, items, compliance_items, evaluations, first_collection) overriding system value values
	(60, 2, '2026-11-27', 'snapshot', 'o-ddcgfg0c5r/AWSLogs/511035422550/Config/eu-central-1/2026/11/27/ConfigSnapshot/60.json.gz', '2026-11-27 04:46:08Z', 6600, null, '"e60"', 'v60', sha256('60'), 11, 33900, 11, 'a60', 19, 6, 6, 11),
	(61, 2, '2026-11-27', 'snapshot', 'o-ddcgfg0c5r/AWSLogs/511035422550/Config/eu-central-1/2026/11/27/ConfigSnapshot/60.json.gz', '2026-11-27 04:46:08Z', 6600, null, '"e61"', null, null, null, null, null, null, null, null, null, 11),
	(62, 6, '2026-11-27', 'snapshot', 'o-ddcgfg0c5r/AWSLogs/511035422550/Config/us-east-1/2026/11/27/ConfigSnapshot/62.json.gz', '2026-11-27 04:46:08Z', 6600, null, '"e62"', null, null, null, null, null, null, null, null, null, 11);
insert into object_outcome (object_id, collection_id, outcome, reason, evaluations) values
	(60, 11, 'collected', null, 6),
	(61, 11, 'superseded', 'a later snapshot of the day speaks', 0);
insert into delivery (place_id, day, state, since_collection, object_id, snapshot_at, items, compliance_items, complying, not_applicable, unrecognised, rows_added) values
	(2, '2026-11-27', 'delivered', 11, 60, '2026-11-27 04:46:08Z', 19, 6, 4, 1, 1, 6),
	(6, '2026-11-27', 'not reachable', 11, null, null, 0, 0, 0, 0, 0, 0);
insert into day_total (organization_id, day, expected_places, known_places, never_seen_accounts, never_seen_places, complying, not_complying, insufficient_data, not_applicable, unrecognised, unknown_carried) values
	(1, '2026-11-27', 5, 1, 1, 1, 4, 0, 0, 1, 1, 7);
select setval('collection_collection_id_seq', 11), setval('object_object_id_seq', 62);
