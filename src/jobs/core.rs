//! When a job that failed is tried again. Pure.

use std::time::Duration;

/// A job that may succeed later is tried so many times at most: the last time about half a day after the first.
pub(super) const TRIES: i32 = 16;

/// How long a job waits after so many failed attempts: a minute, then twice as long each time, an hour at most.
/// `None` when it is not tried again.
pub(super) fn wait_before(failed: i32) -> Option<Duration> {
    let doublings = u32::try_from(failed.max(1) - 1).ok()?;
    (failed < TRIES).then(|| Duration::from_secs(60 * 2_u64.pow(doublings.min(6)).min(60)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_waits_longer_each_time_an_hour_at_most_and_is_given_up() {
        let minutes: Vec<u64> = (1..=8).filter_map(wait_before).map(|wait| wait.as_secs() / 60).collect();
        assert_eq!(minutes, [1, 2, 4, 8, 16, 32, 60, 60]);
        let all: u64 = (1..TRIES).filter_map(wait_before).map(|wait| wait.as_secs()).sum();
        assert!((8 * 3600..=12 * 3600).contains(&all), "{all}");
        assert_eq!((wait_before(TRIES), wait_before(i32::MAX)), (None, None));
    }
}
