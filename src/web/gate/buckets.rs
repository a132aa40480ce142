//! How often something may be done, by whom: token buckets as one moment each. Pure; the clock is the caller's.

use std::collections::HashMap;
use std::hash::Hash;
use std::str::FromStr;
use std::time::Duration;

use crate::settings::length;

/// So many in a length of time: all of them at once, and then one whenever the next is earned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    pub count: u32,
    pub per: Duration,
}

/// A rate, or none: `30/1m`, or `never` to limit nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit(pub Option<Rate>);

impl FromStr for Limit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "never" {
            return Ok(Self(None));
        }
        let wanted = || format!("{text:?} is not a limit like 30/1m, or never");
        let (count, per) = text.split_once('/').ok_or_else(wanted)?;
        let count = count.parse().ok().filter(|count| *count > 0).ok_or_else(wanted)?;
        Ok(Self(Some(Rate { count, per: length(per)? })))
    }
}

impl Rate {
    /// How long it takes to earn one.
    fn each(self) -> Duration {
        self.per / self.count
    }
}

/// Who did how much lately. Of each only the moment is kept at which nothing counts against it any more.
#[derive(Debug)]
pub(super) struct Buckets<K> {
    rate: Rate,
    /// No more than so many are told apart; further ones share a bucket.
    most: usize,
    clear_at: HashMap<K, Duration>,
    shared_clear_at: Duration,
    swept_at: Duration,
}

/// Those that are clear again are looked for at most this often.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

impl<K: Hash + Eq> Buckets<K> {
    pub(super) fn new(rate: Rate, most: usize) -> Self {
        Self { rate, most, clear_at: HashMap::new(), shared_clear_at: Duration::ZERO, swept_at: Duration::ZERO }
    }

    /// Takes one of a key's, at a moment since any beginning that never goes back.
    ///
    /// # Errors
    ///
    /// There is none left: after so long there is one.
    pub(super) fn take(&mut self, key: K, now: Duration) -> Result<(), Duration> {
        if self.clear_at.len() >= self.most && !self.clear_at.contains_key(&key) {
            if now >= self.swept_at + SWEEP_EVERY {
                self.clear_at.retain(|_, clear_at| *clear_at > now);
                self.swept_at = now;
            }
            if self.clear_at.len() >= self.most {
                return taken(self.rate, &mut self.shared_clear_at, now);
            }
        }
        taken(self.rate, self.clear_at.entry(key).or_default(), now)
    }
}

fn taken(rate: Rate, clear_at: &mut Duration, now: Duration) -> Result<(), Duration> {
    let next = (*clear_at).max(now) + rate.each();
    match next.checked_sub(now + rate.per).filter(|over| !over.is_zero()) {
        None => {
            *clear_at = next;
            Ok(())
        }
        Some(wait) => Err(wait),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use proptest::prelude::*;

    use super::*;

    const RATE: Rate = Rate { count: 5, per: Duration::from_secs(10) };

    #[test]
    fn a_limit_is_a_number_in_a_time_or_never() {
        assert_eq!("30/1m".parse(), Ok(Limit(Some(Rate { count: 30, per: Duration::from_mins(1) }))));
        assert_eq!("never".parse(), Ok(Limit(None)));
        for wrong in ["", "30", "0/1m", "-1/1m", "30/", "30/0s", "x/1m", "99999999999/1m"] {
            assert!(wrong.parse::<Limit>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn all_may_come_at_once_and_then_one_whenever_it_is_earned() {
        let mut buckets = Buckets::new(RATE, 10);
        let at = Duration::from_secs;
        for _ in 0..5 {
            assert_eq!(buckets.take("a", at(100)), Ok(()));
        }
        assert_eq!(buckets.take("a", at(100)), Err(at(2)));
        assert_eq!(buckets.take("b", at(100)), Ok(()), "another's");
        assert_eq!(buckets.take("a", at(101)), Err(at(1)));
        assert_eq!(buckets.take("a", at(102)), Ok(()));
        assert_eq!(buckets.take("a", at(102)), Err(at(2)));
        for _ in 0..5 {
            assert_eq!(buckets.take("a", at(1_000)), Ok(()));
        }
    }

    #[test]
    fn beyond_what_is_remembered_all_share_one_and_memory_stays() {
        let mut buckets = Buckets::new(RATE, 100);
        let now = Duration::from_secs(100);
        let passed = (0..10_000).filter(|key| buckets.take(*key, now).is_ok()).count();
        assert_eq!((passed, buckets.clear_at.len()), (105, 100));
        assert_eq!(buckets.take(0, now), Ok(()), "who is remembered has its own");
        // When those are clear again, others take their place.
        let later = now + Duration::from_mins(1);
        assert!((20_000..20_100).all(|key| buckets.take(key, later).is_ok()));
        assert_eq!(buckets.clear_at.len(), 100);
    }

    proptest! {
        #[test]
        fn no_stretch_of_time_sees_more_than_its_share_and_a_wait_is_as_long_as_said(
            count in 1u32..8, per in 1u64..20, steps in proptest::collection::vec(0u64..4_000, 1..60),
        ) {
            let rate = Rate { count, per: Duration::from_secs(per) };
            let mut buckets = Buckets::new(rate, 4);
            let (mut now, mut passed) = (Duration::from_secs(7), Vec::new());
            for step in steps {
                now += Duration::from_millis(step);
                match buckets.take((), now) {
                    Ok(()) => passed.push(now),
                    Err(wait) => {
                        prop_assert!(wait <= rate.each() && !wait.is_zero());
                        now += wait;
                        prop_assert_eq!(buckets.take((), now), Ok(()));
                        passed.push(now);
                    }
                }
            }
            for (index, first) in passed.iter().enumerate() {
                for (more, last) in passed[index..].iter().enumerate() {
                    let share = u128::from(count) + last.saturating_sub(*first).as_nanos() / rate.each().as_nanos();
                    prop_assert!(u128::try_from(more + 1).unwrap() <= share + 1, "{first:?} to {last:?}");
                }
            }
        }
    }
}
