-- An engagement whose terms were changed, with an auditor who came, one who did not and one whose invitation ended.
insert into engagement (engagement_id, organization_id, created_by, created_at) overriding system value values
	(1, 1, 'demo compliance manager', '2026-11-29 17:00Z'), (2, 1, 'demo administrator', '2026-11-29 17:30Z');
insert into engagement_terms (engagement_terms_id, engagement_id, title, scope_name, scope_record, core_names, first_day, last_day, opens_at, closes_at, reason, made_by, made_at) overriding system value values
	(1, 1, 'SOC 2 <b>2026</b>', null, 0, null, '2026-11-18', '2026-11-23', '2026-11-29 17:00Z', '2026-12-29 17:00Z', 'agreed with the auditors', 'demo compliance manager', '2026-11-29 17:00Z'),
	(2, 1, 'SOC 2 <b>2026</b>', null, 0, '{s3-bucket-level-public-access-prohibited}', '2026-11-18', '2026-11-24', '2026-11-29 17:00Z', '2026-12-29 17:00Z', 'a day more, one rule', 'demo compliance manager', '2026-11-29 17:10Z'),
	(3, 2, 'ISO 27001', 'payments', 3, null, '2026-11-01', '2026-12-31', '2027-01-10 08:00Z', '2027-02-10 08:00Z', 'yearly', 'demo administrator', '2026-11-29 17:30Z');
insert into engagement_auditor (engagement_auditor_id, engagement_id, email, provider, invited_by, invited_at) overriding system value values
	(1, 1, 'ann@auditors.example', 'auditors', 'demo compliance manager', '2026-11-29 17:00Z'),
	(2, 1, 'bob@auditors.example', null, 'demo compliance manager', '2026-11-29 17:01Z'),
	(3, 1, 'demo auditor', null, 'demo compliance manager', '2026-11-29 17:02Z');
insert into engagement_auditor_end (engagement_auditor_id, reason, ended_by, ended_at) values (2, 'left the firm', 'demo administrator', '2026-11-29 17:20Z');
insert into engagement_binding (engagement_auditor_id, person_id, bound_at) values (1, 1, '2026-11-29 17:06Z');
insert into engagement_pack (engagement_pack_id, engagement_id, pack_id, shared_by, shared_at, wider_because) overriding system value values
	(1, 1, 'AF-BC74A-14A35-35615-BA791', 'demo compliance manager', '2026-11-29 17:03Z', 'of all accounts, as agreed'),
	(2, 2, 'AF-BC74A-14A35-35615-BA791', 'demo compliance manager', '2026-11-29 17:04Z', null);
insert into engagement_pack_end (engagement_pack_id, reason, ended_by, ended_at) values (2, 'of the other engagement', 'demo administrator', '2026-11-29 17:21Z');
insert into session (token_hash, identity, role, demo, created_at, seen_at, expires_at, engagement_id) values
	(sha256('auditor 1'), 'demo auditor', 'auditor', true, '2026-11-29 17:05Z', '2026-11-29 17:06Z', '2026-11-30 05:05Z', 1);
select setval('engagement_engagement_id_seq', 2), setval('engagement_terms_engagement_terms_id_seq', 3), setval('engagement_auditor_engagement_auditor_id_seq', 3), setval('engagement_pack_engagement_pack_id_seq', 2);
