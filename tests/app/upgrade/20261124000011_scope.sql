-- A scope of every kind, and one whose definition was ended.
insert into scope_definition (organization_id, name, title, kind, unit_id, tag_key, tag_value, account_ids, first_day, reason, made_by, made_at) values
	(1, 'workloads', 'Workloads <b>', 'unit', 'ou-ab12-workload', null, null, null, '2026-11-20', 'The audit of workloads', 'demo administrator', '2026-11-29 08:00Z'),
	(1, 'workloads', 'Workloads', 'tag', null, 'stage', 'production', null, '2026-11-21', 'Also what is tagged', 'demo administrator', '2026-11-29 08:01Z'),
	(1, 'payments', 'Payments', 'accounts', null, null, null, '{253428076759,511035422550}', '2026-11-18', 'PCI DSS', 'demo compliance manager', '2026-11-29 08:02Z');
insert into scope_end (scope_definition_id, end_day, reason, made_by, made_at)
	select scope_definition_id, '2026-11-25', 'Tags are not kept', 'demo administrator', '2026-11-29 08:03Z' from scope_definition where kind = 'tag';
