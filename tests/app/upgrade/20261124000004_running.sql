-- Of the other organisation: the collection that was killed has got its end, and the next one was killed too.
update collection set state = 'interrupted', finished_at = '2026-11-26 07:00Z', failure = 'The program ended before the collection did. What it committed stands.' where collection_id = 6;
insert into collection (collection_id, organization_id, engine, source, options, state, started_by, started_at, program_version, program_commit, objects_done, objects_total) overriding system value values
	(9, 2, 'files', 'other', '{}', 'running', 'root', '2026-11-26 07:00Z', '0.1.0', 'abc', 1, 10);
select setval('collection_collection_id_seq', 9);
