//! The runs against a table of every day, under random histories.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

type Table = BTreeMap<Day, BTreeMap<u8, (u8, i64)>>;
type Runs = Vec<Run<u8, u8, i64>>;

/// One collection: days that it makes known, with their whole truth, and days that it makes unknown.
#[derive(Debug, Clone)]
struct Step {
    known: BTreeMap<i32, BTreeMap<u8, u8>>,
    forgotten: BTreeSet<i32>,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let truth = prop::collection::btree_map(0_u8..6, 0_u8..3, 0..6);
    let step = (prop::collection::btree_map(0_i32..14, truth, 0..4), prop::collection::btree_set(0_i32..14, 0..2))
        .prop_map(|(known, mut forgotten)| {
            forgotten.retain(|day| !known.contains_key(day));
            Step { known, forgotten }
        });
    prop::collection::vec(step, 1..9)
}

/// A store as the database keeps it, with the table that it must equal.
#[derive(Default)]
struct World {
    runs: Runs,
    table: Table,
    ever: BTreeSet<Day>,
    serial: i64,
    /// Per collection: what the store said of each known day, run values and notes.
    snapshots: Vec<Table>,
    restated: Vec<Vec<Restated<u8, u8, i64>>>,
}

impl World {
    fn apply(&mut self, step: &Step) {
        let known_before: Vec<Day> = self.table.keys().copied().collect();
        let ever: Vec<Day> = self.ever.iter().copied().collect();
        let mut patch = Patch {
            known: step.known.keys().map(|&day| Day(day)).collect(),
            forgotten: step.forgotten.iter().map(|&day| Day(day)).filter(|day| self.table.contains_key(day)).collect(),
            entries: vec![],
        };
        for (&day, truth) in &step.known {
            for (&key, &value) in truth {
                self.serial += 1;
                patch.entries.push(Entry { key, day: Day(day), value, note: self.serial });
            }
        }
        for day in &patch.forgotten {
            self.table.remove(day);
        }
        for &day in &patch.known {
            self.table.insert(day, BTreeMap::new());
            self.ever.insert(day);
        }
        for entry in &patch.entries {
            self.table.entry(entry.day).or_default().insert(entry.key, (entry.value, entry.note));
        }
        let calendar = Calendar { known: &known_before, ever_known: &ever };
        let loaded = match window(calendar, &patch) {
            Some(window) => {
                self.runs.iter().filter(|run| run.end > window.from && run.first <= window.to).copied().rev().collect()
            }
            None => vec![],
        };
        let asked = days_after(calendar, &patch);
        let table = &self.table;
        let note = |key, day| {
            let note = table[&day][&key].1;
            if asked.contains(&day) { note } else { -1 }
        };
        let changes = splice(calendar, patch, loaded, note);
        for run in &changes.delete {
            let at = self.runs.iter().position(|stored| stored == run).expect("a deleted run is stored");
            self.runs.remove(at);
        }
        for (run, end) in &changes.shift {
            let stored = self.runs.iter_mut().find(|stored| *stored == run).expect("a shifted run is stored");
            stored.end = *end;
        }
        self.runs.extend(&changes.insert);
        self.restated.push(changes.restated);
        let said = self.said(&self.table.keys().copied().collect::<Vec<_>>());
        self.snapshots.push(said);
    }

    fn said(&self, days: &[Day]) -> Table {
        days.iter()
            .map(|&day| {
                let covering = self.runs.iter().filter(|run| run.first <= day && day < run.end);
                (day, covering.map(|run| (run.key, (run.value, run.note))).collect())
            })
            .collect()
    }

    /// What the store said of its known days after collection `at`, from the runs of now.
    fn known_at(&self, at: usize) -> Table {
        let days: Vec<Day> = self.snapshots[at].keys().copied().collect();
        let mut table = self.said(&days);
        for restated in self.restated[at + 1..].iter().rev().flatten() {
            let Some(truth) = table.get_mut(&restated.day) else { continue };
            match restated.old {
                Some(old) => truth.insert(restated.key, old),
                None => truth.remove(&restated.key),
            };
        }
        table
    }
}

fn values(table: &Table) -> BTreeMap<Day, BTreeMap<u8, u8>> {
    table.iter().map(|(&day, truth)| (day, truth.iter().map(|(&key, &(value, _))| (key, value)).collect())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn the_runs_equal_a_table_of_every_day(steps in steps()) {
        let mut world = World::default();
        for step in &steps {
            world.apply(step);
            let days: Vec<Day> = world.table.keys().copied().collect();
            prop_assert_eq!(values(&world.said(&days)), values(&world.table));
            let mut runs = world.runs.clone();
            runs.sort_unstable_by_key(|run| (run.key, run.first));
            for run in &runs {
                prop_assert!(run.first < run.end);
                prop_assert!(world.table.contains_key(&run.first), "a run begins on a known day");
                prop_assert_eq!(
                    (run.value, run.note),
                    world.table[&run.first][&run.key],
                    "and has that day's note, also where it was split"
                );
                prop_assert!(run.end == Day::INFINITY || world.table.contains_key(&run.end), "and ends before one");
            }
            for pair in runs.windows(2) {
                let [left, right] = pair else { continue };
                prop_assert!(left.key != right.key || left.end <= right.first, "runs of a key do not overlap");
                prop_assert!(
                    left.key != right.key || left.end < right.first || left.value != right.value,
                    "equal neighbours are one run"
                );
            }
        }
    }

    #[test]
    fn every_collection_can_be_read_back(steps in steps()) {
        let mut world = World::default();
        for step in &steps {
            world.apply(step);
        }
        for at in 0..steps.len() {
            prop_assert_eq!(world.known_at(at), world.snapshots[at].clone());
        }
    }

    #[test]
    fn the_order_of_collection_does_not_matter(mut days in prop::collection::vec((0_i32..20, prop::collection::btree_map(0_u8..5, 0_u8..3, 0..5)), 1..8)) {
        days.sort_by_key(|(day, _)| *day);
        days.dedup_by_key(|(day, _)| *day);
        let collect = |order: &mut dyn Iterator<Item = &(i32, BTreeMap<u8, u8>)>| {
            let mut world = World::default();
            for (day, truth) in order {
                world.apply(&Step { known: BTreeMap::from([(*day, truth.clone())]), forgotten: BTreeSet::new() });
            }
            let mut runs: Vec<_> = world.runs.iter().map(|run| (run.key, run.first, run.end, run.value)).collect();
            runs.sort_unstable();
            runs
        };
        prop_assert_eq!(collect(&mut days.iter()), collect(&mut days.iter().rev()));
    }
}

#[test]
fn a_day_like_the_one_before_writes_nothing() {
    let run = Run { key: 1, first: Day(1), end: Day::INFINITY, value: 1, note: 0 };
    let patch = Patch {
        known: vec![Day(3)],
        forgotten: vec![],
        entries: vec![Entry { key: 1, day: Day(3), value: 1, note: 9 }],
    };
    let changes = splice(Calendar { known: &[Day(1)], ever_known: &[Day(1)] }, patch, vec![run], |_, _| 0);
    assert_eq!(changes, Changes { delete: vec![], shift: vec![], insert: vec![], restated: vec![] });
}
