//! What becomes of each table's rows of days before the first day kept: one place to look it up, and a test that a new table
//! has its line.

/// What becomes of a table's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// These rows are removed.
    Removed(&'static str),
    /// None is removed, because of this.
    Kept(&'static str),
}

use Decision::{Kept, Removed};

/// A record of what was done, and by whom.
const RECORD: Decision = Kept("a record of what was done, which says nothing of what evaluations were");
/// Names behind small ids.
const NAMES: Decision = Kept("names behind the ids of other tables; they say nothing of a day");
/// What the organisation was.
const ORGANIZATION: Decision =
    Kept("what the organisation was: whether a kept day is whole is told from all of its lists, old ones too");
/// What AWS says of itself, not what was observed of the organisation.
const DOCUMENT: Decision = Kept("AWS's documents, once seen, are never forgotten: they have periods of their own");
/// What people decided or were told.
const PEOPLE: Decision = Kept("what people did or were told, as it was then");

/// Every table of the schema.
///
/// "Before" is before the first day kept. A row that is of several days goes when the last of them is before. What still speaks
/// for a kept day stays: runs that reach into one, with the first day that they have; and of a place without evidence of the
/// first day kept its last known day before, at each knowledge point that can be asked for, with all that covers it (see
/// `anchors`).
pub const DECISIONS: &[(&str, Decision)] = &[
    ("account", ORGANIZATION),
    ("account_list", ORGANIZATION),
    ("account_listing", ORGANIZATION),
    ("account_reading", RECORD),
    ("aggregate_pack", Removed("what a reading before found changed or gone")),
    ("aggregate_rule", Removed("what a reading before found changed or gone")),
    ("aggregator_reading", RECORD),
    ("aggregator_source", Removed("what a reading before found changed or gone")),
    ("admin_link", PEOPLE),
    ("api_token", PEOPLE),
    ("api_token_end", PEOPLE),
    ("api_token_use", PEOPLE),
    ("artifact_agreement", DOCUMENT),
    ("artifact_acceptance", PEOPLE),
    ("artifact_document", DOCUMENT),
    ("artifact_document_chunk", DOCUMENT),
    ("artifact_file", DOCUMENT),
    ("artifact_kind", PEOPLE),
    ("artifact_offline_agreement", PEOPLE),
    ("artifact_reading", RECORD),
    ("artifact_release", PEOPLE),
    ("artifact_review", PEOPLE),
    ("artifact_terms", DOCUMENT),
    ("artifact_terms_reading", PEOPLE),
    ("artifact_version", DOCUMENT),
    ("athena_query", Kept("a record of what was asked of Athena and what it cost; results are not among it")),
    ("audit_chain", Kept("what the audit log is checked by")),
    ("audit_log", Kept("append-only, and the record of removals")),
    ("collect_schedule", Kept("a setting")),
    ("collection", Kept("its ladder stays as what was counted then")),
    ("comparison", Removed("all, where the last whole reading was compared with a day before")),
    ("conformance_pack", NAMES),
    ("conformance_pack_run", Removed("verdicts that ended before")),
    ("connect_check", RECORD),
    ("day_total", Removed("of days before")),
    ("delivery", Removed("of days before, except a place's last known ones")),
    ("engagement", PEOPLE),
    ("engagement_answer", PEOPLE),
    ("engagement_answer_end", PEOPLE),
    ("engagement_answer_frozen", PEOPLE),
    ("engagement_auditor", PEOPLE),
    ("engagement_auditor_end", PEOPLE),
    ("engagement_binding", PEOPLE),
    ("engagement_pack", PEOPLE),
    ("engagement_pack_end", PEOPLE),
    ("engagement_publication", PEOPLE),
    ("engagement_request", PEOPLE),
    ("engagement_request_event", PEOPLE),
    ("engagement_sample", PEOPLE),
    ("engagement_sample_drawn", PEOPLE),
    ("engagement_sample_row", PEOPLE),
    ("engagement_terms", PEOPLE),
    ("expected_place", ORGANIZATION),
    (
        "history_item",
        Removed("of days before: all, once the place has a snapshot of then; else all but the last of each resource"),
    ),
    (
        "history_pack_item",
        Removed("of days before: all, once the place has a snapshot of then; else all but the last of each pack"),
    ),
    ("installation_key", Kept("packs are checked with it")),
    ("job", RECORD),
    ("logout_token", PEOPLE),
    ("note", Removed("fetched before")),
    ("note_reading", Removed("fetched before")),
    ("notice", PEOPLE),
    ("notice_decision", PEOPLE),
    ("notice_digest", PEOPLE),
    ("object", Removed("of days before, except those that a row that stays points at")),
    ("object_outcome", Removed("of those objects")),
    ("organization", NAMES),
    ("pack", Kept("an issued pack is never altered")),
    ("pack_chunk", Kept("an issued pack is never altered")),
    ("pack_comparison", Removed("all, where the last whole reading was compared with a day before")),
    ("pack_event", PEOPLE),
    ("pack_request", PEOPLE),
    ("person", PEOPLE),
    ("person_role", PEOPLE),
    ("person_standing", PEOPLE),
    ("place", NAMES),
    ("pseudonym", Kept("the same name has the same pseudonym in every pack")),
    ("pseudonym_key", Kept("pseudonyms are made with it")),
    ("region_list", ORGANIZATION),
    ("resource", Removed("of which nothing else is left")),
    ("resource_type", NAMES),
    ("restatement", Removed("of days before, except a place's last known ones")),
    ("retention", Kept("the record of removals")),
    ("rollup", Removed("counts that ended before")),
    ("rule", NAMES),
    ("rule_attribute", NAMES),
    ("rule_definition", Removed("that ended before")),
    ("rule_presence", Removed("that ended before, except under a name that a failure of a kept day began under")),
    ("rule_presence_restatement", Removed("of days before, except a place's last known ones")),
    ("rule_reading", Removed("of days before, except a place's last one and its last whole one")),
    ("rule_timeline_move", NAMES),
    ("run", Removed("that ended before, except what a failure of a kept day began as under another name")),
    ("scope_definition", PEOPLE),
    ("scope_end", PEOPLE),
    ("session", PEOPLE),
    ("sign_in_attempt", PEOPLE),
    ("status", NAMES),
    ("timeline", NAMES),
];
