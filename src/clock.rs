//! The only place that asks what time it is.

use time::OffsetDateTime;

/// The real clock, or a fixed one for tests and for packs whose printed time is set.
#[derive(Debug, Clone, Copy, Default)]
pub enum Clock {
    #[default]
    Real,
    Fixed(OffsetDateTime),
}

impl Clock {
    /// Now, in UTC.
    pub fn now(self) -> OffsetDateTime {
        match self {
            Self::Real => OffsetDateTime::now_utc(),
            Self::Fixed(at) => at,
        }
    }
}
