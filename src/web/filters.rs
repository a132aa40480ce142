//! Filters for templates: `use crate::web::filters;` where the template's struct is, then `{{ n|count }}`.

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

/// A day, or a reference to one however deep: templates borrow freely.
pub trait Day {
    fn day(&self) -> Date;
}

impl Day for Date {
    fn day(&self) -> Date {
        *self
    }
}

impl<T: Day> Day for &T {
    fn day(&self) -> Date {
        (**self).day()
    }
}

/// A moment, or a reference to one.
pub trait Moment {
    fn moment(&self) -> OffsetDateTime;
}

impl Moment for OffsetDateTime {
    fn moment(&self) -> OffsetDateTime {
        *self
    }
}

impl<T: Moment> Moment for &T {
    fn moment(&self) -> OffsetDateTime {
        (**self).moment()
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
pub fn day<D: Day>(day: D, _: &dyn Values) -> Result<String, Infallible> {
    Ok(format::day(day.day()))
}

/// `22 Nov 2026 06:00:11 UTC`.
#[askama::filter_fn]
pub fn at<T: Moment>(time: T, _: &dyn Values) -> Result<String, Infallible> {
    Ok(format::at(time.moment()))
}

/// `1.2 MB`.
#[askama::filter_fn]
pub fn bytes<T: Count>(number: T, _: &dyn Values) -> Result<String, Infallible> {
    Ok(format::bytes(number.number()))
}
