//! From the store to a pack's model and its files, in one read-only transaction.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::{FxHashMap, FxHashSet};
use sqlx::PgConnection;
use time::{Date, OffsetDateTime};

use super::content::{day, deviation_table, register_table};
use super::csv::{
    ACCOUNT_COLUMNS, CsvFile, DELIVERY_COLUMNS, Finished, OBJECT_COLUMNS, account_cells, delivery_cells, object_cells,
};
use super::db::load;
use super::definitions;
use super::model::{Account, Check, Definitions, Delivery, Listed, Provenance, Results, Rule, Scope, SeverityResult};
use super::names;
use crate::compliance::evidence::export::{DAY_COLUMNS, PERIOD_COLUMNS, day_cells, period_cells};
use crate::compliance::evidence::{
    self, DayPopulation, DayRow, Deliveries, KnownAt, Objects, PeriodPopulation, PeriodRow, StatusCounts, accounts,
    totals,
};
use crate::compliance::{Severity, Status};

/// What a pack is about.
#[derive(Debug, Clone)]
pub(super) struct About {
    pub(super) scope: evidence::Scope,
    /// The scope set that the accounts are of.
    pub(super) named: Option<crate::organization::scope::Resolved>,
    pub(super) from: Date,
    pub(super) as_of: Date,
    pub(super) known_at: KnownAt,
}

/// Everything that was read.
#[derive(Debug)]
pub(super) struct Gathered {
    pub(super) scope: Scope,
    pub(super) checks: Vec<Check>,
    pub(super) delivery: Delivery,
    pub(super) results: Results,
    pub(super) deviations: Listed,
    pub(super) register: Listed,
    pub(super) definitions: Definitions,
    pub(super) provenance: Provenance,
    pub(super) files: Vec<Finished>,
    pub(super) captured_to: Option<OffsetDateTime>,
    pub(super) completeness_established: bool,
}

/// Reads it all. `progress` hears how many of how many steps are done.
pub(super) async fn gather(
    db: &mut PgConnection,
    about: &About,
    mut progress: impl FnMut(usize, usize),
) -> anyhow::Result<Gathered> {
    const STEPS: usize = 5;
    progress(0, STEPS);
    let mut delivered = deliveries(db, about).await?;
    progress(1, STEPS);
    let population = population(db, about).await?;
    progress(2, STEPS);
    let period = period(db, about).await?;
    progress(3, STEPS);
    let objects = objects(db, about).await?;
    progress(4, STEPS);
    let (accounts_file, scope) = scope(db, about, &delivered, &population).await?;
    delivered.delivery.never_seen = never_seen(db, about).await?;

    let rolled_up = totals(db, &about.scope, about.as_of, about.known_at).await?;
    let results = results(db, about, &population, &period, &delivered).await?;
    let mut checks = checks(about, &delivered, &population, &period, &objects, &results);
    checks.extend(against_roll_up(&population, &rolled_up));
    let provenance = provenance(db, about, &delivered, &objects).await?;
    let completeness_established = evidence::completeness_established(db, about.scope.organization_id, about.known_at)
        .await?
        && load::has_region_list(db, about.scope.organization_id, about.known_at).await?;

    let captured_to = delivered.captured_to.or(objects.taken_to);
    let mut files = vec![population.file];
    files.extend(period.file);
    files.extend([delivered.file, objects.file, accounts_file]);
    let (definitions, definitions_file) = definitions::gather(db, about).await?;
    files.extend(definitions_file);
    progress(STEPS, STEPS);
    Ok(Gathered {
        scope,
        checks,
        delivery: delivered.delivery,
        results,
        deviations: period.deviations,
        register: population.register,
        definitions,
        provenance,
        files,
        captured_to,
        completeness_established,
    })
}

struct Delivered {
    file: Finished,
    delivery: Delivery,
    captured_to: Option<OffsetDateTime>,
    /// Counted at delivery, on the as-of day, of known places.
    counts: StatusCounts,
    /// Expected places without evidence of the as-of day.
    silent: Vec<i32>,
    collections: BTreeSet<i64>,
    accounts: FxHashMap<String, AccountDays>,
}

#[derive(Default)]
struct AccountDays {
    regions: u64,
    gap_days: u64,
    first_known: Option<Date>,
    last_known: Option<Date>,
}

async fn deliveries(db: &mut PgConnection, about: &About) -> anyhow::Result<Delivered> {
    let mut file = CsvFile::new(names::DELIVERY, "What arrived of what was expected", &DELIVERY_COLUMNS);
    let mut delivery = Delivery::default();
    let mut captured_to = None;
    let mut counts = StatusCounts::default();
    let mut silent = Vec::new();
    let mut collections = BTreeSet::new();
    let mut accounts: FxHashMap<String, AccountDays> = FxHashMap::default();
    let mut reader = Deliveries::open(db, &about.scope, about.from, about.as_of, about.known_at).await?;
    while let Some(days) = reader.next(db).await? {
        let account = accounts.entry(days.place.account_id.clone()).or_default();
        let mut known = false;
        for one in &days.days {
            file.row(delivery_cells(&days.place, one))?;
            delivery.add(one);
            collections.extend(one.collection_id);
            account.gap_days += u64::from(one.is_gap());
            if one.state.known() {
                known = true;
                captured_to = captured_to.max(one.snapshot_at);
                account.first_known = Some(account.first_known.map_or(one.day, |first| first.min(one.day)));
                account.last_known = account.last_known.max(Some(one.day));
            }
            if one.day == about.as_of {
                if one.state.known() {
                    counts += one.evaluations;
                } else if one.expected {
                    silent.push(days.place.place_id);
                }
            }
        }
        account.regions += u64::from(known);
        delivery.gaps.extend(evidence::gaps(&days));
    }
    delivery.settle();
    Ok(Delivered { file: file.finish()?, delivery, captured_to, counts, silent, collections, accounts })
}

struct Population {
    file: Finished,
    register: Listed,
    severities: BTreeMap<Severity, SeverityResult>,
    /// By rule name: evaluations and those not complying.
    rules: FxHashMap<String, (u64, u64)>,
}

async fn population(db: &mut PgConnection, about: &About) -> anyhow::Result<Population> {
    let mut file = CsvFile::new(names::POPULATION, "Every evaluation of the as-of day", &DAY_COLUMNS);
    let mut counted = Counted::default();
    let mut register = Listed::new(register_table());
    let mut reader = DayPopulation::open(db, &about.scope, about.as_of, about.known_at).await?;
    while let Some(batch) = reader.next(db).await? {
        for row in batch.rows() {
            file.row(day_cells(&row))?;
            counted.add(&row);
            if *row.status == Status::NonCompliant {
                let since = row.since.map(|at| day(at.date())).unwrap_or_default();
                register.push([
                    row.rule.severity.word(),
                    &row.place.account_id,
                    &row.place.region,
                    &row.rule.name,
                    row.resource_type,
                    row.resource_id,
                    &since,
                ]);
            }
        }
    }
    let (severities, rules) = counted.done();
    Ok(Population { file: file.finish()?, register, severities, rules })
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

struct Period {
    /// Only where the pack is about more than a day.
    file: Option<Finished>,
    rows: u64,
    deviations: Listed,
    by_severity: BTreeMap<Severity, u64>,
}

async fn period(db: &mut PgConnection, about: &About) -> anyhow::Result<Period> {
    let mut file = CsvFile::new(names::PERIOD, "Every evaluation of any day, with its deviations", &PERIOD_COLUMNS);
    let whole = about.from < about.as_of;
    let mut deviations = Listed::new(deviation_table());
    let mut by_severity: BTreeMap<Severity, u64> = BTreeMap::new();
    let mut rows = 0;
    let mut reader = PeriodPopulation::open(db, &about.scope, about.from, about.as_of, about.known_at).await?;
    while let Some(batch) = reader.next(db).await? {
        for row in batch.rows() {
            rows += 1;
            if whole {
                file.row(period_cells(&row))?;
            }
            for one in row.deviations {
                *by_severity.entry(row.rule.severity).or_default() += 1;
                deviations.push(deviation_cells(&row, one));
            }
        }
    }
    let file = if whole { Some(file.finish()?) } else { None };
    Ok(Period { file, rows, deviations, by_severity })
}

fn deviation_cells(row: &PeriodRow<'_>, one: &evidence::Deviation) -> [String; 8] {
    let end = match one.first_day_good_again.or(one.first_day_otherwise) {
        Some(date) => format!("{} {}", day(date), one.ended.word()),
        None => one.ended.word().to_owned(),
    };
    [
        row.rule.severity.word().to_owned(),
        format!("{} {}", row.place.account_id, row.place.region),
        row.rule.name.clone(),
        format!("{} {}", row.resource_type, row.resource_id),
        one.last_day_known_good.map_or_else(|| "none known".to_owned(), day),
        format!("{} {}", day(one.first_day_bad), day(one.last_day_bad)),
        end,
        one.gap_days.to_string(),
    ]
}

struct Collected {
    file: Finished,
    outcomes: BTreeMap<String, u64>,
    not_read_by_us: u64,
    collections: BTreeSet<i64>,
    taken_to: Option<OffsetDateTime>,
}

async fn objects(db: &mut PgConnection, about: &About) -> anyhow::Result<Collected> {
    let mut file = CsvFile::new(names::OBJECTS, "Every delivered object of the days", &OBJECT_COLUMNS);
    let mut outcomes: BTreeMap<String, u64> = BTreeMap::new();
    let (mut not_read_by_us, mut collections, mut taken_to) = (0, BTreeSet::new(), None);
    let mut reader = Objects::open(db, &about.scope, about.from, about.as_of, about.known_at).await?;
    while let Some(objects) = reader.next(db).await? {
        for object in &objects {
            file.row(object_cells(object))?;
            let outcome = object.outcome.clone().unwrap_or_else(|| "not looked at yet".to_owned());
            if outcome == "collected" {
                taken_to = taken_to.max(object.taken_at);
            }
            *outcomes.entry(outcome).or_default() += 1;
            not_read_by_us += u64::from(object.version.sha256.is_none());
            collections.insert(object.first_collection);
        }
    }
    Ok(Collected { file: file.finish()?, outcomes, not_read_by_us, collections, taken_to })
}

async fn scope(
    db: &mut PgConnection,
    about: &About,
    delivered: &Delivered,
    population: &Population,
) -> anyhow::Result<(Finished, Scope)> {
    let mut file = CsvFile::new(names::ACCOUNTS, "The accounts of the scope", &ACCOUNT_COLUMNS);
    let mut listed = Vec::new();
    for account in accounts(db, &about.scope, about.known_at).await? {
        file.row(account_cells(&account))?;
        let days = delivered.accounts.get(&account.account_id);
        listed.push(Account {
            name: account.name.unwrap_or_default(),
            status: account.status.unwrap_or_default(),
            joined: account.expected_from,
            left: account.expected_until,
            regions: days.map_or(0, |days| days.regions),
            first_known: days.and_then(|days| days.first_known),
            last_known: days.and_then(|days| days.last_known),
            gap_days: days.map_or(0, |days| days.gap_days),
            account_id: account.account_id,
        });
    }
    let left_out = if about.scope.accounts.is_some() {
        let whole = evidence::Scope::whole(about.scope.organization_id);
        let all = accounts(db, &whole, about.known_at).await?.len();
        u64::try_from(all.saturating_sub(listed.len()))?
    } else {
        0
    };
    let mut rules = Vec::new();
    for rule in load::rules(db, &about.scope, about.from, about.as_of).await? {
        let counts = rule.names.iter().filter_map(|name| population.rules.get(name));
        let (evaluations, not_complying) = counts.fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1));
        rules.push(Rule {
            names: u64::try_from(rule.names.len())?,
            identifier: rule.source_identifier,
            severity: Severity::from_id(rule.severity),
            evaluations,
            not_complying,
            places: u64::try_from(rule.places)?,
            appeared: (rule.first_day > about.from).then_some(rule.first_day),
            vanished: rule.end_day.filter(|end| *end <= about.as_of),
            name: rule.core_name,
        });
    }
    Ok((file.finish()?, Scope { accounts: listed, left_out, rules }))
}

/// Accounts expected on the as-of day of which no day up to it is known.
async fn never_seen(db: &mut PgConnection, about: &About) -> anyhow::Result<Vec<String>> {
    let as_of = about.as_of;
    let never = |account: &evidence::Account| {
        let expected = account.expected_from.is_some_and(|from| from <= as_of)
            && account.expected_until.is_none_or(|until| until > as_of);
        expected && account.first_known_day.is_none_or(|first| first > as_of)
    };
    let all = accounts(db, &about.scope, about.known_at).await?;
    Ok(all.into_iter().filter(never).map(|account| account.account_id).collect())
}

async fn results(
    db: &mut PgConnection,
    about: &About,
    population: &Population,
    period: &Period,
    delivered: &Delivered,
) -> anyhow::Result<Results> {
    let mut severities = population.severities.clone();
    for (severity, evaluations) in load::carried(db, &delivered.silent, about.as_of).await? {
        severities.entry(Severity::from_id(severity)).or_default().carried += u64::try_from(evaluations)?;
    }
    for (severity, deviations) in &period.by_severity {
        severities.entry(*severity).or_default().deviations += deviations;
    }
    let gravest_first = severities.into_iter().rev();
    Ok(Results { severities: gravest_first.map(|(severity, result)| SeverityResult { severity, ..result }).collect() })
}

fn checks(
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
    match &period.file {
        Some(file) => checks.push(Check::new(
            "Evaluations of any day",
            ("rows of period.csv", file.fact.rows),
            ("evaluations read", period.rows),
        )),
        // On a single day each one NON_COMPLIANT is one deviation.
        None => checks.push(Check::new(
            format!("NON_COMPLIANT on {}", day(about.as_of)),
            ("rows of the register", population.register.rows),
            ("deviations", period.deviations.rows),
        )),
    }
    checks
}

/// The roll-up is kept apart from the evaluations: it must say the same.
fn against_roll_up(population: &Population, rolled_up: &evidence::Totals) -> Vec<Check> {
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

async fn provenance(
    db: &mut PgConnection,
    about: &About,
    delivered: &Delivered,
    objects: &Collected,
) -> anyhow::Result<Provenance> {
    let ids: Vec<i64> = delivered.collections.union(&objects.collections).copied().collect();
    let lists = load::account_lists(db, about.scope.organization_id, about.known_at).await?;
    Ok(Provenance {
        collections: load::collections(db, &ids).await?,
        objects: objects.outcomes.iter().map(|(outcome, count)| (outcome.clone(), *count)).collect(),
        not_read_by_us: objects.not_read_by_us,
        account_lists: lists
            .into_iter()
            .map(|(listed_on, source, sha256)| (listed_on, source, super::sign::hex(&sha256)))
            .collect(),
    })
}
