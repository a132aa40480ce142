-- Tokens of a person and of each demo identity, one of them confined to a room, one ended, one used.
insert into api_token (api_token_id, public_id, token_hash, person_id, demo_role, name, scopes, engagement_id, made_by, made_at, expires_at) overriding system value values
	(1, '00000001', sha256('token 1'), 1, null, 'nightly <b>import</b>', '{evidence,documents,log}', null, 'Ada Lovelace (person 1)', '2026-11-29 18:00Z', '2027-11-29 18:00Z'),
	(2, '00000002', sha256('token 2'), null, 'auditor', 'workpapers', '{evidence}', 1, 'demo auditor', '2026-11-29 18:01Z', '2026-12-29 18:01Z'),
	(3, '00000003', sha256('token 3'), null, 'viewer', 'dashboard', '{evidence}', null, 'demo viewer', '2026-11-29 18:02Z', '2026-12-29 18:02Z'),
	(4, '00000004', sha256('token 4'), null, 'compliance-manager', 'packs', '{documents}', null, 'demo compliance-manager', '2026-11-29 18:03Z', '2026-12-29 18:03Z'),
	(5, '00000005', sha256('token 5'), null, 'administrator', 'log', '{log}', null, 'demo administrator', '2026-11-29 18:04Z', '2026-12-29 18:04Z');
insert into api_token_end (api_token_id, ended_by, ended_at) values (4, 'demo administrator', '2026-11-29 18:10Z');
insert into api_token_use (api_token_id, day) values (1, '2026-11-29');
select setval('api_token_api_token_id_seq', 5);
