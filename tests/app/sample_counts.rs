//! The sample's true counts against a naive count of its files.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use auditfolio::sample::{Counts, Delivery, Expected, ExpectedDay, Options, Regions};
use serde_json::Value;
use time::Date;

use crate::sample::{Scratch, files, items, make, named, small};

/// A key, and the items where they can be read.
type Snapshot = (String, Option<Vec<Value>>);

/// What lies in the folder for a place, taken from the files alone.
#[derive(Default)]
struct PlaceFiles {
    /// By day and time.
    snapshots: BTreeMap<Date, BTreeMap<String, Snapshot>>,
    histories: BTreeMap<Date, Vec<Value>>,
}

fn compliance(items: &[Value]) -> Vec<&Value> {
    items.iter().filter(|item| item["resourceType"] == "AWS::Config::ResourceCompliance").collect()
}

fn count(items: &[&Value]) -> Counts {
    let mut counts = Counts::default();
    for rule in items.iter().filter_map(|item| item["configuration"]["configRuleList"].as_array()).flatten() {
        *match rule["complianceType"].as_str().unwrap() {
            "COMPLIANT" => &mut counts.complying,
            "NON_COMPLIANT" => &mut counts.not_complying,
            "INSUFFICIENT_DATA" => &mut counts.insufficient_data,
            "NOT_APPLICABLE" => &mut counts.not_applicable,
            _ => &mut counts.unrecognised,
        } += 1;
    }
    counts
}

impl PlaceFiles {
    /// State, counts and speaking object of a day.
    fn judge(&self, day: Date) -> Option<(&'static str, Counts, Option<String>)> {
        let first = self.snapshots.iter().find_map(|(day, of_day)| {
            let good = |(_, items): &Snapshot| items.as_deref().is_some_and(|items| !compliance(items).is_empty());
            of_day.values().any(good).then_some(*day)
        });
        if let Some(of_day) = self.snapshots.get(&day) {
            let Some((_, (key, items))) = of_day.iter().rev().find(|(_, (_, items))| items.is_some()) else {
                return Some(("unreadable", Counts::default(), None));
            };
            let found = compliance(items.as_deref().unwrap());
            let last_is_bad = of_day.values().next_back().unwrap().1.is_none();
            let state = match (found.is_empty(), last_is_bad) {
                (true, _) => "no compliance items",
                (false, true) => "delivered, later object unreadable",
                (false, false) => "delivered",
            };
            return Some((state, count(&found), Some(key.clone())));
        }
        let today = self.histories.get(&day)?;
        if first.is_some_and(|first| first <= day) {
            return None;
        }
        if compliance(today).is_empty() {
            return Some(("no compliance items", Counts::default(), None));
        }
        let mut newest: BTreeMap<&str, &Value> = BTreeMap::new();
        let order = |item: &Value| {
            (item["configurationItemCaptureTime"].as_str().unwrap().to_owned(), item["configurationStateId"].as_i64())
        };
        for item in self.histories.range(..=day).flat_map(|(_, items)| compliance(items)) {
            let held = newest.entry(item["resourceId"].as_str().unwrap()).or_insert(item);
            if order(item) > order(held) {
                *held = item;
            }
        }
        Some(("inferred from history", count(&newest.into_values().collect::<Vec<_>>()), None))
    }
}

/// Accounts with their first expected day and the day from which they are expected no more.
fn expected_accounts(folder: &Path, expected: &Expected) -> BTreeMap<String, (String, Option<Date>)> {
    let mut accounts: BTreeMap<String, (String, Option<Date>)> = BTreeMap::new();
    for list in &expected.account_lists {
        let list_day = list.day;
        let text: Value = serde_json::from_slice(&fs::read(folder.join(&list.file)).unwrap()).unwrap();
        let listed = text["Accounts"].as_array().unwrap();
        for account in listed {
            let joined = account["JoinedTimestamp"].as_str().unwrap()[..10].to_owned();
            accounts.entry(account["Id"].as_str().unwrap().to_owned()).or_insert((joined, None));
        }
        for (id, (_, until)) in &mut accounts {
            let active = listed.iter().any(|account| account["Id"] == id.as_str() && account["Status"] == "ACTIVE");
            if !active && until.is_none() {
                *until = Some(list_day);
            }
        }
    }
    accounts
}

fn naive(folder: &Path, expected: &Expected) -> Vec<ExpectedDay> {
    let mut places: BTreeMap<(String, String), PlaceFiles> = BTreeMap::new();
    for (key, (bytes, _)) in files(folder) {
        let Some(object) = named(&key) else { continue };
        let place = places.entry((object.account_id, object.region)).or_default();
        if object.kind == "ConfigSnapshot" {
            place.snapshots.entry(object.day).or_default().insert(object.at, (key, items(&bytes)));
        } else {
            place.histories.entry(object.day).or_default().extend(items(&bytes).unwrap());
        }
    }
    let accounts = expected_accounts(folder, expected);
    let mut last_known: BTreeMap<(String, String), Counts> = BTreeMap::new();
    let mut days = Vec::new();
    let mut day = expected.first_day;
    while day <= expected.last_day {
        let mut sum = ExpectedDay {
            day,
            expected_places: 0,
            known_places: 0,
            never_seen_accounts: 0,
            never_seen_places: 0,
            counts: Counts::default(),
            unknown_carried: 0,
            places: Vec::new(),
        };
        for (id, (joined, until)) in &accounts {
            let expects = *joined <= day.to_string() && until.is_none_or(|until| day < until);
            for region in &expected.regions {
                let place = (id.clone(), region.clone());
                sum.expected_places += u32::from(expects);
                let judged = places.get(&place).and_then(|files| files.judge(day));
                let Some((state, counts, object)) = judged.or(expects.then(|| ("missing", Counts::default(), None)))
                else {
                    continue;
                };
                if state.starts_with("delivered") || state.starts_with("inferred") {
                    sum.known_places += 1;
                    sum.counts.complying += counts.complying;
                    sum.counts.not_complying += counts.not_complying;
                    sum.counts.insufficient_data += counts.insufficient_data;
                    sum.counts.not_applicable += counts.not_applicable;
                    sum.counts.unrecognised += counts.unrecognised;
                    last_known.insert(place, counts);
                } else if let (true, Some(last)) = (expects, last_known.get(&place)) {
                    sum.unknown_carried +=
                        last.complying + last.not_complying + last.insufficient_data + last.unrecognised;
                }
                sum.places.push(Delivery {
                    account_id: id.clone(),
                    region: region.clone(),
                    expected: expects,
                    state: state.to_owned(),
                    object,
                    counts,
                });
            }
            let seen = last_known.keys().filter(|(account, _)| account == id).count();
            sum.never_seen_accounts += u32::from(expects && seen == 0);
            if expects && seen > 0 {
                sum.never_seen_places += u32::try_from(expected.regions.len() - seen).unwrap();
            }
        }
        days.push(sum);
        day = day.next_day().unwrap();
    }
    days
}

fn agrees(options: &Options) {
    let expected = make(options);
    let counted = naive(&options.out, &expected);
    assert_eq!(counted.len(), expected.days.len());
    for (counted, mut told) in counted.into_iter().zip(expected.days) {
        // The naive count goes by account id, the sample by the order of the account list.
        told.places.sort_by(|a, b| (&a.account_id, &a.region).cmp(&(&b.account_id, &b.region)));
        assert_eq!(counted, told, "on {}", told.day);
    }
}

#[test]
fn the_true_counts_are_those_of_a_naive_count_of_the_files() {
    let folder = Scratch::new("counts");
    agrees(&small(&folder));
}

#[test]
fn the_true_counts_hold_for_other_sizes_and_seeds() {
    for (seed, accounts, days, resources, rules) in
        [(3, 13, 23, 3, 12), (4, 1, 1, 1, 1), (5, 4, 12, 30, 0), (6, 10, 11, 5, 3)]
    {
        let folder = Scratch::new(&format!("sizes-{seed}"));
        agrees(&Options { seed, accounts, days, resources, rules, regions: Regions::first(1), ..small(&folder) });
    }
}
