//! Days as the store counts them.

use sqlx::postgres::{PgArgumentBuffer, PgHasArrayType, PgTypeInfo, PgValueRef};
use time::{Date, Duration, macros::date};

const EPOCH: Date = date!(2000 - 01 - 01);

/// A UTC day as Postgres counts it on the wire: days since 2000-01-01, `i32::MAX` for 'infinity'.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub i32);

impl Day {
    /// The end of a run that is still open.
    pub const INFINITY: Self = Self(i32::MAX);

    /// The calendar day; `None` for infinity.
    pub fn date(self) -> Option<Date> {
        EPOCH.checked_add(Duration::days(i64::from(self.0)))
    }
}

impl From<Date> for Day {
    fn from(date: Date) -> Self {
        Self(date.to_julian_day() - EPOCH.to_julian_day())
    }
}

impl std::fmt::Display for Day {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.date() {
            Some(date) => write!(f, "{date}"),
            None => f.write_str("infinity"),
        }
    }
}

impl sqlx::Type<sqlx::Postgres> for Day {
    fn type_info() -> PgTypeInfo {
        <Date as sqlx::Type<sqlx::Postgres>>::type_info()
    }
}

impl PgHasArrayType for Day {
    fn array_type_info() -> PgTypeInfo {
        <Date as PgHasArrayType>::array_type_info()
    }
}

impl sqlx::Encode<'_, sqlx::Postgres> for Day {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<sqlx::encode::IsNull, sqlx::error::BoxDynError> {
        <i32 as sqlx::Encode<sqlx::Postgres>>::encode_by_ref(&self.0, buffer)
    }
}

impl sqlx::Decode<'_, sqlx::Postgres> for Day {
    fn decode(value: PgValueRef<'_>) -> Result<Self, sqlx::error::BoxDynError> {
        <i32 as sqlx::Decode<sqlx::Postgres>>::decode(value).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_count_from_the_epoch_of_postgres() {
        assert_eq!(Day::from(date!(2000 - 01 - 01)), Day(0));
        assert_eq!(Day::from(date!(1999 - 12 - 31)), Day(-1));
        assert_eq!(Day::from(date!(2026 - 11 - 22)).date(), Some(date!(2026 - 11 - 22)));
        assert_eq!(Day::INFINITY.date(), None);
    }
}
