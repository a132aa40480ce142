//! Figures and times as words, one way for pages and their charts.

use std::fmt::Write as _;

use time::{Date, OffsetDateTime};

/// `48211` as `48,211`.
pub fn count(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if number < 0 {
        text.push('−');
    }
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A difference with its sign: `+3`, `−2`, `±0`.
pub fn signed(number: i64) -> String {
    match number {
        0 => "±0".to_owned(),
        1.. => format!("+{}", count(number)),
        _ => count(number),
    }
}

/// `part` of `whole` in percent with one decimal, rounded down: 100.0 % means all. `None` of nothing.
pub fn percent(part: i64, whole: i64) -> Option<String> {
    if whole <= 0 {
        return None;
    }
    let tenths = i128::from(part) * 1000 / i128::from(whole);
    Some(format!("{}.{} %", tenths / 10, tenths % 10))
}

/// `1 day`, `2 days`; the plural is the singular with an s.
pub fn plural(number: i64, word: &str) -> String {
    if number == 1 { format!("1 {word}") } else { format!("{} {word}s", count(number)) }
}

/// `22 Nov 2026`.
pub fn day(day: Date) -> String {
    format!("{} {} {}", day.day(), month(day), day.year())
}

/// `22 Nov`.
pub fn short_day(day: Date) -> String {
    format!("{} {}", day.day(), month(day))
}

/// The first three letters of the month.
pub fn month(day: Date) -> &'static str {
    const NAMES: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    NAMES[usize::from(u8::from(day.month())) - 1]
}

/// The month of a moment in UTC: `Nov 2026`.
pub fn month_and_year(time: OffsetDateTime) -> String {
    let day = time.to_offset(time::UtcOffset::UTC).date();
    format!("{} {}", month(day), day.year())
}

/// `22 Nov 2026 06:00:11 UTC`.
pub fn at(time: OffsetDateTime) -> String {
    let time = time.to_offset(time::UtcOffset::UTC);
    format!("{} {:02}:{:02}:{:02} UTC", day(time.date()), time.hour(), time.minute(), time.second())
}

/// `1.2 MB`, in steps of 1000, rounded down.
pub fn bytes(number: i64) -> String {
    let mut unit = 1_i64;
    let mut name = "bytes";
    for next in ["kB", "MB", "GB", "TB"] {
        if number / unit < 1000 {
            break;
        }
        unit *= 1000;
        name = next;
    }
    if unit == 1 {
        return plural(number, "byte");
    }
    format!("{}.{} {name}", number / unit, number % unit * 10 / unit)
}

/// `3 minutes 12 seconds`, `1 hour 3 minutes`, `under 1 second`.
pub fn duration(length: time::Duration) -> String {
    let seconds = length.whole_seconds();
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    match seconds {
        ..1 => "under 1 second".to_owned(),
        1..60 => plural(seconds, "second"),
        60..3600 => format!("{} {}", plural(minutes, "minute"), plural(seconds % 60, "second")),
        _ => format!("{} {}", plural(hours, "hour"), plural(minutes, "minute")),
    }
}

/// `1,203 of 4,000 objects, 400 a second, about 7 seconds left`.
pub fn progress(done: i64, total: i64, unit: &str, elapsed: time::Duration) -> String {
    if total <= 0 {
        return format!("beginning, {} so far", duration(elapsed));
    }
    let mut words = format!("{} of {}", count(done), plural(total, unit));
    let milliseconds = i64::try_from(elapsed.whole_milliseconds()).unwrap_or(i64::MAX);
    if done > 0 && milliseconds > 0 && done < total {
        let rate = done.saturating_mul(1000) / milliseconds;
        if rate > 0 {
            let _ = write!(words, ", {} a second", count(rate));
        }
        let left = (total - done).saturating_mul(milliseconds) / done;
        let _ = write!(words, ", about {} left", duration(time::Duration::milliseconds(left)));
    }
    words
}

/// What tells an object of a delivery bucket from its neighbours, where account and Region stand beside it: the file's
/// name without `ACCOUNT_Config_REGION_`, its middle cut where it is long.
pub fn object_name(key: &str) -> String {
    let file = key.rsplit('/').next().unwrap_or(key);
    let name = file.split_once("_Config_").and_then(|(_, rest)| rest.split_once('_')).map_or(file, |(_, name)| name);
    let letters: Vec<char> = name.chars().collect();
    if letters.len() <= 48 {
        return name.to_owned();
    }
    let (first, last) = (&letters[..32], &letters[letters.len() - 15..]);
    first.iter().chain(&['…']).chain(last).collect()
}

/// Enough of an id to tell it from others beside it: `1f0e8a4c…` of `1f0e8a4c-3b5d-…`.
pub fn beginning(id: &str) -> String {
    let beginning: String = id.chars().take(8).collect();
    if id.chars().count() <= 12 { id.to_owned() } else { beginning + "…" }
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from_digit(digit.into(), 16).unwrap_or_default()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_separators_and_signs() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(count(-1_000), "−1,000");
        assert_eq!(signed(3), "+3");
        assert_eq!(signed(0), "±0");
        assert_eq!(signed(-2), "−2");
    }

    #[test]
    fn a_share_is_rounded_down_so_that_100_means_all() {
        assert_eq!(percent(1_999_999, 2_000_000).as_deref(), Some("99.9 %"));
        assert_eq!(percent(1, 1).as_deref(), Some("100.0 %"));
        assert_eq!(percent(0, 0), None);
        assert_eq!(percent(i64::MAX - 1, i64::MAX).as_deref(), Some("99.9 %"));
    }

    #[test]
    fn an_object_is_named_by_what_its_neighbours_do_not_share() {
        let key = "AWSLogs/1/Config/eu-west-1/2026/11/2/ConfigSnapshot/1_Config_eu-west-1_ConfigSnapshot_20261102T043456Z_a40f349d-4e16-4caa-b570-573fa0fd2f41.json.gz";
        assert_eq!(object_name(key), "ConfigSnapshot_20261102T043456Z_…0fd2f41.json.gz");
        assert_eq!(object_name("a/b.json.gz"), "b.json.gz");
        assert_eq!(object_name(&"ü".repeat(60)).chars().count(), 48);
    }

    #[test]
    fn sizes_are_rounded_down() {
        assert_eq!(bytes(1), "1 byte");
        assert_eq!(bytes(999), "999 bytes");
        assert_eq!(bytes(1_999), "1.9 kB");
        assert_eq!(bytes(300_000_000), "300.0 MB");
    }

    #[test]
    fn progress_says_rate_and_time_left() {
        let words = |done, total| progress(done, total, "object", time::Duration::seconds(3));
        assert_eq!(words(1_200, 4_000), "1,200 of 4,000 objects, 400 a second, about 7 seconds left");
        assert_eq!(words(1, 10), "1 of 10 objects, about 27 seconds left");
        assert_eq!(words(10, 10), "10 of 10 objects");
        assert_eq!(words(0, 0), "beginning, 3 seconds so far");
        assert_eq!(duration(time::Duration::seconds(3 * 3600 + 61)), "3 hours 1 minute");
    }

    #[test]
    fn days_and_times_are_in_words() {
        assert_eq!(day(time::macros::date!(2026 - 11 - 02)), "2 Nov 2026");
        assert_eq!(at(time::macros::datetime!(2026-11-22 06:00:11 +2)), "22 Nov 2026 04:00:11 UTC");
        assert_eq!(month_and_year(time::macros::datetime!(2026-12-01 01:30 +2)), "Nov 2026");
    }
}
