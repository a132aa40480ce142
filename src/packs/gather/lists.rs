//! The populations of the day and the period: files, counts, and the lists that are printed.

use std::collections::BTreeMap;

use rustc_hash::{FxHashMap, FxHashSet};
use sqlx::PgConnection;

use super::About;
use crate::compliance::evidence::export::{DAY_COLUMNS, PERIOD_COLUMNS, day_cells, period_cells};
use crate::compliance::evidence::{DayPopulation, DayRow, Deviation, PeriodPopulation, PeriodRow, Rule};
use crate::compliance::{Severity, Status};
use crate::packs::content::{day, delivered_as, deviation_table, register_table};
use crate::packs::csv::{CsvFile, Finished};
use crate::packs::layout::table::Table;
use crate::packs::model::{Listed, PRINTED_ROWS, SeverityResult, grouped};
use crate::packs::names;

/// The as-of day: its file, its register, its counts.
pub(super) struct Population {
    pub(super) file: Finished,
    pub(super) register: Listed,
    pub(super) severities: BTreeMap<Severity, SeverityResult>,
    /// By rule name: evaluations and those not complying.
    pub(super) rules: FxHashMap<String, (u64, u64)>,
}

pub(super) async fn population(db: &mut PgConnection, about: &About) -> anyhow::Result<Population> {
    let mut file = CsvFile::new(names::POPULATION, "Every evaluation of the as-of day", &DAY_COLUMNS);
    let mut counted = Counted::default();
    let mut register = Listing::default();
    let mut reader = DayPopulation::open(db, &about.scope, about.as_of, about.known_at).await?;
    while let Some(batch) = reader.next(db).await? {
        for row in batch.rows() {
            file.row(about.cells(day_cells(&row), Some(5)))?;
            counted.add(&row);
            if *row.status == Status::NonCompliant {
                let since = row.since.map(|at| day(at.date())).unwrap_or_default();
                register.push(row.rule, || {
                    vec![
                        row.place.account_id.clone(),
                        row.place.region.clone(),
                        row.rule.suffix.clone().unwrap_or_default(),
                        row.resource_type.to_owned(),
                        about.resource(row.resource_type, row.resource_id),
                        since,
                    ]
                });
            }
        }
    }
    let (severities, rules) = counted.done();
    Ok(Population { file: file.finish()?, register: register.on(register_table()), severities, rules })
}

/// Counts a day's evaluations by severity and by rule. Rows come place by place.
#[derive(Default)]
struct Counted {
    severities: BTreeMap<Severity, SeverityResult>,
    rules: FxHashMap<String, (Severity, u64, u64)>,
    place: Option<i32>,
    /// Resources of the place in hand, by severity.
    resources: BTreeMap<Severity, FxHashSet<(String, String)>>,
}

impl Counted {
    fn add(&mut self, row: &DayRow<'_>) {
        if self.place != Some(row.place.place_id) {
            self.leave_place();
            self.place = Some(row.place.place_id);
        }
        let severity = row.rule.severity;
        let result = self.severities.entry(severity).or_default();
        *match row.status {
            Status::Compliant => &mut result.complying,
            Status::NonCompliant => &mut result.not_complying,
            Status::InsufficientData => &mut result.insufficient_data,
            Status::NotApplicable => &mut result.not_applicable,
            Status::Unrecognised(_) => &mut result.unrecognised,
        } += 1;
        let resource = (row.resource_type.to_owned(), row.resource_id.to_owned());
        self.resources.entry(severity).or_default().insert(resource);
        if !self.rules.contains_key(row.rule.name.as_str()) {
            self.rules.insert(row.rule.name.clone(), (severity, 0, 0));
        }
        if let Some((_, evaluations, failing)) = self.rules.get_mut(row.rule.name.as_str()) {
            *evaluations += 1;
            *failing += u64::from(*row.status == Status::NonCompliant);
        }
    }

    fn leave_place(&mut self) {
        for (severity, resources) in &mut self.resources {
            let result = self.severities.entry(*severity).or_default();
            result.resources += u64::try_from(resources.len()).unwrap_or(u64::MAX);
            resources.clear();
        }
    }

    fn done(mut self) -> (BTreeMap<Severity, SeverityResult>, FxHashMap<String, (u64, u64)>) {
        self.leave_place();
        for (severity, ..) in self.rules.values() {
            self.severities.entry(*severity).or_default().rules += 1;
        }
        let rules = self.rules.into_iter().map(|(name, (_, evaluations, failing))| (name, (evaluations, failing)));
        (self.severities, rules.collect())
    }
}

/// The period: its file, its deviations, their counts.
pub(super) struct Period {
    /// Where the pack is about more than a day, or its deviations are too many to print.
    pub(super) file: Option<Finished>,
    pub(super) rows: u64,
    pub(super) deviations: Listed,
    pub(super) by_severity: BTreeMap<Severity, u64>,
}

pub(super) async fn period(db: &mut PgConnection, about: &About) -> anyhow::Result<Period> {
    let whole = about.from < about.as_of;
    let period = read_period(db, about, whole).await?;
    // What is not printed must be in a file: how many there are shows only at the end.
    if whole || period.deviations.printed() { Ok(period) } else { read_period(db, about, true).await }
}

async fn read_period(db: &mut PgConnection, about: &About, with_file: bool) -> anyhow::Result<Period> {
    let mut file = CsvFile::new(names::PERIOD, "Every evaluation of any day, with its deviations", &PERIOD_COLUMNS);
    let mut deviations = Listing::default();
    let mut by_severity: BTreeMap<Severity, u64> = BTreeMap::new();
    let mut rows = 0;
    let mut reader = PeriodPopulation::open(db, &about.scope, about.from, about.as_of, about.known_at).await?;
    while let Some(batch) = reader.next(db).await? {
        for row in batch.rows() {
            rows += 1;
            if with_file {
                file.row(about.cells(period_cells(&row), Some(4)))?;
            }
            for one in row.deviations {
                *by_severity.entry(row.rule.severity).or_default() += 1;
                deviations.push(row.rule, || deviation_cells(about, &row, one));
            }
        }
    }
    let file = if with_file { Some(file.finish()?) } else { None };
    Ok(Period { file, rows, deviations: deviations.on(deviation_table()), by_severity })
}

fn deviation_cells(about: &About, row: &PeriodRow<'_>, one: &Deviation) -> Vec<String> {
    let end = match one.first_day_good_again.or(one.first_day_otherwise) {
        Some(date) => format!("{} {}", one.ended.word(), day(date)),
        None => one.ended.word().to_owned(),
    };
    vec![
        format!("{} {}", row.place.account_id, row.place.region),
        row.rule.suffix.clone().unwrap_or_default(),
        format!("{} {}", row.resource_type, about.resource(row.resource_type, row.resource_id)),
        match one.last_day_known_good {
            Some(known_good) => day(known_good),
            None if one.before_removed => "evidence removed".to_owned(),
            None => "none known".to_owned(),
        },
        format!("{} {}", day(one.first_day_bad), day(one.last_day_bad)),
        end,
        one.gap_days.to_string(),
    ]
}

/// A list on its way to the page: counted whole, kept while it will be printed.
#[derive(Default)]
struct Listing {
    rows: u64,
    kept: Vec<Entry>,
}

struct Entry {
    severity: Severity,
    core_name: String,
    /// See [`delivered_as`].
    delivered: Option<String>,
    cells: Vec<String>,
}

impl Listing {
    fn push(&mut self, rule: &Rule, cells: impl FnOnce() -> Vec<String>) {
        self.rows += 1;
        if self.rows <= PRINTED_ROWS {
            let delivered = delivered_as(&rule.name, &rule.core_name, rule.suffix.as_deref());
            let (severity, core_name) = (rule.severity, rule.core_name.clone());
            self.kept.push(Entry { severity, core_name, delivered, cells: cells() });
        } else {
            self.kept = Vec::new();
        }
    }

    /// The rows in groups by rule, gravest first; within a group as they came.
    fn on(mut self, mut table: Table) -> Listed {
        fn key(entry: &Entry) -> (std::cmp::Reverse<Severity>, &str, Option<&str>) {
            (std::cmp::Reverse(entry.severity), &entry.core_name, entry.delivered.as_deref())
        }
        self.kept.sort_by(|one, other| key(one).cmp(&key(other)));
        let same = |one: &Entry, other: &Entry| key(one) == key(other);
        for group in self.kept.chunk_by(same) {
            let Some(first) = group.first() else { continue };
            let rows = grouped(u64::try_from(group.len()).unwrap_or(u64::MAX));
            let delivered = first.delivered.as_ref().map(|name| format!(", delivered as {name}")).unwrap_or_default();
            table.group(format!("{}  {}{delivered}  ({rows})", first.severity.word(), first.core_name));
            for entry in group {
                table.push(&entry.cells);
            }
        }
        Listed { rows: self.rows, table }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packs::layout::table::text;

    fn rule(severity: Severity, core_name: &str) -> Rule {
        let name = core_name.to_owned();
        Rule { rule_id: 1, name: name.clone(), core_name: name, suffix: None, identifier: None, severity, title: None }
    }

    #[test]
    fn a_list_above_the_limit_is_counted_and_not_printed() {
        let listing = |rows: u64| {
            let mut listing = Listing::default();
            for _ in 0..rows {
                listing.push(&rule(Severity::Low, "r"), || vec!["x".to_owned()]);
            }
            listing.on(Table::new(vec![text("a", 1.0)]))
        };
        let printed = listing(PRINTED_ROWS);
        assert_eq!((printed.printed(), printed.table.len()), (true, 20_000));
        let counted = listing(PRINTED_ROWS + 1);
        assert_eq!((counted.printed(), counted.rows, counted.table.len()), (false, 20_001, 0));
    }

    #[test]
    fn rows_stand_by_rule_gravest_first_and_else_as_they_came() {
        let mut listing = Listing::default();
        let rules = [("b", Severity::Low), ("a", Severity::High), ("b", Severity::Low), ("c", Severity::High)];
        for (cell, (core_name, severity)) in ["1", "2", "3", "4"].into_iter().zip(rules) {
            listing.push(&rule(severity, core_name), || vec![cell.to_owned()]);
        }
        let table = listing.on(Table::new(vec![text("a", 1.0)])).table;
        let rows: Vec<&str> = (0..table.len()).flat_map(|row| table.row(row)).collect();
        assert_eq!(rows, ["2", "4", "1", "3"]);
        assert_eq!(table.group_of(1), Some(("HIGH  c  (1)", true)));
        assert_eq!(table.group_of(3), Some(("LOW  b  (2)", false)));
    }
}
