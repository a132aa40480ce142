-- The aggregator, read whole, then not, then whole again: sources, rules and packs that stayed and that changed; every result
-- of the comparison; notes on what fails.
insert into collection (collection_id, organization_id, engine, source, options, state, started_by, started_at, finished_at, program_version, program_commit, objects_done, objects_total, ladder) overriding system value values
	(16, 1, 'files', 's3://example-config/o-ddcgfg0c5r', '{}', 'finished', 'root', '2026-11-29 09:00Z', '2026-11-29 09:01Z', '0.1.0', 'abc', 0, 0, '{}');
insert into aggregator_reading (aggregator_reading_id, organization_id, collection_id, aggregator, region, role, started_at, ended_at, failure, day, sources, rules, packs) overriding system value values
	(1, 1, 14, 'organization', 'eu-central-1', null, '2026-11-29 05:01Z', '2026-11-29 05:01:10Z', null, '2026-11-28', 3, 3, 1),
	(2, 1, 15, 'organization', 'eu-central-1', 'arn:aws:iam::589659138073:role/read', '2026-11-29 06:01Z', '2026-11-29 06:01:10Z', 'AWS denied config:DescribeAggregateComplianceByConfigRules', null, null, null, null),
	(3, 1, 16, 'organization', 'eu-central-1', 'arn:aws:iam::589659138073:role/read', '2026-11-29 09:01Z', '2026-11-29 09:01:10Z', null, '2026-11-28', 4, 4, 2);
insert into aggregator_source (organization_id, kind, source_id, region, status, error_code, error_message, updated_at, since_reading, until_reading) values
	(1, 'ORGANIZATION', 'o-ddcgfg0c5r', 'eu-central-1', 'SUCCEEDED', '', '', '2026-11-29 08:00Z', 1, null),
	(1, 'ACCOUNT', '511035422550', 'eu-central-1', 'SUCCEEDED', '', '', '2026-11-29 08:00Z', 1, null),
	(1, 'ACCOUNT', '589659138073', 'eu-central-1', 'SUCCEEDED', '', '', '2026-11-29 04:00Z', 1, 3),
	(1, 'ACCOUNT', '589659138073', 'eu-central-1', 'FAILED', 'AccessDenied', 'not <allowed>', null, 3, null),
	(1, 'ACCOUNT', '253428076759', 'eu-central-1', 'OUTDATED', '', '', '2026-11-22 08:00Z', 3, null);
insert into aggregate_rule (organization_id, account_id, region, rule_name, compliance, contributors, capped, since_reading, until_reading) values
	(1, '589659138073', 'eu-central-1', 's3-bucket-level-public-access-prohibited-conformance-pack-7fr3bhqee', 'COMPLIANT', 0, false, 1, 3),
	(1, '589659138073', 'eu-central-1', 's3-bucket-level-public-access-prohibited-conformance-pack-7fr3bhqee', 'NON_COMPLIANT', 25, true, 3, null),
	(1, '589659138073', 'eu-central-1', 'securityhub-enabled-conformance-pack-7fr3bhqee', 'INSUFFICIENT_DATA', null, false, 1, null),
	(1, '511035422550', 'eu-central-1', 'only-there', 'COMPLIANT', 0, false, 1, null);
insert into aggregate_pack (organization_id, account_id, region, pack_name, compliance, compliant_rules, non_compliant_rules, total_rules, since_reading, until_reading) values
	(1, '589659138073', 'eu-central-1', 'OrgConformsPack-nist-csf-7yp25i07', 'COMPLIANT', 3, 0, 8, 1, 3),
	(1, '589659138073', 'eu-central-1', 'OrgConformsPack-nist-csf-7yp25i07', 'NON_COMPLIANT', 2, 1, 8, 3, null);
insert into comparison (organization_id, account_id, region, rule_name, core_name, verdict, reason, complying, not_complying, insufficient_data, not_applicable, unrecognised, there_compliance, there_count, there_capped) values
	(1, '589659138073', 'eu-central-1', 's3-bucket-level-public-access-prohibited-conformance-pack-7fr3bhqee', 's3-bucket-level-public-access-prohibited', 0, '', 1, 0, 0, 0, 0, 'NON_COMPLIANT', 25, true),
	(1, '589659138073', 'eu-central-1', 'iam-no-inline-policy-check-conformance-pack-7fr3bhqee', 'iam-no-inline-policy-check', 1, '', 1, 0, 0, 0, 0, null, null, false),
	(1, '511035422550', 'eu-central-1', 'only-there', 'only-there', 2, '', null, null, null, null, null, 'COMPLIANT', 0, false),
	(1, '253428076759', 'eu-central-1', 'securityhub-enabled-conformance-pack-x4ajwruct', 'securityhub-enabled', 3, 'the day is missing', null, null, null, null, null, 'COMPLIANT', 0, false),
	(1, '589659138073', 'eu-central-1', 'securityhub-enabled-conformance-pack-7fr3bhqee', 'securityhub-enabled', 4, '', 0, 0, 1, 0, 0, 'INSUFFICIENT_DATA', null, false);
insert into job (job_id, kind, payload, state, created_by, created_at, started_at, finished_at, attempts, result) overriding system value values
	(9, 'notes', '{"organization": "Example", "organization_id": 1, "account_id": "589659138073", "region": "eu-central-1", "rule": "s3-bucket-level-public-access-prohibited-conformance-pack-7fr3bhqee", "created_by": "demo auditor", "demo": true}', 'done', 'demo auditor', '2026-11-29 10:00Z', '2026-11-29 10:00Z', '2026-11-29 10:00:02Z', 1, '/results?account=589659138073&region=eu-central-1&rule=s3-bucket-level-public-access-prohibited-conformance-pack-7fr3bhqee'),
	(10, 'notes', '{"organization": "Example", "organization_id": 1, "account_id": "511035422550", "region": "eu-central-1", "rule": "own-rule", "created_by": "demo auditor", "demo": true}', 'queued', 'demo auditor', '2026-11-29 10:01Z', null, null, 0, null);
insert into note_reading (note_reading_id, organization_id, job_id, account_id, region, rule_name, aggregator, fetched_by, fetched_at) overriding system value values
	(1, 1, 9, '589659138073', 'eu-central-1', 's3-bucket-level-public-access-prohibited-conformance-pack-7fr3bhqee', 'organization', 'demo auditor', '2026-11-29 10:00:01Z'),
	(2, 1, null, '511035422550', 'eu-central-1', 'own-rule', '', 'demo auditor', '2026-11-29 10:00:01Z');
insert into note (note_reading_id, resource_type, resource_id, annotation, recorded_at, invoked_at) values
	(1, 'AWS::S3::Bucket', 'management-documents-0azr-eu-central-1', 'The bucket <b>allows</b> it', '2026-11-29 09:00Z', '2026-11-29 09:00Z'),
	(1, 'AWS::S3::Bucket', 'another', null, null, null);
select setval('collection_collection_id_seq', 16), setval('aggregator_reading_aggregator_reading_id_seq', 3), setval('job_job_id_seq', 10), setval('note_reading_note_reading_id_seq', 2);
