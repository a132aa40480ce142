//! What the name of an object in a delivery bucket says. Pure.
//!
//! AWS Config delivers to `[PREFIX/]AWSLogs/ACCOUNT/Config/REGION/Y/M/D/ConfigSnapshot|ConfigHistory/FILE`, with months and days
//! that are not zero-padded. Other things live in the same bucket; a name that is not Config's is ignored with a reason, a name that
//! looks like Config's and is not is malformed: it is reported, never dropped.

use std::borrow::Cow;

use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time};

use crate::aws::role::is_account_id;
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
    /// A `CloudTrail` log, digest or insight in the same bucket.
    CloudTrail,
    /// Anything else that is not AWS Config's.
    NotConfig,
}

impl Ignored {
    pub const ALL: [Self; 4] =
        [Self::WritabilityCheck, Self::OversizedChangeNotification, Self::CloudTrail, Self::NotConfig];

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
            if name.len() > MOST_KEY_BYTES {
                return Parsed::Malformed(format!(
                    "the key is longer than {MOST_KEY_BYTES} bytes, which is S3's limit"
                ));
            }
            parse_config(account_id, rest)
        }
        Place::Config { .. } | Place::Other => Parsed::Ignored(Ignored::NotConfig),
        Place::CloudTrail => Parsed::Ignored(Ignored::CloudTrail),
    }
}

enum Place<'a, 'b> {
    Config { account_id: &'a str, rest: &'b [&'a str] },
    CloudTrail,
    Other,
}

/// Finds the part after `AWSLogs/ACCOUNT/Config`. `CloudTrail` puts the organisation's id behind `AWSLogs`; it is accepted there for Config too.
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
        [_, "CloudTrail" | "CloudTrail-Digest" | "CloudTrail-Insight", _, ..] => Place::CloudTrail,
        _ => Place::Other,
    }
}

/// S3's own limit: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html>. A longer name in a folder is no
/// object of a bucket, and would not fit into an index of the store.
const MOST_KEY_BYTES: usize = 1024;

fn parse_config(account_id: &str, rest: &[&str]) -> Parsed {
    if let [.., "ConfigWritabilityCheckFile"] = rest {
        return Parsed::Ignored(Ignored::WritabilityCheck);
    }
    if let [_, _, _, _, "OversizedChangeNotification", ..] = rest {
        return Parsed::Ignored(Ignored::OversizedChangeNotification);
    }
    let &[region, year, month, day, folder, file] = rest else {
        return Parsed::Malformed("the key is not REGION/YEAR/MONTH/DAY/TYPE/FILE below Config".to_owned());
    };
    key(account_id, region, [year, month, day], folder, file).map_or_else(Parsed::Malformed, Parsed::Config)
}

fn key(account_id: &str, region: &str, day: [&str; 3], folder: &str, file: &str) -> Result<Key, String> {
    if !is_account_id(account_id) {
        return Err(format!("the account id \"{account_id}\" is not 12 digits"));
    }
    if !is_region(region) {
        return Err(format!("\"{region}\" is not the name of a Region"));
    }
    let [year, month, date] = day;
    let day = parse_day(year, month, date).ok_or_else(|| format!("there is no day {year}/{month}/{date}"))?;
    let kind = match folder {
        "ConfigSnapshot" => Kind::Snapshot,
        "ConfigHistory" => Kind::History,
        _ => {
            return Err(format!("the folder \"{folder}\" is neither ConfigSnapshot nor ConfigHistory"));
        }
    };
    let Some(stem) = file.strip_suffix(".json.gz").or_else(|| file.strip_suffix(".json")) else {
        return Err("the file's name does not end in .json.gz".to_owned());
    };
    let place = PlaceName { account_id: account_id.to_owned(), region: region.to_owned() };
    let (taken_at, resource_type) = parse_stem(stem, &place, folder)?;
    Ok(Key { place, day, kind, taken_at, resource_type })
}

/// Reads `ACCOUNT_Config_REGION_ConfigSnapshot_TIME_ID` and `ACCOUNT_Config_REGION_ConfigHistory_TYPE_START_END_N`.
/// A name of another form says nothing and is no fault; one of this form must agree with its path.
fn parse_stem(stem: &str, place: &PlaceName, folder: &str) -> Result<(Option<OffsetDateTime>, Option<String>), String> {
    let mut words = stem.splitn(5, '_');
    let (Some(account_id), Some("Config"), Some(region), Some(kind), Some(rest)) =
        (words.next(), words.next(), words.next(), words.next(), words.next())
    else {
        return Ok((None, None));
    };
    if account_id != place.account_id {
        return Err(format!("the file's name says account {account_id}, its path {}", place.account_id));
    }
    if region != place.region {
        return Err(format!("the file's name says Region {region}, its path {}", place.region));
    }
    if kind != folder {
        return Err(format!("the file's name says {kind}, its path {folder}"));
    }
    if folder == "ConfigSnapshot" {
        return Ok((parse_time(rest.split('_').next().unwrap_or_default())?, None));
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
    let shape: String = word.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
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

pub(in crate::collection) fn parse_day(year: &str, month: &str, day: &str) -> Option<Date> {
    let digits = |word: &str, lengths: std::ops::RangeInclusive<usize>| {
        lengths.contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_digit())
    };
    if !digits(year, 4..=4) || !digits(month, 1..=2) || !digits(day, 1..=2) {
        return None;
    }
    let month = Month::try_from(month.parse::<u8>().ok()?).ok()?;
    Date::from_calendar_date(year.parse().ok()?, month, day.parse().ok()?).ok()
}

/// A Region's name is lower-case words with a number at the end, e.g. `us-gov-west-1`.
pub(in crate::collection) fn is_region(word: &str) -> bool {
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
    if name.contains("%3") { Cow::Owned(name.replace("%3A", ":").replace("%3a", ":")) } else { Cow::Borrowed(name) }
}

#[cfg(test)]
mod tests;
