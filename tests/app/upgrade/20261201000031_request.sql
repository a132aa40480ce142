-- Requests in each state, answered by each kind of evidence.
insert into job (job_id, kind, payload, state, created_by, created_at, started_at, finished_at, attempts, result) overriding system value values
	(14, 'freeze', '{"answer": 3}', 'done', 'demo compliance manager', '2026-11-29 17:20Z', '2026-11-29 17:20Z', '2026-11-29 17:20:01Z', 1, '/engagements/1/requests/1');
insert into artifact_document (artifact_document_id, organization_id, media_type, size_bytes, sha256, stored_at) overriding system value values
	(4, 1, 'text/plain', 5, sha256('a,b,c'), '2026-11-29 17:20Z'),
	(5, 1, 'image/png', 3, sha256('png'), '2026-11-29 17:20Z'),
	(6, 1, 'image/jpeg', 3, sha256('jpg'), '2026-11-29 17:20Z');
insert into artifact_document_chunk (artifact_document_id, ordinal, bytes) values (4, 0, 'a,b,c'), (5, 0, 'png'), (6, 0, 'jpg');
insert into engagement_request (engagement_request_id, engagement_id, number, title, wanted, due_day, first_day, last_day, asked_by, asked_for, asked_at) overriding system value values
	(1, 1, 1, 'Keys <b>', 'The policy', '2026-12-06', '2026-11-21', '2026-11-22', 'demo auditor', null, '2026-11-29 17:16Z'),
	(2, 1, 2, 'Leavers', 'Three of them', '2026-12-06', null, null, 'demo compliance manager', 'Ann', '2026-11-29 17:17Z'),
	(3, 1, 3, 'Owners', 'All', '2026-12-06', null, null, 'demo auditor', null, '2026-11-29 17:18Z');
insert into engagement_request_event (engagement_request_event_id, engagement_request_id, kind, reason, due_day, made_by, made_at) overriding system value values
	(1, 1, 'answered', '', null, 'demo compliance manager', '2026-11-29 17:20Z'),
	(2, 1, 'returned', 'not of the period', null, 'demo auditor', '2026-11-29 17:21Z'),
	(3, 1, 'answered', '', null, 'demo compliance manager', '2026-11-29 17:22Z'),
	(4, 1, 'answered', '', null, 'demo compliance manager', '2026-11-29 17:22Z'),
	(5, 1, 'answered', '', null, 'demo compliance manager', '2026-11-29 17:22Z'),
	(6, 1, 'answered', '', null, 'demo compliance manager', '2026-11-29 17:22Z'),
	(7, 1, 'accepted', '', null, 'demo auditor', '2026-11-29 17:23Z'),
	(8, 2, 'due-changed', 'holidays', '2026-12-10', 'demo auditor', '2026-11-29 17:23Z'),
	(9, 2, 'declined', 'nobody left', null, 'demo compliance manager', '2026-11-29 17:24Z'),
	(10, 3, 'withdrawn', 'not needed', null, 'demo auditor', '2026-11-29 17:25Z');
insert into engagement_answer (engagement_answer_id, engagement_request_event_id, kind, note, first_day, last_day, pack_id, artifact_file_id, artifact_document_id, file_name, engagement_terms_id, core_name, status, job_id) overriding system value values
	(1, 1, 'note', 'See the policy', '2026-11-21', '2026-11-22', null, null, null, null, null, null, null, null),
	(2, 3, 'file', '', '2026-11-21', '2026-11-21', null, null, 4, 'keys.csv', null, null, null, null),
	(3, 4, 'view', 'As of then', '2026-11-22', '2026-11-22', null, null, null, null, 2, 's3-bucket-level-public-access-prohibited', 'NON_COMPLIANT', 14),
	(5, 6, 'report', '', '2026-11-21', '2026-11-22', null, 1, null, null, null, null, null, null);
insert into engagement_answer (engagement_answer_id, engagement_request_event_id, kind, note, first_day, last_day, pack_id) overriding system value
	select 4, 5, 'pack', '', '2026-11-21', '2026-11-22', min(pack_id) from pack;
insert into engagement_answer_frozen (engagement_answer_id, known_at_collection, rows, sha256, frozen_at) values (3, 1, 2, sha256('rows'), '2026-11-29 17:20:01Z');
insert into engagement_answer_end (engagement_answer_id, reason, ended_by, ended_at) values (2, 'the wrong file', 'demo compliance manager', '2026-11-29 17:30Z');
select setval('engagement_request_engagement_request_id_seq', 3), setval('engagement_request_event_engagement_request_event_id_seq', 10), setval('engagement_answer_engagement_answer_id_seq', 5), setval('artifact_document_artifact_document_id_seq', 6), setval('job_job_id_seq', 14);
