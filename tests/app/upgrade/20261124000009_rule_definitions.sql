-- Readings of every outcome, and what rules ask for: one that holds, one that changed, one that is gone.
insert into rule_reading (place_id, collection_id, day, read_at, outcome, rules, failure) values
	(1, 12, '2026-11-28', '2026-11-28 08:00:20Z', 'denied', null, 'config:DescribeConfigRules is not allowed'),
	(2, 12, '2026-11-28', '2026-11-28 08:00:20Z', 'read', 3, null),
	(3, 12, '2026-11-28', '2026-11-28 08:00:20Z', 'throttled', null, 'AWS throttled the calls'),
	(4, 12, '2026-11-28', '2026-11-28 08:00:20Z', 'expired', null, 'the credentials have expired'),
	(5, 12, '2026-11-28', '2026-11-28 08:00:20Z', 'no member role', null, 'the role cannot be assumed'),
	(6, 12, '2026-11-28', '2026-11-28 08:00:20Z', 'region off', null, 'the Region is not enabled'),
	(2, 13, '2026-11-28', '2026-11-28 09:00:20Z', 'read', 2, null),
	(3, 13, '2026-11-28', '2026-11-28 09:00:20Z', 'failed', null, 'the answer has no end');
insert into rule_definition (place_id, rule_name, arn, config_rule_id, owner, source_identifier, parameters, scope, source_details, frequency, modes, state, created_by, description, since_collection, first_day, until_collection, end_day)
	select 2, rule_name, 'arn:aws:config:eu-central-1:511035422550:config-rule/' || rule_name, rule_name, owner, source_identifier, parameters, scope, source_details, frequency, modes::text[], 'ACTIVE', created_by, description, since_collection, '2026-11-28'::date, until_collection, end_day::date
	from (values
		('own-rule', 'CUSTOM_LAMBDA', 'arn:aws:lambda:eu-central-1:511035422550:function:own', '{"limit":"5"}', '{"ComplianceResourceTypes":["AWS::EC2::Volume"]}', '[["aws.config","ConfigurationItemChangeNotification",""]]', '', '{DETECTIVE}', '', 'Our own <rule>', 12, null, null),
		('securityhub-s3-bucket-ssl-requests-only-1a2b3c4d', 'AWS', 'S3_BUCKET_SSL_REQUESTS_ONLY', '{}', '', '', '', '{DETECTIVE}', 'securityhub.amazonaws.com', '', 12, 13, '2026-11-28'),
		('securityhub-s3-bucket-ssl-requests-only-1a2b3c4d', 'AWS', 'S3_BUCKET_SSL_REQUESTS_ONLY', '{"a":"1"}', '', '', 'TwentyFour_Hours', '{DETECTIVE,PROACTIVE}', 'securityhub.amazonaws.com', '', 13, null, null),
		('policy-rule', 'CUSTOM_POLICY', 'guard-2.x.x', '"not an object"', '', '', 'One_Hour', '{}', '', '', 12, 13, '2026-11-28')
	) new (rule_name, owner, source_identifier, parameters, scope, source_details, frequency, modes, created_by, description, since_collection, until_collection, end_day);
