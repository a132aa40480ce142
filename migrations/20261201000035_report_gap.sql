-- Notices of days of an engagement's period for which none of AWS's reports of a kind speaks.
alter table notice drop constraint notice_kind_check;
alter table notice add constraint notice_kind_check check (kind in (
    'place-silent', 'items-dropped', 'rule-gone', 'critical-failing', 'collection-failed', 'objects-unreadable',
    'aggregator-unread', 'definitions-unread', 'report-version', 'review-due', 'certificate-ending', 'artifact-unread',
    'report-gap'));
