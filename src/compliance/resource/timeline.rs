//! What each rule said of a resource over time. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use time::{Date, OffsetDateTime};

use crate::compliance::core::history::{Seen, Span, Stretch, stretches};
use crate::compliance::db::Catalog;
use crate::compliance::db::resource::{PlaceOn, Run};
use crate::compliance::filter::{Filter, Which};
use crate::compliance::{DeliveryState, Severity, Status};

/// A resource by what names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) account_id: String,
    pub(super) region: String,
    pub(super) resource_type: String,
    pub(super) id: String,
}

/// What continues when a pack is deployed again: the runs of all names of a core rule within its pack.
#[derive(Debug)]
pub(super) struct Timeline {
    pub(super) of: Arc<Identity>,
    pub(super) rule: String,
    pub(super) core_name: String,
    pub(super) severity: Severity,
    /// Ascending, whatever the filters.
    pub(super) stretches: Vec<(Stretch<i16>, Option<Status>)>,
    /// Those of the stretches that the filters leave, the newest first.
    pub(super) lines: Vec<Line>,
}

/// What a band says of the as-of day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Now {
    Says(Status),
    Absent,
    Gap(Option<Status>),
}

/// What a rule said for some days.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) of: Arc<Identity>,
    /// Among all lines of the resource, from 1, whatever the order and the filters.
    pub(super) number: usize,
    pub(super) rule: String,
    pub(super) seen: Seen<i16>,
    pub(super) status: Option<Status>,
    pub(super) first: Date,
    pub(super) last: Date,
    pub(super) days: i64,
    /// Whether the first day is the day it began, or only the first that is shown.
    pub(super) captured_at: Option<OffsetDateTime>,
    pub(super) cause: String,
}

/// How urgent what was seen is, for sorting, as the list of evaluations has it: the lower, the more.
fn urgency(seen: Seen<i16>, status: Option<&Status>) -> i64 {
    match (seen, status) {
        (Seen::Value(_), Some(Status::NonCompliant)) => 0,
        (Seen::Gap(_), _) => 1,
        (Seen::Value(_), Some(Status::InsufficientData)) => 2,
        (Seen::Value(_), Some(Status::Unrecognised(_)) | None) => 3,
        (Seen::Value(_), Some(Status::Compliant)) => 4,
        (Seen::Value(_), Some(Status::NotApplicable)) => 5,
        (Seen::Absent, _) => 6,
    }
}

impl Line {
    pub(super) fn urgency(&self) -> i64 {
        urgency(self.seen, self.status.as_ref())
    }

    /// What was said, as a file has it.
    pub(super) fn words(&self) -> String {
        match self.seen {
            Seen::Value(_) => self.status.as_ref().map(|status| status.word().to_owned()).unwrap_or_default(),
            Seen::Gap(_) => format!("no evidence: {}", self.cause),
            Seen::Absent => "not evaluated".to_owned(),
        }
    }
}

/// Whether a status asks for a stretch: one without evidence counts by what was last known.
pub(super) fn is_meant(which: Which, seen: Seen<i16>) -> bool {
    which == Which::All
        || match seen {
            Seen::Value(status_id) => which.matches(true, status_id),
            Seen::Gap(Some(status_id)) => which.matches(false, status_id),
            Seen::Gap(None) | Seen::Absent => false,
        }
}

/// The timelines of the rules that the filters leave, by name: those with a stretch of the status asked for.
pub(super) fn timelines(
    catalog: &Catalog,
    of: &Arc<Identity>,
    filter: &Filter,
    runs: &[Run],
    days: &[PlaceOn],
    (first, until): (Date, Date),
) -> Vec<Timeline> {
    let known: BTreeSet<Date> = days.iter().filter(|on| on.state.known()).map(|on| on.day).collect();
    let state_on: BTreeMap<Date, DeliveryState> = days.iter().map(|on| (on.day, on.state)).collect();
    let mut by_timeline: BTreeMap<i32, Vec<&Run>> = BTreeMap::new();
    for run in runs {
        if let Some((_, rule)) = catalog.rule(run.rule_id) {
            by_timeline.entry(rule.timeline_id).or_default().push(run);
        }
    }
    let mut timelines: Vec<Timeline> = by_timeline
        .into_values()
        .filter_map(|runs| {
            // The newest name stands for the timeline.
            let (_, rule) = catalog.rule(runs.last()?.rule_id)?;
            let spans: Vec<Span<i16>> =
                runs.iter().map(|run| Span { first: run.first_day, end: run.end_day, value: run.status_id }).collect();
            let held = |seen: &Seen<i16>| match seen {
                Seen::Value(held) | Seen::Gap(Some(held)) => Some(catalog.status(*held)),
                _ => None,
            };
            let stretches: Vec<(Stretch<i16>, Option<Status>)> = stretches(&spans, &known, first, until)
                .into_iter()
                .map(|stretch| (stretch, held(&stretch.seen)))
                .collect();
            // Nothing within the days shown.
            if stretches.iter().all(|(_, held)| held.is_none()) {
                return None;
            }
            let lines = lines(catalog, of, &runs, &stretches, &state_on);
            Some(Timeline {
                of: Arc::clone(of),
                rule: rule.name.clone(),
                core_name: rule.core_name.clone(),
                severity: rule.severity(),
                stretches,
                lines,
            })
        })
        .collect();
    timelines.sort_by(|one, other| one.rule.cmp(&other.rule));
    number(&mut timelines);
    let rule_ids: Option<BTreeSet<i32>> = filter.rule_ids(catalog).map(|rule_ids| rule_ids.into_iter().collect());
    let names: Option<BTreeSet<&str>> = rule_ids
        .as_ref()
        .map(|rule_ids| rule_ids.iter().filter_map(|id| Some(catalog.rule(*id)?.1.name.as_str())).collect());
    timelines.retain_mut(|timeline| {
        let named = names.as_ref().is_none_or(|names| {
            names.contains(timeline.rule.as_str())
                || timeline.lines.iter().any(|line| names.contains(line.rule.as_str()))
        });
        timeline.lines.retain(|line| is_meant(filter.which, line.seen));
        named && !timeline.lines.is_empty()
    });
    timelines
}

/// Numbers all lines, so that a line keeps its number whatever is left of them.
fn number(timelines: &mut [Timeline]) {
    for (at, line) in timelines.iter_mut().flat_map(|timeline| &mut timeline.lines).enumerate() {
        line.number = at + 1;
    }
}

fn lines(
    catalog: &Catalog,
    of: &Arc<Identity>,
    runs: &[&Run],
    stretches: &[(Stretch<i16>, Option<Status>)],
    state_on: &BTreeMap<Date, DeliveryState>,
) -> Vec<Line> {
    stretches
        .iter()
        .rev()
        .map(|(stretch, status)| {
            let run = runs
                .iter()
                .rev()
                .find(|run| run.first_day <= stretch.first && run.end_day.is_none_or(|end| stretch.first < end));
            let name = run.or(runs.last()).and_then(|run| catalog.rule(run.rule_id));
            let cause = match stretch.seen {
                Seen::Gap(_) => state_on.get(&stretch.first).map(|state| state.word().to_owned()),
                _ => None,
            };
            Line {
                of: Arc::clone(of),
                number: 0,
                rule: name.map(|(_, rule)| rule.name.clone()).unwrap_or_default(),
                seen: stretch.seen,
                status: status.clone(),
                first: stretch.first,
                last: stretch.last,
                days: stretch.days(),
                captured_at: run
                    .filter(|run| matches!(stretch.seen, Seen::Value(_)) && run.first_day == stretch.first)
                    .and_then(|run| run.item_captured_at),
                cause: cause.unwrap_or_default(),
            }
        })
        .collect()
}

impl Timeline {
    pub(super) fn now(&self) -> Now {
        match self.stretches.last() {
            Some((Stretch { seen: Seen::Value(_), .. }, Some(status))) => Now::Says(status.clone()),
            Some((Stretch { seen: Seen::Gap(_), .. }, status)) => Now::Gap(status.clone()),
            _ => Now::Absent,
        }
    }

    pub(super) fn urgency(&self) -> i64 {
        self.stretches.last().map_or(6, |(stretch, status)| urgency(stretch.seen, status.as_ref()))
    }

    /// Numbers of the lines of the stretches, ascending as those; `None` where the filters leave a line out.
    pub(super) fn numbers(&self) -> Vec<Option<usize>> {
        let number = |stretch: &Stretch<i16>| self.lines.iter().find(|line| line.first == stretch.first);
        self.stretches.iter().map(|(stretch, _)| number(stretch).map(|line| line.number)).collect()
    }
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;
    use crate::compliance::status;

    #[test]
    fn a_status_asks_for_what_was_observed_and_carried_for_what_was_last_known() {
        let failing = Seen::Value(status::NON_COMPLIANT);
        let silent = Seen::Gap(Some(status::NON_COMPLIANT));
        for (which, seen, meant) in [
            (Which::All, Seen::Absent, true),
            (Which::NonCompliant, failing, true),
            (Which::NonCompliant, silent, false),
            (Which::Carried, silent, true),
            (Which::Unknown, silent, true),
            (Which::Unknown, failing, false),
            (Which::Carried, Seen::Gap(None), false),
            (Which::Compliant, Seen::Absent, false),
        ] {
            assert_eq!(is_meant(which, seen), meant, "{which:?} {seen:?}");
        }
    }

    #[test]
    fn a_stretch_that_is_left_out_leads_to_no_line() {
        let of = Arc::new(Identity {
            account_id: String::new(),
            region: String::new(),
            resource_type: String::new(),
            id: String::new(),
        });
        let stretch =
            |first, last, status_id| (Stretch { first, last, seen: Seen::Value(status_id) }, Some(Status::Compliant));
        let stretches = vec![
            stretch(date!(2026 - 11 - 01), date!(2026 - 11 - 02), status::COMPLIANT),
            stretch(date!(2026 - 11 - 03), date!(2026 - 11 - 04), status::NON_COMPLIANT),
        ];
        let lines = lines(&Catalog::default(), &of, &[], &stretches, &BTreeMap::new());
        let timeline =
            Timeline { of, rule: String::new(), core_name: String::new(), severity: Severity::Low, stretches, lines };
        let mut timelines = [timeline];
        number(&mut timelines);
        assert_eq!(timelines[0].numbers(), [Some(2), Some(1)], "the newest stands first");
        timelines[0].lines.retain(|line| is_meant(Which::NonCompliant, line.seen));
        assert_eq!(timelines[0].numbers(), [None, Some(1)]);
    }
}
