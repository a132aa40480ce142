//! Filters for templates: `use crate::web::filters;` where the template's struct is, then `{{ n|count }}`.

use std::convert::Infallible;

use askama::Values;
use time::{Date, OffsetDateTime};

use super::format;

/// `48211` as `48,211`.
#[askama::filter_fn]
pub fn count<T: Copy + Into<i64>>(number: &T, _: &dyn Values) -> Result<String, Infallible> {
    Ok(format::count((*number).into()))
}

/// A difference with its sign.
#[askama::filter_fn]
pub fn signed<T: Copy + Into<i64>>(number: &T, _: &dyn Values) -> Result<String, Infallible> {
    Ok(format::signed((*number).into()))
}

/// `22 Nov 2026`.
#[askama::filter_fn]
pub fn day(day: &Date, _: &dyn Values) -> Result<String, Infallible> {
    Ok(format::day(*day))
}

/// `22 Nov 2026 06:00:11 UTC`.
#[askama::filter_fn]
pub fn at(time: &OffsetDateTime, _: &dyn Values) -> Result<String, Infallible> {
    Ok(format::at(*time))
}

/// `1.2 MB`.
#[askama::filter_fn]
pub fn bytes<T: Copy + Into<i64>>(number: &T, _: &dyn Values) -> Result<String, Infallible> {
    Ok(format::bytes((*number).into()))
}
