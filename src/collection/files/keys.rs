//! What the name of an object in a delivery bucket says. Pure.
//!
//! AWS Config delivers to `[PREFIX/]AWSLogs/ACCOUNT/Config/REGION/Y/M/D/ConfigSnapshot|ConfigHistory/FILE`, with months and days
//! that are not zero-padded. Other things live in the same bucket; a name that is not Config's is ignored with a reason, a name that
//! looks like Config's and is not is malformed: it is reported, never dropped.

use std::borrow::Cow;

use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time};

use crate::collection::source::{Key, Kind, PlaceName};

/// What a name turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parsed {
    Config(Key),
    Ignored(Ignored),
    /// Looks like Config's; the sentence says what is wrong with it.
    Malformed(String),
}

/// Why a name is not looked into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ignored {
    /// `ConfigWritabilityCheckFile`, with which Config tries whether it may write.
    WritabilityCheck,
    /// A change notification too large for SNS; the item itself is in the next history object and snapshot.
    OversizedChangeNotification,
    /// A CloudTrail log, digest or insight in the same bucket.
    CloudTrail,
    /// Anything else that is not AWS Config's.
    NotConfig,
}

impl Ignored {
    pub const ALL: [Self; 4] = [
        Self::WritabilityCheck,
        Self::OversizedChangeNotification,
        Self::CloudTrail,
        Self::NotConfig,
    ];

    /// The words for a person and for the count ladder.
    pub fn word(self) -> &'static str {
        match self {
            Self::WritabilityCheck => "writability check",
            Self::OversizedChangeNotification => "oversized change notification",
            Self::CloudTrail => "CloudTrail",
            Self::NotConfig => "not AWS Config's",
        }
    }
}

/// Reads a whole key, `/`-separated, at any prefix depth. `::` may be written `%3A%3A`, as S3 event records and some tools write it.
///
/// The folder above the account may be missing (`ACCOUNT/Config/…`): then the root was the `AWSLogs` folder itself.
pub fn parse(name: &str) -> Parsed {
    let name = decode_colons(name);
    let segments: Vec<&str> = name.split('/').collect();
    let file = segments.last().copied().unwrap_or_default();
    match after_config(&segments) {
        Place::Config { account_id, rest } if !file.is_empty() && !file.starts_with('.') => {
            parse_config(account_id, rest)
        }
        Place::Config { .. } | Place::Other => Parsed::Ignored(Ignored::NotConfig),
        Place::CloudTrail => Parsed::Ignored(Ignored::CloudTrail),
    }
}

enum Place<'a, 'b> {
    Config {
        account_id: &'a str,
        rest: &'b [&'a str],
    },
    CloudTrail,
    Other,
}

/// Finds the part after `AWSLogs/ACCOUNT/Config`. CloudTrail puts the organisation's id behind `AWSLogs`; it is accepted there for Config too.
fn after_config<'a, 'b>(segments: &'b [&'a str]) -> Place<'a, 'b> {
    let below = match segments.iter().rposition(|segment| *segment == "AWSLogs") {
        Some(index) => segments.get(index + 1..).unwrap_or_default(),
        None if segments.first().is_some_and(|first| is_account_id(first)) => segments,
        None => return Place::Other,
    };
    let below = if below.first().is_some_and(|first| first.starts_with("o-")) {
        below.get(1..).unwrap_or_default()
    } else {
        below
    };
    match below {
        [account_id, "Config", rest @ ..] if !rest.is_empty() => Place::Config { account_id, rest },
        [
            _,
            "CloudTrail" | "CloudTrail-Digest" | "CloudTrail-Insight",
            _,
            ..,
        ] => Place::CloudTrail,
        _ => Place::Other,
    }
}

fn parse_config(account_id: &str, rest: &[&str]) -> Parsed {
    if let [.., "ConfigWritabilityCheckFile"] = rest {
        return Parsed::Ignored(Ignored::WritabilityCheck);
    }
    if let [_, _, _, _, "OversizedChangeNotification", ..] = rest {
        return Parsed::Ignored(Ignored::OversizedChangeNotification);
    }
    let &[region, year, month, day, folder, file] = rest else {
        return Parsed::Malformed(
            "the key is not REGION/YEAR/MONTH/DAY/TYPE/FILE below Config".to_owned(),
        );
    };
    key(account_id, region, [year, month, day], folder, file)
        .map_or_else(Parsed::Malformed, Parsed::Config)
}

fn key(
    account_id: &str,
    region: &str,
    day: [&str; 3],
    folder: &str,
    file: &str,
) -> Result<Key, String> {
    if !is_account_id(account_id) {
        return Err(format!("the account id \"{account_id}\" is not 12 digits"));
    }
    if !is_region(region) {
        return Err(format!("\"{region}\" is not the name of a Region"));
    }
    let [year, month, date] = day;
    let day = parse_day(year, month, date)
        .ok_or_else(|| format!("there is no day {year}/{month}/{date}"))?;
    let kind = match folder {
        "ConfigSnapshot" => Kind::Snapshot,
        "ConfigHistory" => Kind::History,
        _ => {
            return Err(format!(
                "the folder \"{folder}\" is neither ConfigSnapshot nor ConfigHistory"
            ));
        }
    };
    let Some(stem) = file
        .strip_suffix(".json.gz")
        .or_else(|| file.strip_suffix(".json"))
    else {
        return Err("the file's name does not end in .json.gz".to_owned());
    };
    let place = PlaceName {
        account_id: account_id.to_owned(),
        region: region.to_owned(),
    };
    let (taken_at, resource_type) = parse_stem(stem, &place, folder)?;
    Ok(Key {
        place,
        day,
        kind,
        taken_at,
        resource_type,
    })
}

/// Reads `ACCOUNT_Config_REGION_ConfigSnapshot_TIME_ID` and `ACCOUNT_Config_REGION_ConfigHistory_TYPE_START_END_N`.
/// A name of another form says nothing and is no fault; one of this form must agree with its path.
fn parse_stem(
    stem: &str,
    place: &PlaceName,
    folder: &str,
) -> Result<(Option<OffsetDateTime>, Option<String>), String> {
    let mut words = stem.splitn(5, '_');
    let (Some(account_id), Some("Config"), Some(region), Some(kind), Some(rest)) = (
        words.next(),
        words.next(),
        words.next(),
        words.next(),
        words.next(),
    ) else {
        return Ok((None, None));
    };
    if account_id != place.account_id {
        return Err(format!(
            "the file's name says account {account_id}, its path {}",
            place.account_id
        ));
    }
    if region != place.region {
        return Err(format!(
            "the file's name says Region {region}, its path {}",
            place.region
        ));
    }
    if kind != folder {
        return Err(format!("the file's name says {kind}, its path {folder}"));
    }
    if folder == "ConfigSnapshot" {
        return Ok((
            parse_time(rest.split('_').next().unwrap_or_default())?,
            None,
        ));
    }
    // From the right: a resource type may hold underscores.
    let mut words = rest.rsplitn(4, '_');
    let (Some(_number), Some(end), Some(_start), Some(resource_type)) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Ok((None, None));
    };
    Ok((parse_time(end)?, Some(resource_type.to_owned())))
}

/// Reads `20160927T183939Z`. Other forms are no time; a time of this form that cannot be is an error.
fn parse_time(word: &str) -> Result<Option<OffsetDateTime>, String> {
    let shape: String = word
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    if shape != "00000000T000000Z" {
        return Ok(None);
    }
    let part = |from: usize, to: usize| word.get(from..to).unwrap_or_default();
    let number = |from: usize, to: usize| part(from, to).parse::<u8>().ok();
    let day = parse_day(part(0, 4), part(4, 6), part(6, 8));
    let time = match (number(9, 11), number(11, 13), number(13, 15)) {
        (Some(hour), Some(minute), Some(second)) => Time::from_hms(hour, minute, second).ok(),
        _ => None,
    };
    match (day, time) {
        (Some(day), Some(time)) => Ok(Some(PrimitiveDateTime::new(day, time).assume_utc())),
        _ => Err(format!("the file's name holds {word}, which is no time")),
    }
}

fn parse_day(year: &str, month: &str, day: &str) -> Option<Date> {
    let digits = |word: &str, lengths: std::ops::RangeInclusive<usize>| {
        lengths.contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_digit())
    };
    if !digits(year, 4..=4) || !digits(month, 1..=2) || !digits(day, 1..=2) {
        return None;
    }
    let month = Month::try_from(month.parse::<u8>().ok()?).ok()?;
    Date::from_calendar_date(year.parse().ok()?, month, day.parse().ok()?).ok()
}

fn is_account_id(word: &str) -> bool {
    word.len() == 12 && word.bytes().all(|byte| byte.is_ascii_digit())
}

/// A Region's name is lower-case words with a number at the end, e.g. `us-gov-west-1`.
fn is_region(word: &str) -> bool {
    let mut parts = word.rsplit('-');
    let number = parts.next().unwrap_or_default();
    let mut words = 0;
    let all_words = parts.all(|part| {
        words += 1;
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase())
    });
    all_words
        && words >= 2
        && !number.is_empty()
        && number.len() <= 3
        && number.bytes().all(|byte| byte.is_ascii_digit())
}

fn decode_colons(name: &str) -> Cow<'_, str> {
    if name.contains("%3") {
        Cow::Owned(name.replace("%3A", ":").replace("%3a", ":"))
    } else {
        Cow::Borrowed(name)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

    use time::macros::{date, datetime};

    use super::*;

    const SNAPSHOT: &str = "123456789012/Config/us-east-2/2016/9/27/ConfigSnapshot/\
                            123456789012_Config_us-east-2_ConfigSnapshot_20160927T183939Z_16da64e4-cb65-4846-b1a5-6f6fb2b2a1f0.json.gz";

    fn config(name: &str) -> Key {
        match parse(name) {
            Parsed::Config(key) => key,
            other => panic!("{name}: {other:?}"),
        }
    }

    fn malformed(name: &str) -> String {
        match parse(name) {
            Parsed::Malformed(why) => why,
            other => panic!("{name}: {other:?}"),
        }
    }

    #[test]
    fn a_snapshot_is_known_at_any_prefix_depth() {
        let prefixes = [
            "AWSLogs/",
            "o-a1b2c3d4e5/AWSLogs/",
            "a/b/c/AWSLogs/",
            "AWSLogs/AWSLogs/",
            "AWSLogs/o-a1b2c3d4e5/",
            "/AWSLogs/",
            "",
        ];
        for prefix in prefixes {
            let key = config(&format!("{prefix}{SNAPSHOT}"));
            assert_eq!(
                key.place,
                PlaceName {
                    account_id: "123456789012".to_owned(),
                    region: "us-east-2".to_owned()
                }
            );
            assert_eq!((key.day, key.kind), (date!(2016 - 09 - 27), Kind::Snapshot));
            assert_eq!(key.taken_at, Some(datetime!(2016-09-27 18:39:39 UTC)));
            assert_eq!(key.resource_type, None);
        }
    }

    #[test]
    fn a_history_object_gives_its_resource_type_and_the_end_of_its_window() {
        let file = "012345678901_Config_eu-central-1_ConfigHistory_AWS::CloudTrail::Trail_20260607T195818Z_20260608T015818Z_1.json.gz";
        let name =
            format!("AWSLogs/012345678901/Config/eu-central-1/2026/6/8/ConfigHistory/{file}");
        for name in [
            name.clone(),
            name.replace("::", "%3A%3A"),
            name.replace("::", "%3a%3a"),
        ] {
            let key = config(&name);
            assert_eq!(key.kind, Kind::History);
            assert_eq!(key.place.account_id, "012345678901", "leading zeros stay");
            assert_eq!(key.resource_type.as_deref(), Some("AWS::CloudTrail::Trail"));
            assert_eq!(key.taken_at, Some(datetime!(2026-06-08 01:58:18 UTC)));
        }
        let key = config(&name.replace("AWS::CloudTrail::Trail", "Acme::My_Own::Thing"));
        assert_eq!(key.resource_type.as_deref(), Some("Acme::My_Own::Thing"));
    }

    #[test]
    fn days_are_read_padded_and_not_padded() {
        for day in ["2026/6/8", "2026/06/08", "2026/6/08"] {
            assert_eq!(
                config(&format!(
                    "AWSLogs/123456789012/Config/us-gov-west-1/{day}/ConfigSnapshot/x.json.gz"
                ))
                .day,
                date!(2026 - 06 - 08)
            );
        }
    }

    #[test]
    fn a_file_name_of_another_form_says_nothing_and_is_no_fault() {
        let key = config(
            "AWSLogs/123456789012/Config/us-east-2/2016/9/27/ConfigSnapshot/renamed.json.gz",
        );
        assert_eq!((key.taken_at, key.resource_type), (None, None));
    }

    #[test]
    fn what_else_lives_in_the_bucket_is_ignored_by_reason() {
        let cases = [
            (
                "AWSLogs/123456789012/Config/ConfigWritabilityCheckFile",
                Ignored::WritabilityCheck,
            ),
            (
                "p/AWSLogs/123456789012/Config/us-east-2/2016/9/27/OversizedChangeNotification/AWS::S3::Bucket/acme/x.json.gz",
                Ignored::OversizedChangeNotification,
            ),
            (
                "AWSLogs/123456789012/CloudTrail/us-east-2/2026/06/08/123456789012_CloudTrail_us-east-2_20260608T0000Z_x.json.gz",
                Ignored::CloudTrail,
            ),
            (
                "AWSLogs/o-a1b2c3d4e5/123456789012/CloudTrail/us-east-2/2026/06/08/x.json.gz",
                Ignored::CloudTrail,
            ),
            (
                "AWSLogs/123456789012/CloudTrail-Digest/us-east-2/2026/06/08/x.json.gz",
                Ignored::CloudTrail,
            ),
            (
                "AWSLogs/123456789012/vpcflowlogs/us-east-2/2026/06/08/x.log.gz",
                Ignored::NotConfig,
            ),
            (
                "AWSLogs/123456789012/Config/us-east-2/2016/9/27/ConfigSnapshot/",
                Ignored::NotConfig,
            ),
            (
                "AWSLogs/123456789012/Config/us-east-2/2016/9/27/ConfigSnapshot/.DS_Store",
                Ignored::NotConfig,
            ),
            ("AWSLogs/123456789012/Config", Ignored::NotConfig),
            ("notes/Config/readme.txt", Ignored::NotConfig),
            ("accounts.json", Ignored::NotConfig),
            ("", Ignored::NotConfig),
        ];
        for (name, reason) in cases {
            assert_eq!(parse(name), Parsed::Ignored(reason), "{name}");
        }
    }

    #[test]
    fn what_looks_like_configs_and_is_not_is_malformed_with_a_sentence() {
        let file = "ConfigSnapshot/x.json.gz";
        let cases = [
            (
                format!("AWSLogs/123456789012/Config/us-east-2/2026/2/30/{file}"),
                "there is no day 2026/2/30",
            ),
            (
                format!("AWSLogs/123456789012/Config/us-east-2/2026/13/1/{file}"),
                "there is no day 2026/13/1",
            ),
            (
                format!("AWSLogs/123456789012/Config/us-east-2/26/1/1/{file}"),
                "there is no day 26/1/1",
            ),
            (
                format!("AWSLogs/123456789012/Config/us-east-2/2026/+1/1/{file}"),
                "there is no day 2026/+1/1",
            ),
            (
                format!("AWSLogs/12345678901/Config/us-east-2/2026/2/3/{file}"),
                "the account id \"12345678901\" is not 12 digits",
            ),
            (
                format!("AWSLogs/١٢٣٤٥٦٧٨٩٠١٢/Config/us-east-2/2026/2/3/{file}"),
                "the account id \"١٢٣٤٥٦٧٨٩٠١٢\" is not 12 digits",
            ),
            (
                format!("AWSLogs/123456789012/Config/US_EAST/2026/2/3/{file}"),
                "\"US_EAST\" is not the name of a Region",
            ),
            (
                "AWSLogs/123456789012/Config/us-east-2/2026/2/3/Snapshot/x.json.gz".to_owned(),
                "the folder \"Snapshot\" is neither ConfigSnapshot nor ConfigHistory",
            ),
            (
                "AWSLogs/123456789012/Config/us-east-2/2026/2/3/x.json.gz".to_owned(),
                "the key is not REGION/YEAR/MONTH/DAY/TYPE/FILE below Config",
            ),
            (
                "AWSLogs/123456789012/Config/us-east-2/2026/2/3/ConfigSnapshot/x.json.gz.6eF4b3A1"
                    .to_owned(),
                "the file's name does not end in .json.gz",
            ),
        ];
        for (name, why) in cases {
            assert_eq!(malformed(&name), why, "{name}");
        }
    }

    #[test]
    fn a_file_name_that_contradicts_its_path_is_malformed() {
        let name = format!("AWSLogs/{SNAPSHOT}");
        let contradict = |from: &str, to: &str| {
            let (folder, file) = name.rsplit_once('/').unwrap();
            malformed(&format!("{folder}/{}", file.replace(from, to)))
        };
        assert_eq!(
            contradict("123456789012", "210987654321"),
            "the file's name says account 210987654321, its path 123456789012"
        );
        assert_eq!(
            contradict("us-east-2", "us-east-1"),
            "the file's name says Region us-east-1, its path us-east-2"
        );
        assert_eq!(
            contradict("ConfigSnapshot", "ConfigHistory"),
            "the file's name says ConfigHistory, its path ConfigSnapshot"
        );
        assert_eq!(
            contradict("20160927T", "20160931T"),
            "the file's name holds 20160931T183939Z, which is no time"
        );
        assert_eq!(
            contradict("T183939Z", "T243939Z"),
            "the file's name holds 20160927T243939Z, which is no time"
        );
    }

    proptest::proptest! {
        #[test]
        fn any_name_is_read_without_a_panic(name in "(AWSLogs/)?[0-9a-z/]{0,12}(/Config/)?[-a-zA-Z0-9/._:%é]{0,60}") {
            let _ = parse(&name);
        }
    }
}
