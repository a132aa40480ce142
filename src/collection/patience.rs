//! How long objects are asked for when none can be had: a place that is denied or throttled again and again, or a bucket that
//! hands out nothing any more, is left to the next collection, instead of being asked for each of its thousands of objects.

use std::sync::{Mutex, PoisonError};

use super::source::Unreached;

/// Objects of a place in a row that may not be reached. Each was tried several times already where that could help.
const OF_PLACE: u32 = 4;
/// Objects of all places in a row that may be throttled or not reachable: several places are read at a time.
const OF_BUCKET: u32 = 16;

/// The patience with one place, or with all.
#[derive(Debug)]
pub(super) struct Patience {
    most: u32,
    /// What the objects have in common.
    of: &'static str,
    state: Mutex<State>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    /// So many in a row could not be reached.
    Asking(u32),
    /// Old objects cannot be had and the newest can: each is asked for.
    Endless,
    GivenUp(Unreached),
}

impl Default for State {
    fn default() -> Self {
        Self::Asking(0)
    }
}

impl Patience {
    pub(super) fn with_place() -> Self {
        Self { most: OF_PLACE, of: "the account and Region", state: Mutex::default() }
    }

    pub(super) fn with_bucket() -> Self {
        Self { most: OF_BUCKET, of: "the bucket", state: Mutex::default() }
    }

    /// Why no further object is asked for.
    pub(super) fn spent(&self) -> Option<Unreached> {
        match &*self.state.lock().unwrap_or_else(PoisonError::into_inner) {
            State::GivenUp(why) => Some(why.clone()),
            State::Asking(_) | State::Endless => None,
        }
    }

    /// Takes note of an object that was there to be judged.
    pub(super) fn reached(&self) {
        self.change(State::reached);
    }

    /// Takes note of one that could not be reached. `newest` finds out whether the newest object can be.
    pub(super) fn missed(&self, why: &Unreached, newest: impl FnOnce() -> bool) {
        self.change(|state| match state {
            State::Asking(missed) if missed + 1 < self.most => State::Asking(missed + 1),
            State::Asking(_) if newest() => State::Endless,
            State::Asking(_) => State::GivenUp(Unreached {
                state: why.state,
                reason: format!("not asked for, after {} others of {} in a row: {why}", self.most, self.of),
            }),
            stays => stays,
        });
    }

    fn change(&self, next: impl FnOnce(State) -> State) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        *state = next(std::mem::take(&mut *state));
    }
}

impl State {
    fn reached(self) -> Self {
        match self {
            Self::Asking(_) => Self::Asking(0),
            stays => stays,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compliance::DeliveryState;

    fn denied() -> Unreached {
        Unreached { state: DeliveryState::Denied, reason: "access was denied".to_owned() }
    }

    fn miss(patience: &Patience, times: u32, newest: bool) {
        for _ in 0..times {
            patience.missed(&denied(), || newest);
        }
    }

    #[test]
    fn a_place_that_is_denied_again_and_again_is_given_up_with_the_reason() {
        let patience = Patience::with_place();
        miss(&patience, OF_PLACE - 1, false);
        assert_eq!(patience.spent(), None);
        miss(&patience, 1, false);
        let why = patience.spent().expect("it is given up");
        assert_eq!(why.state, DeliveryState::Denied);
        assert!(why.reason.ends_with("access was denied"), "{why}");
        patience.reached();
        assert!(patience.spent().is_some());
    }

    #[test]
    fn only_objects_in_a_row_count() {
        let patience = Patience::with_place();
        for _ in 0..OF_PLACE {
            miss(&patience, OF_PLACE - 1, false);
            patience.reached();
        }
        assert_eq!(patience.spent(), None);
    }

    #[test]
    fn a_place_whose_newest_object_can_be_had_is_asked_for_each() {
        let patience = Patience::with_place();
        miss(&patience, OF_PLACE, true);
        miss(&patience, 10 * OF_PLACE, false);
        assert_eq!(patience.spent(), None);
    }
}
