//! What of a bucket to list, level by level: `AWSLogs/ACCOUNT/Config/REGION/YEAR/MONTH/DAY/`. Pure.
//!
//! Months and days are not zero-padded, so keys do not sort by date: the days of a place are found by walking its folders,
//! and only those that can hold a day that was asked for.

use time::{Date, Month};

use super::super::files::keys;
use super::super::settled::Settled;
use super::super::source::{Days, PlaceName, Scope};
use crate::aws::role::is_account_id;

/// Where in the layout a prefix stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Level {
    /// `…/AWSLogs/`, or `…/AWSLogs/o-abc123/`, as `CloudTrail` has it: below are accounts.
    Logs,
    /// `…/ACCOUNT/Config/`: below are Regions.
    Account(String),
    /// Below are years.
    Place(PlaceName),
    /// Below are months.
    Year(PlaceName, i32),
    /// Below are days.
    Month(PlaceName, i32, Month),
    /// A folder of snapshots or of history objects: below are objects.
    Objects(PlaceName, Date),
}

/// A prefix to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Folder {
    /// Ends in `/`.
    pub(super) prefix: String,
    pub(super) level: Level,
}

/// Where to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Start {
    /// The prefix is inside the layout.
    Inside(Vec<Folder>),
    /// `AWSLogs/` must be looked for below it.
    Above,
}

/// The days to list: those asked for that are not settled.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) days: Days,
    pub(super) settled: &'a Settled,
}

impl Wanted<'_> {
    /// Whether any of a place's days from `first` to `last` is to be listed.
    fn touch(self, place: &PlaceName, first: Date, last: Date) -> bool {
        let begin = self.days.since.map_or(first, |since| since.max(first));
        let end = self.days.until.map_or(last, |until| until.min(last));
        begin <= end && !self.settled.hold(place, begin, end)
    }
}

/// What follows from one listing.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Below {
    pub(super) folders: Vec<Folder>,
    /// Folders that should not be where they are, and why.
    pub(super) malformed: Vec<(String, String)>,
    /// Folders that are not AWS Config's.
    pub(super) skipped: Vec<String>,
}

/// Where to begin with a prefix that a person gave: empty, or ending in `/`.
pub(super) fn start(prefix: &str, days: Days) -> Result<Start, String> {
    let segments: Vec<&str> = prefix.split_terminator('/').collect();
    let Some(at) = segments.iter().rposition(|segment| *segment == "AWSLogs") else { return Ok(Start::Above) };
    let below = segments.get(at + 1..).unwrap_or_default();
    let below = match below {
        [first, rest @ ..] if first.starts_with("o-") => rest,
        all => all,
    };
    let mut folder = Folder { prefix: prefix.to_owned(), level: Level::Logs };
    let Some((account_id, rest)) = below.split_first() else { return Ok(Start::Inside(vec![folder])) };
    if !is_account_id(account_id) {
        return Err(format!("{account_id:?} below AWSLogs/ is not the id of an account"));
    }
    folder.level = Level::Account((*account_id).to_owned());
    let Some((config, rest)) = rest.split_first() else {
        folder.prefix.push_str("Config/");
        return Ok(Start::Inside(vec![folder]));
    };
    if *config != "Config" {
        return Err(format!("{config:?} is not AWS Config's part of account {account_id}"));
    }
    let mut folders = vec![folder];
    for segment in rest {
        let [folder] = folders.as_slice() else {
            return Err(format!("the prefix must end at a day at the latest, before {segment:?}"));
        };
        // Who names a day wants it, settled or not.
        let below = below_one(folder, segment, prefix, Wanted { days, settled: &Settled::default() });
        if let Some((_, why)) = below.malformed.into_iter().next() {
            return Err(why);
        }
        folders = below.folders;
    }
    Ok(Start::Inside(folders))
}

/// What to list next, after the names of the folders below one.
pub(super) fn below(folder: &Folder, prefixes: &[String], wanted: Wanted<'_>) -> Below {
    let mut all = Below::default();
    for prefix in prefixes {
        let name = prefix.strip_prefix(&folder.prefix).unwrap_or(prefix).trim_end_matches('/');
        let one = below_one(folder, name, prefix, wanted);
        all.folders.extend(one.folders);
        all.malformed.extend(one.malformed);
        all.skipped.extend(one.skipped);
    }
    all
}

fn below_one(folder: &Folder, name: &str, prefix: &str, wanted: Wanted<'_>) -> Below {
    let go = |level| Below { folders: vec![Folder { prefix: prefix.to_owned(), level }], ..Below::default() };
    let malformed = |why: String| Below { malformed: vec![(prefix.to_owned(), why)], ..Below::default() };
    match &folder.level {
        Level::Logs if is_account_id(name) => Below {
            folders: vec![Folder { prefix: format!("{prefix}Config/"), level: Level::Account(name.to_owned()) }],
            ..Below::default()
        },
        Level::Logs if name.starts_with("o-") => go(Level::Logs),
        Level::Logs => Below { skipped: vec![prefix.to_owned()], ..Below::default() },
        Level::Account(account_id) if keys::is_region(name) => {
            go(Level::Place(PlaceName { account_id: account_id.clone(), region: name.to_owned() }))
        }
        Level::Account(_) => malformed(format!("\"{name}\" is not the name of a Region")),
        Level::Place(place) => match year(name) {
            Some(year) if wanted.touch(place, first_of(year, Month::January), last_of(year, Month::December)) => {
                go(Level::Year(place.clone(), year))
            }
            Some(_) => Below::default(),
            None => malformed(format!("there is no year {name}")),
        },
        Level::Year(place, year) => match month(name) {
            Some(month) if wanted.touch(place, first_of(*year, month), last_of(*year, month)) => {
                go(Level::Month(place.clone(), *year, month))
            }
            Some(_) => Below::default(),
            None => malformed(format!("there is no month {year}/{name}")),
        },
        Level::Month(place, year, month) => match day(*year, *month, name) {
            Some(day) if wanted.touch(place, day, day) => {
                let kind = |kind: &str| Folder {
                    prefix: format!("{prefix}{kind}/"),
                    level: Level::Objects(place.clone(), day),
                };
                Below { folders: vec![kind("ConfigSnapshot"), kind("ConfigHistory")], ..Below::default() }
            }
            Some(_) => Below::default(),
            None => malformed(format!("there is no day {year}/{}/{name}", u8::from(*month))),
        },
        Level::Objects(..) => malformed(format!("the folder \"{name}\" is not part of AWS Config's layout")),
    }
}

/// Whose evidence, of which days, lies below a folder.
pub(super) fn scope(folder: &Folder, days: Days) -> Option<Scope> {
    let of = |place: &PlaceName, first: Date, last: Date| {
        let since = days.since.map_or(first, |since| since.max(first));
        let until = days.until.map_or(last, |until| until.min(last));
        Scope::of(place, Days { since: Some(since), until: Some(until) })
    };
    Some(match &folder.level {
        Level::Logs => return None,
        Level::Account(account_id) => Scope { account_id: account_id.clone(), region: None, days },
        Level::Place(place) => Scope::of(place, days),
        Level::Year(place, year) => of(place, first_of(*year, Month::January), last_of(*year, Month::December)),
        Level::Month(place, year, month) => of(place, first_of(*year, *month), last_of(*year, *month)),
        Level::Objects(place, day) => of(place, *day, *day),
    })
}

fn year(name: &str) -> Option<i32> {
    (name.len() == 4 && name.bytes().all(|byte| byte.is_ascii_digit())).then(|| name.parse().ok())?
}

fn month(name: &str) -> Option<Month> {
    small(name).and_then(|number| Month::try_from(number).ok())
}

fn day(year: i32, month: Month, name: &str) -> Option<Date> {
    Date::from_calendar_date(year, month, small(name)?).ok()
}

/// One or two digits.
fn small(name: &str) -> Option<u8> {
    (matches!(name.len(), 1 | 2) && name.bytes().all(|byte| byte.is_ascii_digit())).then(|| name.parse().ok())?
}

fn first_of(year: i32, month: Month) -> Date {
    Date::from_calendar_date(year, month, 1).unwrap_or(Date::MIN)
}

fn last_of(year: i32, month: Month) -> Date {
    Date::from_calendar_date(year, month, month.length(year)).unwrap_or(Date::MAX)
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    const ALL: Days = Days { since: None, until: None };

    fn names(folders: &[Folder]) -> Vec<&str> {
        folders.iter().map(|folder| folder.prefix.as_str()).collect()
    }

    fn only(start: Result<Start, String>) -> Folder {
        match start {
            Ok(Start::Inside(folders)) if folders.len() == 1 => folders[0].clone(),
            other => panic!("{other:?}"),
        }
    }

    /// Goes down from a prefix by names; what is to be listed at the end.
    fn walk(from: &str, steps: &[&str], days: Days) -> Below {
        walk_unsettled(from, steps, Wanted { days, settled: &Settled::default() })
    }

    fn walk_unsettled(from: &str, steps: &[&str], wanted: Wanted<'_>) -> Below {
        let mut folder = only(start(from, wanted.days));
        let (last, steps) = steps.split_last().expect("a step");
        for step in steps {
            let below = below(&folder, &[format!("{}{step}/", folder.prefix)], wanted);
            folder = below.folders[0].clone();
        }
        below(&folder, &[format!("{}{last}/", folder.prefix)], wanted)
    }

    #[test]
    fn only_snapshots_and_history_of_config_are_listed() {
        let below = walk("o-abc/AWSLogs/", &["012345678901", "eu-central-1", "2026", "11", "6"], ALL);
        let day = "o-abc/AWSLogs/012345678901/Config/eu-central-1/2026/11/6";
        assert_eq!(names(&below.folders), [format!("{day}/ConfigSnapshot/"), format!("{day}/ConfigHistory/")]);
        let place = PlaceName { account_id: "012345678901".to_owned(), region: "eu-central-1".to_owned() };
        assert_eq!(below.folders[0].level, Level::Objects(place, date!(2026 - 11 - 06)));
    }

    #[test]
    fn a_prefix_may_begin_at_any_level() {
        let deep = "x/y/AWSLogs/o-abc/012345678901/Config/eu-central-1/2026/2/";
        let cases = [
            ("AWSLogs/", "AWSLogs/"),
            ("x/AWSLogs/o-abc/", "x/AWSLogs/o-abc/"),
            ("AWSLogs/012345678901/", "AWSLogs/012345678901/Config/"),
            ("AWSLogs/012345678901/Config/", "AWSLogs/012345678901/Config/"),
            (deep, deep),
        ];
        for (prefix, first) in cases {
            assert_eq!(only(start(prefix, ALL)).prefix, first, "{prefix}");
        }
        assert_eq!(
            start(&format!("{deep}28/"), ALL).map(|it| matches!(it, Start::Inside(two) if two.len() == 2)),
            Ok(true)
        );
        assert_eq!(start("", ALL), Ok(Start::Above));
        assert_eq!(start("o-abc/", ALL), Ok(Start::Above));
    }

    #[test]
    fn a_prefix_beside_configs_layout_is_refused() {
        for prefix in [
            "AWSLogs/CloudTrail/",
            "AWSLogs/012345678901/CloudTrail/",
            "AWSLogs/012345678901/Config/somewhere/",
            "AWSLogs/012345678901/Config/eu-central-1/2026/13/",
            "AWSLogs/012345678901/Config/eu-central-1/2026/2/30/",
            "AWSLogs/012345678901/Config/eu-central-1/2026/2/1/ConfigSnapshot/",
        ] {
            assert!(start(prefix, ALL).is_err(), "{prefix}");
        }
    }

    #[test]
    fn days_that_were_not_asked_for_are_not_listed() {
        let days = Days { since: Some(date!(2025 - 12 - 31)), until: Some(date!(2026 - 02 - 09)) };
        let place = "AWSLogs/012345678901/Config/eu-central-1/";
        let listed = |steps: &[&str]| walk(place, steps, days).folders.len();
        assert_eq!([listed(&["2024"]), listed(&["2025"]), listed(&["2026"]), listed(&["2027"])], [0, 1, 1, 0]);
        assert_eq!([listed(&["2025", "11"]), listed(&["2025", "12"])], [0, 1]);
        assert_eq!([listed(&["2026", "1"]), listed(&["2026", "2"]), listed(&["2026", "3"])], [1, 1, 0]);
        // Not in the order of their names.
        let of_february = |day: &str| listed(&["2026", "2", day]);
        assert_eq!([of_february("1"), of_february("9"), of_february("10"), of_february("28")], [2, 2, 0, 0]);
    }

    #[test]
    fn days_that_are_settled_are_not_listed_and_those_beside_them_are() {
        let place = PlaceName { account_id: "012345678901".to_owned(), region: "eu-central-1".to_owned() };
        let stretches =
            [(date!(2025 - 12 - 30), date!(2026 - 02 - 10)), (date!(2026 - 02 - 12), date!(2026 - 02 - 28))];
        let settled = Settled::new(stretches.map(|(first, last)| (place.clone(), first, last)));
        let listed = |days, region: &str, steps: &[&str]| {
            let prefix = format!("AWSLogs/012345678901/Config/{region}/");
            walk_unsettled(&prefix, steps, Wanted { days, settled: &settled }).folders.len()
        };
        let of = |steps: &[&str]| listed(ALL, "eu-central-1", steps);
        assert_eq!([of(&["2025"]), of(&["2026"]), of(&["2026", "1"]), of(&["2026", "2"])], [1, 1, 0, 1]);
        assert_eq!([of(&["2026", "2", "10"]), of(&["2026", "2", "11"]), of(&["2026", "2", "12"])], [0, 2, 0]);
        assert_eq!(listed(ALL, "eu-west-1", &["2026", "1"]), 1);
        let since = Days { since: Some(date!(2026 - 02 - 12)), until: Some(date!(2026 - 02 - 20)) };
        assert_eq!(listed(since, "eu-central-1", &["2026"]), 0);
    }

    #[test]
    fn a_folder_that_does_not_belong_is_reported_and_not_listed() {
        let below = walk("AWSLogs/", &["012345678901", "Digest"], ALL);
        assert_eq!((below.folders.len(), below.malformed.len()), (0, 1));
        let below = walk("AWSLogs/012345678901/Config/eu-central-1/", &["2026", "2", "30"], ALL);
        assert_eq!(below.malformed[0].1, "there is no day 2026/2/30");
        assert_eq!(walk("AWSLogs/", &["backup"], ALL).skipped, ["AWSLogs/backup/"]);
    }

    #[test]
    fn a_folder_that_cannot_be_listed_tells_whose_days_it_hides() {
        let days = Days { since: Some(date!(2026 - 02 - 10)), until: None };
        let month = only(start("AWSLogs/012345678901/Config/eu-central-1/2026/2/", days));
        let scope = scope(&month, days).expect("a month has a place");
        assert_eq!(scope.region.as_deref(), Some("eu-central-1"));
        let hidden = Days { since: Some(date!(2026 - 02 - 10)), until: Some(date!(2026 - 02 - 28)) };
        assert_eq!(scope.days, hidden);
    }
}
