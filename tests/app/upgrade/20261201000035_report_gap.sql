-- A notice of a gap of AWS's reports in an engagement's period.
insert into notice_decision (notice_decision_id, organization_id, collection_id, whole, decided_at) overriding system value values
	(6, 1, null, false, '2026-11-29 17:30Z');
insert into notice (notice_id, organization_id, kind, about, sentence, as_of_day, facts, opened_at, opened_by) overriding system value values
	(13, 1, 'report-gap', '1 2026-11-01 2026-11-22 soc-2-type-2', 'Engagement “SOC 2”: gap 22 days', null, '{"members": ["1 2026-11-01 2026-11-22 soc-2-type-2"], "engagement": 1, "from": "2026-11-01", "until": "2026-11-22", "report_kind": "soc-2-type-2", "gap_days": 22, "addressed_days": 0}', '2026-11-29 17:30Z', 6);
select setval('notice_decision_notice_decision_id_seq', 6), setval('notice_notice_id_seq', 13);
