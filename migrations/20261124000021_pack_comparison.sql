-- Conformance packs in the aggregator beside those that were delivered, and notices of what AWS did not tell.

-- The last whole reading's conformance packs beside the store's newest day of then, as table `comparison` has the rules:
-- a row for each pack in an account and Region that either side has. Derived; only rows that change are written.
create table pack_comparison (
    pack_comparison_id bigint generated always as identity primary key,
    organization_id smallint not null references organization,
    account_id text collate "C" not null,
    region text collate "C" not null,
    -- The name as deployed; a pack that was delivered without one has its id here.
    pack_name text collate "C" not null,
    core_name text collate "C" not null,
    -- 0 differ, 1 only here, 2 only there, 3 not comparable, 4 agree.
    verdict smallint not null constraint pack_comparison_verdict_check check (verdict between 0 and 4),
    -- Why it cannot be compared; '' elsewhere.
    reason text not null constraint pack_comparison_reason_check check ((verdict = 3) = (reason <> '')),
    -- AWS's word and counts of rules as delivered; null where the store has nothing to say.
    here_compliance text,
    here_compliant integer,
    here_non_compliant integer,
    here_total integer,
    -- AWS's word and counts of rules in the aggregator; null where it has nothing to say.
    there_compliance text,
    there_compliant integer,
    there_non_compliant integer,
    there_total integer,
    constraint pack_comparison_key unique (organization_id, account_id, region, pack_name),
    constraint pack_comparison_here_check check (num_nulls(here_compliance, here_compliant, here_non_compliant,
        here_total) in (0, 4)),
    constraint pack_comparison_there_check check (num_nulls(there_compliance, there_compliant, there_non_compliant,
        there_total) in (0, 4))
);

create index pack_comparison_list_idx on pack_comparison (organization_id, (verdict::bigint), pack_comparison_id);
create index pack_comparison_core_idx on pack_comparison (organization_id, core_name, verdict);

-- What kept a reading from being whole, in the words of column rule_reading.outcome and 'not found'; null where it was
-- whole, and of readings before this column.
alter table aggregator_reading add column cause text
    constraint aggregator_reading_cause_check check (cause is null or (cause <> '' and failure is not null));

alter table notice drop constraint notice_kind_check;
alter table notice add constraint notice_kind_check check (kind in (
    'place-silent', 'items-dropped', 'rule-gone', 'critical-failing', 'collection-failed', 'objects-unreadable',
    'aggregator-unread', 'definitions-unread'));
