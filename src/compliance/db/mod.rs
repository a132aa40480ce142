//! What pages ask of the store. Every function reads in the page's own transaction.

pub(super) mod changes;
pub(super) mod evaluations;
pub(super) mod resource;
pub(super) mod rules;
pub(super) mod totals;

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};
use sqlx::{FromRow, PgConnection};
use time::{Date, OffsetDateTime};

use super::core::{Counts, PlaceDay, Source};
use super::{DeliveryState, Severity, Status};

#[derive(FromRow)]
struct PlaceRow {
    place_id: i32,
    account_id: String,
    account_name: Option<String>,
    unit_names: Option<Vec<String>>,
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
    object_id: Option<i64>,
    source_collection: Option<i64>,
    athena_query_id: Option<i64>,
    inferred: Option<bool>,
}

impl PlaceRow {
    fn into_place(self, day: Date) -> sqlx::Result<PlaceDay> {
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
        let evidence_day = if state.known() { Some(day) } else { self.last_day };
        let source = evidence_day.zip(self.source_collection).map(|(day, collection_id)| Source {
            day,
            object_id: self.object_id,
            collection_id,
            query_id: self.athena_query_id,
            inferred: self.inferred.unwrap_or(false),
        });
        Ok(PlaceDay {
            source,
            place_id: self.place_id,
            account_id: self.account_id,
            account_name: self.account_name.unwrap_or_default(),
            unit: unit_path(self.unit_names.as_deref()),
            region: self.region,
            expected: self.expected,
            state,
            snapshot_at: self.snapshot_at,
            counts: if state.known() { counts } else { Counts::default() },
            last_known: self.last_day.map(|day| (day, last)),
        })
    }
}

/// "Root / Workloads / Production".
pub(super) fn unit_path(names: Option<&[String]>) -> String {
    names.unwrap_or_default().join(" / ")
}

/// Every place of the organisation on a day, by account and Region; those also that nobody expects or hears of.
///
/// The counts of the last known day are what the open runs of a silent place still say: a gap never cuts a run.
pub(super) async fn places(db: &mut PgConnection, organization_id: i16, day: Date) -> sqlx::Result<Vec<PlaceDay>> {
    let rows: Vec<PlaceRow> = sqlx::query_as(
        "select p.place_id, p.account_id, a.name as account_name, m.unit_names, p.region,
             exists (select from expected_place e where e.place_id = p.place_id and e.until_collection is null
                     and e.first_day <= $2 and e.end_day > $2) as expected,
             d.state, d.snapshot_at,
             d.complying, d.not_complying, d.insufficient_data, d.not_applicable, d.unrecognised,
             l.day as last_day, l.complying as last_complying, l.not_complying as last_not_complying,
             l.insufficient_data as last_insufficient_data, l.not_applicable as last_not_applicable,
             l.unrecognised as last_unrecognised,
             o.object_id, coalesce(o.read_by, case when d.known then d.since_collection else l.since_collection end)
                 as source_collection, x.athena_query_id,
             case when d.known then d.state else l.state end = 'inferred from history' as inferred
         from place p
         left join account a on a.organization_id = p.organization_id and a.account_id = p.account_id
         left join delivery d on d.place_id = p.place_id and d.day = $2 and d.until_collection is null
         left join lateral (
             select * from delivery k
             where d.known is not true and k.place_id = p.place_id and k.day < $2 and k.until_collection is null and k.known
             order by k.day desc limit 1
         ) l on true
         left join object o on o.object_id = case when d.known then d.object_id else l.object_id end
         left join object_outcome x on x.object_id = o.object_id and x.collection_id = o.read_by
         left join account_listing m on m.account_id = p.account_id and m.account_list_id = coalesce(
             (select account_list_id from account_list
              where organization_id = $1 and origin = 'organizations' and listed_on <= $2
              order by listed_on desc, account_list_id desc limit 1),
             (select account_list_id from account_list
              where organization_id = $1 and origin = 'organizations' and listed_on > $2
              order by listed_on, account_list_id desc limit 1))
         where p.organization_id = $1
         order by p.account_id, p.region",
    )
    .bind(organization_id)
    .bind(day)
    .fetch_all(db)
    .await?;
    rows.into_iter().map(|row| row.into_place(day)).collect()
}

/// A rule by its name as delivered.
#[expect(clippy::struct_field_names, reason = "the column's name, which tells it from other ids")]
#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub(super) rule_id: i32,
    pub(super) name: String,
    pub(super) timeline_id: i32,
    about: Arc<About>,
}

/// What the names of a rule have in common: a conformance pack gives a rule another name in each place, so that a large
/// organisation has hundreds of names of each.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct About {
    pub(super) core_name: String,
    pub(super) origin: String,
    pub(super) pack: String,
    pub(super) identifier: Option<String>,
    severity: i16,
    pub(super) title: Option<String>,
}

impl std::ops::Deref for Rule {
    type Target = About;

    fn deref(&self) -> &About {
        &self.about
    }
}

impl Rule {
    pub(super) fn severity(&self) -> Severity {
        Severity::from_id(self.severity)
    }
}

/// A line of the one statement that reads all names: a rule, a resource type or a status.
#[derive(FromRow)]
struct Named {
    kind: i16,
    id: i32,
    name: String,
    core_name: Option<String>,
    timeline_id: Option<i32>,
    origin: Option<String>,
    pack: Option<String>,
    identifier: Option<String>,
    severity: Option<i16>,
    title: Option<String>,
    /// Of a place that has had several names of a timeline: one of the rules.
    rule_id: Option<i32>,
}

/// Names of a timeline that a place has had beside others: where a pack was deployed again, a failure is as old as its
/// timeline. Three lists of equal length.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Several {
    pub(super) place_ids: Vec<i32>,
    pub(super) timeline_ids: Vec<i32>,
    pub(super) rule_ids: Vec<i32>,
}

impl Several {
    fn push(&mut self, place_id: i32, timeline_id: i32, rule_id: i32) {
        self.place_ids.push(place_id);
        self.timeline_ids.push(timeline_id);
        self.rule_ids.push(rule_id);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.place_ids.is_empty()
    }
}

/// The names behind the store's small ids.
#[derive(Debug, Default)]
pub(super) struct Catalog {
    /// By name.
    pub(super) rules: Vec<Rule>,
    rule_at: FxHashMap<i32, usize>,
    by_core: FxHashMap<String, Vec<usize>>,
    several: Several,
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

    /// Of some places, and of some rules or all, the names that continue others.
    pub(super) fn several(&self, place_ids: &[i32], rule_ids: Option<&[i32]>) -> Several {
        let mut several = Several::default();
        if self.several.is_empty() {
            return several;
        }
        let places: FxHashSet<i32> = place_ids.iter().copied().collect();
        let timelines: Option<FxHashSet<i32>> = rule_ids.map(|rule_ids| {
            rule_ids.iter().filter_map(|rule_id| self.rule(*rule_id)).map(|(_, rule)| rule.timeline_id).collect()
        });
        let all = self.several.place_ids.iter().zip(&self.several.timeline_ids).zip(&self.several.rule_ids);
        for ((place_id, timeline_id), rule_id) in all {
            let asked = timelines.as_ref().is_none_or(|timelines| timelines.contains(timeline_id));
            if asked && places.contains(place_id) {
                several.push(*place_id, *timeline_id, *rule_id);
            }
        }
        several
    }

    /// The rules of a core name, by name.
    pub(super) fn of_core(&self, core_name: &str) -> impl Iterator<Item = &Rule> {
        self.by_core.get(core_name).into_iter().flatten().filter_map(|at| self.rules.get(*at))
    }

    /// Where a resource type stands in the order of names.
    pub(super) fn type_rank(&self, resource_type_id: i16) -> Option<usize> {
        self.type_at.get(&resource_type_id).copied()
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
        let rules: usize = self.rules.iter().map(|rule| 130 + rule.name.len()).sum();
        rules + self.types.len() * 80 + self.several.place_ids.len() * 12
    }
}

pub(super) async fn catalog(db: &mut PgConnection, organization_id: i16) -> sqlx::Result<Catalog> {
    // One statement for all of them: a page has few to spend.
    let named: Vec<Named> = sqlx::query_as(
        "select 0::smallint as kind, r.rule_id as id, r.name, r.core_name, r.timeline_id, r.origin, t.pack,
             r.source_identifier as identifier, r.severity, r.title, null::integer as rule_id
         from rule r join timeline t using (timeline_id) where r.organization_id = $1
         union all
         select 1::smallint, resource_type_id::integer, name, null, null, null, null, null, null, null, null from resource_type
         union all
         select 2::smallint, status_id::integer, name, null, null, null, null, null, null, null, null from status
         union all
         (with several as (
             select e.place_id, r.timeline_id from rule_presence e join rule r using (rule_id)
             where r.organization_id = $1 group by e.place_id, r.timeline_id having min(e.rule_id) <> max(e.rule_id)
         )
         select distinct 3::smallint, e.place_id, '', null, r.timeline_id, null, null, null, null::smallint, null, e.rule_id
         from several s join rule r on r.timeline_id = s.timeline_id
             join rule_presence e on e.rule_id = r.rule_id and e.place_id = s.place_id)",
    )
    .bind(organization_id)
    .fetch_all(db)
    .await?;
    let mut catalog = Catalog::default();
    let mut abouts: FxHashSet<Arc<About>> = FxHashSet::default();
    for line in named {
        let small = i16::try_from(line.id);
        match (line.kind, small) {
            (3, _) => {
                let (timeline_id, rule_id) = (line.timeline_id.unwrap_or_default(), line.rule_id.unwrap_or_default());
                catalog.several.push(line.id, timeline_id, rule_id);
            }
            (1, Ok(id)) => catalog.types.push((id, line.name)),
            (2, Ok(id)) => {
                catalog.statuses.insert(id, Status::parse(&line.name));
            }
            _ => {
                let about = About {
                    core_name: line.core_name.unwrap_or_default(),
                    origin: line.origin.unwrap_or_default(),
                    pack: line.pack.unwrap_or_default(),
                    identifier: line.identifier,
                    severity: line.severity.unwrap_or_default(),
                    title: line.title,
                };
                let about = if let Some(known) = abouts.get(&about) {
                    Arc::clone(known)
                } else {
                    let about = Arc::new(about);
                    abouts.insert(Arc::clone(&about));
                    about
                };
                let timeline_id = line.timeline_id.unwrap_or_default();
                catalog.rules.push(Rule { rule_id: line.id, name: line.name, timeline_id, about });
            }
        }
    }
    catalog.rules.sort_unstable_by(|left, right| left.name.cmp(&right.name));
    catalog.types.sort_by(|(_, left), (_, right)| left.cmp(right));
    catalog.type_at = catalog.types.iter().enumerate().map(|(at, (id, _))| (*id, at)).collect();
    catalog.rule_at = catalog.rules.iter().enumerate().map(|(at, rule)| (rule.rule_id, at)).collect();
    for (at, rule) in catalog.rules.iter().enumerate() {
        match catalog.by_core.get_mut(&rule.core_name) {
            Some(rules) => rules.push(at),
            None => _ = catalog.by_core.insert(rule.core_name.clone(), vec![at]),
        }
    }
    Ok(catalog)
}
