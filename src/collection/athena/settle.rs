//! Takes what Athena says of each place into the store, or has the object read by `files` where that is not to be trusted.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::{StreamExt as _, stream};
use time::Date;

use super::answer::Answer;
use super::ask::Ask;
use super::session::Session;
use crate::collection::all_places::of_all_places;
use crate::collection::day::Day;
use crate::collection::day_patch::NotTaken;
use crate::collection::ladder::Tally;
use crate::collection::names::Names;
use crate::collection::place::{self, Context, Work};
use crate::collection::read_day::{Difference, Said};
use crate::collection::source::PlaceName;

/// Objects looked at again at a time.
const LOOKS: usize = 16;

/// The places of a question that still wait.
pub(super) struct Settler<'a> {
    pub(super) context: &'a Arc<Context>,
    pub(super) session: &'a Session,
    pub(super) works: &'a [Arc<Work>],
    pub(super) day: Date,
    pub(super) query_id: i64,
    pub(super) waiting: HashMap<PlaceName, Ask>,
    /// Of places with an object that is no longer what was listed: why.
    pub(super) changed: HashMap<PlaceName, String>,
    pub(super) tally: Tally,
}

impl Settler<'_> {
    /// Looks at the objects again, now that Athena has read them: of one that was overwritten since it was listed nobody
    /// can say which version it read.
    pub(super) async fn look_again(&mut self) -> anyhow::Result<()> {
        let session = self.session;
        let bucket = session.clients.bucket(&session.bucket);
        let objects: Vec<(PlaceName, String, Option<String>)> = self
            .waiting
            .iter()
            .flat_map(|(place, ask)| {
                ask.objects().map(|(path, etag)| (place.clone(), path.to_owned(), etag.map(str::to_owned)))
            })
            .collect();
        let looks = stream::iter(objects).map(|(place, path, etag)| {
            let bucket = &bucket;
            async move {
                let key = path.strip_prefix(&bucket.address("")).unwrap_or(&path);
                let looked = bucket.unchanged(key, etag.as_deref()).await;
                (place, path, looked)
            }
        });
        let mut looks = looks.buffer_unordered(LOOKS);
        while let Some((place, path, looked)) = session.end.unless(looks.next()).await? {
            match (looked, self.waiting.get_mut(&place)) {
                (Ok(version_id), Some(ask)) if ask.path == path => ask.version_id = version_id,
                (Ok(_), _) => {}
                (Err(failure), _) => {
                    self.changed.insert(place, failure.to_string());
                }
            }
        }
        Ok(())
    }

    /// Takes one place's answer; one that does not wait, or no more, is passed over.
    pub(super) async fn take(&mut self, answer: Answer) -> anyhow::Result<()> {
        let Some(ask) = self.waiting.get(&answer.place) else { return Ok(()) };
        let Some(work) = self.works.get(ask.index) else { return Ok(()) };
        let place = answer.place.clone();
        if let Some(reason) = self.changed.remove(&place) {
            return self.read_by_us(&place, &format!("after Athena read it, {reason}")).await;
        }
        let taken = match said(self.query_id, ask, answer) {
            Ok((names, said)) => place::by_query(self.context, work, self.day, names, said).await,
            Err(not_taken) => Err(not_taken.into()),
        };
        match taken {
            Ok(tally) => {
                self.session.told();
                self.tally.add(&tally);
                self.waiting.remove(&place);
                Ok(())
            }
            // What the store does not take, such as a NUL in a name, the reader of files has a word for.
            Err(error) if error.is::<NotTaken>() || !of_all_places(&error) => {
                self.by_files(&place, &format!("{error:#}")).await
            }
            Err(error) => Err(error),
        }
    }

    /// Has what still waits read by `files`.
    pub(super) async fn rest_by_files(&mut self, reason: &str) -> anyhow::Result<()> {
        let mut places: Vec<PlaceName> = self.waiting.keys().cloned().collect();
        places.sort_unstable();
        for place in places {
            self.session.end.go_on()?;
            self.by_files(&place, reason).await?;
        }
        Ok(())
    }

    /// Has read by `files` what Athena tells nothing of, or nothing to be trusted.
    async fn by_files(&mut self, place: &PlaceName, reason: &str) -> anyhow::Result<()> {
        let Some(ask) = self.waiting.get(place) else { return Ok(()) };
        self.session.silent(&format!("{}: {reason}", ask.path))?;
        self.read_by_us(place, reason).await
    }

    async fn read_by_us(&mut self, place: &PlaceName, reason: &str) -> anyhow::Result<()> {
        let Some(ask) = self.waiting.remove(place) else { return Ok(()) };
        let Some(work) = self.works.get(ask.index) else { return Ok(()) };
        let note = format!("read by us and not by Athena: {reason}");
        self.tally.add(&place::by_files(self.context, work, self.day, Some(note)).await?);
        Ok(())
    }
}

/// What an answer says of its object, if it is to be trusted.
fn said(query_id: i64, ask: &Ask, answer: Answer) -> Result<(Names, Said), NotTaken> {
    sound(ask, &answer).map_err(NotTaken)?;
    let Answer { names, truth, attributes, gone, new, .. } = answer;
    let held = new.unwrap_or_default();
    let difference =
        ask.base.as_ref().map(|base| Difference { since: Day::from(base.day), object_id: base.object_id, gone });
    let said = Said {
        query_id,
        name: ask.name.clone(),
        etag: ask.etag.clone(),
        version_id: ask.version_id.clone(),
        reading: held.reading(ask.size_bytes),
        left_out: held.left_out(),
        packs_deleted: held.packs_deleted,
        truth,
        attributes,
        difference,
    };
    Ok((names, said))
}

/// Why an answer is not to be trusted.
fn sound(ask: &Ask, answer: &Answer) -> Result<(), String> {
    let Some(new) = &answer.new else { return Err("the table shows Athena no such object".to_owned()) };
    if new.objects != 1 || new.stored().is_none() {
        return Err("Athena's counts of it do not fit together".to_owned());
    }
    if new.doubts + answer.odd > 0 {
        return Err(format!("{} of its items need a closer look", new.doubts + answer.odd));
    }
    match (&ask.base, &answer.old) {
        (None, None) => Ok(()),
        (Some(base), Some(old)) => {
            let stored = old.stored().and_then(|stored| i64::try_from(stored).ok());
            if old.objects == 1 && old.doubts == 0 && stored == Some(base.evaluations) {
                Ok(())
            } else {
                Err(format!("what Athena sees of {} is not what was collected", base.day))
            }
        }
        (Some(base), None) => Err(format!("Athena does not see the object of {}", base.day)),
        (None, Some(_)) => Err("Athena tells it from an object that was not asked for".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::super::answer::Held;
    use super::super::ask::Base;
    use super::*;
    use crate::collection::gather::DayTruth;

    fn held(evaluations: u64) -> Held {
        Held { objects: 1, evaluations, ..Held::default() }
    }

    fn answer(new: Option<Held>, old: Option<Held>) -> Answer {
        Answer {
            place: PlaceName { account_id: "1".to_owned(), region: "r".to_owned() },
            new,
            old,
            names: Names::default(),
            truth: DayTruth::default(),
            attributes: vec![],
            gone: super::super::Gone::default(),
            odd: 0,
        }
    }

    fn ask(base: bool) -> Ask {
        let base = base.then(|| Base {
            day: date!(2026 - 10 - 01),
            object_id: 1,
            path: "p".to_owned(),
            etag: None,
            size_bytes: 1,
            evaluations: 4,
        });
        Ask {
            index: 0,
            place: PlaceName { account_id: "1".to_owned(), region: "r".to_owned() },
            name: "n".to_owned(),
            path: "n".to_owned(),
            etag: None,
            version_id: None,
            size_bytes: 1,
            base,
        }
    }

    #[test]
    fn an_answer_is_trusted_where_both_its_sides_are_as_they_should_be() {
        assert_eq!(sound(&ask(false), &answer(Some(held(5)), None)), Ok(()));
        assert_eq!(sound(&ask(true), &answer(Some(held(5)), Some(held(4)))), Ok(()));
        let doubtful = Some(Held { doubts: 1, ..held(5) });
        let impossible = Some(Held { older: 6, ..held(5) });
        for (base, new, old) in [
            (false, None, None),
            (false, doubtful.clone(), None),
            (false, impossible, None),
            (false, Some(held(5)), Some(held(4))),
            (true, Some(held(5)), None),
            (true, Some(held(5)), Some(held(3))),
            (true, Some(held(5)), doubtful),
        ] {
            assert!(sound(&ask(base), &answer(new.clone(), old.clone())).is_err(), "{new:?} {old:?}");
        }
    }
}
