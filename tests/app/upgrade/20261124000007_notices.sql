-- Jobs of the new kinds and ends, the schedule, and a notice of every kind: open, closed, acknowledged.
insert into job (job_id, kind, payload, state, created_by, created_at, started_at, finished_at, lease_until, attempts, progress_done, progress_total, progress_unit, failure, result, not_before, failures, cancel_asked_at, cancel_asked_by, retry_of) overriding system value values
	(5, 'collect', '{"organization": "Example", "created_by": "schedule", "demo": false}', 'done', 'schedule', '2026-11-28 05:00Z', '2026-11-28 05:00Z', '2026-11-28 05:01Z', null, 1, 3, 3, 'objects', null, '11', null, 0, null, null, null),
	(6, 'collect', '{"organization": "Example", "created_by": "demo administrator", "demo": true}', 'cancelled', 'demo administrator', '2026-11-28 06:00Z', '2026-11-28 06:00Z', '2026-11-28 06:00:10Z', null, 1, 0, 3, 'objects', null, null, null, 0, '2026-11-28 06:00:05Z', 'demo administrator', null),
	(7, 'digest', '{"decision": 2, "organization": "Example"}', 'queued', 'notices', '2026-11-28 06:01Z', '2026-11-28 06:01Z', null, null, 1, 0, 0, '', 'the server did not take it: 451', null, '2026-11-28 06:11Z', 1, null, null, null),
	(8, 'pack', '{"organization": "Example", "title": "", "from": [2026, 322], "as_of": [2026, 325], "accounts": null, "known_at": null, "at": null, "created_by": "demo compliance manager", "demo": true}', 'failed', 'demo compliance manager', '2026-11-28 06:02Z', '2026-11-28 06:02Z', '2026-11-28 06:02Z', null, 1, 0, 0, '', 'the title is empty', null, null, 1, null, null, 2);
insert into collect_schedule (every_seconds, source, due_at, kept_at) values (3600, 's3://example-config/o-ddcgfg0c5r', '2026-11-28 07:00Z', '2026-11-28 06:05Z');
insert into notice_decision (notice_decision_id, organization_id, collection_id, whole, decided_at) overriding system value values
	(1, 1, 10, true, '2026-11-27 05:01Z'),
	(2, 1, 11, true, '2026-11-28 05:01Z'),
	(3, 1, null, false, '2026-11-28 06:00Z');
insert into notice (notice_id, organization_id, kind, about, sentence, as_of_day, facts, opened_at, opened_by, closed_at, closed_by, closed_because, acknowledged_at, acknowledged_by) overriding system value values
	(1, 1, 'place-silent', '000000000099 eu-central-1', '000000000099 (audit <b>), eu-central-1: no snapshot since that of 24 Nov 2026 02:06', '2026-11-26', '{"members": ["000000000099 eu-central-1"], "last_snapshot_at": "2026-11-24T02:06:43Z"}', '2026-11-27 05:01Z', 1, null, null, null, null, null),
	(2, 1, 'items-dropped', '000000000099 eu-central-1', '000000000099 (audit <b>), eu-central-1: the snapshot of 24 Nov 2026 holds no compliance items, an earlier one did', '2026-11-26', '{"members": ["000000000099 eu-central-1"], "day": "2026-11-24"}', '2026-11-27 05:01Z', 1, null, null, null, '2026-11-27 09:00Z', 'demo administrator'),
	(3, 1, 'rule-gone', 'ec2-instance-no-public-ip', 'ec2-instance-no-public-ip is gone from 1 account-Region: 253428076759 eu-central-1', '2026-11-26', '{"members": ["253428076759 eu-central-1"]}', '2026-11-27 05:01Z', 1, '2026-11-28 05:01Z', 2, 'it is there again', null, null),
	(4, 1, 'critical-failing', 's3-bucket-level-public-access-prohibited', 's3-bucket-level-public-access-prohibited newly fails in 1 account, 1 evaluation: 589659138073', '2026-11-26', '{"members": ["589659138073"], "accounts": 1, "evaluations": 1}', '2026-11-27 05:01Z', 1, '2026-11-28 05:01Z', 2, 'it no longer fails', '2026-11-27 10:00Z', 'demo compliance manager'),
	(5, 1, 'collection-failed', 'collections', 'A collection could not begin: the bucket is not there', null, '{"members": ["collections"], "collection": null, "job": 6, "failure": "the bucket is not there"}', '2026-11-28 06:00Z', 3, null, null, null, null, null),
	(6, 1, 'objects-unreadable', '10', 'Collection 10 left 1 object unreadable', '2026-11-26', '{"members": ["10"], "collection": 10, "objects": 1, "names": ["AWSLogs/253428076759/Config/eu-central-1/2026/11/24/history_51.json.gz"]}', '2026-11-27 05:01Z', 1, null, null, null, null, null);
insert into notice_digest (notice_decision_id, message_id, sent_at, recipients) values
	(1, '<1@example.com>', '2026-11-27 05:02Z', 2),
	(2, '<2@example.com>', null, null);
select setval('job_job_id_seq', 8), setval('notice_decision_notice_decision_id_seq', 3), setval('notice_notice_id_seq', 6);
