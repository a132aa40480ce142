//! Days of an engagement's period for which none of AWS's reports of a kind speaks: what a notice tells. Pure.

use time::Date;

use super::page::words;
use super::periods::Span;
use super::speaking::{Version, reckon};
use crate::engagement::Terms;
use crate::notices::{Kind, Seen};
use crate::web::format;

/// Each kind of report that leaves days of a period that have come without one, engagement by engagement. `engagements` are
/// those whose room has not closed, by their number.
pub(super) fn gaps(versions: &[Version], engagements: &[(i64, Terms)], today: Date, letter_months: u16) -> Vec<Seen> {
    let of = |(id, terms): &(i64, Terms)| {
        let period = Span::new(terms.first_day, terms.last_day)?;
        let speaks = reckon(versions, period, today, letter_months);
        let told = speaks.into_iter().filter(|speaks| speaks.spoken.gap_days() > 0).map(|speaks| {
            let (gap, addressed) = (speaks.spoken.gap_days(), speaks.spoken.addressed_days());
            let spoken_days = speaks.spoken.stretches.iter().map(|stretch| stretch.span.days()).sum();
            Seen {
                kind: Kind::ReportGap,
                // With its days: of another period it is another gap.
                about: format!("{id} {} {} {}", period.first, period.last, speaks.kind.slug()),
                sentence: format!(
                    "Engagement “{}”, {}: on {}, {} of AWS’s reports: {}.",
                    terms.title,
                    terms.period_words(),
                    format::day(today),
                    speaks.kind.title(),
                    words(&speaks, spoken_days, letter_months)
                ),
                facts: serde_json::json!({
                    "engagement": id, "title": terms.title, "from": period.first.to_string(),
                    "until": period.last.to_string(), "report_kind": speaks.kind.slug(), "gap_days": gap,
                    "addressed_days": addressed,
                }),
            }
        });
        Some(told.collect::<Vec<_>>())
    };
    engagements.iter().filter_map(of).flatten().collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use time::OffsetDateTime;
    use time::macros::{date, datetime};

    use super::super::facts::tests::facts;
    use super::super::history::Held;
    use super::*;

    fn version(name: &str, first: &str, last: &str) -> Version {
        let facts = facts(json!({"name": name, "state": "PUBLISHED", "category": "Certifications",
                                 "periodStart": format!("{first}T00:00:00Z"), "periodEnd": format!("{last}T00:00:00Z")}));
        let key = ("report-0123456789abcdef".to_owned(), 1);
        Version::of(key, Held { facts, listed: true }, OffsetDateTime::UNIX_EPOCH, None)
    }

    fn terms(first_day: Date, last_day: Date) -> Terms {
        let at = datetime!(2026-06-01 8:00 UTC);
        Terms {
            record: 7,
            title: "SOC 2 2026".to_owned(),
            scope_name: None,
            scope_record: 0,
            core_names: None,
            first_day,
            last_day,
            opens_at: at,
            closes_at: at,
            reason: "R".to_owned(),
            made_by: "M".to_owned(),
            made_at: at,
        }
    }

    #[test]
    fn a_gap_is_told_by_kind_with_its_days_and_what_a_letter_addresses() {
        let versions = [
            version("SOC 2 Type 2", "2025-10-01", "2026-03-31"),
            version("SOC 3", "2025-10-01", "2026-09-30"),
            version("SOC Continued Operations Letter", "2026-04-01", "2026-06-30"),
        ];
        let engagement = (5, terms(date!(2026 - 01 - 01), date!(2026 - 06 - 30)));
        let told = gaps(&versions, &[engagement], date!(2026 - 12 - 01), 3);
        let of = |slug: &str| told.iter().find(|seen| seen.about == format!("5 2026-01-01 2026-06-30 {slug}"));
        assert_eq!(
            of("soc-2-type-2").map(|seen| seen.sentence.as_str()),
            Some(
                "Engagement “SOC 2 2026”, 1 Jan 2026 to 30 Jun 2026: on 1 Dec 2026, SOC 2 Type 2 of AWS’s reports: \
                 gap 91 days, of which 91 addressed by letter."
            )
        );
        assert_eq!(of("soc-3"), None, "a report speaks for all of it");
        let none = of("iso-27001").map(|seen| seen.sentence.as_str()).unwrap_or_default();
        assert!(none.ends_with("no report of this kind: 181 days without a valid certificate."), "{none}");
    }

    #[test]
    fn days_that_have_not_come_are_no_gap() {
        let engagement = (5, terms(date!(2026 - 12 - 02), date!(2027 - 06 - 30)));
        assert_eq!(gaps(&[], &[engagement], date!(2026 - 12 - 01), 3), []);
    }
}
