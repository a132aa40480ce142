//! What pages ask of the store. Every function reads in the page's own transaction.

pub(super) mod changes;
pub(super) mod evaluations;
pub(super) mod resource;
pub(super) mod rules;
pub(super) mod totals;

use rustc_hash::FxHashMap;
use sqlx::{FromRow, PgConnection};
use time::{Date, OffsetDateTime};

use super::core::{Counts, PlaceDay};
use super::{DeliveryState, Severity, Status};

/// What the store stands on: its newest collections.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub(super) struct Standing {
    pub(super) newest_collection: Option<i64>,
    pub(super) running: bool,
    /// The newest that finished.
    pub(super) collection_id: Option<i64>,
    pub(super) finished_at: Option<OffsetDateTime>,
    pub(super) source: Option<String>,
    pub(super) engine: Option<String>,
}

impl Standing {
    /// The key of something that depends on the store as it stands; `None` while a collection changes it.
    pub(super) fn key(&self, organization_id: i16, what: &str) -> Option<String> {
        let newest = self.newest_collection.filter(|_| !self.running)?;
        Some(format!("{organization_id}|{newest}|{what}"))
    }
}

pub(super) async fn standing(db: &mut PgConnection, organization_id: i16) -> sqlx::Result<Standing> {
    sqlx::query_as(
        "select s.newest_collection, coalesce(s.running, false) as running, f.collection_id, f.finished_at, f.source, f.engine
         from (select max(collection_id) as newest_collection, bool_or(state = 'running') as running
               from collection where organization_id = $1) s
         left join lateral (
             select collection_id, finished_at, source, engine from collection
             where organization_id = $1 and state = 'finished' order by collection_id desc limit 1
         ) f on true",
    )
    .bind(organization_id)
    .fetch_one(db)
    .await
}

#[derive(FromRow)]
struct PlaceRow {
    place_id: i32,
    account_id: String,
    account_name: Option<String>,
    region: String,
    expected: bool,
    state: Option<String>,
    snapshot_at: Option<OffsetDateTime>,
    complying: Option<i64>,
    not_complying: Option<i64>,
    insufficient_data: Option<i64>,
    not_applicable: Option<i64>,
    unrecognised: Option<i64>,
    last_day: Option<Date>,
    last_complying: Option<i64>,
    last_not_complying: Option<i64>,
    last_insufficient_data: Option<i64>,
    last_not_applicable: Option<i64>,
    last_unrecognised: Option<i64>,
}

impl PlaceRow {
    fn into_place(self) -> sqlx::Result<PlaceDay> {
        let state = match self.state.as_deref() {
            Some(word) => DeliveryState::parse(word)
                .ok_or_else(|| sqlx::Error::Decode(format!("unknown delivery state {word:?}").into()))?,
            None if self.expected => DeliveryState::Missing,
            None => DeliveryState::NotExpected,
        };
        let counts = Counts {
            complying: self.complying.unwrap_or(0),
            not_complying: self.not_complying.unwrap_or(0),
            insufficient_data: self.insufficient_data.unwrap_or(0),
            not_applicable: self.not_applicable.unwrap_or(0),
            unrecognised: self.unrecognised.unwrap_or(0),
        };
        let last = Counts {
            complying: self.last_complying.unwrap_or(0),
            not_complying: self.last_not_complying.unwrap_or(0),
            insufficient_data: self.last_insufficient_data.unwrap_or(0),
            not_applicable: self.last_not_applicable.unwrap_or(0),
            unrecognised: self.last_unrecognised.unwrap_or(0),
        };
        Ok(PlaceDay {
            place_id: self.place_id,
            account_id: self.account_id,
            account_name: self.account_name.unwrap_or_default(),
            region: self.region,
            expected: self.expected,
            state,
            snapshot_at: self.snapshot_at,
            counts: if state.known() { counts } else { Counts::default() },
            last_known: self.last_day.map(|day| (day, last)),
        })
    }
}

/// Every place of the organisation on a day, by account and Region; those also that nobody expects or hears of.
///
/// The counts of the last known day are what the open runs of a silent place still say: a gap never cuts a run.
pub(super) async fn places(db: &mut PgConnection, organization_id: i16, day: Date) -> sqlx::Result<Vec<PlaceDay>> {
    let rows: Vec<PlaceRow> = sqlx::query_as(
        "select p.place_id, p.account_id, a.name as account_name, p.region,
             exists (select from expected_place e where e.place_id = p.place_id and e.until_collection is null
                     and e.first_day <= $2 and e.end_day > $2) as expected,
             d.state, d.snapshot_at,
             d.complying, d.not_complying, d.insufficient_data, d.not_applicable, d.unrecognised,
             l.day as last_day, l.complying as last_complying, l.not_complying as last_not_complying,
             l.insufficient_data as last_insufficient_data, l.not_applicable as last_not_applicable,
             l.unrecognised as last_unrecognised
         from place p
         left join account a on a.organization_id = p.organization_id and a.account_id = p.account_id
         left join delivery d on d.place_id = p.place_id and d.day = $2 and d.until_collection is null
         left join lateral (
             select * from delivery k
             where k.place_id = p.place_id and k.day < $2 and k.until_collection is null and k.known
             order by k.day desc limit 1
         ) l on d.known is not true
         where p.organization_id = $1
         order by p.account_id, p.region",
    )
    .bind(organization_id)
    .bind(day)
    .fetch_all(db)
    .await?;
    rows.into_iter().map(PlaceRow::into_place).collect()
}

/// A rule by its name as delivered.
#[expect(clippy::struct_field_names, reason = "the column's name, which tells it from other ids")]
#[derive(Debug, Clone, FromRow)]
pub(super) struct Rule {
    pub(super) rule_id: i32,
    pub(super) name: String,
    pub(super) core_name: String,
    pub(super) timeline_id: i32,
    pub(super) origin: String,
    pub(super) pack: String,
    pub(super) identifier: Option<String>,
    severity: i16,
    pub(super) title: Option<String>,
}

impl Rule {
    pub(super) fn severity(&self) -> Severity {
        Severity::from_id(self.severity)
    }
}

/// The names behind the store's small ids.
#[derive(Debug, Default)]
pub(super) struct Catalog {
    /// By name.
    pub(super) rules: Vec<Rule>,
    rule_at: FxHashMap<i32, usize>,
    /// By name.
    pub(super) types: Vec<(i16, String)>,
    type_at: FxHashMap<i16, usize>,
    statuses: FxHashMap<i16, Status>,
}

impl Catalog {
    /// The rule of an id of the same transaction, with its rank in the order of names.
    pub(super) fn rule(&self, rule_id: i32) -> Option<(usize, &Rule)> {
        let at = *self.rule_at.get(&rule_id)?;
        Some((at, self.rules.get(at)?))
    }

    pub(super) fn type_name(&self, resource_type_id: i16) -> &str {
        let name = self.type_at.get(&resource_type_id).and_then(|at| self.types.get(*at));
        name.map_or("", |(_, name)| name)
    }

    pub(super) fn status(&self, status_id: i16) -> Status {
        self.statuses.get(&status_id).cloned().unwrap_or(Status::Unrecognised(String::new()))
    }

    /// About how much memory it takes.
    pub(super) fn weight(&self) -> usize {
        let rules: usize = self.rules.iter().map(|rule| 160 + rule.name.len() * 4).sum();
        rules + self.types.len() * 80
    }
}

pub(super) async fn catalog(db: &mut PgConnection, organization_id: i16) -> sqlx::Result<Catalog> {
    let rules: Vec<Rule> = sqlx::query_as(
        "select r.rule_id, r.name, r.core_name, r.timeline_id, r.origin, t.pack, r.source_identifier as identifier, r.severity, r.title
         from rule r join timeline t using (timeline_id)
         where r.organization_id = $1 order by r.name",
    )
    .bind(organization_id)
    .fetch_all(&mut *db)
    .await?;
    // One statement for both short lists: a page has few to spend.
    let words: Vec<(bool, i16, String)> = sqlx::query_as(
        "select true, resource_type_id, name from resource_type
         union all select false, status_id, name from status order by 1, 3",
    )
    .fetch_all(db)
    .await?;
    let mut catalog = Catalog::default();
    for (is_type, id, name) in words {
        if is_type {
            catalog.types.push((id, name));
        } else {
            catalog.statuses.insert(id, Status::parse(&name));
        }
    }
    catalog.types.sort_by(|(_, left), (_, right)| left.cmp(right));
    catalog.type_at = catalog.types.iter().enumerate().map(|(at, (id, _))| (*id, at)).collect();
    catalog.rule_at = rules.iter().enumerate().map(|(at, rule)| (rule.rule_id, at)).collect();
    catalog.rules = rules;
    Ok(catalog)
}
