-- A sample that was drawn, one that was not yet, and what was shown to the team.
insert into job (job_id, kind, payload, state, created_by, created_at, started_at, finished_at, attempts, result) overriding system value values
	(12, 'sample', '{"sample": 1}', 'done', 'demo auditor', '2026-11-29 17:10Z', '2026-11-29 17:10Z', '2026-11-29 17:10:01Z', 1, '/room/samples/1'),
	(13, 'sample', '{"sample": 2}', 'failed', 'demo auditor', '2026-11-29 17:12Z', '2026-11-29 17:12Z', '2026-11-29 17:12:01Z', 1, null);
insert into engagement_sample (engagement_sample_id, engagement_id, engagement_terms_id, as_of, core_name, status, size, seed, strata, purpose, asked_by, asked_at, job_id) overriding system value values
	(1, 1, 1, '2026-11-21', null, null, 1, '20261129', 'none', 'a test of <b>details</b>', 'demo auditor', '2026-11-29 17:10Z', 12),
	(3, 1, 2, '2026-11-22', null, 'COMPLIANT', 1, '3', 'rule', 'each rule', 'demo auditor', '2026-11-29 17:13Z', 12),
	(4, 1, 2, '2026-11-22', null, null, 1, '4', 'status', 'each status', 'demo auditor', '2026-11-29 17:14Z', 12),
	(2, 1, 2, '2026-11-22', 's3-bucket-level-public-access-prohibited', 'NON_COMPLIANT', 5, 'x y', 'account', 'failures', 'demo auditor', '2026-11-29 17:12Z', 13);
insert into engagement_sample_drawn (engagement_sample_id, known_at_collection, population_rows, population_sha256, drawn_at) values (1, 1, 7, sha256('population'), '2026-11-29 17:10:01Z');
insert into engagement_sample_row (engagement_sample_id, ordinal, stratum, digest, account_id, region, rule_name, resource_type, resource_id, status) values
	(1, 1, '', sha256('row'), '589659138073', 'eu-central-1', 's3-bucket-level-public-access-prohibited-conformance-pack-7fr3bhqee', 'AWS::S3::Bucket', 'bucket', 'COMPLIANT');
insert into engagement_publication (engagement_id, published_by, published_at) values (1, 'demo auditor', '2026-11-29 17:15Z');
select setval('engagement_sample_engagement_sample_id_seq', 4), setval('job_job_id_seq', 13);
