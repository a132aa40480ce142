//! When items were captured that the store keeps no time of: read again from the objects of the days after a change.
//!
//! A run keeps the capture time of its first day only. Where a late day splits it, its right part begins on a day whose
//! object was collected before: that object is read once more, if the source still has it unchanged.

use rustc_hash::FxHashMap;

use super::day::Day;
use super::names::Names;
use super::place::{Context, Work, no_patch};
use super::plan::Version;
use super::read_day;
use super::splice::{self, Patch};
use super::standing::Standing;

/// By day: (rule, resource) in numbers of [`Names`] to microseconds since 1970.
#[derive(Debug, Default)]
pub(super) struct Times(pub(super) FxHashMap<Day, FxHashMap<(u32, u32), i64>>);

/// Reads the objects of the known days that follow `changed` days and are none themselves. An error ends the collection.
pub(super) fn after(
    context: &Context,
    work: &Work,
    standing: &Standing,
    mut changed: Vec<Day>,
    names: &mut Names,
) -> anyhow::Result<Times> {
    changed.sort_unstable();
    let patch: Patch<(), (), ()> = Patch { known: changed, ..no_patch() };
    let mut times = Times::default();
    for day in splice::days_after(standing.calendar(), &patch) {
        let object_id = standing.row(day).and_then(|row| row.object_id);
        let Some(stored) = standing.stored.iter().find(|it| Some(it.seen.object_id) == object_id) else { continue };
        let Some(object) = work.objects.iter().find(|it| Version::from(*it) == stored.version) else { continue };
        context.go_on()?;
        let known = (stored.sha256.as_deref(), stored.version.etag.as_deref());
        let Some(truth) = read_day::again(context.reader(work), object, known, names)? else { continue };
        times.0.insert(day, truth.evaluations.iter().map(|it| ((it.rule, it.resource), it.captured_at)).collect());
    }
    Ok(times)
}
