//! Pages of an answer, until the one without a token; and the times in it.

use time::OffsetDateTime;

use super::failure::{Asked, Failure};

/// Where a walk over pages is. A page may be empty and have a successor all the same.
#[derive(Debug, Default)]
pub(super) struct Pages {
    token: Option<String>,
}

impl Pages {
    /// The token to ask the next page with; `None` for the first.
    pub(super) fn token(&self) -> Option<String> {
        self.token.clone()
    }

    /// Takes the token that a page came with, and says whether another page follows.
    ///
    /// # Errors
    ///
    /// The page leads to itself.
    pub(super) fn turn(&mut self, next: Option<String>, asked: Asked<'_>) -> Result<bool, Failure> {
        let next = next.filter(|token| !token.is_empty());
        if next.is_some() && next == self.token {
            return Err(Failure::transient(asked, "the pages of an answer go round in circles"));
        }
        self.token = next;
        Ok(self.token.is_some())
    }
}

/// A moment of the SDK's; `None` where it is outside our calendar.
pub(super) fn moment(at: &aws_sdk_config::primitives::DateTime) -> Option<OffsetDateTime> {
    let nanoseconds = i128::from(at.subsec_nanos()) + i128::from(at.secs()) * 1_000_000_000;
    OffsetDateTime::from_unix_timestamp_nanos(nanoseconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKED: Asked<'_> = Asked { action: "organizations:ListAccounts", subject: "the organisation", role: None };

    #[test]
    fn pages_end_with_the_one_without_a_token_and_never_go_in_circles() {
        let mut pages = Pages::default();
        assert_eq!(pages.token(), None);
        assert_eq!(pages.turn(Some("a".to_owned()), ASKED), Ok(true));
        assert_eq!(pages.token().as_deref(), Some("a"));
        assert_eq!(pages.turn(Some("b".to_owned()), ASKED), Ok(true));
        assert!(pages.turn(Some("b".to_owned()), ASKED).is_err());
        assert_eq!(Pages::default().turn(Some(String::new()), ASKED), Ok(false));
        assert_eq!(Pages::default().turn(None, ASKED), Ok(false));
    }
}
