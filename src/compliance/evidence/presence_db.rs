//! The statements behind rule presence and timelines, as known at a collection.

use sqlx::{FromRow, PgConnection};

use super::KnownAt;
use crate::collection::day::Day;
use crate::compliance::Severity;

/// The presence of rules in a place as it reads now: rule, first day, end day. `only` some rules, or all.
pub(super) async fn presence(
    db: &mut PgConnection,
    place_id: i32,
    only: Option<&[i32]>,
) -> sqlx::Result<Vec<(i32, Day, Day)>> {
    sqlx::query_as(
        "select rule_id, first_day, end_day from rule_presence
         where place_id = $1 and ($2::integer[] is null or rule_id = any($2)) order by rule_id, first_day",
    )
    .bind(place_id)
    .bind(only)
    .fetch_all(db)
    .await
}

/// What days said of rules in a place at the knowledge point, where a later collection said otherwise.
pub(super) async fn undone_presence(
    db: &mut PgConnection,
    place_id: i32,
    only: Option<&[i32]>,
    known_at: KnownAt,
) -> sqlx::Result<Vec<(i32, Day, bool)>> {
    sqlx::query_as(
        "select distinct on (rule_id, day) rule_id, day, was_present from rule_presence_restatement
         where place_id = $1 and ($2::integer[] is null or rule_id = any($2)) and collection_id > $3
         order by rule_id, day, collection_id",
    )
    .bind(place_id)
    .bind(only)
    .bind(known_at.0)
    .fetch_all(db)
    .await
}

/// The rules that a place ever had, each with the timeline that it was on.
pub(super) async fn timelines(
    db: &mut PgConnection,
    place_id: i32,
    known_at: KnownAt,
) -> sqlx::Result<Vec<(i32, i32)>> {
    sqlx::query_as(
        "select r.rule_id, coalesce(
             (select m.old_timeline_id from rule_timeline_move m
              where m.rule_id = r.rule_id and m.collection_id > $2 order by m.collection_id limit 1), r.timeline_id)
         from rule r join (
             select rule_id from rule_presence where place_id = $1
             union select rule_id from rule_presence_restatement where place_id = $1
         ) here using (rule_id)
         order by r.rule_id",
    )
    .bind(place_id)
    .bind(known_at.0)
    .fetch_all(db)
    .await
}

/// What is known of a rule by its id.
#[derive(Debug, FromRow)]
pub(super) struct RuleRow {
    pub(super) rule_id: i32,
    pub(super) name: String,
    pub(super) core_name: String,
    pub(super) source_identifier: Option<String>,
    severity: i16,
}

impl RuleRow {
    pub(super) fn severity(&self) -> Severity {
        Severity::from_id(self.severity)
    }
}

pub(super) async fn rules(db: &mut PgConnection, rule_ids: &[i32]) -> sqlx::Result<Vec<RuleRow>> {
    sqlx::query_as("select rule_id, name, core_name, source_identifier, severity from rule where rule_id = any($1)")
        .bind(rule_ids)
        .fetch_all(db)
        .await
}
