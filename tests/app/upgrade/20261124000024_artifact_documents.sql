-- Terms that were accepted and some that were not, a report fetched by them and one brought in, reviews of every opinion,
-- releases, agreements signed elsewhere, and notices of each kind.
begin;
insert into artifact_document (artifact_document_id, organization_id, media_type, size_bytes, sha256, stored_at) overriding system value values
	(1, 1, 'application/pdf', 9, sha256('%PDF-1.4 '), '2026-11-29 15:20Z'),
	(2, 1, 'application/pdf', 12, sha256('%PDF-1.4 abc'), '2026-11-29 15:21Z'),
	(3, 1, 'application/zip', 4, sha256('PK\003\004'), '2026-11-29 15:22Z');
insert into artifact_document_chunk (artifact_document_id, ordinal, bytes) values
	(1, 0, '%PDF-1.4 '), (2, 0, '%PDF-1.4 '), (2, 1, 'abc'), (3, 0, 'PK\003\004');
commit;
insert into artifact_terms (artifact_terms_id, organization_id, report_id, version, artifact_document_id, asked_by, fetched_at, token, used_at) overriding system value values
	(1, 1, 'report-0123456789abcdef', 2, 1, 'demo compliance manager', '2026-11-29 15:20Z', null, '2026-11-29 15:21Z'),
	(2, 1, 'report-0123456789abcdef', 2, 1, 'demo administrator', '2026-11-29 15:25Z', '0123456789abcdef', null);
insert into artifact_terms_reading (artifact_terms_id, read_by, read_at) values
	(1, 'demo compliance manager', '2026-11-29 15:20:30Z'), (2, 'demo auditor', '2026-11-29 15:26Z');
insert into artifact_acceptance (artifact_terms_id, accepted_by, demo, accepted_at) values
	(1, 'demo compliance manager', true, '2026-11-29 15:20:50Z');
insert into artifact_file (artifact_file_id, organization_id, report_id, version, artifact_document_id, artifact_terms_id, source, stored_by, stored_at) overriding system value values
	(1, 1, 'report-0123456789abcdef', 2, 2, 1, 'AWS Artifact in us-east-1', 'demo compliance manager', '2026-11-29 15:21Z'),
	(2, 1, 'report-fedcba9876543210', 1, 3, null, 'artifact-2026-11-28', 'root', '2026-11-29 15:22Z');
insert into artifact_release (artifact_release_id, artifact_file_id, released_by, reason, released_at, withdrawn_by, withdrawn_at) overriding system value values
	(1, 1, 'demo compliance manager', 'Annual audit', '2026-11-29 15:30Z', 'demo administrator', '2026-11-29 15:31Z'),
	(2, 1, 'demo compliance manager', 'Annual audit, again', '2026-11-29 15:32Z', null, null);
insert into artifact_review (artifact_review_id, organization_id, report_id, version, reviewer, reviewed_on, opinion, exceptions, user_entity_controls, carve_outs, conclusion, next_due, recorded_by, recorded_at) overriding system value values
	(1, 1, 'report-0123456789abcdef', 1, 'R. Weiß', '2026-11-20', 'qualified', 'One late revocation', '[{"control": "Rotate keys", "owner": "security"}, {"control": "Review access", "owner": ""}]', 'A data centre', 'Suffices', '2027-05-20', 'demo compliance manager', '2026-11-29 15:40Z'),
	(2, 1, 'report-0123456789abcdef', 2, 'R. Weiß', '2026-11-21', 'unqualified', '', '[]', '', 'Suffices', null, 'demo compliance manager', '2026-11-29 15:41Z'),
	(3, 1, 'report-fedcba9876543210', 1, 'R. Weiß', '2026-11-21', 'adverse', '', '[]', '', 'Does not', null, 'demo compliance manager', '2026-11-29 15:42Z'),
	(4, 1, 'report-fedcba9876543210', 1, 'R. Weiß', '2026-11-22', 'disclaimer', '', '[]', '', 'Says nothing', null, 'demo compliance manager', '2026-11-29 15:43Z'),
	(5, 1, 'report-fedcba9876543210', 1, 'R. Weiß', '2026-11-23', 'none', '', '[]', '', 'A certificate', null, 'demo compliance manager', '2026-11-29 15:44Z');
insert into artifact_offline_agreement (artifact_offline_agreement_id, organization_id, account_id, title, effective_from, effective_until, note, artifact_document_id, recorded_by, recorded_at, withdrawn_by, withdrawn_at, withdrawn_because) overriding system value values
	(1, 1, '511035422550', 'BAA of 2024', '2024-05-01', '2025-05-01', 'With legal', 1, 'demo compliance manager', '2026-11-29 15:50Z', null, null, null),
	(2, 1, null, 'BAA of 2025', '2025-05-01', null, '', 2, 'demo compliance manager', '2026-11-29 15:51Z', 'demo administrator', '2026-11-29 15:52Z', 'Twice');
insert into notice_decision (notice_decision_id, organization_id, collection_id, whole, decided_at) overriding system value values
	(5, 1, null, false, '2026-11-29 15:55Z');
insert into notice (notice_id, organization_id, kind, about, sentence, as_of_day, facts, opened_at, opened_by) overriding system value values
	(9, 1, 'report-version', 'report-0123456789abcdef 2', 'AWS published version 2', null, '{"members": ["report-0123456789abcdef 2"], "report": "report-0123456789abcdef", "version": 2}', '2026-11-29 15:55Z', 5),
	(10, 1, 'review-due', 'report-0123456789abcdef 1', 'The next review is due', null, '{"members": ["report-0123456789abcdef 1"], "report": "report-0123456789abcdef", "version": 1}', '2026-11-29 15:55Z', 5),
	(11, 1, 'certificate-ending', 'report-fedcba9876543210 1', 'It ends', null, '{"members": ["report-fedcba9876543210 1"], "report": "report-fedcba9876543210", "version": 1}', '2026-11-29 15:55Z', 5),
	(12, 1, 'artifact-unread', 'reports', 'It could not be read', null, '{"members": ["reports"], "failure": "denied"}', '2026-11-29 15:55Z', 5);
select setval('artifact_document_artifact_document_id_seq', 3), setval('artifact_terms_artifact_terms_id_seq', 2), setval('artifact_file_artifact_file_id_seq', 2), setval('artifact_release_artifact_release_id_seq', 2), setval('artifact_review_artifact_review_id_seq', 5), setval('artifact_offline_agreement_artifact_offline_agreement_id_seq', 2), setval('notice_decision_notice_decision_id_seq', 5), setval('notice_notice_id_seq', 12);
