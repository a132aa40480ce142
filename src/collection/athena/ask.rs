//! What to ask Athena of a day: of each place its object, and the object of the day before that the store knows. Pure.

use time::Date;

use super::statement::MOST_PARAMETER_BYTES;
use crate::collection::day::Day;
use crate::collection::plan::{self, Again, DayPlan, Outcome, Turn, Version};
use crate::collection::source::{Object, PlaceName};
use crate::collection::standing::Standing;
use crate::compliance::DeliveryState;

/// Statements stay far below Athena's 262,144 bytes, parameters counted in.
const MOST_STATEMENT_BYTES: usize = 150_000;

/// One place's part of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::collection) struct Ask {
    /// Of the place, among those of the batch.
    pub(super) index: usize,
    pub(super) place: PlaceName,
    /// The object's key.
    pub(super) name: String,
    /// `s3://BUCKET/KEY`.
    pub(super) path: String,
    pub(super) etag: Option<String>,
    /// Known once it was looked at after the query.
    pub(super) version_id: Option<String>,
    pub(super) size_bytes: u64,
    /// `None`: everything that the object says is asked for.
    pub(super) base: Option<Base>,
}

/// The day that another is told from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::collection) struct Base {
    pub(super) day: Date,
    pub(super) object_id: i64,
    pub(super) path: String,
    pub(super) etag: Option<String>,
    pub(super) size_bytes: u64,
    /// Of the day, as stored.
    pub(super) evaluations: i64,
}

impl Ask {
    /// What tells this part of a question from every other: objects with their versions.
    pub(super) fn mark(&self) -> String {
        let etag = |etag: &Option<String>| etag.clone().unwrap_or_default();
        let base = self.base.as_ref().map_or_else(String::new, |base| format!("{} {}", base.path, etag(&base.etag)));
        format!("{} {}\n{base}", self.path, etag(&self.etag))
    }

    /// The objects that are going to be scanned: `s3://BUCKET/KEY` and `ETag`.
    pub(super) fn objects(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        let base = self.base.iter().map(|base| (base.path.as_str(), base.etag.as_deref()));
        std::iter::once((self.path.as_str(), self.etag.as_deref())).chain(base)
    }

    /// Bytes that are going to be scanned.
    pub(super) fn bytes(&self) -> u64 {
        self.size_bytes + self.base.as_ref().map_or(0, |base| base.size_bytes)
    }
}

/// The parts of one question. There is at least one: a statement that names no account, Region or object is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asks(Vec<Ask>);

impl Asks {
    /// `None` where nothing is to be asked.
    pub(super) fn of(asks: Vec<Ask>) -> Option<Self> {
        (!asks.is_empty()).then_some(Self(asks))
    }

    /// Two halves of a question that cannot be answered whole: by accounts, and where there is one only, by its Regions.
    ///
    /// # Errors
    ///
    /// It has one part, which is given back.
    pub(super) fn halves(mut self) -> Result<(Self, Self), Self> {
        let parts = self.0.len();
        if parts < 2 {
            return Err(self);
        }
        let middle = parts / 2;
        let account = |at: usize| self.0.get(at).map(|ask| ask.place.account_id.as_str());
        // The border between two accounts that is nearest to the middle.
        let border = (1..parts).filter(|&at| account(at - 1) != account(at)).min_by_key(|at| at.abs_diff(middle));
        let rest = self.0.split_off(border.unwrap_or(middle));
        Ok((self, Self(rest)))
    }
}

impl std::ops::Deref for Asks {
    type Target = [Ask];

    fn deref(&self) -> &[Ask] {
        &self.0
    }
}

impl IntoIterator for Asks {
    type Item = Ask;
    type IntoIter = std::vec::IntoIter<Ask>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// What is to be done about a place's day.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Todo {
    /// No object of it is new.
    Nothing,
    Ask(Box<Ask>),
    /// Nothing is to be read, or Athena cannot be asked: with the reason, where there is one.
    Files(Option<&'static str>),
}

/// Decides it. `bucket` is the delivery bucket's name; `index` that of the place among those of the batch.
pub(super) fn plan(
    bucket: &str,
    place: &PlaceName,
    index: usize,
    objects: &[Object],
    day: &DayPlan<'_>,
    standing: &Standing,
) -> Todo {
    if day.snapshots.iter().all(|candidate| candidate.seen.is_some()) {
        return Todo::Nothing;
    }
    let verdict = |object_id| standing.verdict(Day::from(day.day), object_id);
    let turns = day.snapshots.iter().map(|candidate| candidate.turn(verdict));
    let Some(Turn::Read(object)) = turns.into_iter().find(|turn| matches!(turn, Turn::Read(_) | Turn::Stands(_)))
    else {
        // The one that speaks was collected before, or none can be read: what is new is judged without reading.
        return Todo::Files(None);
    };
    let path = format!("s3://{bucket}/{}", object.name);
    if !projected(place, day.day, &object.name) || path.len() + 2 > MOST_PARAMETER_BYTES {
        return Todo::Files(Some("its key is not where the table looks"));
    }
    Todo::Ask(Box::new(Ask {
        index,
        place: place.clone(),
        name: object.name.clone(),
        path,
        etag: object.etag.clone(),
        version_id: None,
        size_bytes: object.size_bytes,
        base: base(bucket, place, objects, day.day, standing),
    }))
}

/// The last known day before `day`, if a snapshot with compliance items was collected then and is still there as it was.
fn base(bucket: &str, place: &PlaceName, objects: &[Object], day: Date, standing: &Standing) -> Option<Base> {
    let row = standing.before(Day::from(day))?;
    let delivered = matches!(row.state.0, DeliveryState::Delivered | DeliveryState::DeliveredLaterUnreadable);
    let object_id = row.object_id.filter(|_| delivered)?;
    let before = row.day.date()?;
    let collected = |it: &&plan::Stored| it.seen.object_id == object_id && it.seen.outcome == Outcome::Collected;
    let stored = standing.stored.iter().find(collected)?;
    let of_day = objects.iter().filter(|object| object.key.day == before);
    let object = of_day.into_iter().find(|object| Version::from(*object) == stored.version)?;
    let path = format!("s3://{bucket}/{}", object.name);
    let addressed = projected(place, before, &object.name) && path.len() + 2 <= MOST_PARAMETER_BYTES;
    addressed.then(|| Base {
        day: before,
        object_id,
        path,
        etag: object.etag.clone(),
        size_bytes: object.size_bytes,
        evaluations: row.evaluations(),
    })
}

/// Whether a key is where partition projection looks for it.
fn projected(place: &PlaceName, day: Date, name: &str) -> bool {
    let folder = format!(
        "AWSLogs/{}/Config/{}/{}/ConfigSnapshot/",
        place.account_id,
        place.region,
        super::statement::written(day)
    );
    let Some((before, file)) = name.split_once(folder.as_str()) else { return false };
    // Athena passes over names that begin so.
    (before.is_empty() || before.ends_with('/')) && !file.contains('/') && !file.starts_with(['_', '.'])
}

/// Parts of a question that fit into one statement each, in order: at most so many accounts, and not too long.
pub(super) fn chunks(asks: Vec<Ask>, most_accounts: usize) -> Vec<Vec<Ask>> {
    let mut chunks: Vec<Vec<Ask>> = Vec::new();
    let (mut accounts, mut bytes) = (std::collections::BTreeSet::new(), 0);
    for ask in asks {
        let more = ask.path.len() + ask.base.as_ref().map_or(0, |base| base.path.len()) + 40;
        let new_account = !accounts.contains(&ask.place.account_id);
        if chunks.is_empty() || (new_account && accounts.len() == most_accounts) || bytes + more > MOST_STATEMENT_BYTES
        {
            chunks.push(Vec::new());
            accounts.clear();
            bytes = 0;
        }
        accounts.insert(ask.place.account_id.clone());
        bytes += more;
        if let Some(last) = chunks.last_mut() {
            last.push(ask);
        }
    }
    chunks
}

/// The days of a place that have a snapshot to be judged.
pub(super) fn days_to_read(objects: &[Object], standing: &Standing, again: Again) -> Vec<Date> {
    plan::days(objects, &standing.stored, again)
        .iter()
        .filter(|day| day.snapshots.iter().any(|candidate| candidate.seen.is_none()))
        .map(|day| day.day)
        .collect()
}

#[cfg(test)]
mod tests;
