-- Organizations' own list, with units and tags, and a reading that failed.
insert into collection (collection_id, organization_id, engine, source, options, state, started_by, started_at, finished_at, program_version, program_commit, objects_done, objects_total, ladder) overriding system value values
	(12, 1, 'files', 's3://example-config/o-ddcgfg0c5r', '{}', 'finished', 'root', '2026-11-28 08:00Z', '2026-11-28 08:01Z', '0.1.0', 'abc', 0, 0, '{}'),
	(13, 1, 'files', 's3://example-config/o-ddcgfg0c5r', '{}', 'finished', 'root', '2026-11-28 09:00Z', '2026-11-28 09:01Z', '0.1.0', 'abc', 0, 0, '{"accounts_unread": "AWS denied organizations:ListAccounts"}');
insert into account_list (account_list_id, organization_id, collection_id, listed_on, source, sha256, origin) overriding system value values
	(4, 1, 12, '2026-11-28', 'AWS Organizations', sha256('organizations'), 'organizations');
insert into account_listing (account_list_id, account_id, name, email, arn, status, joined_at, joined_method, unit_ids, unit_names, tags) values
	(4, '589659138073', 'Management', 'aws+management@example.com', 'arn:aws:organizations::589659138073:account/o-ddcgfg0c5r/589659138073', 'ACTIVE', '2024-02-10 09:01:56Z', 'INVITED', '{r-ab12}', '{Root}', '{}'),
	(4, '511035422550', 'Research & Development', 'aws+research-development@example.com', 'arn:aws:organizations::589659138073:account/o-ddcgfg0c5r/511035422550', 'ACTIVE', '2023-02-10 15:17:03Z', 'CREATED', '{r-ab12,ou-ab12-workload}', '{Root,Workloads}', '{"stage": "production", "cost <centre>": "7"}'),
	(4, '253428076759', 'dr-standby', 'aws+dr-standby@example.com', 'arn:aws:organizations::589659138073:account/o-ddcgfg0c5r/253428076759', 'ACTIVE', '2023-08-31 09:40:01Z', 'CREATED', '{r-ab12,ou-ab12-workload,ou-ab12-standby1}', '{Root,Workloads,Standby}', '{"stage": "standby"}'),
	(4, '000000000099', 'audit <b>', 'aws+audit@example.com', 'arn:aws:organizations::589659138073:account/o-ddcgfg0c5r/000000000099', 'ACTIVE', '2026-11-23 08:00Z', 'CREATED', null, null, null);
insert into account_reading (account_reading_id, organization_id, collection_id, day, read_at, failure) overriding system value values
	(1, 1, 12, '2026-11-28', '2026-11-28 08:00:10Z', null),
	(2, 1, 13, '2026-11-28', '2026-11-28 09:00:10Z', 'AWS denied organizations:ListAccounts');
select setval('collection_collection_id_seq', 13), setval('account_list_account_list_id_seq', 4), setval('account_reading_account_reading_id_seq', 2);
