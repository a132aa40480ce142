-- The 28th by Athena: a query in every state, and an object that nobody hashed.
insert into collection (collection_id, organization_id, engine, source, options, state, started_by, started_at, finished_at, program_version, program_commit, first_day, last_day, objects_done, objects_total, ladder) overriding system value values
	(14, 1, 'athena', 's3://example-config/o-ddcgfg0c5r', '{}', 'finished', 'root', '2026-11-29 05:00Z', '2026-11-29 05:01Z', '0.1.0', 'abc', '2026-11-28', '2026-11-28', 1, 1, '{"objects_listed": 1}'),
	(15, 1, 'athena', 's3://example-config/o-ddcgfg0c5r', '{}', 'finished', 'root', '2026-11-29 06:00Z', '2026-11-29 06:01Z', '0.1.0', 'abc', '2026-11-28', '2026-11-28', 0, 0, '{}');
insert into athena_query (athena_query_id, collection_id, taken_up_by, question, question_key, day, attempt, token, sql, parameters, workgroup, database_name, output, marks, objects, expected_bytes, execution_id, state, reason, created_at, submitted_at, completed_at, read_at, bytes_scanned, price_billionths, result_rows, result_location, engine_version) overriding system value
	select n, 14, taken_up_by, 'changes of a day', 'k' || n, '2026-11-28', 1, 't' || n, 'select 1 < ' || n, '{''2026/11/28''}', 'audit', 'evidence', output, array['3:"e63"'], 1, 5000, execution_id, state, reason, '2026-11-29 05:00:01Z', submitted_at::timestamptz, completed_at::timestamptz, read_at::timestamptz, bytes_scanned, bytes_scanned * 5, result_rows, result_location, engine_version
	from (values
		(1, null, 's3://results/', 'e-1', 'SUCCEEDED', null, '2026-11-29 05:00:02Z', '2026-11-29 05:00:05Z', '2026-11-29 05:00:06Z', 12345678, 4, 's3://results/e-1.csv', 'Athena engine version 3'),
		(2, 15, null, 'e-2', 'SUCCEEDED', null, '2026-11-29 05:00:02Z', '2026-11-29 05:00:05Z', '2026-11-29 06:00:06Z', 0, 0, null, null),
		(3, null, null, 'e-3', 'FAILED', 'HIVE_CURSOR_ERROR: Row is larger than 32 MB', '2026-11-29 05:00:02Z', '2026-11-29 05:00:05Z', null, 99, null, null, null),
		(4, null, null, 'e-4', 'CANCELLED', 'cancelled by a person', '2026-11-29 05:00:02Z', '2026-11-29 05:00:05Z', null, null, null, null, null),
		(5, null, null, null, 'not started', 'the workgroup is disabled', null, null, null, null, null, null, null),
		(6, null, null, null, 'starting', null, null, null, null, null, null, null, null),
		(7, null, null, 'e-7', 'QUEUED', null, null, null, null, null, null, null, null),
		(8, null, null, 'e-8', 'RUNNING', null, '2026-11-29 05:00:02Z', null, null, null, null, null, null)
	) new (n, taken_up_by, output, execution_id, state, reason, submitted_at, completed_at, read_at, bytes_scanned, result_rows, result_location, engine_version);
insert into object (object_id, place_id, day, kind, key, taken_at, size_bytes, modified_ns, etag, version_id, sha256, hashed_by, unpacked_bytes, read_by, snapshot_id, items, compliance_items, evaluations, first_collection) overriding system value values
	(63, 3, '2026-11-28', 'snapshot', 'o-ddcgfg0c5r/AWSLogs/589659138073/Config/eu-central-1/2026/11/28/ConfigSnapshot/63.json.gz', '2026-11-28 01:18:09Z', 4700, null, '"e63"', null, null, null, null, 14, 'a63', 10, 4, 4, 14);
insert into object_outcome (object_id, collection_id, outcome, evaluations, athena_query_id) values (63, 14, 'collected', 4, 1);
insert into delivery (place_id, day, state, since_collection, object_id, snapshot_at, items, compliance_items, complying, insufficient_data, rows_added) values
	(3, '2026-11-28', 'delivered', 14, 63, '2026-11-28 01:18:09Z', 10, 4, 3, 1, 4);
insert into day_total (organization_id, day, expected_places, known_places, never_seen_accounts, never_seen_places, complying, not_complying, insufficient_data, not_applicable, unrecognised, unknown_carried) values
	(1, '2026-11-28', 5, 1, 1, 1, 3, 0, 1, 0, 0, 8);
select setval('collection_collection_id_seq', 15), setval('object_object_id_seq', 63), setval('athena_query_athena_query_id_seq', 8);
