//! How a query's life goes on: its token, when to look again, what its end means. Pure.

use std::time::Duration;

use ring::digest::{SHA256, digest};

use crate::aws::athena::{State, Why};

/// Attempts at one question before it is given up.
pub(super) const MOST_ATTEMPTS: i32 = 4;
const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// What the end of a query means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Succeeded,
    /// Ask again later.
    Again,
    /// Ask again later, and where that does not help, about fewer objects.
    AgainOrSmaller,
    /// An object cannot be read: ask about fewer, until it is alone.
    Smaller,
    /// The workgroup's limit on scanned bytes.
    CutOff,
    Cancelled,
    /// Asking again would end alike.
    Refused,
}

/// Athena's words for data that it cannot read, among them rows of more than 32 MB.
const DATA: [&str; 5] =
    ["HIVE_CURSOR_ERROR", "HIVE_BAD_DATA", "HIVE_CANNOT_OPEN_SPLIT", "HIVE_FILESYSTEM_ERROR", "HIVE_UNKNOWN_ERROR"];

/// What the end of a query means.
pub(super) fn end(state: State, why: &Why) -> End {
    match state {
        State::Succeeded => End::Succeeded,
        State::Cancelled if why.reason.contains("Bytes scanned limit") => End::CutOff,
        State::Cancelled => End::Cancelled,
        State::Queued | State::Running => End::Again,
        State::Failed if DATA.iter().any(|word| why.reason.starts_with(word)) => End::Smaller,
        State::Failed => match why.error_type {
            Some(0..=8) => End::AgainOrSmaller,
            Some(1400 | 1401) => End::Again,
            _ if why.reason.contains("exhausted resources") => End::AgainOrSmaller,
            _ if why.retryable => End::Again,
            _ => End::Refused,
        },
    }
}

/// When to look at a query again, and when to give it up.
#[derive(Debug, Clone, Copy)]
pub(super) struct Poll {
    wait: Duration,
    waited: Duration,
    deadline: Duration,
}

/// What to do after looking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Wait(Duration),
    Ended,
    /// The deadline has passed: stop it.
    Overdue,
}

impl Poll {
    pub(super) fn new(deadline: Duration) -> Self {
        Self { wait: FIRST_WAIT, waited: Duration::ZERO, deadline }
    }

    /// Decides after a look. A query that was running may be queued again, which is no end.
    pub(super) fn after(&mut self, state: State) -> Step {
        if state.ended() { Step::Ended } else { self.pause() }
    }

    /// The next pause, each twice as long as the one before up to a limit.
    pub(super) fn pause(&mut self) -> Step {
        if self.waited >= self.deadline {
            return Step::Overdue;
        }
        let wait = self.wait.min(self.deadline.saturating_sub(self.waited));
        self.waited += wait;
        self.wait = (self.wait * 2).min(LONGEST_WAIT);
        Step::Wait(wait)
    }
}

/// How long to wait before an attempt, the first of which is 1.
pub(super) fn before_attempt(attempt: i32) -> Duration {
    let doublings = u32::try_from((attempt - 2).clamp(0, 6)).unwrap_or_default();
    if attempt <= 1 { Duration::ZERO } else { Duration::from_millis(500) * 2_u32.pow(doublings) }
}

/// What tells one question from another: the statement with its parameters and where it is asked.
pub(super) fn question_key(parts: &[&str]) -> String {
    let mut text = Vec::new();
    for part in parts {
        text.extend_from_slice(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        text.extend_from_slice(part.as_bytes());
    }
    hex(&text)
}

/// The `ClientRequestToken` of an attempt. Asking twice with one token starts one query; another attempt needs another
/// token, or Athena would hand out the query that failed.
///
/// `begun_us`: when the collection began, in microseconds since 1970, which tells apart collections of several stores.
pub(super) fn token(collection_id: i64, begun_us: i64, question_key: &str, attempt: i32) -> String {
    hex(format!("auditfolio {collection_id} {begun_us} {question_key} {attempt}").as_bytes())
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    digest(&SHA256, bytes).as_ref().iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string does not fail");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(reason: &str, error_type: i32, retryable: bool) -> End {
        let why = Why { reason: reason.to_owned(), error_type: Some(error_type), retryable };
        end(State::Failed, &why)
    }

    #[test]
    fn an_end_says_what_to_do() {
        assert_eq!(failed("HIVE_CURSOR_ERROR: a row is larger than 32 MB", 1001, false), End::Smaller);
        assert_eq!(failed("Query exhausted resources at this scale factor", 0, true), End::AgainOrSmaller);
        assert_eq!(failed("INTERNAL_ERROR_QUERY_ENGINE", 200, true), End::Again);
        assert_eq!(failed("Rate exceeded", 1400, false), End::Again);
        assert_eq!(failed("SYNTAX_ERROR: line 1:1", 1006, false), End::Refused);
        let cut = Why { reason: "Query cancelled! : Bytes scanned limit was exceeded".to_owned(), ..Why::default() };
        assert_eq!(end(State::Cancelled, &cut), End::CutOff);
        assert_eq!(end(State::Cancelled, &Why::default()), End::Cancelled);
    }

    #[test]
    fn looks_become_rarer_and_end_at_the_deadline() {
        let mut poll = Poll::new(Duration::from_mins(1));
        let mut waits = Vec::new();
        while let Step::Wait(wait) = poll.after(State::Running) {
            waits.push(wait);
        }
        assert_eq!(waits.iter().sum::<Duration>(), Duration::from_mins(1));
        assert_eq!(waits[..3], [100, 200, 400].map(Duration::from_millis));
        assert!(waits.iter().all(|wait| *wait <= LONGEST_WAIT));
        assert_eq!(poll.after(State::Queued), Step::Overdue);
    }

    #[test]
    fn a_query_that_is_queued_again_is_waited_for() {
        let mut poll = Poll::new(Duration::from_mins(1));
        for state in [State::Queued, State::Running, State::Queued, State::Running] {
            assert!(matches!(poll.after(state), Step::Wait(_)), "{state:?}");
        }
        assert_eq!(poll.after(State::Succeeded), Step::Ended);
    }

    #[test]
    fn a_token_changes_with_the_attempt_and_with_nothing_else_of_one_question() {
        let key = question_key(&["select ?", "'a'"]);
        assert_eq!(token(1, 5, &key, 1), token(1, 5, &key, 1));
        assert_ne!(token(1, 5, &key, 1), token(1, 5, &key, 2));
        assert_ne!(token(1, 5, &key, 1), token(1, 6, &key, 1));
        assert_ne!(key, question_key(&["select ?'", "a'"]));
        assert!((32..=128).contains(&token(1, 5, &key, 1).len()));
    }

    #[test]
    fn attempts_come_later_and_later() {
        let waits: Vec<_> = (1..=4).map(before_attempt).collect();
        assert_eq!(waits, [0, 500, 1000, 2000].map(Duration::from_millis));
    }
}
