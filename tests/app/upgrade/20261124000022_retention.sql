-- A removal that is done. Its first day kept lies before every day of this store, so that none of what stands beside is of it.
insert into retention (retention_id, organization_id, setting, first_day, first_day_before, started_by, started_at, finished_at, removed) overriding system value values
	(1, 1, '8y', '2018-11-29', null, 'schedule', '2026-11-29 15:02Z', '2026-11-29 15:03Z', '{"run": 12, "delivery": 3}'),
	(2, 1, '7y', '2019-11-29', '2018-11-29', 'root', '2026-11-29 15:04Z', null, '{}');
select setval('retention_retention_id_seq', 2);
