//! Evidence is kept for as long as the setting says, and not longer: what is older is removed, and that is logged.
//!
//! A removal first raises the *floor*, the first day kept, in a transaction of its own with its line in the audit log. From
//! then on nobody tells of days before it, whether their rows are gone yet or not; so a removal can be cut off at any moment,
//! and a later one finishes it. Of each table [`DECISIONS`] says what goes.
//!
//! The floor is the largest first day kept of any removal, and it never falls: with a longer span, or with `never`, what was
//! removed stays removed. A collection does not read objects of days before it, however it is asked to.
//!
//! Every kept day says what it said before, at every knowledge point. What is told of the days before a kept one is told as far
//! as it is left: runs that reach into the kept days keep their first day; what a deviation or a change was before the first
//! day kept is no longer known, and is said to be removed, never to have been nothing.

mod anchors;
mod command;
mod db;
mod decisions;
mod job;
pub mod page;
mod remove;
mod remove_db;
mod span;

use time::Date;

use crate::web::format;

pub use command::{RetainArgs, command};
pub use db::{Removal, floor, removals};
pub use decisions::{DECISIONS, Decision};
pub use job::{Duty, carry_out, keep, look};
pub use remove::{Asked, Done, count, remove};
pub use remove_db::{Counts, TABLES};
pub use span::{Retain, Span};

/// Where the evidence that is kept begins.
#[derive(Debug, Clone, PartialEq, Eq, Hash, sqlx::FromRow)]
pub struct Floor {
    /// The first day kept.
    pub first_day: Date,
    /// When the removal of what was before it began (UTC).
    pub removed_on: Date,
    /// The setting then, e.g. 7y.
    pub setting: String,
}

impl Floor {
    /// What is said wherever days before the floor are asked for.
    pub fn sentence(&self) -> String {
        format!(
            "Evidence before {} was removed on {} by the retention setting ({}).",
            format::day(self.first_day),
            format::day(self.removed_on),
            self.setting
        )
    }

    /// Whether evidence of a day was removed.
    pub fn removed(&self, day: Date) -> bool {
        day < self.first_day
    }

    /// What is said beside an issued pack whose days begin before the floor.
    pub fn behind_pack(&self, from: Date) -> Option<String> {
        self.removed(from).then(|| {
            format!(
                "The evidence behind this pack from before {} is no longer in the store: it was removed on {} by the retention \
                 setting ({}). The pack itself is unchanged.",
                format::day(self.first_day),
                format::day(self.removed_on),
                self.setting
            )
        })
    }

    /// Refuses days that were removed; the sentence says what to ask for instead.
    pub fn require(floor: Option<&Self>, day: Date) -> Result<(), Removed> {
        match floor {
            Some(floor) if floor.removed(day) => Err(Removed(floor.clone())),
            _ => Ok(()),
        }
    }
}

/// A day was asked for whose evidence was removed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{} The first day kept is {}.", .0.sentence(), .0.first_day)]
pub struct Removed(pub Floor);
