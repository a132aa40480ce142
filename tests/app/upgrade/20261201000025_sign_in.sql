-- Somebody who was let in by a provider, lost a role, and was shut out.
insert into person (person_id, issuer, subject, provider, name, email, email_verified, first_seen_at, last_seen_at, disabled_at) overriding system value values
	(1, 'https://login.example.com', '248289761001', 'company', 'Ada Lovelace', 'ada@example.com', true, '2026-12-01 08:00Z', '2026-12-01 09:00Z', null),
	(2, 'https://login.example.com', '248289761002', 'company', '', '', false, '2026-12-01 08:00Z', '2026-12-01 08:00Z', '2026-12-01 10:00Z');
select setval('person_person_id_seq', 2);
insert into person_role (person_role_id, person_id, role, since, why) overriding system value values
	(1, 1, 'administrator', '2026-12-01 08:00Z', 'group portal-admins'),
	(2, 1, 'auditor', '2026-12-01 09:00Z', 'none of the groups has a role'),
	(3, 2, 'viewer', '2026-12-01 07:00Z', 'group readers'),
	(4, 2, 'compliance-manager', '2026-12-01 07:30Z', 'group grc'),
	(5, 2, 'auditor', '2026-12-01 08:00Z', 'the provider names no groups');
select setval('person_role_person_role_id_seq', 5);
insert into person_standing (person_standing_id, person_id, disabled, since, changed_by) overriding system value values
	(1, 2, true, '2026-12-01 10:00Z', 'demo administrator');
select setval('person_standing_person_standing_id_seq', 1);
insert into session (token_hash, identity, role, demo, created_at, seen_at, expires_at, kind, person_id, provider, sid, id_token, remote, user_agent) values
	(decode(repeat('5e', 32), 'hex'), 'Ada Lovelace (person 1)', 'auditor', false, '2026-12-01 09:00Z', '2026-12-01 09:00Z', '2026-12-01 21:00Z', 'oidc', 1, 'company', 'sid-1', 'header.claims.signature', '203.0.113.7', 'Browser/1'),
	(decode(repeat('63', 32), 'hex'), 'administrator by link 1 of root', 'administrator', false, '2026-12-01 07:01Z', '2026-12-01 07:01Z', '2026-12-01 19:01Z', 'admin-link', null, null, null, null, '203.0.113.8', null);
insert into sign_in_attempt (state_hash, browser_hash, provider, purpose, next, created_at, expires_at, used_at) values
	(decode(repeat('5f', 32), 'hex'), decode(repeat('60', 32), 'hex'), 'company', 'sign-in', '/', '2026-12-01 09:00Z', '2026-12-01 09:10Z', '2026-12-01 09:01Z'),
	(decode(repeat('64', 32), 'hex'), decode(repeat('60', 32), 'hex'), 'company', 'test', '/sign-in/test', '2026-12-01 09:00Z', '2026-12-01 09:10Z', null),
	(decode(repeat('65', 32), 'hex'), decode(repeat('60', 32), 'hex'), 'company', 'sign-out', '/sign-in', '2026-12-01 09:00Z', '2026-12-01 09:10Z', null);
insert into logout_token (issuer, jti_hash, expires_at) values
	('https://login.example.com', decode(repeat('61', 32), 'hex'), '2026-12-01 09:10Z');
insert into admin_link (admin_link_id, token_hash, made_by, made_at, expires_at, used_at) overriding system value values
	(1, decode(repeat('62', 32), 'hex'), 'root', '2026-12-01 07:00Z', '2026-12-01 07:15Z', '2026-12-01 07:01Z');
select setval('admin_link_admin_link_id_seq', 1);
insert into audit_log (at, actor, actor_kind, act, object, detail) values
	('2026-12-01 09:00Z', 'Ada Lovelace (person 1)', 'person', 'sign in', 'auditor', '{"issuer": "https://login.example.com", "subject": "248289761001"}');
