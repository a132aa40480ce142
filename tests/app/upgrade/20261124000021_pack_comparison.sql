-- Every result of the comparison of conformance packs, an aggregator that was not read and why, and the notices of both kinds.
insert into collection (collection_id, organization_id, engine, source, options, state, started_by, started_at, finished_at, program_version, program_commit, objects_done, objects_total, ladder) overriding system value values
	(17, 1, 'files', 's3://example-config/o-ddcgfg0c5r', '{}', 'finished', 'root', '2026-11-29 15:00Z', '2026-11-29 15:01Z', '0.1.0', 'abc', 0, 0, '{}');
insert into aggregator_reading (aggregator_reading_id, organization_id, collection_id, aggregator, region, role, started_at, ended_at, failure, cause) overriding system value values
	(4, 1, 17, 'organization', 'eu-central-1', null, '2026-11-29 15:00Z', '2026-11-29 15:00:10Z', 'AWS throttled the calls', 'throttled');
insert into pack_comparison (organization_id, account_id, region, pack_name, core_name, verdict, reason, here_compliance, here_compliant, here_non_compliant, here_total, there_compliance, there_compliant, there_non_compliant, there_total) values
	(1, '589659138073', 'eu-central-1', 'OrgConformsPack-nist-csf-7yp25i07', 'nist-csf', 0, '', 'COMPLIANT', 3, 0, 8, 'NON_COMPLIANT', 2, 1, 8),
	(1, '511035422550', 'eu-central-1', 'OrgConformsPack-nist-csf-7yp25i07', 'nist-csf', 1, '', 'COMPLIANT', 4, 0, 8, null, null, null, null),
	(1, '511035422550', 'eu-central-1', 'only-there', 'only-there', 2, '', null, null, null, null, 'COMPLIANT', 1, 0, 1),
	(1, '253428076759', 'eu-central-1', 'OrgConformsPack-nist-csf-nfey8a4t', 'nist-csf', 3, 'the day is missing', null, null, null, null, 'COMPLIANT', 3, 0, 8),
	(1, '589659138073', 'eu-central-1', 'agrees', 'agrees', 4, '', 'COMPLIANT', 1, 0, 1, 'COMPLIANT', 1, 0, 1);
insert into notice_decision (notice_decision_id, organization_id, collection_id, whole, decided_at) overriding system value values
	(4, 1, 17, true, '2026-11-29 15:01Z');
insert into notice (notice_id, organization_id, kind, about, sentence, as_of_day, facts, opened_at, opened_by) overriding system value values
	(7, 1, 'aggregator-unread', 'throttled', 'AWS Config’s aggregator organization could not be read: AWS throttled the calls', '2026-11-28', '{"members": ["throttled"], "aggregator": "organization", "cause": "throttled", "failure": "AWS throttled the calls", "collection": 17}', '2026-11-29 15:01Z', 4),
	(8, 1, 'definitions-unread', 'denied', 'What rules ask for could not be read in 1 account-Region, AWS denied it: 253428076759 eu-central-1', '2026-11-28', '{"members": ["253428076759 eu-central-1"], "cause": "denied", "places": 1, "failure": "config:DescribeConfigRules is not allowed", "collection": 17}', '2026-11-29 15:01Z', 4);
select setval('collection_collection_id_seq', 17), setval('aggregator_reading_aggregator_reading_id_seq', 4), setval('notice_decision_notice_decision_id_seq', 4), setval('notice_notice_id_seq', 8);
