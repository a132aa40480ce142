-- A reading of Artifact itself that left something out.
insert into artifact_reading (artifact_reading_id, organization_id, subject, account_id, read_at, recorded_at, source, failure, problems) overriding system value values
	(6, 1, 'reports', null, '2026-11-29 15:10Z', '2026-11-29 15:10:01Z', 'AWS Artifact in us-east-1', null, '{"access was denied: artifact:ListReportVersions on report-fedcba9876543210"}');
select setval('artifact_reading_artifact_reading_id_seq', 6);
