//! The values of members: texts, numbers and times, each with a sentence that says which member is wrong.

use std::borrow::Cow;

use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use super::document::named;
use super::json::{Fault, Kind, Value};

/// Longest texts in bytes that are taken. AWS's own limits are lower; an entry of the store's indices ends at 2,704 bytes.
pub(super) const MOST_NAME_BYTES: usize = 512;
pub(super) const MOST_ID_BYTES: usize = 2048;

/// A text of at most `most_bytes`.
pub(super) fn word<'t>(text: &'t str, value: Value, name: &str, most_bytes: usize) -> Result<Cow<'t, str>, Fault> {
    match value.kind {
        Kind::String | Kind::EscapedString => {
            let word = value.string(text).map_err(|fault| named(name, fault))?;
            if word.len() > most_bytes {
                return Err(Fault::new(format!("{name} is longer than {most_bytes} bytes"), value.start));
            }
            Ok(word)
        }
        _ => Err(Fault::new(format!("{name} is not a text"), value.start)),
    }
}

/// A count of rules.
pub(super) fn count(text: &str, value: Value, name: &str) -> Result<i32, Fault> {
    let count = (value.kind == Kind::Number).then(|| digits(value.source(text))?.parse().ok()).flatten();
    count
        .filter(|count| *count >= 0)
        .ok_or_else(|| Fault::new(format!("{name} is not a count up to {}", i32::MAX), value.start))
}

/// A whole number of 64 bits, or a string of one.
pub(super) fn whole_number(text: &str, value: Value, name: &str) -> Result<i64, Fault> {
    let number = match value.kind {
        Kind::Number => digits(value.source(text)).and_then(|digits| digits.parse().ok()),
        Kind::String | Kind::EscapedString => digits(&value.string(text)?).and_then(|digits| digits.parse().ok()),
        _ => None,
    };
    number.ok_or_else(|| Fault::new(format!("{name} is not a whole number of 64 bits"), value.start))
}

/// A point in time in microseconds since 1970: text as RFC 3339, or the API's number of seconds.
pub(super) fn microseconds(text: &str, value: Value, name: &str) -> Result<i64, Fault> {
    let time = match value.kind {
        Kind::String | Kind::EscapedString => OffsetDateTime::parse(&value.string(text)?, &Rfc3339).ok(),
        Kind::Number => value.source(text).parse().ok().and_then(|seconds| {
            let since = Duration::checked_seconds_f64(seconds)?;
            // To the nearest microsecond: binary fractions miss decimal ones by less.
            OffsetDateTime::UNIX_EPOCH.checked_add(since)?.checked_add(Duration::nanoseconds(500))
        }),
        _ => None,
    };
    time.and_then(|time| i64::try_from(time.unix_timestamp_nanos().div_euclid(1000)).ok())
        .ok_or_else(|| Fault::new(format!("{name} is no time"), value.start))
}

/// Digits, perhaps after a minus: no fraction, no exponent, no plus.
fn digits(word: &str) -> Option<&str> {
    let digits = word.strip_prefix('-').unwrap_or(word);
    (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(word)
}
