-- An entry that links itself: those before it were linked by the migration.
insert into audit_log (actor, actor_kind, act, object, detail, remote, request_id) values
	('demo compliance manager', 'demo', 'acknowledge notice', 'notice 1', '{"kind": "rule-gone", "about": "<b>"}', '127.0.0.1', 'a1b2c3d4e5f60718');
