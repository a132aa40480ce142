//! The facts of a pack for its page, as they are stored beside it. Pure.

use super::content::{self, moment};
use super::model::{Pack, Signer, Stage};
use super::{definitions, scope_set};

/// The facts of a pack for its page, as stored beside it.
pub fn cover_json(pack: &Pack) -> serde_json::Value {
    let cover = &pack.cover;
    let results = pack.results.severities.iter().map(|one| {
        serde_json::json!({
            "severity": one.severity.word(), "rules": one.rules, "resources": one.resources,
            "complying": one.complying, "not_complying": one.not_complying, "not_applicable": one.not_applicable,
            "unknown": one.unknown(), "deviations": one.deviations,
        })
    });
    let checks = pack.checks.iter().map(|check| {
        serde_json::json!({"what": check.what, "one": check.one, "other": check.other, "closes": check.closes()})
    });
    let attachments = pack.attachments.iter().map(|file| {
        serde_json::json!({
            "name": file.name, "what": file.what, "rows": file.rows, "bytes": file.bytes, "sha256": file.sha256,
        })
    });
    serde_json::json!({
        "organization": cover.organization,
        "days": cover.days(),
        "scope": cover.scope.as_ref().map(|scope| scope_set::json(scope, pack)),
        "captured_to": cover.captured_to.map(moment),
        "received": moment(cover.received),
        "generated": moment(cover.generated),
        "clock_set": cover.clock_set,
        "by": cover.created_by,
        "state": cover.stage.word(),
        "final": finality(&cover.stage),
        "classification": cover.classification,
        "recipient": cover.recipient,
        "engagement": cover.engagement.as_ref().map(|one| {
            serde_json::json!({ "engagement": one.engagement_id, "title": one.title, "changes": one.changes })
        }),
        "pseudonyms": cover.pseudonyms,
        "demo": cover.demo,
        "known_at_collection": cover.known_at,
        "day_open": cover.day_open,
        "completeness_established": cover.completeness_established,
        "gaps_line": pack.delivery.gaps_line(),
        "never_seen": pack.delivery.never_seen,
        "never_seen_regions": pack.delivery.never_seen_regions,
        "notices": content::notices(pack),
        "parameters": definitions::sentence(pack),
        "parameter_changes": definitions::change_rows(pack),
        "register_rows": pack.register.rows,
        "register_printed": pack.register.printed(),
        "deviation_rows": pack.deviations.rows,
        "results": results.collect::<Vec<_>>(),
        "checks": checks.collect::<Vec<_>>(),
        "attachments": attachments.collect::<Vec<_>>(),
        "audit_log": cover.checkpoint,
        "program": format!("{} ({})", cover.program.version, cover.program.commit),
        "key_fingerprint": pack.key_fingerprint,
    })
}

/// Who stands for a final pack.
fn finality(stage: &Stage) -> Option<serde_json::Value> {
    let Stage::Final(finality) = stage else { return None };
    let signer = |one: &Signer| serde_json::json!({ "by": one.identity, "role": one.role, "demo": one.demo, "at": moment(one.at) });
    Some(serde_json::json!({
        "preparer": signer(&finality.preparer), "reviewer": signer(&finality.reviewer), "draft": finality.draft,
        "draft_sha256": finality.draft_sha256, "draft_generated": moment(finality.draft_printed), "note": finality.note,
    }))
}
