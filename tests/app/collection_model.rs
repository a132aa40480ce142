//! What random deliveries must come to: a table of every day, made without the store.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::Value;

use crate::bucket::{ACCOUNT, Bucket, REGION, deleted, item, pack_item, snapshot_name};

pub(crate) const RESOURCES: [&str; 3] = ["a", "b", "c/<b>"];
/// The second and third are one rule of one pack, deployed twice. The last is named by packs only.
pub(crate) const RULES: [&str; 5] = [
    "r",
    "s3-bucket-versioning-enabled-conformance-pack-k3yq7n1xz",
    "s3-bucket-versioning-enabled-conformance-pack-m4zr8p2ya",
    "t",
    "idle",
];
const EVALUATED: usize = 4;
/// Pack ids: both deployments are called Ops.
pub(crate) const PACKS: [&str; 2] = ["conformance-pack-k3yq7n1xz", "conformance-pack-m4zr8p2ya"];
pub(crate) const PACK_NAME: &str = "Ops";
pub(crate) const STATUSES: [&str; 5] = ["COMPLIANT", "NON_COMPLIANT", "INSUFFICIENT_DATA", "NOT_APPLICABLE", "ODD"];
pub(crate) const DAYS: std::ops::Range<u8> = 1..8;
pub(crate) const ACCOUNTS: [&str; 2] = [ACCOUNT, "210987654321"];
const HOURS: [u8; 3] = [3, 9, 21];

/// Resource and rule to status, by index.
type Truth = BTreeMap<(usize, usize), usize>;
/// Pack to the rules that its item names, with their statuses, by index.
type Packs = BTreeMap<usize, BTreeMap<usize, usize>>;

#[derive(Debug, Clone)]
pub(crate) enum Content {
    Snapshot {
        truth: Truth,
        packs: Packs,
        /// Items of the same resources, captured earlier: they change nothing.
        older: Truth,
        /// Every rule stands twice in its list, the second time in the kindest way.
        doubled: bool,
    },
    Unreadable,
    Silent,
}

#[derive(Debug, Clone)]
pub(crate) struct HistoryItem {
    resource: usize,
    hour: u8,
    /// `None` is a deletion.
    rules: Option<BTreeMap<usize, usize>>,
}

#[derive(Debug, Clone)]
pub(crate) struct HistoryPack {
    pack: usize,
    hour: u8,
    /// `None` is a deletion.
    rules: Option<BTreeMap<usize, usize>>,
}

#[derive(Debug, Clone)]
pub(crate) enum What {
    Snapshot { hour: u8, content: Content },
    History { items: Vec<HistoryItem>, packs: Vec<HistoryPack> },
}

#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    /// Index of [`ACCOUNTS`]; of the second one history only comes, where the case says so.
    place: usize,
    /// To which of two buckets.
    pub(crate) bucket: usize,
    day: u8,
    what: What,
}

pub(crate) fn delivery() -> impl Strategy<Value = Delivery> {
    let rules = || prop::collection::btree_map(0..EVALUATED, 0..STATUSES.len(), 0..3);
    let truth = |size| prop::collection::btree_map((0..RESOURCES.len(), 0..EVALUATED), 0..STATUSES.len(), size);
    // Statuses of a pack's rules are AWS's two words.
    let named = || prop::collection::btree_map(1..RULES.len(), 0..2_usize, 0..3);
    let packs = prop::collection::btree_map(0..PACKS.len(), named(), 0..3);
    let snapshot = (truth(1..7), packs, truth(0..3), any::<bool>())
        .prop_map(|(truth, packs, older, doubled)| Content::Snapshot { truth, packs, older, doubled });
    let content = prop_oneof![6 => snapshot, 1 => Just(Content::Unreadable), 1 => Just(Content::Silent)];
    let snapshot =
        (prop::sample::select(&HOURS[..]), content).prop_map(|(hour, content)| What::Snapshot { hour, content });
    let item = (0..RESOURCES.len(), 0_u8..23, prop::option::weighted(0.8, rules()))
        .prop_map(|(resource, hour, rules)| HistoryItem { resource, hour, rules });
    let pack = (0..PACKS.len(), 0_u8..23, prop::option::weighted(0.8, named()))
        .prop_map(|(pack, hour, rules)| HistoryPack { pack, hour, rules });
    let history = (prop::collection::vec(item, 1..4), prop::collection::vec(pack, 0..3))
        .prop_map(|(items, packs)| What::History { items, packs });
    let what = prop_oneof![5 => snapshot, 2 => history];
    (prop::sample::select(&[0, 0, 0, 1][..]), 0..2_usize, DAYS, what).prop_map(|(place, bucket, day, what)| Delivery {
        place,
        bucket,
        day,
        what,
    })
}

/// What is said of a day: account, rule, resource, status.
pub(crate) type Said = BTreeSet<(String, String, String, String)>;
/// AWS's verdicts: pack, status, compliant, non-compliant, all.
pub(crate) type Verdicts = BTreeSet<(String, String, i32, i32, i32)>;

/// What must be stored of a day of a place.
#[derive(Debug, Clone, Default)]
pub(crate) struct Day {
    pub(crate) state: &'static str,
    pub(crate) said: Said,
    pub(crate) rules: BTreeSet<String>,
    pub(crate) verdicts: Verdicts,
    /// By rule and resource: day and hour of capture.
    pub(crate) captured: BTreeMap<(String, String), (u8, u8)>,
}

/// Everything delivered so far to one place.
#[derive(Debug, Default, Clone)]
struct Place {
    snapshots: BTreeMap<(u8, u8), Content>,
    history: BTreeMap<u8, (Vec<HistoryItem>, Vec<HistoryPack>)>,
}

/// Everything delivered so far.
#[derive(Debug, Default, Clone)]
pub(crate) struct Model {
    history_only: bool,
    places: [Place; 2],
}

/// A day before it is put into words.
#[derive(Default)]
struct Table {
    evaluations: BTreeMap<(usize, usize), (usize, (u8, u8))>,
    packs: Packs,
}

impl Table {
    fn day(self, account: &str, state: &'static str) -> Day {
        let mut day = Day { state, ..Day::default() };
        for ((resource, rule), (status, captured)) in self.evaluations {
            let (rule, resource) = (RULES[rule].to_owned(), RESOURCES[resource].to_owned());
            day.rules.insert(rule.clone());
            day.captured.insert((rule.clone(), resource.clone()), captured);
            day.said.insert((account.to_owned(), rule, resource, STATUSES[status].to_owned()));
        }
        for (pack, rules) in self.packs {
            let of = |status: usize| i32::try_from(rules.values().filter(|it| **it == status).count()).unwrap();
            let status = if of(1) > 0 { "NON_COMPLIANT" } else { "COMPLIANT" };
            day.verdicts.insert((PACKS[pack].to_owned(), status.to_owned(), of(0), of(1), of(0) + of(1)));
            day.rules.extend(rules.keys().map(|rule| RULES[*rule].to_owned()));
        }
        day
    }
}

impl Place {
    fn days(&self, account: &str) -> BTreeMap<u8, Day> {
        let mut days = BTreeMap::new();
        for day in DAYS {
            let mut later_unreadable = false;
            for hour in [21, 9, 3] {
                match self.snapshots.get(&(day, hour)) {
                    None => {}
                    Some(Content::Unreadable) => {
                        later_unreadable = true;
                        days.insert(day, Table::default().day(account, "unreadable"));
                    }
                    Some(Content::Silent) => {
                        days.insert(day, Table::default().day(account, "no compliance items"));
                        break;
                    }
                    Some(Content::Snapshot { truth, packs, .. }) => {
                        let state = if later_unreadable { "delivered, later object unreadable" } else { "delivered" };
                        let evaluations = truth.iter().map(|(key, status)| (*key, (*status, (day, hour)))).collect();
                        days.insert(day, Table { evaluations, packs: packs.clone() }.day(account, state));
                        break;
                    }
                }
            }
        }
        let first = days.iter().find(|(_, day)| day.state.starts_with("delivered")).map_or(u8::MAX, |(day, _)| *day);
        for &day in self.history.keys().filter(|day| **day < first) {
            if days.get(&day).is_none_or(|day| day.state != "no compliance items") {
                days.insert(day, self.inferred(day).day(account, "inferred from history"));
            }
        }
        days
    }

    fn inferred(&self, day: u8) -> Table {
        let mut latest: BTreeMap<usize, ((u8, u8), &HistoryItem)> = BTreeMap::new();
        let mut packs: BTreeMap<usize, ((u8, u8), &HistoryPack)> = BTreeMap::new();
        for (&delivered, (items, of_packs)) in self.history.range(..=day) {
            for item in items {
                let at = (delivered, item.hour);
                if latest.get(&item.resource).is_none_or(|(last, _)| at >= *last) {
                    latest.insert(item.resource, (at, item));
                }
            }
            for pack in of_packs {
                let at = (delivered, pack.hour);
                if packs.get(&pack.pack).is_none_or(|(last, _)| at >= *last) {
                    packs.insert(pack.pack, (at, pack));
                }
            }
        }
        let mut table = Table::default();
        for (at, item) in latest.into_values() {
            let rules = item.rules.iter().flatten();
            table.evaluations.extend(rules.map(|(&rule, &status)| ((item.resource, rule), (status, at))));
        }
        for (_, pack) in packs.into_values() {
            table.packs.extend(pack.rules.clone().map(|rules| (pack.pack, rules)));
        }
        table
    }
}

impl Model {
    pub(crate) fn new(history_only: bool) -> Self {
        Self { history_only, ..Self::default() }
    }

    /// By account and day.
    pub(crate) fn days(&self) -> BTreeMap<(String, u8), Day> {
        let mut days = BTreeMap::new();
        for (account, place) in ACCOUNTS.iter().zip(&self.places) {
            days.extend(place.days(account).into_iter().map(|(day, said)| (((*account).to_owned(), day), said)));
        }
        days
    }

    /// Suffixes of packs that an object names which speaks, and of those that any object names.
    pub(crate) fn named_packs(&self) -> (BTreeSet<String>, BTreeSet<String>) {
        let suffix = |id: &str| id.strip_prefix("conformance-pack-").unwrap().to_owned();
        let speaking = self.days().into_values().flat_map(|day| day.verdicts);
        let speaking = speaking.map(|(id, ..)| suffix(&id)).collect();
        let mut any = BTreeSet::new();
        for place in &self.places {
            let of_history = place.history.values().flat_map(|(_, packs)| packs.iter().map(|pack| pack.pack));
            let of_snapshots = place.snapshots.values().flat_map(|content| match content {
                Content::Snapshot { packs, .. } => packs.keys().copied().collect::<Vec<_>>(),
                _ => vec![],
            });
            any.extend(of_history.chain(of_snapshots).map(|pack| suffix(PACKS[pack])));
        }
        (speaking, any)
    }

    /// Delivers, unless the key is there: a key is delivered once.
    pub(crate) fn deliver(&mut self, buckets: &[Bucket], delivery: &Delivery) {
        let Delivery { place, bucket, day, ref what } = *delivery;
        let (account, bucket) = (ACCOUNTS[place], &buckets[bucket % buckets.len()]);
        match what {
            What::Snapshot { .. } if self.history_only && place == 1 => {}
            What::Snapshot { hour, content } => {
                if let Entry::Vacant(entry) = self.places[place].snapshots.entry((day, *hour)) {
                    entry.insert(content.clone());
                    put_snapshot(bucket, account, day, *hour, content);
                }
            }
            What::History { items, packs } => {
                if let Entry::Vacant(entry) = self.places[place].history.entry(day) {
                    entry.insert((items.clone(), packs.clone()));
                    put_history(bucket, account, day, items, packs);
                }
            }
        }
    }
}

fn words(rules: &BTreeMap<usize, usize>) -> Vec<(&'static str, &'static str)> {
    rules.iter().map(|(&rule, &status)| (RULES[rule], STATUSES[status])).collect()
}

fn items(account: &str, truth: &Truth, day: u8, hour: u8, doubled: bool) -> Vec<Value> {
    let mut by_resource: BTreeMap<usize, Vec<(&str, &str)>> = BTreeMap::new();
    for (&(resource, rule), &status) in truth {
        let rules = by_resource.entry(resource).or_default();
        rules.push((RULES[rule], STATUSES[status]));
        if doubled {
            rules.push((RULES[rule], "NOT_APPLICABLE"));
        }
    }
    by_resource.iter().map(|(resource, rules)| item(account, RESOURCES[*resource], day, hour, rules)).collect()
}

fn put_snapshot(bucket: &Bucket, account: &str, day: u8, hour: u8, content: &Content) {
    match content {
        Content::Unreadable => bucket.put(&snapshot_name(account, REGION, day, hour), b"\x1f\x8bcut"),
        Content::Silent => _ = bucket.snapshot_items(account, REGION, day, hour, &[]),
        Content::Snapshot { truth, packs, older, doubled } => {
            let mut all = items(account, truth, day, hour, *doubled);
            // Only of resources that have a newer item: alone they would be the truth.
            let older = older.iter().filter(|((resource, _), _)| truth.keys().any(|(known, _)| known == resource));
            all.extend(items(account, &older.map(|(key, status)| (*key, *status)).collect(), day, hour - 1, false));
            for (pack, rules) in packs {
                all.push(pack_item(account, PACKS[*pack], PACK_NAME, day, hour, &words(rules)));
            }
            bucket.snapshot_items(account, REGION, day, hour, &all);
        }
    }
}

fn put_history(bucket: &Bucket, account: &str, day: u8, items: &[HistoryItem], packs: &[HistoryPack]) {
    let mut all: Vec<Value> = items
        .iter()
        .map(|it| match &it.rules {
            Some(rules) => item(account, RESOURCES[it.resource], day, it.hour, &words(rules)),
            None => deleted(account, RESOURCES[it.resource], day, it.hour),
        })
        .collect();
    for it in packs {
        let rules = it.rules.clone().unwrap_or_default();
        let mut pack = pack_item(account, PACKS[it.pack], PACK_NAME, day, it.hour, &words(&rules));
        if it.rules.is_none() {
            pack["configuration"] = Value::Null;
            pack["configurationItemStatus"] = "ResourceDeleted".into();
        }
        all.push(pack);
    }
    bucket.history_items(account, REGION, day, &all);
}
