//! Failing evaluations by severity and by how long they have been open, each figure with its rows.

use std::fmt::Write as _;

use time::Date;

use super::Severity;
use super::core::Age;
use super::db::evaluations::Failing;
use super::filter::severity_slug;
use super::shown::link;
use crate::web::View;
use crate::web::download::Cell;
use crate::web::format::{day, plural};
use crate::web::list::{Field, List};

pub(super) const CAPTION: &str = "Failing evaluations by severity of the rule and days since first observed";

/// What fails of a severity.
#[derive(Debug)]
pub(super) struct FailureLine {
    day: Date,
    pub(super) severity: Severity,
    /// By age, in the order of [`Age::ALL`], with the rows behind it.
    pub(super) ages: Vec<(i64, String)>,
    pub(super) total: i64,
    pub(super) href: String,
}

/// One for each severity that fails, the gravest first. `pairs` are the filters of the page.
pub(super) fn lines(view: &View, failing: &[Failing], pairs: &[(&str, &str)]) -> Vec<FailureLine> {
    // A severity of the page's own filter is that of the line.
    let pairs: Vec<(&str, &str)> = pairs.iter().copied().filter(|(key, _)| *key != "severity").collect();
    let rows = |more: &[(&str, &str)]| {
        link(view, "/evaluations", &[&pairs[..], &[("status", "non-compliant")], more].concat())
    };
    Severity::ALL
        .into_iter()
        .map(|severity| {
            let slug = severity_slug(severity);
            let ages = Age::ALL
                .map(|age| (of(failing, severity, Some(age)), rows(&[("severity", slug), ("age", age.slug())])));
            FailureLine {
                day: view.as_of,
                severity,
                ages: ages.to_vec(),
                total: of(failing, severity, None),
                href: rows(&[("severity", slug)]),
            }
        })
        .filter(|line| line.total > 0)
        .collect()
}

fn of(failing: &[Failing], severity: Severity, age: Option<Age>) -> i64 {
    let meant = |row: &&Failing| row.severity == severity.id() && age.is_none_or(|age| Age::of(row.days.into()) == age);
    failing.iter().filter(meant).map(|row| row.evaluations).sum()
}

/// "14 failing evaluations as of 22 Nov 2026 (UTC): 3 for 1–7 days, 11 for over 90 days."
pub(super) fn sentence(lines: &[FailureLine], as_of: Date) -> String {
    let total: i64 = lines.iter().map(|line| line.total).sum();
    let mut sentence = format!("{} as of {} (UTC)", plural(total, "failing evaluation"), day(as_of));
    let mut join = ":";
    for (at, age) in Age::ALL.iter().enumerate() {
        let evaluations: i64 = lines.iter().filter_map(|line| line.ages.get(at)).map(|(number, _)| number).sum();
        if evaluations > 0 {
            _ = write!(sentence, "{join} {} for {}", crate::web::format::count(evaluations), age.word());
            join = ",";
        }
    }
    sentence.push('.');
    sentence
}

fn age(line: &FailureLine, at: usize) -> Cell {
    line.ages.get(at).map(|(evaluations, _)| *evaluations).into()
}

pub(super) fn list() -> List<FailureLine> {
    let fields = vec![
        Field::unseen("day", |line: &FailureLine| line.day.into()),
        Field::text("Severity", "severity", |line: &FailureLine| line.severity.word().into())
            .ordered(|line| line.severity.rank().into())
            .most_first(),
        Field::number(Age::UpToAWeek.word(), "days_1_to_7", |line| age(line, 0)),
        Field::number(Age::UpToAMonth.word(), "days_8_to_30", |line| age(line, 1)),
        Field::number(Age::UpToAQuarter.word(), "days_31_to_90", |line| age(line, 2)),
        Field::number(Age::Longer.word(), "days_over_90", |line| age(line, 3)),
        Field::number("All", "failing", |line| line.total.into()),
    ];
    List::new("failures", "failures-sort", usize::MAX, fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_is_counted_under_one_severity_and_one_age() {
        let row = |severity: Severity, days, evaluations| Failing { severity: severity.id(), days, evaluations };
        let failing = [row(Severity::High, 7, 2), row(Severity::High, 8, 3), row(Severity::Low, 400, 5)];
        let sum = |age| Severity::ALL.into_iter().map(|severity| of(&failing, severity, age)).sum::<i64>();
        assert_eq!(Age::ALL.map(|age| sum(Some(age))), [2, 3, 0, 5]);
        assert_eq!((sum(None), of(&failing, Severity::High, None)), (10, 5));
    }

    #[test]
    fn the_sentence_leaves_out_ages_without_a_failure() {
        let line = |numbers: [i64; 4]| FailureLine {
            day: time::macros::date!(2026 - 11 - 22),
            severity: Severity::Low,
            ages: numbers.map(|number| (number, String::new())).to_vec(),
            total: numbers.iter().sum(),
            href: String::new(),
        };
        let as_of = time::macros::date!(2026 - 11 - 22);
        assert_eq!(
            sentence(&[line([1, 0, 0, 1]), line([2, 0, 0, 10])], as_of),
            "14 failing evaluations as of 22 Nov 2026 (UTC): 3 for 1–7 days, 11 for over 90 days."
        );
        assert_eq!(sentence(&[], as_of), "0 failing evaluations as of 22 Nov 2026 (UTC).");
    }
}
