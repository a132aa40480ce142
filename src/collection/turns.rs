//! Which history objects of a place are to be read, and which part those that were read have from now on. Pure.

use std::collections::BTreeMap;

use time::Date;

use super::day::Day;
use super::db::OutcomeRow;
use super::place::{self, Context, Work};
use super::plan::{self, Outcome};
use super::read_day::Judged;
use super::source::{Object, Unreached};
use super::standing::Standing;
use crate::compliance::DeliveryState;

/// Why a history object does not speak.
const OVERTAKEN: &str = "the place's snapshots speak from its first one on";

/// History objects that could not be reached, or wait for a snapshot that could not be.
#[derive(Debug, Default)]
pub(super) struct Missed {
    pub(super) objects: Vec<(Object, Unreached)>,
}

impl Missed {
    /// The first day of one of them, and why.
    pub(super) fn first(&self) -> Option<(Day, DeliveryState)> {
        self.objects.iter().map(|(object, why)| (Day::from(object.key.day), why.state)).min_by_key(|it| it.0)
    }
}

/// Which part the place's history objects and inferred days have from now on.
pub(super) struct Turns {
    pub(super) to_read: Vec<Object>,
    pub(super) missed: Missed,
    /// The first day of which a snapshot could not be reached, now or before, or which could not be listed, and why. The
    /// place's first snapshot may be there: what history says from that day on waits until it is known.
    pub(super) waiting: Option<(Day, DeliveryState)>,
    /// New ones that do not speak.
    pub(super) late: Vec<Judged>,
    /// Those that spoke and do no longer.
    pub(super) overtaken: Vec<OutcomeRow>,
    /// Inferred days that are the snapshots' now, ascending.
    pub(super) outlived: Vec<Day>,
}

impl Turns {
    pub(super) fn of(
        context: &Context,
        work: &Work,
        standing: &Standing,
        given_up: &BTreeMap<Date, DeliveryState>,
    ) -> Self {
        let first_snapshot = standing.first_snapshot().unwrap_or(Day::INFINITY);
        let days = plan::days(&work.objects, &standing.stored, context.again());
        let hidden = days.first().and_then(|first| context.coverage.hidden(&work.name, first.day));
        let given_up = given_up.iter().map(|(day, state)| (Day::from(*day), *state));
        let unreached = standing.unreached().filter(|(day, _)| !context.coverage.tells(&work.name, *day));
        let waiting = given_up.chain(hidden).chain(unreached.map(|(day, state)| (Day::from(day), state)));
        let waiting = waiting.filter(|it| it.0 < first_snapshot).min_by_key(|it| it.0);
        let mut turns = Self {
            to_read: vec![],
            missed: Missed::default(),
            waiting,
            late: vec![],
            overtaken: vec![],
            outlived: vec![],
        };
        for day in &days {
            let speaks = Day::from(day.day) < first_snapshot;
            for candidate in &day.history {
                let Some(object) = candidate.object else { continue };
                match (candidate.seen.map(|seen| (seen.outcome, seen.object_id)), speaks) {
                    // Superseded: it came after a first snapshot whose day a later, silent one has taken over.
                    (None | Some((Outcome::Superseded, _)), true) => turns.speaker(object),
                    (None, false) => turns.late.push(Judged::superseded(object, OVERTAKEN.to_owned())),
                    (Some((Outcome::Collected, object_id)), false) => {
                        turns.overtaken.push(place::superseded_row(object_id, OVERTAKEN));
                    }
                    _ => {}
                }
            }
        }
        let inferred = standing.rows.iter().filter(|row| row.state.0 == DeliveryState::InferredFromHistory);
        turns.outlived = inferred.map(|row| row.day).filter(|day| *day >= first_snapshot).collect();
        turns
    }

    /// Takes an object that speaks and was not read.
    fn speaker(&mut self, object: &Object) {
        match self.waiting.filter(|(from, _)| Day::from(object.key.day) >= *from) {
            None => self.to_read.push(object.clone()),
            Some((from, state)) => {
                let reason = format!("left to the next collection: what was delivered on {from} could not be reached");
                self.missed.objects.push((object.clone(), Unreached { state, reason }));
            }
        }
    }
}
