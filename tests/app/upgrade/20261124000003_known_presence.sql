-- Collection 8 brings a later snapshot of the 23rd: a rule was there a day earlier than was known, and another one's pack
-- has got its name.
insert into collection (collection_id, organization_id, engine, source, options, state, started_by, started_at, finished_at, program_version, program_commit, first_day, last_day, objects_done, objects_total, ladder) overriding system value values
	(8, 1, 'files', 's', '{}', 'finished', 'root', '2026-11-26 06:00Z', '2026-11-26 06:01Z', '0.1.0', 'abc', '2026-11-23', '2026-11-23', 1, 1, '{"objects_listed": 1}');
insert into object (object_id, place_id, day, kind, key, taken_at, size_bytes, modified_ns, sha256, unpacked_bytes, snapshot_id, items, compliance_items, evaluations, first_collection) overriding system value values
	(57, 2, '2026-11-23', 'snapshot', 'AWSLogs/511035422550/Config/eu-central-1/2026/11/23/ConfigSnapshot/57.json.gz', '2026-11-23 11:46:08Z', 6600, 57, sha256('57'), 33900, 'a57', 18, 5, 5, 8);
insert into object_outcome (object_id, collection_id, outcome, reason, evaluations) values
	(57, 8, 'collected', null, 5),
	(40, 8, 'superseded', 'a later snapshot of the day speaks', 0);
update delivery set until_collection = 8 where place_id = 2 and day = '2026-11-23';
insert into delivery (place_id, day, state, since_collection, object_id, snapshot_at, items, compliance_items, complying, unrecognised, rows_added, rows_removed) values
	(2, '2026-11-23', 'delivered', 8, 57, '2026-11-23 11:46:08Z', 18, 5, 4, 1, 1, 0);
update run set first_day = '2026-11-23' where place_id = 2 and rule_id = 42;
update rollup set first_day = '2026-11-23' where place_id = 2 and rule_id = 42;
update rule_presence set first_day = '2026-11-23' where place_id = 2 and rule_id = 42;
insert into restatement (collection_id, place_id, day, rule_id, resource_id, old_status_id, new_status_id, old_item_captured_at, new_item_captured_at) values
	(8, 2, '2026-11-23', 42, 13, null, 100, null, '2026-11-24 03:00Z');
insert into rule_presence_restatement (collection_id, place_id, day, rule_id, was_present) values
	(8, 2, '2026-11-23', 42, false),
	(8, 2, '2026-11-23', 43, true);
insert into rule_timeline_move (collection_id, rule_id, old_timeline_id) values (8, 11, 28);
insert into rule (rule_id, organization_id, name, core_name, timeline_id, origin, source_identifier, severity, title) overriding system value values
	(44, 1, 'athena-workgroup-description', 'athena-workgroup-description', 26, 'direct', 'ATHENA_WORKGROUP_DESCRIPTION', 5, 'Athena workgroups have a description');
update day_total set unrecognised = 1 where organization_id = 1 and day = '2026-11-23';
select setval('collection_collection_id_seq', 8), setval('object_object_id_seq', 57), setval('rule_rule_id_seq', 44);
