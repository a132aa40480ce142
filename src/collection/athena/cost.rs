//! What scanning costs, and the cap that ends a collection before it costs more. Pure, apart from the lock around the sum.

use std::fmt;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};

/// Athena bills whole megabytes, at least ten a query: <https://aws.amazon.com/athena/pricing/>. Queries that failed are
/// not billed, cancelled ones are for what they scanned.
const MEGABYTE: u64 = 1 << 20;
const LEAST_MEGABYTES: u64 = 10;
const TERABYTE_MEGABYTES: u64 = 1 << 20;

/// The price of a scanned terabyte, in millionths of the currency it is in (US dollars unless the setting says otherwise).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price(u64);

impl FromStr for Price {
    type Err = String;

    /// A decimal number with at most six places.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no price like 5 or 6.75");
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || whole.len() > 9 || part.len() > 6 || !digits(whole) || !digits(part) {
            return Err(wrong());
        }
        let whole: u64 = whole.parse().map_err(|_too_large| wrong())?;
        let part: u64 = format!("{part:0<6}").parse().map_err(|_no_number| wrong())?;
        Ok(Self(whole * 1_000_000 + part))
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = format!("{:06}", self.0 % 1_000_000);
        let part = part.trim_end_matches('0');
        if part.is_empty() { write!(f, "{}", self.0 / 1_000_000) } else { write!(f, "{}.{part}", self.0 / 1_000_000) }
    }
}

impl Price {
    /// What a query that scanned so many bytes costs, in billionths of the price's currency, rounded up.
    pub(super) fn of(self, bytes_scanned: u64) -> u64 {
        let megabytes = bytes_scanned.div_ceil(MEGABYTE).max(LEAST_MEGABYTES);
        let billionths = u128::from(megabytes) * u128::from(self.0) * 1000;
        u64::try_from(billionths.div_ceil(u128::from(TERABYTE_MEGABYTES))).unwrap_or(u64::MAX)
    }
}

/// Billionths of a US dollar as `0.0001 USD`, rounded up.
pub(in crate::collection) fn usd(billionths: i64) -> String {
    let tenths_of_mills = billionths.saturating_add(99_999) / 100_000;
    format!("{}.{:04} USD", tenths_of_mills / 10_000, tenths_of_mills % 10_000)
}

/// Keeps a collection below its cap: queries that run at the same time reserve what they are going to scan.
#[derive(Debug)]
pub(super) struct Guard {
    limit_bytes: Option<u64>,
    sum: Mutex<Sum>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    scanned: u64,
    reserved: u64,
}

/// Bytes that a query may scan, until it is known what it did.
#[derive(Debug)]
pub(super) struct Reserved<'a> {
    guard: &'a Guard,
    bytes: u64,
}

impl Guard {
    pub(super) fn new(limit_bytes: Option<u64>) -> Self {
        Self { limit_bytes, sum: Mutex::default() }
    }

    /// Makes room for a query over objects of so many bytes.
    ///
    /// # Errors
    ///
    /// The collection would go over its cap; in words for a person.
    pub(super) fn reserve(&self, bytes: u64) -> Result<Reserved<'_>, String> {
        let mut sum = self.sum.lock().unwrap_or_else(PoisonError::into_inner);
        let after = sum.scanned.saturating_add(sum.reserved).saturating_add(bytes);
        if let Some(limit) = self.limit_bytes
            && after > limit
        {
            return Err(format!(
                "the next Athena query reads objects of {bytes} bytes, after {} bytes that this collection has scanned or is \
                 scanning; its cap is {limit} bytes (--athena-limit-bytes). What was collected stays; raise the cap, or \
                 collect fewer days at a time with --until",
                sum.scanned + sum.reserved
            ));
        }
        sum.reserved += bytes;
        Ok(Reserved { guard: self, bytes })
    }
}

impl Reserved<'_> {
    /// The query has ended.
    pub(super) fn scanned(self, bytes: u64) {
        let mut sum = self.guard.sum.lock().unwrap_or_else(PoisonError::into_inner);
        sum.scanned = sum.scanned.saturating_add(bytes);
    }
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        let mut sum = self.guard.sum.lock().unwrap_or_else(PoisonError::into_inner);
        sum.reserved = sum.reserved.saturating_sub(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

    use super::*;

    #[test]
    fn a_query_costs_whole_megabytes_and_at_least_ten() {
        let price: Price = "5".parse().unwrap();
        // 5 USD a TB: 10 MB are 47,684 billionths of a dollar.
        assert_eq!(price.of(0), 47_684);
        assert_eq!(price.of(10 * MEGABYTE), 47_684);
        assert_eq!(price.of(10 * MEGABYTE + 1), 52_453);
        assert_eq!(price.of(1 << 40), 5_000_000_000);
    }

    #[test]
    fn a_price_is_a_decimal_number() {
        for (text, shown) in [("5", "5"), ("6.75", "6.75"), ("0.000001", "0.000001"), ("5.10", "5.1")] {
            assert_eq!(text.parse::<Price>().unwrap().to_string(), shown);
        }
        for bad in ["", ".5", "-1", "5,0", "1e3", "0.0000001", "1234567890"] {
            assert!(bad.parse::<Price>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_price_is_never_shown_lower_than_it_is() {
        assert_eq!(usd(0), "0.0000 USD");
        assert_eq!(usd(47_684), "0.0001 USD");
        assert_eq!(usd(5_000_000_000), "5.0000 USD");
        assert_eq!(usd(1_234_000_000_001), "1234.0001 USD");
    }

    #[test]
    fn the_cap_counts_what_runs_as_well_as_what_has_run() {
        let guard = Guard::new(Some(100));
        let first = guard.reserve(60).unwrap();
        assert!(guard.reserve(50).unwrap_err().contains("cap is 100 bytes"));
        first.scanned(40);
        assert!(guard.reserve(61).is_err());
        let second = guard.reserve(60).unwrap();
        drop(second);
        assert!(guard.reserve(60).is_ok());
        assert!(Guard::new(None).reserve(u64::MAX).is_ok());
    }
}
