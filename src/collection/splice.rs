//! The store's writer, as a pure function: what a place's days now say, put into runs of days.
//!
//! A run `[first, end)` holds a key's value from one known day until a known day says otherwise. A gap never cuts a
//! run. So a day writes only what differs, and the runs of a place depend on its known days alone, in whatever order
//! they were collected.

use super::day::Day;

/// A value that held from `first` until before `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run<K, V, N> {
    pub key: K,
    pub first: Day,
    pub end: Day,
    pub value: V,
    /// Belongs to `first` and takes no part in equality of values.
    pub note: N,
}

/// What one day says of one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<K, V, N> {
    pub key: K,
    pub day: Day,
    pub value: V,
    pub note: N,
}

/// What a collection found out about days of one place.
#[derive(Debug, Clone)]
pub struct Patch<K, V, N> {
    /// Days whose entries below are now the whole truth, ascending.
    pub known: Vec<Day>,
    /// Days that were known and no longer are, ascending.
    pub forgotten: Vec<Day>,
    /// At most one entry a key and day, in any order.
    pub entries: Vec<Entry<K, V, N>>,
}

/// What a place's store knows of days, before the patch.
#[derive(Debug, Clone, Copy)]
pub struct Calendar<'a> {
    /// Days known now, ascending.
    pub known: &'a [Day],
    /// Days known at any collection, ascending; includes `known`.
    pub ever_known: &'a [Day],
}

/// The days in which a patch can change anything: runs that overlap `[from, to]` must be loaded for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The last day known before the patch's first day, else the patch's first day.
    pub from: Day,
    /// The first known day after the patch's last day, else infinity.
    pub to: Day,
}

/// What to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes<K, V, N> {
    /// Runs to take out, as they are stored.
    pub delete: Vec<Run<K, V, N>>,
    /// Runs whose end moves: as stored, with the new end.
    pub shift: Vec<(Run<K, V, N>, Day)>,
    pub insert: Vec<Run<K, V, N>>,
    /// What days known before, now or at an earlier collection, read differently from now on.
    pub restated: Vec<Restated<K, V, N>>,
}

/// The value and note that stood for an already known day, before and after. `None` is absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restated<K, V, N> {
    pub key: K,
    pub day: Day,
    pub old: Option<(V, N)>,
    pub new: Option<(V, N)>,
}

/// The known days once the patch is in, ascending.
pub fn known_after<K, V, N>(calendar: Calendar<'_>, patch: &Patch<K, V, N>) -> Vec<Day> {
    let mut days: Vec<Day> = calendar.known.iter().chain(&patch.known).copied().collect();
    days.sort_unstable();
    days.dedup();
    days.retain(|day| patch.forgotten.binary_search(day).is_err());
    days
}

/// The known days on which a patch may begin a run that it says nothing of: those that follow the patch's days and are not
/// among them. [`splice`] asks for their notes.
pub fn days_after<K, V, N>(calendar: Calendar<'_>, patch: &Patch<K, V, N>) -> Vec<Day> {
    let after = known_after(calendar, patch);
    let follows = |day: &Day| after.get(after.partition_point(|known| known <= day)).copied();
    let mut days: Vec<Day> = patch.known.iter().chain(&patch.forgotten).filter_map(follows).collect();
    days.sort_unstable();
    days.dedup();
    days.retain(|day| patch.known.binary_search(day).is_err());
    days
}

/// The window of a patch; `None` if the patch names no day.
pub fn window<K, V, N>(calendar: Calendar<'_>, patch: &Patch<K, V, N>) -> Option<Window> {
    let days = || patch.known.iter().chain(&patch.forgotten).copied();
    let (low, high) = (days().min()?, days().max()?);
    let after = known_after(calendar, patch);
    Some(Window {
        from: after.iter().rev().find(|&&day| day < low).copied().unwrap_or(low),
        to: after.iter().find(|&&day| day > high).copied().unwrap_or(Day::INFINITY),
    })
}

/// Puts a patch into a place's runs.
///
/// `runs` are all stored runs that overlap or start at the end of the [`window`], in any order; others may be left out.
/// `note` gives the note of a key on a known day that the patch does not speak for: where a run is split, its right part
/// begins on such a day.
pub fn splice<K, V, N>(
    calendar: Calendar<'_>,
    mut patch: Patch<K, V, N>,
    mut runs: Vec<Run<K, V, N>>,
    note: impl Fn(K, Day) -> N,
) -> Changes<K, V, N>
where
    K: Copy + Ord,
    V: Copy + Eq,
    N: Copy + Eq,
{
    let mut changes = Changes { delete: vec![], shift: vec![], insert: vec![], restated: vec![] };
    let Some(window) = window(calendar, &patch) else { return changes };
    let after = known_after(calendar, &patch);
    let days: Vec<(Day, bool)> = after
        .iter()
        .filter(|&&day| day >= window.from && day < window.to)
        .map(|&day| (day, patch.known.binary_search(&day).is_ok()))
        .collect();
    // A patch that only adds days after all others leaves the past as it reads.
    let first = patch.known.iter().chain(&patch.forgotten).min().copied();
    let restating = calendar.ever_known.last().copied() >= first;
    let watched = match calendar.ever_known.binary_search(&window.from) {
        Ok(at) | Err(at) if restating => calendar.ever_known.get(at..).unwrap_or_default(),
        _ => &[],
    };

    runs.retain(|run| run.end > window.from && run.first <= window.to);
    runs.sort_unstable_by_key(|run| (run.key, run.first));
    patch.entries.sort_unstable_by_key(|entry| (entry.key, entry.day));

    let frame = Frame { window, days: &days, watched, note };
    let (mut runs, mut entries) = (runs.as_slice(), patch.entries.as_slice());
    let mut fresh = Vec::new();
    while let Some(key) =
        [runs.first().map(|run| run.key), entries.first().map(|entry| entry.key)].into_iter().flatten().min()
    {
        let old = take_key(&mut runs, |run| run.key == key);
        let said = take_key(&mut entries, |entry| entry.key == key);
        fresh.clear();
        frame.encode(key, old, said, &mut fresh);
        frame.compare(key, old, &fresh, &mut changes);
    }
    changes
}

fn take_key<'a, T>(slice: &mut &'a [T], same: impl Fn(&T) -> bool) -> &'a [T] {
    let length = slice.iter().take_while(|item| same(item)).count();
    let (taken, rest) = slice.split_at(length);
    *slice = rest;
    taken
}

fn covering<K, V, N>(runs: &[Run<K, V, N>], day: Day) -> Option<&Run<K, V, N>> {
    let index = runs.partition_point(|run| run.end <= day);
    runs.get(index).filter(|run| run.first <= day)
}

struct Frame<'a, F> {
    window: Window,
    /// Known days of the window, with whether the patch speaks for them.
    days: &'a [(Day, bool)],
    /// Days ever known that may read differently.
    watched: &'a [Day],
    note: F,
}

impl<F> Frame<'_, F> {
    /// The runs of one key over the window, with what sticks out of it on either side.
    fn encode<K, V, N>(&self, key: K, old: &[Run<K, V, N>], said: &[Entry<K, V, N>], fresh: &mut Vec<Run<K, V, N>>)
    where
        K: Copy,
        V: Copy + Eq,
        N: Copy,
        F: Fn(K, Day) -> N,
    {
        let mut open: Option<Run<K, V, N>> = None;
        let mut said = said.iter().peekable();
        for &(day, patched) in self.days {
            let now = if patched {
                said.next_if(|entry| entry.day == day).map(|entry| Run {
                    key,
                    first: day,
                    end: Day::INFINITY,
                    value: entry.value,
                    note: entry.note,
                })
            } else {
                covering(old, day).map(|run| {
                    // The window's first day may continue a run from before it.
                    if run.first == day || (day == self.window.from && run.first < day) {
                        *run
                    } else {
                        Run { first: day, note: (self.note)(key, day), ..*run }
                    }
                })
            };
            match (&mut open, now) {
                (Some(run), Some(next)) if run.value == next.value => {}
                (_, next) => {
                    fresh.extend(open.take().map(|run| Run { end: day, ..run }));
                    open = next;
                }
            }
        }
        let right = covering(old, self.window.to).filter(|_| self.window.to < Day::INFINITY);
        match (open, right) {
            (Some(run), Some(right)) if run.value == right.value => {
                fresh.push(Run { end: right.end, ..run });
            }
            (open, right) => {
                fresh.extend(open.map(|run| Run { end: self.window.to, ..run }));
                fresh.extend(right.map(|run| {
                    if run.first == self.window.to {
                        *run
                    } else {
                        Run { first: self.window.to, note: (self.note)(key, self.window.to), ..*run }
                    }
                }));
            }
        }
    }

    fn compare<K, V, N>(&self, key: K, old: &[Run<K, V, N>], fresh: &[Run<K, V, N>], changes: &mut Changes<K, V, N>)
    where
        K: Copy + Eq,
        V: Copy + Eq,
        N: Copy + Eq,
    {
        if old == fresh {
            return;
        }
        let mut unmatched = fresh.iter().peekable();
        for run in old {
            while let Some(new) = unmatched.next_if(|new| new.first < run.first) {
                changes.insert.push(*new);
            }
            match unmatched.next_if(|new| new.first == run.first) {
                Some(new) if (new.value, new.note) == (run.value, run.note) => {
                    if new.end != run.end {
                        changes.shift.push((*run, new.end));
                    }
                }
                Some(new) => {
                    changes.delete.push(*run);
                    changes.insert.push(*new);
                }
                None => changes.delete.push(*run),
            }
        }
        changes.insert.extend(unmatched);
        for &day in self.watched {
            let value = |runs: &[Run<K, V, N>]| covering(runs, day).map(|run| (run.value, run.note));
            let (was, is) = (value(old), value(fresh));
            if was != is {
                changes.restated.push(Restated { key, day, old: was, new: is });
            }
        }
    }
}

#[cfg(test)]
mod tests;
