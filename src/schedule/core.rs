//! When the next collection is due. Pure.

use std::time::Duration;

use time::OffsetDateTime;

/// The first due time after `now` on the grid that `due` is on. Times that have passed meanwhile are not made up for:
/// one collection takes all that was delivered.
pub(super) fn next_due(due: OffsetDateTime, every: Duration, now: OffsetDateTime) -> OffsetDateTime {
    let every_seconds = i64::try_from(every.as_secs()).unwrap_or(i64::MAX).max(1);
    let late_seconds = (now - due).whole_seconds().max(0);
    let steps = late_seconds / every_seconds + 1;
    due.checked_add(time::Duration::seconds(steps.saturating_mul(every_seconds))).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    #[test]
    fn the_next_due_time_is_on_the_grid_and_after_now_however_late_it_is() {
        let due = datetime!(2026-11-22 06:00 UTC);
        for (now, next) in [
            (datetime!(2026-11-22 06:00:00.2 UTC), datetime!(2026-11-22 07:00 UTC)),
            (datetime!(2026-11-22 06:59:59 UTC), datetime!(2026-11-22 07:00 UTC)),
            (datetime!(2026-11-22 07:00 UTC), datetime!(2026-11-22 08:00 UTC)),
            (datetime!(2026-11-25 07:30 UTC), datetime!(2026-11-25 08:00 UTC)),
            // A clock that was set back.
            (datetime!(2026-11-22 05:00 UTC), datetime!(2026-11-22 07:00 UTC)),
        ] {
            assert_eq!(next_due(due, HOUR, now), next, "{now}");
        }
    }
}
