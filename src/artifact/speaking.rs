//! Versions of reports as what they are and the days they speak for, kind by kind.

use std::collections::BTreeMap;

use time::{Date, OffsetDateTime};

use super::classify::{Words, classify, says};
use super::facts::Facts;
use super::history::Held;
use super::kind::{Kind, Terms};
use super::periods::{Span, Spoken, months_after, speak};
use super::told::VersionKey;

/// A version with what follows from what AWS says of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Version {
    pub(super) report_id: String,
    pub(super) version: i64,
    pub(super) name: String,
    pub(super) kind: Kind,
    /// Whether a person said what it is.
    pub(super) corrected: bool,
    /// The days it speaks for, or why none.
    pub(super) days: Result<Span, &'static str>,
    /// Whether AWS still lists it.
    pub(super) listed: bool,
    /// When it was first seen.
    pub(super) seen_at: OffsetDateTime,
    pub(super) facts: Facts,
}

impl Version {
    pub(super) fn of(
        (report_id, version): VersionKey,
        held: Held,
        seen_at: OffsetDateTime,
        said: Option<Kind>,
    ) -> Self {
        let Held { facts, listed } = held;
        let kind = said.unwrap_or_else(|| kind_of(&facts));
        Self {
            name: match facts.text("name") {
                "" => report_id.clone(),
                name => name.to_owned(),
            },
            days: days_of(kind, &facts),
            corrected: said.is_some(),
            report_id,
            version,
            kind,
            listed,
            seen_at,
            facts,
        }
    }

    /// Whether AWS stands by it as far as is known: an unpublished version gave way to a newer one and speaks for its
    /// days all the same, and so does one that is no longer listed; a deleted one and one in a state that is not known do not.
    pub(super) fn speaks(&self) -> bool {
        self.facts.day("deletedAt").is_none() && matches!(self.facts.text("state"), "PUBLISHED" | "UNPUBLISHED")
    }

    /// Whether a letter is of a kind of report: one that names SOC 1 or SOC 2 alone says nothing of the other.
    fn addresses(&self, kind: Kind) -> bool {
        let other = match kind {
            Kind::Soc1Type2 => ("soc 1", "soc 2"),
            _ => ("soc 2", "soc 1"),
        };
        says(&self.name, &[other.0]) || !says(&self.name, &[other.1])
    }

    /// "published", or what else is to be said of it.
    pub(super) fn state(&self) -> String {
        if !self.listed {
            return "no longer listed".to_owned();
        }
        if self.facts.day("deletedAt").is_some() {
            return "deleted".to_owned();
        }
        match self.facts.text("state") {
            "PUBLISHED" => "published".to_owned(),
            "UNPUBLISHED" => "unpublished".to_owned(),
            "" => "state not given".to_owned(),
            other => format!("unknown state {other}"),
        }
    }

    /// What it says of time, in its kind's own terms.
    pub(super) fn terms(&self) -> String {
        use crate::web::format::day;
        let span = match (self.kind.terms(), self.days) {
            (Terms::None, _) => return "speaks of no days".to_owned(),
            (_, Err(why)) => return why.to_owned(),
            (_, Ok(span)) => span,
        };
        match self.kind.terms() {
            Terms::Period => format!("period {} to {}", day(span.first), day(span.last)),
            Terms::AsAt => format!("as at {}", day(span.first)),
            Terms::Assessed => {
                format!("assessed {}; status review due by {} (12.8.4)", day(span.first), day(span.last))
            }
            Terms::Valid => format!("valid from {} to {}", day(span.first), day(span.last)),
            Terms::Statement | Terms::None => format!("AWS’s statement on {} to {}", day(span.first), day(span.last)),
        }
    }
}

/// Whether a document is AWS's own. Artifact also lists those of vendors, which say nothing of AWS; one without a company
/// is AWS's, as AWS Artifact's own documents are the rule.
fn is_of_aws(facts: &Facts) -> bool {
    let company = facts.text("companyName");
    company.is_empty() || says(company, &["aws", "amazon", "amazon web services"])
}

fn kind_of(facts: &Facts) -> Kind {
    if !is_of_aws(facts) {
        return Kind::Other;
    }
    let (first, last) = (facts.day("periodStart"), facts.day("periodEnd"));
    classify(&Words {
        name: facts.text("name"),
        series: facts.text("series"),
        category: facts.text("category"),
        has_period: first.zip(last).is_some_and(|(first, last)| first < last),
    })
}

/// Months within which a customer reviews the status of a provider: PCI DSS v4.0.1, requirement 12.8.4.
const REVIEW_MONTHS: u16 = 12;

/// The days a version speaks for. An end that is not given is never assumed.
fn days_of(kind: Kind, facts: &Facts) -> Result<Span, &'static str> {
    let (first, last) = (facts.day("periodStart"), facts.day("periodEnd"));
    match kind.terms() {
        Terms::Period | Terms::Valid | Terms::Statement => match (first, last) {
            (Some(first), Some(last)) => Span::new(first, last).ok_or("its last day comes before its first"),
            (Some(_), None) => Err("gives no last day"),
            (None, Some(_)) => Err("gives no first day"),
            (None, None) => Err("gives no days"),
        },
        Terms::AsAt => {
            let day = last.or(first).ok_or("gives no day")?;
            Ok(Span { first: day, last: day })
        }
        Terms::Assessed => {
            // Whether its days are the assessment's or until the next is not documented: the earlier promises less.
            let day = first.or(last).ok_or("gives no day of assessment")?;
            let last = months_after(day, REVIEW_MONTHS).ok_or("its day of assessment is beyond every calendar")?;
            Ok(Span { first: day, last })
        }
        Terms::None => Err("speaks of no days"),
    }
}

/// What the versions of one kind say of a period.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct KindSpeaks {
    pub(super) kind: Kind,
    pub(super) spoken: Spoken,
    /// Numbers of the versions that speak, as [`Spoken`] counts them; and of the letters.
    pub(super) by: Vec<usize>,
    pub(super) letters: Vec<usize>,
}

/// Kinds whose days can be reckoned, whether or not there is a report of them. A SOC 3 stands for itself: what it speaks
/// for closes no gap of another kind.
pub(super) const RECKONED: [Kind; 7] =
    [Kind::Soc1Type2, Kind::Soc2Type2, Kind::Soc3, Kind::PciAoc, Kind::Iso27001, Kind::Iso27017, Kind::Iso27018];

/// What each kind says of a period. Numbers are those of `versions`; letters are to reach `letter_months` beyond a report.
pub(super) fn reckon(versions: &[Version], period: Span, today: Date, letter_months: u16) -> Vec<KindSpeaks> {
    let mut by_kind: BTreeMap<Kind, Vec<(usize, Span)>> = BTreeMap::new();
    for (number, version) in versions.iter().enumerate() {
        if let Ok(span) = version.days
            && version.speaks()
        {
            by_kind.entry(version.kind).or_default().push((number, span));
        }
    }
    let spans = |kind: Kind| by_kind.get(&kind).cloned().unwrap_or_default();
    RECKONED
        .into_iter()
        .map(|kind| {
            let of = spans(kind);
            let letters: Vec<(usize, Span)> = if kind.is_addressed_by_letters() {
                let letters = spans(Kind::ContinuedOperations).into_iter();
                letters.filter(|(number, _)| versions[*number].addresses(kind)).collect()
            } else {
                Vec::new()
            };
            let days = |spans: &[(usize, Span)]| spans.iter().map(|(_, span)| *span).collect::<Vec<_>>();
            let numbers = |spans: &[(usize, Span)]| spans.iter().map(|(number, _)| *number).collect::<Vec<_>>();
            KindSpeaks {
                kind,
                spoken: speak(period, today, &days(&of), &days(&letters), letter_months),
                by: numbers(&of),
                letters: numbers(&letters),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use time::macros::date;

    use super::super::facts::tests::facts;
    use super::*;

    fn version(value: Value) -> Version {
        said(facts(value), None)
    }

    fn said(facts: Facts, kind: Option<Kind>) -> Version {
        let key = ("report-0123456789abcdef".to_owned(), 1);
        Version::of(key, Held { facts, listed: true }, OffsetDateTime::UNIX_EPOCH, kind)
    }

    fn report(name: &str, first: &str, last: &str) -> Version {
        version(json!({"name": name, "state": "PUBLISHED", "category": "Certifications",
                       "periodStart": format!("{first}T00:00:00Z"), "periodEnd": format!("{last}T00:00:00Z")}))
    }

    #[test]
    fn each_kind_speaks_in_its_own_terms() {
        let terms = |name| report(name, "2025-10-01", "2026-03-31").terms();
        assert_eq!(terms("SOC 2 Type 2 Report"), "period 1 Oct 2025 to 31 Mar 2026");
        assert_eq!(terms("SOC 2 Type 1 Report"), "as at 31 Mar 2026");
        assert_eq!(terms("PCI DSS AOC"), "assessed 1 Oct 2025; status review due by 1 Oct 2026 (12.8.4)");
        assert_eq!(terms("ISO 27001 Certificate"), "valid from 1 Oct 2025 to 31 Mar 2026");
        assert_eq!(terms("SOC Continued Operations Letter"), "AWS’s statement on 1 Oct 2025 to 31 Mar 2026");
        assert_eq!(terms("CSA STAR"), "speaks of no days");
    }

    #[test]
    fn an_end_that_is_not_given_is_never_assumed() {
        let open = version(json!({"name": "ISO 27001 Certificate", "periodStart": "2025-10-01T00:00:00Z"}));
        assert_eq!((open.kind, open.days), (Kind::Iso27001, Err("gives no last day")));
        let turned = report("SOC 3 Report", "2026-03-31", "2025-10-01");
        assert_eq!(turned.days, Err("its last day comes before its first"));
    }

    #[test]
    fn a_soc_3_fills_no_gap_of_a_soc_2_and_a_letter_shortens_none() {
        let versions = [
            report("SOC 2 Type 2", "2025-10-01", "2026-03-31"),
            report("SOC 3", "2025-10-01", "2026-09-30"),
            report("SOC Continued Operations Letter", "2026-04-01", "2026-06-30"),
        ];
        let period = Span { first: date!(2026 - 01 - 01), last: date!(2026 - 09 - 30) };
        let reckoned = reckon(&versions, period, date!(2026 - 11 - 24), 3);
        let of = |kind| reckoned.iter().find(|speaks| speaks.kind == kind).expect("it is reckoned");
        let soc2 = of(Kind::Soc2Type2);
        assert_eq!((soc2.spoken.gap_days(), soc2.spoken.addressed_days()), (183, 91));
        assert_eq!((soc2.by.as_slice(), soc2.letters.as_slice()), (&[0][..], &[2][..]));
        assert_eq!(of(Kind::Soc3).spoken.gap_days(), 0);
        assert_eq!(of(Kind::Iso27017).spoken.gap_days(), 273, "no report at all is one gap");
    }

    #[test]
    fn a_letter_that_names_one_kind_of_report_addresses_no_gap_of_another() {
        let period = Span { first: date!(2026 - 04 - 01), last: date!(2026 - 06 - 30) };
        let addressed = |name: &str| {
            let versions = [report(name, "2026-04-01", "2026-06-30")];
            let reckoned = reckon(&versions, period, date!(2026 - 11 - 24), 3);
            [Kind::Soc1Type2, Kind::Soc2Type2].map(|kind| {
                reckoned.iter().find(|speaks| speaks.kind == kind).expect("it is reckoned").spoken.addressed_days()
            })
        };
        assert_eq!(addressed("SOC Continued Operations Letter"), [91, 91]);
        assert_eq!(addressed("SOC 1 Continued Operations Letter"), [91, 0]);
        assert_eq!(addressed("SOC 2 Continued Operations Letter"), [0, 91]);
        assert_eq!(addressed("SOC 1 and SOC 2 Continued Operations Letter"), [91, 91]);
    }

    #[test]
    fn a_vendors_report_is_none_of_awss() {
        let of = |company: &str| {
            version(
                json!({"name": "SOC 2 Type 2 Report", "series": "SOC", "companyName": company, "state": "PUBLISHED",
                           "periodStart": "2025-10-01T00:00:00Z", "periodEnd": "2026-03-31T00:00:00Z"}),
            )
            .kind
        };
        for company in ["AWS", "Amazon Web Services", "Amazon Web Services Inc", ""] {
            assert_eq!(of(company), Kind::Soc2Type2, "{company}");
        }
        assert_eq!(of("Example Software GmbH"), Kind::Other);
    }

    #[test]
    fn a_version_that_is_no_longer_listed_spoke_for_its_days() {
        let gone = Version { listed: false, ..report("SOC 3 Report", "2025-10-01", "2026-03-31") };
        let period = Span { first: date!(2026 - 01 - 01), last: date!(2026 - 03 - 31) };
        assert_eq!(gone.state(), "no longer listed");
        let spoken = &reckon(&[gone], period, date!(2026 - 11 - 24), 3)[2].spoken;
        assert_eq!(spoken.gap_days(), 0);
    }

    #[test]
    fn what_a_person_says_goes_before_the_name() {
        let facts = facts(json!({"name": "Assurance document 7", "periodEnd": "2026-01-01T00:00:00Z"}));
        let version = said(facts, Some(Kind::Soc1Type1));
        assert!(version.corrected && version.terms() == "as at 1 Jan 2026");
    }

    #[test]
    fn what_was_deleted_or_is_in_a_state_that_is_not_known_closes_no_gap() {
        let period = Span { first: date!(2026 - 01 - 01), last: date!(2026 - 03 - 31) };
        let report = report("SOC 3 Report", "2025-10-01", "2026-03-31");
        let gap = |changed: Value| {
            let Value::Object(fields) = changed else { panic!("an object") };
            let mut report = report.clone();
            report.facts.0.extend(fields);
            reckon(&[report], period, date!(2026 - 11 - 24), 3)[2].spoken.gap_days()
        };
        assert_eq!(gap(json!({"state": "UNPUBLISHED"})), 0);
        assert_eq!(gap(json!({"deletedAt": "2026-05-01T00:00:00Z"})), 90);
        assert_eq!(gap(json!({"state": "ARCHIVED"})), 90);
    }

    #[test]
    fn a_state_that_is_not_known_is_said() {
        assert_eq!(version(json!({"state": "ARCHIVED"})).state(), "unknown state ARCHIVED");
        assert_eq!(version(json!({})).state(), "state not given");
        assert_eq!(version(json!({"state": "PUBLISHED", "deletedAt": "2026-01-01T00:00:00Z"})).state(), "deleted");
    }
}
