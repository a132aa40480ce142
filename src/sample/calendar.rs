//! What is delivered on which day, and where that is out of the ordinary.

use super::organization::{Account, Organization, Role};
use super::random::Random;

/// How an object was damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Damage {
    /// The end of the gzip is lacking.
    Cut,
    /// Some bytes in the middle are others.
    Garbled,
    /// A whole gzip of something that is not JSON.
    NotJson,
    /// No bytes at all.
    Empty,
}

/// A snapshot of a day.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shot {
    /// Seconds since midnight.
    pub(super) at: u32,
    /// It shows the place as it was the day before.
    pub(super) before: bool,
    pub(super) damage: Option<Damage>,
    /// Without `AWS::Config::ResourceCompliance` items.
    pub(super) bare: bool,
    /// Days by which it came late.
    pub(super) late: u32,
    pub(super) huge: bool,
}

/// The history objects of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum History {
    None,
    /// What changed, and at least one thing of each kind where `Plan::history_leads`.
    Changes,
    /// As `Changes`, with older versions of a resource's results behind the newer ones.
    ChangesOutOfOrder,
    /// What changed of ordinary resources, without results.
    Ordinary,
}

/// What a place delivers on a day.
#[derive(Debug)]
pub(super) struct Plan {
    /// By time.
    pub(super) shots: Vec<Shot>,
    pub(super) history: History,
    /// History speaks for the place: it has to say something.
    pub(super) history_leads: bool,
    pub(super) case: Option<&'static str>,
}

const HOUR: u32 = 3_600;

impl Plan {
    fn nothing() -> Self {
        Self { shots: Vec::new(), history: History::None, history_leads: false, case: None }
    }

    fn history(history: History) -> Self {
        Self { history, history_leads: true, ..Self::nothing() }
    }

    /// Seconds of the day in which what is new that day was captured: before the shot that shows it.
    pub(super) fn window(&self, base: u32) -> std::ops::Range<u32> {
        let new = self.shots.iter().position(|shot| !shot.before);
        let end = new.map_or(base, |index| self.shots[index].at);
        let start = new.and_then(|index| index.checked_sub(1)).map_or(0, |index| self.shots[index].at);
        start..end
    }
}

/// When a place delivers: seconds after midnight, between one and five o'clock.
pub(super) fn base(random: &mut Random) -> u32 {
    random.between(HOUR, 5 * HOUR)
}

/// What a place delivers on a day; `base` is its usual time, `random` a stream of the place and day.
pub(super) fn plan(
    organization: &Organization,
    account: &Account,
    region_index: usize,
    day: u32,
    base: u32,
    random: &mut Random,
) -> Plan {
    let story = organization.story;
    let last_region = organization.choice.regions.len() - 1;
    let shot = Shot { at: base, before: false, damage: None, bare: false, late: 0, huge: false };
    let usual = Plan { shots: vec![shot], history: History::Changes, ..Plan::nothing() };
    let without_results =
        Plan { shots: vec![Shot { bare: true, ..shot }], history: History::Ordinary, ..Plan::nothing() };
    match account.role {
        Role::NeverDelivers => {
            Plan { case: (day == account.joins).then_some("expected and never delivered"), ..Plan::nothing() }
        }
        Role::HistoryOnly => {
            let mut plan = Plan::history(match random.below(100) {
                _ if day == 0 || day + 1 == story.days => History::Changes,
                _ if day == story.at(30) || day == story.at(50) => History::ChangesOutOfOrder,
                0..90 => History::Changes,
                90..96 => History::Ordinary,
                _ => return Plan::nothing(),
            });
            plan.case = (day == 0).then_some("delivers history only");
            plan
        }
        Role::StopsRecording if region_index == last_region && last_region > 0 && day < story.at(10).max(1) => {
            Plan { case: (day == 0).then_some("records no compliance items"), ..without_results }
        }
        Role::StopsRecording if day >= story.at(60) => {
            Plan { case: (day == story.at(60)).then_some("stops recording compliance items"), ..without_results }
        }
        Role::Joined => match day.checked_sub(account.joins) {
            None | Some(0) => Plan::nothing(),
            Some(1) => Plan { case: Some("history before the first snapshot"), ..Plan::history(History::Changes) },
            Some(2) => Plan::history(History::Ordinary),
            Some(_) => usual,
        },
        Role::Left => match day.checked_sub(account.leaves.unwrap_or(u32::MAX)) {
            Some(0) => Plan { case: Some("left and still delivers"), ..usual },
            None | Some(1) => usual,
            Some(_) => Plan::nothing(),
        },
        Role::Ordinary | Role::Neglected | Role::StopsRecording => {
            let trouble = (story.days >= 10).then(|| trouble(organization, account, region_index, day, shot)).flatten();
            let mut plan = trouble.unwrap_or(usual);
            let rate = if account.role == Role::Neglected { 25_000 } else { 3_000 };
            // A place now and then fails to deliver, but neither first nor last.
            if plan.case.is_none() && story.days >= 10 && day > 0 && day + 1 < story.days && random.chance(rate) {
                return Plan::nothing();
            }
            let is_huge = organization.choice.huge && account.ordinal == 0 && account.role == Role::Ordinary;
            if is_huge
                && region_index == 0
                && day + 1 == story.days
                && let Some(last) = plan.shots.last_mut()
            {
                last.huge = true;
            }
            plan
        }
    }
}

/// The day's trouble, if any. Each is in another place, or on another day where accounts are few.
fn trouble(organization: &Organization, account: &Account, region_index: usize, day: u32, shot: Shot) -> Option<Plan> {
    if account.role != Role::Ordinary {
        return None;
    }
    let story = organization.story;
    let ordinary = organization.accounts.iter().filter(|one| one.role == Role::Ordinary).count();
    let is_first = region_index == 0;
    let is_last = region_index + 1 == organization.choice.regions.len();
    let is = |ordinal: usize, place: bool, percent: u32| {
        account.ordinal == ordinal % ordinary && place && day == story.at(percent)
    };
    let with = |shots: Vec<Shot>, case: &'static str| {
        Some(Plan { shots, history: History::Changes, case: Some(case), ..Plan::nothing() })
    };
    let later = |hours: u32| Shot { at: shot.at + hours * HOUR, ..shot };
    if is(0, is_first, 50) {
        with(Vec::new(), "snapshot missing, history delivered")
    } else if is(1, is_first, 70) {
        let late = 4.min(story.days - 1 - day).max(1);
        with(vec![Shot { late, ..shot }], "late snapshot")
    } else if is(2, is_first, 20) {
        let before = |shot: Shot| Shot { before: true, ..shot };
        with(vec![before(shot), before(later(6)), before(later(12)), later(18)], "several snapshots")
    } else if is(0, is_last, 80) {
        let bad = Shot { damage: Some(Damage::Cut), ..later(12) };
        with(vec![shot, bad], "unreadable snapshot after a good one")
    } else if is(1, is_last, 55) {
        let bad = |shot: Shot, damage: Damage| Shot { damage: Some(damage), ..shot };
        with(vec![bad(shot, Damage::Garbled), bad(later(6), Damage::NotJson)], "only unreadable snapshots")
    } else if is(2, is_last, 33) {
        with(vec![Shot { damage: Some(Damage::Empty), ..shot }, later(6)], "unreadable snapshot before a good one")
    } else {
        None
    }
}
