-- Reports that stayed, changed and are no longer listed, agreements of two accounts, readings that failed, and people's words.
insert into artifact_reading (artifact_reading_id, organization_id, subject, account_id, read_at, recorded_at, source, failure) overriding system value values
	(1, 1, 'reports', null, '2026-11-26 12:00Z', '2026-11-29 13:00Z', 'artifact-2026-11-26', null),
	(2, 1, 'agreements', '589659138073', '2026-11-26 12:00Z', '2026-11-29 13:00Z', 'artifact-2026-11-26', null),
	(3, 1, 'agreements', '511035422550', '2026-11-26 12:00Z', '2026-11-29 13:00Z', 'artifact-2026-11-26', 'list-agreements.json holds no agreements'),
	(4, 1, 'reports', null, '2026-11-28 12:00Z', '2026-11-29 13:01Z', 'artifact-2026-11-28', null),
	(5, 1, 'agreements', '589659138073', '2026-11-28 12:00Z', '2026-11-29 13:01Z', 'artifact-2026-11-28', null);
insert into artifact_version (organization_id, report_id, version, since_reading, until_reading, listed, facts) values
	(1, 'report-0123456789abcdef', 1, 1, 4, true, '{"name": "SOC 2 Type 2 Report", "state": "PUBLISHED", "periodStart": "2025-10-01T00:00:00Z", "periodEnd": "2026-03-31T23:59:59Z", "category": "Certifications And Attestations", "companyName": "AWS", "series": "SOC"}'),
	(1, 'report-0123456789abcdef', 1, 4, null, false, '{"name": "SOC 2 Type 2 Report", "state": "PUBLISHED", "periodStart": "2025-10-01T00:00:00Z", "periodEnd": "2026-03-31T23:59:59Z", "category": "Certifications And Attestations", "companyName": "AWS", "series": "SOC"}'),
	(1, 'report-0123456789abcdef', 2, 4, null, true, '{"name": "SOC 2 Type 2 Report", "state": "PUBLISHED", "periodStart": "2026-04-01T00:00:00Z", "periodEnd": "2026-09-30T23:59:59Z", "acceptanceType": "EXPLICIT", "novel": {"a": [1, "<b>"]}}'),
	(1, 'report-fedcba9876543210', 1, 1, null, true, '{"name": "Something of its own", "state": "PUBLISHED"}');
insert into artifact_agreement (organization_id, account_id, agreement_id, since_reading, until_reading, listed, facts) values
	(1, '589659138073', 'agreement-0000000000000001', 2, 5, true, '{"name": "AWS Business Associate Addendum", "state": "ACTIVE", "type": "DEFAULT", "effectiveStart": "2025-01-01T00:00:00Z"}'),
	(1, '589659138073', 'agreement-0000000000000001', 5, null, false, '{"name": "AWS Business Associate Addendum", "state": "ACTIVE", "type": "DEFAULT", "effectiveStart": "2025-01-01T00:00:00Z"}'),
	(1, '589659138073', 'agreement-0000000000000002', 5, null, true, '{"name": "AWS Organizations Business Associate Addendum", "state": "ACTIVE", "type": "DEFAULT", "organizationArn": "arn:aws:organizations::589659138073:organization/o-ddcgfg0c5r", "effectiveStart": "2026-11-27T00:00:00Z"}');
insert into artifact_kind (organization_id, report_id, kind, reason, made_by, made_at) values
	(1, 'report-fedcba9876543210', 'soc-2-type-1', 'Read the report', 'demo compliance manager', '2026-11-29 14:00Z'),
	(1, 'report-fedcba9876543210', 'soc-2-type-2', 'Read it again', 'demo compliance manager', '2026-11-29 14:01Z');
select setval('artifact_reading_artifact_reading_id_seq', 5);
