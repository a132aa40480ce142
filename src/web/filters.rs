//! Filters for templates: `use crate::web::filters;` where the template's struct is, then `{{ n|count }}`.

use std::borrow::Borrow;
use std::convert::Infallible;

use askama::Values;
use time::{Date, OffsetDateTime};

use super::format;

/// A whole number of any type that counts in this program.
pub trait Count {
    fn number(&self) -> i64;
}

macro_rules! count {
    ($($whole:ty),+) => {
        $(impl Count for $whole {
            fn number(&self) -> i64 {
                i64::try_from(*self).unwrap_or(i64::MAX)
            }
        })+
    };
}

count!(i16, i32, i64, u32, u64, usize);

impl<T: Count> Count for &T {
    fn number(&self) -> i64 {
        (**self).number()
    }
}

/// `48211` as `48,211`.
#[askama::filter_fn]
pub fn count<T: Count>(number: T, _: &dyn Values) -> Result<String, Infallible> {
    Ok(format::count(number.number()))
}

/// A difference with its sign.
#[askama::filter_fn]
pub fn signed<T: Count>(number: T, _: &dyn Values) -> Result<String, Infallible> {
    Ok(format::signed(number.number()))
}

/// `22 Nov 2026`.
#[askama::filter_fn]
pub fn day<D: Borrow<Date>>(day: D, _: &dyn Values) -> Result<String, Infallible> {
    Ok(format::day(*day.borrow()))
}

/// `22 Nov 2026 06:00:11 UTC`.
#[askama::filter_fn]
pub fn at<T: Borrow<OffsetDateTime>>(time: T, _: &dyn Values) -> Result<String, Infallible> {
    Ok(format::at(*time.borrow()))
}

/// `1.2 MB`.
#[askama::filter_fn]
pub fn bytes<T: Count>(number: T, _: &dyn Values) -> Result<String, Infallible> {
    Ok(format::bytes(number.number()))
}
