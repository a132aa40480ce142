//! What can happen to a pack, in which order and by whom. Pure.

use std::collections::HashMap;

use time::OffsetDateTime;

/// Something that happened to a pack. The words are those of column `pack_event.kind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// It was made.
    Draft,
    /// Its preparer asks another person to review it.
    Propose,
    /// It goes back to being a draft.
    Return,
    /// Its reviewer approves it: the final pack is made.
    Approve,
    /// It was made of a draft that was approved.
    Final,
    /// Another pack takes its place.
    Supersede,
    /// It must not be relied on any more.
    Withdraw,
}

impl Step {
    pub const ALL: [Self; 7] =
        [Self::Draft, Self::Propose, Self::Return, Self::Approve, Self::Final, Self::Supersede, Self::Withdraw];

    /// The word in column `pack_event.kind`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Propose => "propose",
            Self::Return => "return",
            Self::Approve => "approve",
            Self::Final => "final",
            Self::Supersede => "supersede",
            Self::Withdraw => "withdraw",
        }
    }

    /// Reads [`Self::word`].
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.word() == word)
    }

    /// As a pack's course has it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Draft => "made as a draft",
            Self::Propose => "proposed as final",
            Self::Return => "returned",
            Self::Approve => "reviewed and approved",
            Self::Final => "issued as final",
            Self::Supersede => "superseded",
            Self::Withdraw => "withdrawn",
        }
    }

    /// The act in the audit log, for what people do to a pack that is there.
    pub fn act(self) -> &'static str {
        match self {
            Self::Draft | Self::Final => "make pack",
            Self::Propose => "propose pack",
            Self::Return => "return pack",
            Self::Approve => "approve pack",
            Self::Supersede => "supersede pack",
            Self::Withdraw => "withdraw pack",
        }
    }
}

/// Where a pack stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Standing {
    /// Issued before packs had states.
    Before,
    Draft,
    /// A draft that waits for its review.
    Proposed,
    /// A draft of which the final pack is being made.
    Approved,
    Final,
    Superseded,
    Withdrawn,
}

impl Standing {
    /// In one or two words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Before => "without a state",
            Self::Draft => "draft",
            Self::Proposed => "draft, in review",
            Self::Approved => "draft, approved",
            Self::Final => "final",
            Self::Superseded => "superseded",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// What somebody who holds the pack must know.
    pub fn says(self) -> &'static str {
        match self {
            Self::Before => "Issued before packs had states: nobody is on record as its reviewer.",
            Self::Draft => "This pack is a draft: nobody has reviewed it.",
            Self::Proposed => "This pack is a draft that waits for its review.",
            Self::Approved => "This pack is a draft. It was reviewed and approved; the final pack is another file.",
            Self::Final => "This pack is final: one person prepared it and another reviewed it.",
            Self::Superseded => "This pack is superseded: another one has taken its place.",
            Self::Withdrawn => "This pack is withdrawn: it must not be relied on.",
        }
    }

    /// Whether it is no pack to be used any more.
    pub fn is_ended(self) -> bool {
        matches!(self, Self::Superseded | Self::Withdrawn)
    }

    /// Where it stands after a step; `None` where the step cannot be taken.
    pub fn after(self, step: Step) -> Option<Self> {
        match (self, step) {
            (Self::Before, Step::Draft) | (Self::Proposed | Self::Approved, Step::Return) => Some(Self::Draft),
            (Self::Before, Step::Final) => Some(Self::Final),
            (Self::Draft, Step::Propose) => Some(Self::Proposed),
            (Self::Proposed, Step::Approve) => Some(Self::Approved),
            (Self::Before | Self::Draft | Self::Proposed | Self::Approved | Self::Final, Step::Supersede) => {
                Some(Self::Superseded)
            }
            (Self::Withdrawn, _) => None,
            (_, Step::Withdraw) => Some(Self::Withdrawn),
            _ => None,
        }
    }
}

/// A step on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its number among those of all packs.
    pub record: i64,
    pub step: Step,
    pub by: String,
    /// What they were; `None` on the command line.
    pub role: Option<String>,
    /// Whether `by` is a demo identity.
    pub demo: bool,
    /// The reason, or what was said with a proposal.
    pub note: Option<String>,
    /// The pack that supersedes; of a final pack the draft.
    pub other: Option<String>,
    pub at: OffsetDateTime,
}

/// What happened to a pack, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Course(pub Vec<Event>);

impl Course {
    pub fn standing(&self) -> Standing {
        let after = |standing: Standing, event: &Event| standing.after(event.step).unwrap_or(standing);
        self.0.iter().fold(Standing::Before, after)
    }

    /// The newest of a step.
    pub fn last(&self, step: Step) -> Option<&Event> {
        self.0.iter().rev().find(|event| event.step == step)
    }

    /// What ended it as a pack to be used: that it was withdrawn, or superseded.
    pub fn end(&self) -> Option<&Event> {
        match self.standing() {
            Standing::Withdrawn => self.last(Step::Withdraw),
            Standing::Superseded => self.last(Step::Supersede),
            _ => None,
        }
    }

    /// The approval that the final pack is being made by, where it is.
    pub fn approval(&self) -> Option<&Event> {
        self.last(Step::Approve).filter(|_| self.standing() == Standing::Approved)
    }

    /// Whether somebody may take a step now.
    ///
    /// `making` is whether the final pack is being made at the moment.
    ///
    /// # Errors
    ///
    /// The sentence says what stands in the way.
    pub fn may(&self, step: Step, who: &str, making: bool) -> Result<(), String> {
        let standing = self.standing();
        if standing.after(step).is_none() {
            let why = match standing {
                Standing::Before => "It was issued before packs had states: make the pack again to have it reviewed.",
                Standing::Final => "A final pack stays as it is: supersede it by another one, or withdraw it.",
                _ => "Its page says what can be done with it now.",
            };
            return Err(format!("The pack is {}. {why}", standing.words()));
        }
        match step {
            Step::Draft | Step::Final => Err("Packs are made by jobs alone.".to_owned()),
            Step::Approve if self.last(Step::Propose).is_some_and(|event| event.by == who) => {
                Err("You proposed this pack yourself: another person must review it, who may make packs as you may."
                    .to_owned())
            }
            Step::Return if standing == Standing::Approved && making => {
                Err("The final pack is being made: cancel the job first.".to_owned())
            }
            _ => Ok(()),
        }
    }
}

/// Courses of several packs by their ids; packs without any are not among them.
pub type Courses = HashMap<String, Course>;

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use proptest::prelude::*;

    use super::*;

    fn event(step: Step, by: &str) -> Event {
        Event {
            record: 1,
            step,
            by: by.to_owned(),
            role: None,
            demo: false,
            note: None,
            other: None,
            at: OffsetDateTime::UNIX_EPOCH,
        }
    }

    fn course(steps: &[(Step, &str)]) -> Course {
        Course(steps.iter().map(|(step, by)| event(*step, by)).collect())
    }

    #[test]
    fn a_pack_without_a_course_is_never_final_and_cannot_become_so() {
        let before = Course::default();
        assert_eq!(before.standing(), Standing::Before);
        assert!(before.may(Step::Propose, "a", false).is_err() && before.may(Step::Approve, "a", false).is_err());
        assert!(before.may(Step::Withdraw, "a", false).is_ok());
    }

    #[test]
    fn the_reviewer_is_another_person_than_the_preparer() {
        let proposed = course(&[(Step::Draft, "a"), (Step::Propose, "a")]);
        assert!(proposed.may(Step::Approve, "a", false).unwrap_err().contains("another person"));
        assert_eq!(proposed.may(Step::Approve, "b", false), Ok(()));
        // Whoever proposed last counts.
        let again = course(&[(Step::Draft, "a"), (Step::Propose, "a"), (Step::Return, "b"), (Step::Propose, "b")]);
        assert!(again.may(Step::Approve, "b", false).is_err());
        assert_eq!(again.may(Step::Approve, "a", false), Ok(()));
    }

    #[test]
    fn an_approval_is_taken_back_only_while_nothing_is_made_of_it() {
        let approved = course(&[(Step::Draft, "a"), (Step::Propose, "a"), (Step::Approve, "b")]);
        assert!(approved.may(Step::Return, "a", true).is_err());
        assert_eq!(approved.may(Step::Return, "a", false), Ok(()));
        assert!(approved.approval().is_some());
    }

    #[test]
    fn words_are_read_back() {
        for step in Step::ALL {
            assert_eq!(Step::parse(step.word()), Some(step));
        }
    }

    proptest! {
        #[test]
        fn whatever_people_try_a_final_pack_has_two_of_them_and_a_withdrawn_one_stays_so(
            tries in proptest::collection::vec((0_usize..7, 0_usize..3, any::<bool>()), 0..40)
        ) {
            let mut course = course(&[(Step::Draft, "a")]);
            for (step, who, making) in tries {
                let (step, who) = (Step::ALL[step], ["a", "b", "c"][who]);
                let before = course.standing();
                let allowed = course.may(step, who, making).is_ok();
                prop_assert!(!allowed || before.after(step).is_some());
                if !allowed {
                    continue;
                }
                prop_assert!(before != Standing::Withdrawn);
                course.0.push(event(step, who));
                prop_assert_eq!(Some(course.standing()), before.after(step));
                // A draft's own bytes say that it is one: no step makes them final.
                prop_assert!(course.standing() != Standing::Final);
                if let Some(approval) = course.approval() {
                    let preparer = course.last(Step::Propose);
                    prop_assert!(preparer.is_some_and(|preparer| preparer.by != approval.by));
                }
                prop_assert_eq!(course.end().is_some(), matches!(course.standing(), Standing::Superseded | Standing::Withdrawn));
            }
        }
    }
}
