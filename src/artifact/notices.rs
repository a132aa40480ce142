//! What of Artifact a person should look at: decided after each reading and each review.

use std::collections::BTreeMap;

use sqlx::PgConnection;
use time::{Date, Duration, OffsetDateTime};

use super::db::{self, ReadingRow, Until};
use super::documents::review_db::{ReviewRow, reviews};
use super::kind::Terms;
use super::page::sorted;
use super::period_gaps::gaps;
use super::speaking::Version;
use crate::State;
use crate::notices::{self, Kind, Seen};
use crate::web::format;

/// A certificate that ends is told of so long before; and so is a review.
const AHEAD: Duration = Duration::days(60);

/// The kinds that are decided here, each with why one of it is over.
const KINDS: [(Kind, &str); 5] = [
    (Kind::ReportVersion, "It was reviewed, gave way to a newer version, or is no longer listed."),
    (Kind::ReviewDue, "It was reviewed again, or gave way to a newer version."),
    (Kind::CertificateEnding, "A newer one is known."),
    (Kind::ArtifactUnread, "It was read again."),
    (Kind::ReportGap, "A report speaks for its days now, or the engagement closed or has another period."),
];

/// Looks at what is known now, and opens and closes notices.
pub async fn decide(tx: &mut PgConnection, state: &State, organization: &str) -> anyhow::Result<()> {
    let organization_id = crate::organization::current(tx, organization).await?;
    let now = state.clock.now();
    let until = Until::end_of(now.date());
    let kinds = db::kinds(tx, organization_id, None).await?;
    let versions = sorted(db::versions(tx, organization_id, None, until).await?, &kinds);
    let of_reports = db::readings(tx, organization_id, "reports", until).await?;
    let of_agreements = db::readings(tx, organization_id, "agreements", until).await?;
    let reviews = reviews(tx, organization_id, None, None).await?;
    let first_read_at = of_reports.first().and_then(|row| row.first_read_at);
    // Before a first reading nothing is known of any report: that is told on its page, and is no gap.
    let gaps = if first_read_at.is_some() {
        let engagements = crate::engagement::not_closed(tx, organization_id, now).await?;
        gaps(&versions, &engagements, now.date(), state.letter_months)
    } else {
        Vec::new()
    };
    let seen = [
        unread(of_reports.first(), &of_agreements),
        new_versions(&versions, &reviews, first_read_at),
        due(&versions, &reviews, now.date()),
        ending(&versions, now.date()),
        gaps,
    ];
    notices::decide_seen(tx, state, organization, &KINDS, &seen.concat()).await
}

/// The newest version of each report that AWS stands by.
fn newest(versions: &[Version]) -> BTreeMap<&str, &Version> {
    let mut newest: BTreeMap<&str, &Version> = BTreeMap::new();
    for version in versions.iter().filter(|version| version.listed && version.speaks()) {
        let held = newest.entry(&version.report_id).or_insert(version);
        if version.version > held.version {
            *held = version;
        }
    }
    newest
}

fn review<'a>(reviews: &'a [ReviewRow], version: &Version) -> Option<&'a ReviewRow> {
    reviews.iter().find(|review| (&review.report_id, review.version) == (&version.report_id, version.version))
}

fn seen(kind: Kind, version: &Version, sentence: String) -> Seen {
    Seen {
        kind,
        about: format!("{} {}", version.report_id, version.version),
        sentence,
        facts: serde_json::json!({ "report": version.report_id, "version": version.version, "name": version.name }),
    }
}

/// Versions that appeared after Artifact was first read: those of the first reading are no news.
fn new_versions(versions: &[Version], reviews: &[ReviewRow], first_read_at: Option<OffsetDateTime>) -> Vec<Seen> {
    let Some(first_read_at) = first_read_at else { return Vec::new() };
    let new = newest(versions).into_values().filter(|version| version.seen_at > first_read_at);
    let new = new.filter(|version| review(reviews, version).is_none());
    new.map(|version| {
        let sentence = format!(
            "AWS published version {} of “{}”: {}. It is not reviewed.",
            version.version,
            version.name,
            version.terms()
        );
        seen(Kind::ReportVersion, version, sentence)
    })
    .collect()
}

fn due(versions: &[Version], reviews: &[ReviewRow], today: Date) -> Vec<Seen> {
    let due = newest(versions).into_values().filter_map(|version| {
        let next = review(reviews, version)?.next_due?;
        (next - AHEAD <= today).then_some((version, next))
    });
    due.map(|(version, next)| {
        let sentence = format!(
            "The next review of “{}” version {} is due on {}.",
            version.name,
            version.version,
            format::day(next)
        );
        seen(Kind::ReviewDue, version, sentence)
    })
    .collect()
}

/// Of each kind that runs out, the version that lasts longest, where that ends soon.
fn ending(versions: &[Version], today: Date) -> Vec<Seen> {
    let mut last: BTreeMap<super::kind::Kind, (Date, &Version)> = BTreeMap::new();
    for version in versions.iter().filter(|version| version.speaks()) {
        let runs_out = matches!(version.kind.terms(), Terms::Valid | Terms::Assessed);
        if let (true, Ok(span)) = (runs_out, version.days) {
            let held = last.entry(version.kind).or_insert((span.last, version));
            if span.last > held.0 {
                *held = (span.last, version);
            }
        }
    }
    let soon = last.into_values().filter(|(end, _)| *end - AHEAD <= today);
    soon.map(|(end, version)| {
        let what = match version.kind.terms() {
            Terms::Assessed => format!("is 12 months old on {}", format::day(end)),
            _ if end < today => format!("ended on {}", format::day(end)),
            _ => format!("ends on {}", format::day(end)),
        };
        let sentence = format!("“{}” version {} {what}, and no newer one is known.", version.name, version.version);
        seen(Kind::CertificateEnding, version, sentence)
    })
    .collect()
}

fn unread(of_reports: Option<&ReadingRow>, of_agreements: &[ReadingRow]) -> Vec<Seen> {
    let told = |about: &str, sentence: String, failure: &str| Seen {
        kind: Kind::ArtifactUnread,
        about: about.to_owned(),
        sentence,
        facts: serde_json::json!({ "failure": failure }),
    };
    let reports = of_reports.and_then(|row| row.failure.as_deref());
    let reports = reports.map(|why| told("reports", format!("AWS’s reports could not be read: {why}."), why));
    let failed: Vec<&ReadingRow> = of_agreements.iter().filter(|row| row.failure.is_some()).collect();
    let agreements = failed.first().and_then(|row| row.failure.as_deref()).map(|why| {
        let accounts = format::plural(i64::try_from(failed.len()).unwrap_or(i64::MAX), "account");
        told("agreements", format!("The agreements of {accounts} could not be read; the first: {why}."), why)
    });
    reports.into_iter().chain(agreements).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use time::macros::{date, datetime};

    use super::super::facts::tests::facts;
    use super::super::history::Held;
    use super::*;

    const FIRST: OffsetDateTime = datetime!(2026-01-01 10:00 UTC);

    fn version(number: i64, name: &str, days: (&str, &str), seen_at: OffsetDateTime) -> Version {
        let facts = facts(json!({"name": name, "state": "PUBLISHED", "periodStart": format!("{}T00:00:00Z", days.0),
                                 "periodEnd": format!("{}T00:00:00Z", days.1)}));
        Version::of(("report-0123456789abcdef".to_owned(), number), Held { facts, listed: true }, seen_at, None)
    }

    #[test]
    fn a_version_is_news_until_it_gives_way_and_never_where_it_was_there_from_the_first() {
        let days = ("2025-10-01", "2026-03-31");
        let old = version(1, "SOC 2 Type 2 Report", days, FIRST);
        let later = datetime!(2026-05-20 10:00 UTC);
        let new = version(2, "SOC 2 Type 2 Report", days, later);
        assert_eq!(new_versions(std::slice::from_ref(&old), &[], Some(FIRST)), []);
        let found = new_versions(&[new.clone(), old.clone()], &[], Some(FIRST));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].about, "report-0123456789abcdef 2");
        assert!(found[0].sentence.starts_with("AWS published version 2 of “SOC 2 Type 2 Report”: period 1 Oct 2025"));
        assert_eq!(new_versions(&[new, old], &[], None), []);
    }

    #[test]
    fn what_ends_soon_is_told_unless_a_newer_one_lasts_longer() {
        let iso = version(1, "ISO 27001 Certificate", ("2023-12-01", "2026-11-30"), FIRST);
        let found = ending(std::slice::from_ref(&iso), date!(2026 - 10 - 15));
        assert_eq!(
            found[0].sentence,
            "“ISO 27001 Certificate” version 1 ends on 30 Nov 2026, and no newer one is known."
        );
        assert_eq!(ending(std::slice::from_ref(&iso), date!(2026 - 09 - 15)), []);
        let next = version(2, "ISO 27001 Certificate", ("2026-12-01", "2029-11-30"), FIRST);
        assert_eq!(ending(&[iso, next], date!(2026 - 10 - 15)), []);
        let pci = version(1, "PCI DSS Attestation of Compliance AOC", ("2025-11-01", "2025-11-01"), FIRST);
        assert!(ending(&[pci], date!(2026 - 10 - 15))[0].sentence.contains("is 12 months old on 1 Nov 2026"));
        let soc = version(1, "SOC 2 Type 2 Report", ("2025-10-01", "2026-03-31"), FIRST);
        assert_eq!(ending(&[soc], date!(2026 - 10 - 15)), [], "a period that has passed is no ending");
    }
}
