-- Who did what in the store before it, and a pack that was issued of it with the key of this made-up installation.
INSERT INTO public.audit_log (audit_log_id, at, actor, actor_kind, act, object, detail, remote, request_id) OVERRIDING SYSTEM VALUE VALUES
	(1, '2026-11-24 05:49:21.634931+00', 'root', 'operator', 'start collection', 'collection 1', '{"source": "s"}', NULL, NULL),
	(2, '2026-11-24 05:49:22.115368+00', 'root', 'operator', 'finish collection', 'collection 1', '{"organization_id": 1, "objects_collected": 19, "evaluations_stored": 27, "objects_unreadable": 0}', NULL, NULL),
	(3, '2026-11-24 05:49:24.127124+00', 'root', 'operator', 'start collection', 'collection 2', '{"source": "s"}', NULL, NULL),
	(4, '2026-11-24 05:49:24.509485+00', 'root', 'operator', 'finish collection', 'collection 2', '{"organization_id": 1, "objects_collected": 7, "evaluations_stored": 20, "objects_unreadable": 0}', NULL, NULL),
	(5, '2026-11-24 05:49:25.312194+00', 'root', 'operator', 'export', 'population of 2026-11-19', '{"format": "jsonl", "accounts": [], "organization": "Example", "known_at_collection": 1}', NULL, NULL),
	(6, '2026-11-24 05:49:25.9361+00', 'root', 'operator', 'export', 'population of 2026-11-18 to 2026-11-21', '{"format": "jsonl", "accounts": [], "organization": "Example", "known_at_collection": 1}', NULL, NULL),
	(7, '2026-11-24 05:49:26.642284+00', 'root', 'operator', 'export', 'population of 2026-11-19', '{"format": "jsonl", "accounts": [], "organization": "Example", "known_at_collection": 2}', NULL, NULL),
	(8, '2026-11-24 05:49:27.195239+00', 'root', 'operator', 'export', 'population of 2026-11-18 to 2026-11-21', '{"format": "jsonl", "accounts": [], "organization": "Example", "known_at_collection": 2}', NULL, NULL),
	(9, '2026-11-24 05:49:28.113671+00', 'root', 'operator', 'make pack', 'AF-BC74A-14A35-35615-BA791', '{"by": "root", "days": "18 November 2026 to 21 November 2026 (UTC); register and results as of the last day", "title": "Old", "sha256": "ac9ec7a022217016622f1c9f2644f4dc72caa0371643ccb86d062e252e44064e", "already_there": false, "known_at_collection": 2}', NULL, NULL) ON CONFLICT DO NOTHING;
insert into audit_log (audit_log_id, at, actor, actor_kind, act, object, detail, remote, request_id) overriding system value values
	(10, '2026-11-25 08:00Z', 'demo auditor', 'demo', 'sign in', '', '{}', '127.0.0.1:5000', 'a1b2c3'),
	(11, '2026-11-25 08:01Z', 'jobs', 'system', 'fail job', 'job 2', '{"failure": "the title is empty"}', null, null);
insert into session (token_hash, identity, role, demo, created_at, seen_at, expires_at) values
	(sha256('1'), 'demo auditor', 'auditor', true, '2026-11-25 08:00Z', '2026-11-25 08:10Z', '2026-11-25 20:00Z'),
	(sha256('2'), 'demo compliance manager', 'compliance-manager', true, '2026-11-25 08:00Z', '2026-11-25 08:10Z', '2026-11-25 20:00Z'),
	(sha256('3'), 'somebody', 'administrator', false, '2026-11-25 08:00Z', '2026-11-25 08:10Z', '2026-11-25 20:00Z');
insert into job (job_id, kind, payload, state, created_by, created_at, started_at, finished_at, lease_until, attempts, progress_done, progress_total, progress_unit, failure, result) overriding system value values
	(1, 'pack', '{"organization": "Example", "title": "Old", "from": [2026, 322], "as_of": [2026, 325], "accounts": null, "known_at": null, "at": null, "created_by": "root", "demo": false}', 'done', 'root', '2026-11-24 05:49:27Z', '2026-11-24 05:49:27Z', '2026-11-24 05:49:28Z', null, 1, 11, 11, 'rows', null, 'AF-BC74A-14A35-35615-BA791'),
	(2, 'pack', '{"organization": "Example", "title": "", "from": [2026, 322], "as_of": [2026, 325], "accounts": null, "known_at": null, "at": null, "created_by": "demo compliance manager", "demo": true}', 'failed', 'demo compliance manager', '2026-11-25 08:00:50Z', '2026-11-25 08:01Z', '2026-11-25 08:01Z', null, 1, 0, 0, '', 'the title is empty', null),
	(3, 'pack', '{"organization": "Example", "title": "Cut off", "from": [2026, 322], "as_of": [2026, 325], "accounts": null, "known_at": null, "at": null, "created_by": "demo compliance manager", "demo": true}', 'running', 'demo compliance manager', '2026-11-25 08:02Z', '2026-11-25 08:02Z', null, '2026-11-25 08:03Z', 1, 3, 11, 'rows', null, null),
	(4, 'pack', '{"organization": "Example", "title": "Asked for before", "from": [2026, 322], "as_of": [2026, 325], "accounts": null, "known_at": null, "at": null, "created_by": "demo compliance manager", "demo": true}', 'queued', 'demo compliance manager', '2026-11-25 08:03Z', null, null, null, 0, 0, 0, '', null, null);
insert into installation_key (key_id, private_key, public_key, created_at) values
	('5c589184c7cdb244d15517498469d024359b3bfff63f5bbacb7f20100fbe21d2',
	'\x3051020101300506032b657004220420abeb62a2143f4bc369f6056fbe6f415bf6552595ac467d2861cb409cf8cfb59b812100ad35aff3fe9b44cadfc4f814b84b6c83a715796388b1fcdea48551b63d586149',
	'\xad35aff3fe9b44cadfc4f814b84b6c83a715796388b1fcdea48551b63d586149', '2026-11-24 05:49:27Z');
insert into pack (pack_id, organization_id, title, from_day, as_of_day, known_at_collection, account_ids, created_by, demo, created_at, printed_at, clock_set, job_id, pages, evaluations, not_complying, gap_days, expected_days, pdf_bytes, pdf_sha256, zip_bytes, zip_sha256, key_id, signature, cover)
	select pack_id, 1, title, '2026-11-18', as_of_day::date, 2, account_ids::text[], created_by, demo, '2026-11-24 05:49:28Z', '2026-11-24 05:49:27Z', clock_set, job_id, 9, evaluations, not_complying, gap_days, 12,
		octet_length(pdf), sha256(pdf), octet_length(('PK' || pack_id)::bytea), sha256(('PK' || pack_id)::bytea), '5c589184c7cdb244d15517498469d024359b3bfff63f5bbacb7f20100fbe21d2',
		'\xd6aac897347949ecff39efe539e45c33729f8c41998abe51f52717f0d2c42048cb76935195d5f6a042130d0a22bda411b0c6a8ca0b1a669ae6161eb81362ec08',
		'{"by": "root", "days": "18 November 2026 to 21 November 2026 (UTC); register and results as of the last day", "demo": false, "checks": [{"what": "evaluations of 21 November 2026", "one": ["in the population", 11], "other": ["in the roll-up", 11], "closes": true}], "notices": ["Completeness against the organisation not established."], "program": "0.1.0 (9f20ffeb6160)", "results": [{"severity": "HIGH", "rules": 3, "resources": 7, "complying": 6, "not_complying": 1, "not_applicable": 0, "unknown": 1, "deviations": 2}], "received": "2026-11-24 05:49:24 UTC", "clock_set": false, "day_open": false, "gaps_line": "issued without gaps", "generated": "2026-11-24 05:49:27 UTC", "never_seen": [], "attachments": [{"name": "population.csv", "what": "every evaluation of the as-of day", "rows": 11, "bytes": 1999, "sha256": "f4b3bd7d7d4c2f0d5d6a7e9c2a3f5a0f4b3bd7d7d4c2f0d5d6a7e9c2a3f5a0ab"}], "captured_to": "2026-11-21 04:46:08 UTC", "organization": "Example", "register_rows": 1, "deviation_rows": 2, "key_fingerprint": "5c589184c7cdb244d15517498469d024359b3bfff63f5bbacb7f20100fbe21d2", "register_printed": true, "known_at_collection": 2, "completeness_established": true}'
	from (values
		('AF-BC74A-14A35-35615-BA791', 'Old', '2026-11-21', null, 'root', false, false, 1, 11, 1, 0, E'%PDF-1.7\n% a pack as it was issued then <dc:identifier>AF-BC74A-14A35-35615-BA791</dc:identifier>\n%%EOF\n'::bytea),
		-- Of the day that collection 3 restated.
		('AF-00000-11111-22222-33333', 'Old <b>', '2026-11-22', '{511035422550}', 'demo compliance manager', true, true, null, 4, 0, 0, E'%PDF-1.7\n%%EOF\n'::bytea)
	) old (pack_id, title, as_of_day, account_ids, created_by, demo, clock_set, job_id, evaluations, not_complying, gap_days, pdf);
insert into pack_chunk (pack_id, part, ordinal, bytes) values
	('AF-BC74A-14A35-35615-BA791', 'pdf', 0, E'%PDF-1.7\n% a pack as it was issued then '::bytea),
	('AF-BC74A-14A35-35615-BA791', 'pdf', 1, E'<dc:identifier>AF-BC74A-14A35-35615-BA791</dc:identifier>\n%%EOF\n'::bytea),
	('AF-BC74A-14A35-35615-BA791', 'zip', 0, 'PKAF-BC74A-14A35-35615-BA791'::bytea),
	('AF-00000-11111-22222-33333', 'pdf', 0, E'%PDF-1.7\n%%EOF\n'::bytea),
	('AF-00000-11111-22222-33333', 'zip', 0, 'PKAF-00000-11111-22222-33333'::bytea);
select setval('audit_log_audit_log_id_seq', 11), setval('job_job_id_seq', 4);
