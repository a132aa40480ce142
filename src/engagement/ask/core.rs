//! How a request stands: decided from what happened to it, in order. Pure.

use time::Date;

/// Who does something to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Auditor,
    Team,
}

/// What happens to a request. The words are those of column `engagement_request_event.kind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    Answered,
    Accepted,
    Returned,
    Declined,
    Withdrawn,
    DueChanged,
}

impl Event {
    pub(super) const ALL: [Self; 6] =
        [Self::Answered, Self::Accepted, Self::Returned, Self::Declined, Self::Withdrawn, Self::DueChanged];

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Accepted => "accepted",
            Self::Returned => "returned",
            Self::Declined => "declined",
            Self::Withdrawn => "withdrawn",
            Self::DueChanged => "due-changed",
        }
    }

    pub(super) fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.word() == word)
    }

    /// The act in the audit log.
    pub(super) fn act(self) -> &'static str {
        match self {
            Self::Answered => "answer request",
            Self::Accepted => "accept answer",
            Self::Returned => "return answer",
            Self::Declined => "decline request",
            Self::Withdrawn => "withdraw request",
            Self::DueChanged => "change due day of request",
        }
    }

    /// Whether it says nothing without a reason.
    pub(super) fn needs_reason(self) -> bool {
        !matches!(self, Self::Answered | Self::Accepted)
    }
}

/// How a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stand {
    Open,
    Answered,
    Accepted,
    Declined,
    Withdrawn,
}

impl Stand {
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Answered => "answered",
            Self::Accepted => "accepted",
            Self::Declined => "declined",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// What becomes of it.
    ///
    /// # Errors
    ///
    /// Why it cannot happen to a request that stands so, or not by that side.
    pub(super) fn after(self, event: Event, side: Side) -> Result<Self, &'static str> {
        use Stand::{Accepted, Answered, Declined, Open, Withdrawn};
        let by_right_side = match event {
            Event::Answered | Event::Declined => side == Side::Team,
            Event::Accepted | Event::Returned | Event::Withdrawn => side == Side::Auditor,
            Event::DueChanged => true,
        };
        if !by_right_side {
            return Err("that is for the other side to do");
        }
        match (self, event) {
            (Open | Answered, Event::Answered) => Ok(Answered),
            (Answered, Event::Accepted) => Ok(Accepted),
            (Answered, Event::Returned) => Ok(Open),
            (Open, Event::Declined) => Ok(Declined),
            (Open | Answered, Event::Withdrawn) => Ok(Withdrawn),
            (Open | Answered, Event::DueChanged) => Ok(self),
            (Open, _) => Err("it is not answered yet"),
            (Answered, _) => Err("it is answered already"),
            (Accepted | Declined | Withdrawn, _) => Err("it has ended"),
        }
    }

    /// Whether anything can still happen to it.
    pub(super) fn is_ended(self) -> bool {
        matches!(self, Self::Accepted | Self::Declined | Self::Withdrawn)
    }

    /// Whether it waits for the team past the day that it was due on.
    pub(super) fn is_overdue(self, due: Date, today: Date) -> bool {
        self == Self::Open && due < today
    }
}

/// How a request stands after what happened to it. An event that could not have happened changes nothing.
pub(super) fn stand(events: impl IntoIterator<Item = Event>) -> Stand {
    let side = |event| match event {
        Event::Accepted | Event::Returned | Event::Withdrawn => Side::Auditor,
        Event::Answered | Event::Declined | Event::DueChanged => Side::Team,
    };
    events.into_iter().fold(Stand::Open, |stand, event| stand.after(event, side(event)).unwrap_or(stand))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::date;

    use super::*;

    #[test]
    fn a_request_goes_from_open_to_accepted_by_way_of_answers_and_returns() {
        use Event::{Accepted, Answered, DueChanged, Returned};
        assert_eq!(stand([]), Stand::Open);
        assert_eq!(stand([Answered]), Stand::Answered);
        assert_eq!(stand([Answered, Answered]), Stand::Answered, "a later answer adds");
        assert_eq!(stand([Answered, Returned]), Stand::Open);
        assert_eq!(stand([Answered, Returned, DueChanged, Answered, Accepted]), Stand::Accepted);
    }

    #[test]
    fn each_side_does_its_own() {
        for (event, side) in [
            (Event::Answered, Side::Auditor),
            (Event::Declined, Side::Auditor),
            (Event::Accepted, Side::Team),
            (Event::Returned, Side::Team),
            (Event::Withdrawn, Side::Team),
        ] {
            for stand in [Stand::Open, Stand::Answered] {
                assert_eq!(stand.after(event, side), Err("that is for the other side to do"), "{event:?}");
            }
        }
        assert_eq!(Stand::Open.after(Event::Accepted, Side::Auditor), Err("it is not answered yet"));
        assert_eq!(Stand::Answered.after(Event::Declined, Side::Team), Err("it is answered already"));
    }

    #[test]
    fn what_waits_for_the_team_is_overdue_from_the_day_after() {
        let due = date!(2026 - 12 - 01);
        assert!(!Stand::Open.is_overdue(due, due) && Stand::Open.is_overdue(due, date!(2026 - 12 - 02)));
        assert!(!Stand::Answered.is_overdue(due, date!(2026 - 12 - 02)));
    }

    fn events() -> impl Strategy<Value = Vec<(Event, Side)>> {
        let one = (0..Event::ALL.len(), any::<bool>());
        let event = |(index, team): (usize, bool)| (Event::ALL[index], if team { Side::Team } else { Side::Auditor });
        prop::collection::vec(one.prop_map(event), 0..30)
    }

    proptest! {
        #[test]
        fn what_has_ended_stays_as_it_is_and_what_was_refused_changes_nothing(events in events()) {
            let mut held = Stand::Open;
            let mut happened = Vec::new();
            for (event, side) in events {
                match held.after(event, side) {
                    Ok(after) => {
                        prop_assert!(!held.is_ended(), "{held:?} {event:?}");
                        held = after;
                        happened.push(event);
                    }
                    Err(why) => prop_assert!(!why.is_empty()),
                }
                prop_assert_eq!(stand(happened.iter().copied()), held);
            }
            // Accepted is never reached without an answer that was not returned.
            if held == Stand::Accepted {
                prop_assert!(happened.iter().rev().nth(1).is_some());
                let last = happened.iter().rfind(|event| matches!(event, Event::Answered | Event::Returned));
                prop_assert_eq!(last, Some(&Event::Answered));
            }
        }
    }
}
