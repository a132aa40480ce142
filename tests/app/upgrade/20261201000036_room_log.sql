-- Sign-ins and a download of an engagement's auditors, as their room shows them.
insert into audit_log (actor, actor_kind, act, object, detail, remote) values
	('demo auditor', 'demo', 'sign in', 'auditor', '{"engagements": [1]}', '192.0.2.7'),
	('demo auditor', 'demo', 'enter room', 'engagement 1', '{"engagement": 1}', '192.0.2.7'),
	('demo auditor', 'demo', 'download pack', '3f0c', '{"file": "pack.pdf", "engagement": 1}', '192.0.2.7');
