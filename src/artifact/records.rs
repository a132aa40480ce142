//! Records that lie beside AWS's answers: what people did elsewhere with a version of a report. From their JSON to what
//! they say. Pure.
//!
//! `acceptance-REPORT-VERSION.json` says who accepted the terms in `terms-REPORT-VERSION.pdf` and when,
//! `review-REPORT-VERSION.json` what a review found, `release-REPORT-VERSION.json` who lets auditors have the document.

use anyhow::{Context as _, bail, ensure};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::documents::review::{CONTROLS, Review, ReviewForm, UserControl};
use crate::web::form::Problems;

/// The longest name and the longest reason that are taken, in characters: as in the forms.
const NAME: usize = 200;
const REASON: usize = 1_000;

/// Who accepted a version's terms, somewhere else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Acceptance {
    pub(super) accepted_by: String,
    pub(super) accepted_at: OffsetDateTime,
}

/// Who lets auditors have a version's document, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Release {
    pub(super) released_by: String,
    pub(super) reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AcceptanceFile {
    accepted_by: String,
    accepted_at: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReleaseFile {
    released_by: String,
    reason: String,
    terms_read: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReviewFile {
    reviewer: String,
    reviewed_on: String,
    opinion: String,
    #[serde(default)]
    exceptions: String,
    #[serde(default)]
    user_entity_controls: Vec<UserControl>,
    #[serde(default)]
    carve_outs: String,
    conclusion: String,
    next_due: Option<String>,
}

fn parsed<T: DeserializeOwned>(text: &str) -> anyhow::Result<T> {
    serde_json::from_str(text).context("is not the record that its name says")
}

/// A text of so many characters at most, without what Postgres cannot hold.
fn text(name: &str, value: &str, longest: usize) -> anyhow::Result<String> {
    let value = value.trim().replace('\0', "\u{fffd}");
    ensure!(
        !value.is_empty() && value.chars().count() <= longest,
        "\"{name}\" is a text of up to {longest} characters"
    );
    Ok(value)
}

/// Reads `acceptance-REPORT-VERSION.json`.
pub(super) fn acceptance(json: &str, now: OffsetDateTime) -> anyhow::Result<Acceptance> {
    let file: AcceptanceFile = parsed(json)?;
    let accepted_at = OffsetDateTime::parse(&file.accepted_at, &Rfc3339)
        .with_context(|| format!("\"accepted_at\" is a time like 2026-11-22T10:00:00Z, not {:?}", file.accepted_at))?;
    ensure!(accepted_at < now, "\"accepted_at\" is in the future");
    // As fine as the store keeps it, so that the same record is known again.
    let accepted_at = accepted_at.replace_microsecond(accepted_at.microsecond())?;
    Ok(Acceptance { accepted_by: text("accepted_by", &file.accepted_by, NAME)?, accepted_at })
}

/// Reads `release-REPORT-VERSION.json`.
pub(super) fn release(json: &str) -> anyhow::Result<Release> {
    let file: ReleaseFile = parsed(json)?;
    ensure!(file.terms_read, "\"terms_read\" is true where that person has read the terms, and they allow it");
    let reason = text("reason", &file.reason, REASON)?;
    Ok(Release { released_by: text("released_by", &file.released_by, NAME)?, reason })
}

/// Reads `review-REPORT-VERSION.json`: what the form asks for, under the same rules.
pub(super) fn review(json: &str, now: OffsetDateTime) -> anyhow::Result<Review> {
    let file: ReviewFile = parsed(json)?;
    let fields = [
        ("reviewer", file.reviewer),
        ("reviewed_on", file.reviewed_on),
        ("opinion", file.opinion),
        ("exceptions", file.exceptions),
        ("carve_outs", file.carve_outs),
        ("conclusion", file.conclusion),
        ("next_due", file.next_due.unwrap_or_default()),
    ];
    let fields: Vec<(String, String)> = fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let mut problems = Problems::default();
    let Some(mut review) = ReviewForm::of(&fields).read(now.date(), &mut problems) else {
        let wrong: Vec<String> = problems.found.iter().map(|(field, why)| format!("\"{field}\": {why}")).collect();
        bail!("{}", wrong.join("; "));
    };
    ensure!(file.user_entity_controls.len() <= CONTROLS, "\"user_entity_controls\" are {CONTROLS} at most");
    let control = |one: &UserControl| {
        let owner = if one.owner.trim().is_empty() { String::new() } else { text("owner", &one.owner, REASON)? };
        Ok(UserControl { control: text("control", &one.control, REASON)?, owner })
    };
    review.controls = file.user_entity_controls.iter().map(control).collect::<anyhow::Result<_>>()?;
    Ok(review)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use serde_json::{Value, json};
    use time::macros::{date, datetime};

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-22 10:00 UTC);

    fn with(mut record: Value, name: &str, value: Value) -> String {
        record[name] = value;
        record.to_string()
    }

    #[test]
    fn an_acceptance_names_who_and_when() {
        let record = json!({"accepted_by": " R. Weiß ", "accepted_at": "2026-11-20T09:00:00.1234567+01:00"});
        let read = acceptance(&record.to_string(), NOW).unwrap();
        let at = datetime!(2026-11-20 08:00:00.123456 UTC);
        assert_eq!(read, Acceptance { accepted_by: "R. Weiß".to_owned(), accepted_at: at });
        for (name, value) in [
            ("accepted_by", json!("")),
            ("accepted_by", json!("x".repeat(201))),
            ("accepted_at", json!("yesterday")),
            ("accepted_at", json!("2026-11-22T10:00:00Z")),
            ("signed_by", json!("nobody")),
        ] {
            let wrong = acceptance(&with(record.clone(), name, value), NOW).unwrap_err();
            assert!(format!("{wrong:#}").contains(name), "{wrong:#}");
        }
    }

    #[test]
    fn a_release_is_by_who_has_read_the_terms() {
        let record = json!({"released_by": "R. Weiß", "reason": "Audit of 2026", "terms_read": true});
        assert_eq!(release(&record.to_string()).unwrap().reason, "Audit of 2026");
        for (name, value) in [
            ("terms_read", json!(false)),
            ("reason", json!(" ")),
            ("released_by", json!(7)),
            ("terms_read", Value::Null),
        ] {
            assert!(release(&with(record.clone(), name, value)).is_err(), "{name}");
        }
    }

    #[test]
    fn a_review_obeys_the_rules_of_the_form() {
        let record = json!({
            "reviewer": "R. Weiß", "reviewed_on": "2026-11-20", "opinion": "qualified", "conclusion": "Suffices",
            "user_entity_controls": [{"control": "Rotate | keys", "owner": "security"}, {"control": "Review\u{0}"}],
        });
        let read = review(&record.to_string(), NOW).unwrap();
        assert_eq!((read.reviewed_on, read.next_due), (date!(2026 - 11 - 20), None));
        let controls: Vec<(&str, &str)> =
            read.controls.iter().map(|one| (one.control.as_str(), one.owner.as_str())).collect();
        assert_eq!(controls, [("Rotate | keys", "security"), ("Review\u{fffd}", "")]);
        for (name, value) in [
            ("reviewed_on", json!("2026-11-23")),
            ("opinion", json!("good")),
            ("conclusion", json!("")),
            ("next_due", json!("2026-11-20")),
            ("verdict", json!("")),
        ] {
            let wrong = review(&with(record.clone(), name, value), NOW).unwrap_err();
            assert!(format!("{wrong:#}").contains(name), "{wrong:#}");
        }
        assert!(review(&with(record, "user_entity_controls", json!([{"control": ""}])), NOW).is_err());
    }
}
