//! From the store to a pack's model and its files, in one read-only transaction.
//!
//! Whatever is read here is read as known at the pack's knowledge point: the same request gives the same model later.

mod checks;
mod lists;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use rustc_hash::FxHashMap;
use sqlx::PgConnection;
use time::{Date, OffsetDateTime};

use self::lists::{Period, Population, period, population};
use super::csv::{
    ACCOUNT_COLUMNS, CsvFile, DELIVERY_COLUMNS, Finished, OBJECT_COLUMNS, QUERY_COLUMNS, account_cells, delivery_cells,
    object_cells, query_cells,
};
use super::db::load;
use super::definitions;
use super::model::{
    Account, Check, Definitions, Delivery, Listed, Provenance, Queries, Results, Rule, Scope, SeverityResult,
};
use super::names;
use super::pseudonym::Pseudonyms;
use crate::compliance::Severity;
use crate::compliance::evidence::{
    self, Deliveries, KnownAt, Objects, StatusCounts, accounts, carried, rule_lives, totals,
};
use crate::organization::scope::Resolved;
use crate::retention;
use crate::web::download::Cell;

/// What a pack is about.
#[derive(Debug, Clone)]
pub(super) struct About {
    pub(super) scope: evidence::Scope,
    /// The scope set that its accounts are of.
    pub(super) named: Option<Resolved>,
    pub(super) from: Date,
    pub(super) as_of: Date,
    pub(super) known_at: KnownAt,
    /// Where pseudonyms stand for names of persons.
    pub(super) pseudonyms: Option<Arc<Mutex<Pseudonyms>>>,
}

impl About {
    /// The cells of a row as the pack has them; `resource` is where a resource's type stands, with its id after it.
    pub(super) fn cells<const N: usize>(&self, mut cells: [Cell; N], resource: Option<usize>) -> [Cell; N] {
        let Some(pseudonyms) = &self.pseudonyms else { return cells };
        let mut pseudonyms = pseudonyms.lock().unwrap_or_else(PoisonError::into_inner);
        let kind = resource.and_then(|at| match cells.get(at) {
            Some(Cell::Text(kind)) => Some((at + 1, kind.clone())),
            _ => None,
        });
        for (at, cell) in cells.iter_mut().enumerate() {
            if let Cell::Text(text) | Cell::Json(text) = cell {
                let shown = match &kind {
                    Some((id, kind)) if *id == at => pseudonyms.resource(kind, text),
                    _ => pseudonyms.text(text),
                };
                if let Cow::Owned(shown) = shown {
                    *text = shown;
                }
            }
        }
        cells
    }

    /// A text as the pack has it.
    pub(super) fn text(&self, text: String) -> String {
        self.shown(|pseudonyms| match pseudonyms.text(&text) {
            Cow::Owned(shown) => Some(shown),
            Cow::Borrowed(_) => None,
        })
        .unwrap_or(text)
    }

    /// The id of a resource as the pack has it.
    pub(super) fn resource(&self, resource_type: &str, id: &str) -> String {
        self.shown(|pseudonyms| Some(pseudonyms.resource(resource_type, id).into_owned()))
            .unwrap_or_else(|| id.to_owned())
    }

    /// Names that pseudonyms stand for so far; `None` where none are asked for.
    pub(super) fn names_met(&self) -> Option<u64> {
        self.pseudonyms.as_ref().map(|all| all.lock().unwrap_or_else(PoisonError::into_inner).met())
    }

    /// Pseudonyms that were given to names anew.
    pub(super) fn into_new_pseudonyms(self) -> Vec<(Vec<u8>, String)> {
        let Some(all) = self.pseudonyms else { return Vec::new() };
        let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
        all.take_new()
    }

    fn shown(&self, show: impl FnOnce(&mut Pseudonyms) -> Option<String>) -> Option<String> {
        show(&mut self.pseudonyms.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner))
    }
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
    never_seen(db, about, &mut delivered.delivery).await?;

    let rolled_up = totals(db, &about.scope, about.as_of, about.known_at).await?;
    let results = results(db, about, &population, &period, &delivered).await?;
    let mut checks = checks::between(about, &delivered, &population, &period, &objects, &results);
    checks.extend(checks::against_roll_up(&population, &rolled_up));
    let (queries_file, queries) = queries(db, about).await?.unzip();
    let provenance = provenance(db, about, &delivered, &objects, queries).await?;
    let completeness_established =
        evidence::completeness_established(db, about.scope.organization_id, about.known_at).await?;

    let captured_to = delivered.captured_to.or(objects.taken_to);
    let mut files = vec![population.file];
    files.extend(period.file);
    files.extend([delivered.file, objects.file, accounts_file]);
    files.extend(queries_file);
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
            file.row(about.cells(delivery_cells(&days.place, one), None))?;
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
            file.row(about.cells(object_cells(object), None))?;
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

/// The queries of Athena that read objects; `None` where there are none.
async fn queries(db: &mut PgConnection, about: &About) -> anyhow::Result<Option<(Finished, Queries)>> {
    let queries = load::queries(db, &about.scope, (about.from, about.as_of), about.known_at).await?;
    if queries.is_empty() {
        return Ok(None);
    }
    let mut file = CsvFile::new(names::QUERIES, "The queries of Amazon Athena that read objects", &QUERY_COLUMNS);
    let mut asked = Queries::default();
    for query in queries {
        asked.count += 1;
        asked.engines.extend(query.engine_version.clone());
        asked.workgroups.insert(query.workgroup.clone());
        asked.bytes_scanned += u64::try_from(query.bytes_scanned.unwrap_or_default())?;
        asked.objects_read += u64::try_from(query.objects_read)?;
        asked.execution_ids.extend(query.execution_id.clone());
        file.row(about.cells(query_cells(query), None))?;
    }
    Ok(Some((file.finish()?, asked)))
}

async fn scope(
    db: &mut PgConnection,
    about: &About,
    delivered: &Delivered,
    population: &Population,
) -> anyhow::Result<(Finished, Scope)> {
    let mut file = CsvFile::new(names::ACCOUNTS, "The accounts of the scope", &ACCOUNT_COLUMNS);
    let (mut listed, mut left_out) = (Vec::new(), Vec::new());
    let asked: Option<BTreeSet<&str>> =
        about.scope.accounts.as_ref().map(|asked| asked.iter().map(String::as_str).collect());
    let mut unknown = asked.clone().unwrap_or_default();
    let whole = evidence::Scope::whole(about.scope.organization_id);
    for account in accounts(db, &whole, about.known_at).await? {
        let named = about.named.as_ref();
        if asked.as_ref().is_some_and(|asked| !asked.contains(account.account_id.as_str())) {
            let why = named.map(|named| named.why_out(&account.account_id)).unwrap_or_default();
            left_out.push(Account { why, ..in_scope(about, account, None) });
            continue;
        }
        file.row(about.cells(account_cells(&account), None))?;
        let why = named.map(|named| named.why_in(&account.account_id)).unwrap_or_default();
        let days = delivered.accounts.get(&account.account_id);
        unknown.remove(account.account_id.as_str());
        listed.push(Account { why, ..in_scope(about, account, days) });
    }
    count_left_out(db, about, &mut left_out).await?;
    let mut rules = Vec::new();
    for life in rule_lives(db, &about.scope, about.from, about.as_of, about.known_at).await? {
        let counts = life.names.iter().filter_map(|name| population.rules.get(name));
        let (evaluations, not_complying) = counts.fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1));
        rules.push(Rule {
            name: life.core_name,
            names: u64::try_from(life.names.len())?,
            identifier: life.identifier,
            severity: life.severity,
            evaluations,
            not_complying,
            places: life.places,
            appeared: life.appeared,
            vanished: life.vanished,
        });
    }
    let unknown = unknown.into_iter().map(str::to_owned).collect();
    Ok((file.finish()?, Scope { accounts: listed, left_out, unknown, rules }))
}

/// Counts what was delivered for the as-of day by accounts that are left out.
async fn count_left_out(db: &mut PgConnection, about: &About, left_out: &mut [Account]) -> anyhow::Result<()> {
    if left_out.is_empty() {
        return Ok(());
    }
    let accounts = left_out.iter().map(|account| account.account_id.clone()).collect();
    let scope = evidence::Scope { accounts: Some(accounts), ..about.scope };
    let mut evaluations: FxHashMap<String, u64> = FxHashMap::default();
    let mut reader = Deliveries::open(db, &scope, about.as_of, about.as_of, about.known_at).await?;
    while let Some(days) = reader.next(db).await? {
        for one in days.days.iter().filter(|one| one.state.known()) {
            *evaluations.entry(days.place.account_id.clone()).or_default() += u64::try_from(one.evaluations.sum())?;
        }
    }
    for account in left_out {
        account.evaluations = evaluations.get(&account.account_id).copied().unwrap_or_default();
    }
    Ok(())
}

fn in_scope(about: &About, account: evidence::Account, days: Option<&AccountDays>) -> Account {
    Account {
        name: about.text(account.name.unwrap_or_default()),
        status: account.status.unwrap_or_default(),
        joined: account.expected_from,
        left: account.expected_until,
        regions: days.map_or(0, |days| days.regions),
        first_known: days.and_then(|days| days.first_known),
        last_known: days.and_then(|days| days.last_known),
        gap_days: days.map_or(0, |days| days.gap_days),
        evaluations: 0,
        why: String::new(),
        account_id: account.account_id,
    }
}

/// What was expected on the as-of day and of which no day up to it is known: whole accounts, and Regions of others.
async fn never_seen(db: &mut PgConnection, about: &About, delivery: &mut Delivery) -> anyhow::Result<()> {
    for place in evidence::never_seen(db, &about.scope, about.as_of, about.known_at).await? {
        if place.account_seen {
            delivery.never_seen_regions.push((place.account_id, place.region));
        } else if delivery.never_seen.last() != Some(&place.account_id) {
            delivery.never_seen.push(place.account_id);
        }
    }
    Ok(())
}

async fn results(
    db: &mut PgConnection,
    about: &About,
    population: &Population,
    period: &Period,
    delivered: &Delivered,
) -> anyhow::Result<Results> {
    let mut severities = population.severities.clone();
    let carried = carried(db, &delivered.silent, about.as_of, about.known_at).await?;
    for severity in Severity::ALL {
        let counts = carried.of(severity);
        let evaluations = counts.sum() - counts.not_applicable;
        if evaluations > 0 {
            severities.entry(severity).or_default().carried += u64::try_from(evaluations)?;
        }
    }
    for (severity, deviations) in &period.by_severity {
        severities.entry(*severity).or_default().deviations += deviations;
    }
    let gravest_first = severities.into_iter().rev();
    Ok(Results { severities: gravest_first.map(|(severity, result)| SeverityResult { severity, ..result }).collect() })
}

async fn provenance(
    db: &mut PgConnection,
    about: &About,
    delivered: &Delivered,
    objects: &Collected,
    queries: Option<Queries>,
) -> anyhow::Result<Provenance> {
    let ids: Vec<i64> = delivered.collections.union(&objects.collections).copied().collect();
    let lists = load::account_lists(db, about.scope.organization_id, about.known_at).await?;
    let floor = retention::floor(&mut *db, about.scope.organization_id).await?;
    Ok(Provenance {
        removed: floor.map(|floor| floor.sentence()),
        collections: load::collections(db, &ids).await?,
        objects: objects.outcomes.iter().map(|(outcome, count)| (outcome.clone(), *count)).collect(),
        not_read_by_us: objects.not_read_by_us,
        queries,
        account_lists: lists
            .into_iter()
            .map(|(listed_on, source, sha256)| (listed_on, source, super::sign::hex(&sha256)))
            .collect(),
    })
}
