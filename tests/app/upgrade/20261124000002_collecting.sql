-- The 25th: history of one place, with a conformance pack, and an object that is read again once the limit is higher.
insert into collection (collection_id, organization_id, engine, source, options, state, started_by, started_at, finished_at, program_version, program_commit, first_day, last_day, objects_done, objects_total, ladder) overriding system value values
	(7, 1, 'files', 's', '{}', 'finished', 'root', '2026-11-26 05:00Z', '2026-11-26 05:01Z', '0.1.0', 'abc', '2026-11-25', '2026-11-25', 3, 3, '{"objects_listed": 3}');
insert into object (object_id, place_id, day, kind, key, taken_at, size_bytes, modified_ns, sha256, unpacked_bytes, items, compliance_items, evaluations, first_collection) overriding system value values
	(54, 1, '2026-11-25', 'history', 'AWSLogs/253428076759/Config/eu-central-1/2026/11/25/ConfigHistory/54.json.gz', '2026-11-25 03:06:43Z', 700, 54, sha256('54'), 900, 2, 0, 0, 7),
	(55, 3, '2026-11-25', 'snapshot', 'AWSLogs/589659138073/Config/eu-central-1/2026/11/25/ConfigSnapshot/55.json.gz', '2026-11-25 01:18:09Z', 5000, 55, null, null, null, null, null, 7),
	(56, 3, '2026-11-25', 'snapshot', 'AWSLogs/589659138073/Config/eu-central-1/2026/11/25/ConfigSnapshot/56.json.gz', '2026-11-25 05:18:09Z', 5000, 56, sha256('56'), null, null, null, null, 7);
insert into object_outcome (object_id, collection_id, outcome, reason, position_bytes, evaluations, left_out, retry_above) values
	(54, 7, 'collected', null, null, 0, '{}', null),
	(55, 7, 'unreadable', 'it unpacks to more than the limit of 2097152 bytes', null, 0, '{}', 2097152),
	(56, 7, 'unreadable', 'configurationItems[3]: this is not JSON', 812, 0, '{}', null);
insert into history_pack_item (place_id, object_id, ordinal, day, captured_at, state_id, conformance_pack_id, status_id, compliant_rules, non_compliant_rules, total_rules, rule_ids) values
	(1, 54, 0, '2026-11-25', '2026-11-25 02:00Z', 1795572000000, 5, 1, 3, 0, 8, '{33,34,35}'),
	(1, 54, 1, '2026-11-25', '2026-11-25 01:00Z', 1795568400000, 5, null, 0, 0, 0, '{}');
update conformance_pack set named_on = '2026-11-25' where conformance_pack_id = 5;
insert into conformance_pack_run (conformance_pack_id, first_day, status_id, compliant_rules, non_compliant_rules, total_rules) values
	(5, '2026-11-25', 1, 3, 0, 8);
insert into delivery (place_id, day, state, since_collection, object_id, snapshot_at, items, compliance_items, complying, rows_added) values
	(1, '2026-11-25', 'inferred from history', 7, null, null, 2, 0, 3, 3),
	(3, '2026-11-25', 'unreadable', 7, 56, '2026-11-25 05:18:09Z', 0, 0, 0, 0);
insert into day_total (organization_id, day, expected_places, known_places, never_seen_accounts, never_seen_places, complying, not_complying, insufficient_data, not_applicable, unrecognised, unknown_carried) values
	(1, '2026-11-25', 5, 1, 1, 1, 3, 0, 0, 0, 0, 9);
select setval('collection_collection_id_seq', 7), setval('object_object_id_seq', 56);
