//! How old what Organizations said is, and why.

use time::Date;

use crate::web::format;

/// The account list that says what is expected now, and how reading Organizations went since.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Listed {
    /// `None`: no list was ever read.
    pub listed_on: Option<Date>,
    /// The last day on which Organizations was read; the list is what it still said.
    pub confirmed_on: Option<Date>,
    /// The day of the last try, where it failed, and what went wrong.
    pub failed_on: Option<Date>,
    pub failure: Option<String>,
}

impl Listed {
    /// That Organizations could not be read, why, and how old the list is that stands; `None` where it could.
    pub fn stale(&self, today: Date) -> Option<String> {
        let (failed_on, failure) = (self.failed_on?, self.failure.as_deref()?);
        let failed = format!("Reading AWS Organizations failed on {}: {failure}.", format::day(failed_on));
        let Some(listed_on) = self.listed_on else {
            return Some(format!("{failed} No account list was ever read."));
        };
        let as_of = self.confirmed_on.map_or(listed_on, |confirmed| confirmed.max(listed_on));
        let age = format::plural((today - as_of).whole_days().max(0), "day");
        Some(format!("{failed} The account list of {}, {age} old, still says what is expected.", format::day(as_of)))
    }
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    #[test]
    fn a_list_that_could_not_be_read_again_says_how_old_it_is() {
        let read = Listed {
            listed_on: Some(date!(2026 - 11 - 18)),
            confirmed_on: Some(date!(2026 - 11 - 20)),
            failed_on: None,
            failure: None,
        };
        assert_eq!(read.stale(date!(2026 - 11 - 24)), None);
        let failed = Listed { failed_on: Some(date!(2026 - 11 - 24)), failure: Some("denied".to_owned()), ..read };
        assert_eq!(
            failed.stale(date!(2026 - 11 - 24)).as_deref(),
            Some(
                "Reading AWS Organizations failed on 24 Nov 2026: denied. The account list of 20 Nov 2026, 4 days old, still says what is expected."
            )
        );
        let never = Listed { listed_on: None, confirmed_on: None, ..failed };
        assert!(
            never.stale(date!(2026 - 11 - 24)).is_some_and(|words| words.ends_with("No account list was ever read."))
        );
    }
}
