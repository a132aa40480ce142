-- What can happen to a pack, and a pseudonym.
insert into pack_event (pack_event_id, pack_id, kind, by_identity, by_role, demo, note, other_pack_id, made_at) overriding system value values
	(1, 'AF-BC74A-14A35-35615-BA791', 'draft', 'root', null, false, null, null, '2026-11-30 08:00Z'),
	(2, 'AF-BC74A-14A35-35615-BA791', 'propose', 'demo compliance manager', 'Compliance manager', true, 'please <b>look</b>', null, '2026-11-30 08:01Z'),
	(3, 'AF-BC74A-14A35-35615-BA791', 'return', 'demo administrator', 'Administrator', true, 'the title', null, '2026-11-30 08:02Z'),
	(4, 'AF-BC74A-14A35-35615-BA791', 'propose', 'demo compliance manager', 'Compliance manager', true, null, null, '2026-11-30 08:03Z'),
	(5, 'AF-BC74A-14A35-35615-BA791', 'approve', 'demo administrator', 'Administrator', true, null, null, '2026-11-30 08:04Z'),
	(6, 'AF-BC74A-14A35-35615-BA791', 'final', 'demo administrator', 'Administrator', true, null, 'AF-BC74A-14A35-35615-BA791', '2026-11-30 08:05Z'),
	(7, 'AF-BC74A-14A35-35615-BA791', 'supersede', 'demo administrator', 'Administrator', true, 'a later one', 'AF-BC74A-14A35-35615-BA791', '2026-11-30 08:06Z'),
	(8, 'AF-BC74A-14A35-35615-BA791', 'withdraw', 'demo administrator', 'Administrator', true, 'of the wrong days', null, '2026-11-30 08:07Z');
insert into pack_request (pack_id, request) values ('AF-BC74A-14A35-35615-BA791', '{"organization": "Example", "title": "x", "as_of": [2026, 327]}');
insert into pseudonym_key (key, created_at) values ('\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f', '2026-11-30 08:00Z');
insert into pseudonym (digest, shown) values ('\x7f3a2c1b9d', 'person-7f3a2c1b9d');
select setval('pack_event_pack_event_id_seq', 8);
