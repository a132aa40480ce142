//! The scope set that a pack is about: resolved as known at the pack's knowledge point, and in words.

use time::Date;

use super::build::BuildError;
use super::content::{self, moment};
use super::model::{NamedScope, Pack, ScopeDefinition};
use crate::organization::scope::{self, Known, Resolved, Unresolved};

/// The accounts of a scope as far as is known. What cannot be decided is no pack.
pub(super) async fn resolved(
    tx: &mut sqlx::PgConnection,
    organization_id: i16,
    name: &str,
    day: Date,
    known: Known,
) -> Result<Resolved, BuildError> {
    let resolved = scope::resolve(tx, organization_id, name, day, known).await.and_then(Resolved::decided);
    resolved.map_err(|unresolved| match unresolved {
        Unresolved::Database(error) => error.into(),
        other => BuildError::Refused(other.to_string()),
    })
}

/// What the pack says of the scope.
pub(super) fn named(resolved: &Resolved) -> NamedScope {
    let definition = |one: &scope::Definition| ScopeDefinition {
        record: one.record,
        by: one.selector.words(resolved.listed.as_ref()),
        first_day: one.first_day,
        end_day: one.end.as_ref().map(|end| end.day),
        in_force: one.holds_on(resolved.day),
        reason: one.reason.clone(),
        made: format!("{} by {}", moment(one.made_at), one.made_by),
        ended: one
            .end
            .as_ref()
            .map(|end| format!("{} by {}: {}", moment(end.made_at), end.made_by, end.reason))
            .unwrap_or_default(),
    };
    NamedScope {
        name: resolved.name.clone(),
        title: resolved.title.clone(),
        listed_on: resolved.told_on(),
        record: resolved.record(),
        definitions: resolved.definitions.iter().map(definition).collect(),
    }
}

/// The facts of the scope for the pack's page.
pub(super) fn json(scope: &NamedScope, pack: &Pack) -> serde_json::Value {
    serde_json::json!({
        "name": scope.name,
        "title": scope.title,
        "record": scope.record,
        "sentence": content::scope_sentence(scope, pack),
        "definitions": scope.definitions.iter().map(|one| {
            serde_json::json!({"record": one.record, "by": one.by, "reason": one.reason, "in_force": one.in_force})
        }).collect::<Vec<_>>(),
    })
}
