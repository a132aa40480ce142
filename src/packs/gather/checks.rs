//! The count ladder of a pack.

use super::{About, Collected, Delivered, Period, Population};
use crate::compliance::Severity;
use crate::compliance::evidence;
use crate::packs::content::day;
use crate::packs::model::{Check, Results};

/// Counts of the same things, each made in two ways.
pub(super) fn between(
    about: &About,
    delivered: &Delivered,
    population: &Population,
    period: &Period,
    objects: &Collected,
    results: &Results,
) -> Vec<Check> {
    let all = results.all();
    let counted = |number: i64| u64::try_from(number).unwrap_or(u64::MAX);
    let rows = population.file.fact.rows;
    let mut checks = vec![
        Check::new(
            "Objects of the pack's days",
            ("rows of objects.csv", objects.file.fact.rows),
            ("collected, superseded, unreadable and others", objects.outcomes.values().sum()),
        ),
        Check::new(
            "Account-Region-days",
            ("rows of delivery.csv", delivered.file.fact.rows),
            ("days of all states", delivered.delivery.days()),
        ),
        Check::new(
            "Gap-days",
            ("days of all accounts", delivered.accounts.values().map(|days| days.gap_days).sum()),
            ("days of all gaps", delivered.delivery.gaps.iter().map(|gap| u64::from(gap.days)).sum()),
        ),
        Check::new(
            "Evaluations of the as-of day",
            ("rows of population.csv", rows),
            ("counts at delivery", counted(delivered.counts.sum())),
        ),
        Check::new(
            "Evaluations of the as-of day",
            ("rows of population.csv", rows),
            ("sum over severities", all.delivered()),
        ),
        Check::new(
            "NON_COMPLIANT",
            ("rows of the register", population.register.rows),
            ("counts at delivery", counted(delivered.counts.not_complying)),
        ),
        Check::new("Deviations", ("rows of the list", period.deviations.rows), ("sum over severities", all.deviations)),
    ];
    if let Some(file) = &period.file {
        checks.push(Check::new(
            "Evaluations of any day",
            ("rows of period.csv", file.fact.rows),
            ("evaluations read", period.rows),
        ));
    }
    if about.from == about.as_of {
        // On a single day each one NON_COMPLIANT is one deviation.
        checks.push(Check::new(
            format!("NON_COMPLIANT on {}", day(about.as_of)),
            ("rows of the register", population.register.rows),
            ("deviations", period.deviations.rows),
        ));
    }
    checks
}

/// The roll-up is kept apart from the evaluations: it must say the same.
pub(super) fn against_roll_up(population: &Population, rolled_up: &evidence::Totals) -> Vec<Check> {
    Severity::ALL
        .into_iter()
        .flat_map(|severity| {
            let rows = population.severities.get(&severity).copied().unwrap_or_default();
            let rolled = rolled_up.of(severity);
            let check = move |what: &str, rows: u64, rolled: i64| {
                let rolled = u64::try_from(rolled).unwrap_or(u64::MAX);
                (rows > 0 || rolled > 0).then(|| {
                    Check::new(format!("{what}, {}", severity.word()), ("evaluations", rows), ("roll-up", rolled))
                })
            };
            [
                check("COMPLIANT", rows.complying, rolled.complying),
                check("NON_COMPLIANT", rows.not_complying, rolled.not_complying),
                check(
                    "Other statuses",
                    rows.insufficient_data + rows.not_applicable + rows.unrecognised,
                    rolled.insufficient_data + rolled.not_applicable + rolled.unrecognised,
                ),
            ]
        })
        .flatten()
        .collect()
}
