-- Somebody who reads everything, signed in, and one whose session is over.
insert into session (token_hash, identity, role, demo, created_at, seen_at, expires_at) values
	(sha256('viewer 1'), 'demo viewer', 'viewer', true, '2026-11-29 16:00Z', '2026-11-29 16:10Z', '2026-11-30 04:00Z'),
	(sha256('viewer 2'), 'demo auditor', 'auditor', true, '2026-11-28 16:00Z', '2026-11-28 16:10Z', '2026-11-29 04:00Z');
