//! One account in one Region: what happens in it day after day, what is delivered of that, and what is true of it.

use std::collections::BTreeMap;

use time::{Duration, OffsetDateTime};

use super::calendar::{self, History, Plan, Shot};
use super::deployment::{Deployment, Pack, in_force};
use super::expected::Counts;
use super::items::{self, Origin, RuleName, Word};
use super::objects::{Folder, Root};
use super::organization::{Account, Organization, Role};
use super::random::Random;
use super::resource::{Resource, Shown, Surroundings, Today};
use super::{damage, inventory, litter};
use crate::compliance::DeliveryState;

/// What is true of a place after all its days.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// One for each day.
    pub(super) days: Vec<PlaceDay>,
    /// What came late: key, day, day of arrival.
    pub(super) late: Vec<(String, u32, u32)>,
    pub(super) unreadable: Vec<String>,
    pub(super) cases: Vec<(&'static str, u32)>,
    pub(super) snapshots: u64,
    pub(super) histories: u64,
}

/// What is true of a place's day. No state: nothing that counts was delivered.
#[derive(Debug, Default)]
pub(super) struct PlaceDay {
    pub(super) state: Option<DeliveryState>,
    pub(super) counts: Counts,
    pub(super) object: Option<String>,
}

/// Lives through all days of a place and writes what it delivers.
pub(super) fn run(
    organization: &Organization,
    account: &Account,
    region_index: usize,
    folder: &mut Folder,
) -> anyhow::Result<Outcome> {
    let deployment = Deployment::new(organization, account, region_index);
    let mut place = Place::new(organization, account, region_index, &deployment);
    for day in 0..organization.choice.days {
        let state = place.day(day, folder)?;
        place.outcome.days.push(state);
    }
    if region_index == 0 && account.role != Role::NeverDelivers {
        litter::write(organization, account, &place.root, folder)?;
    }
    Ok(place.outcome)
}

struct Place<'a> {
    around: Surroundings<'a>,
    region_index: usize,
    root: Root<'a>,
    resources: Vec<Resource>,
    packs: Vec<PackState<'a>>,
    base: u32,
    random: Random,
    /// What history has told so far of each resource: when captured, and which results.
    told: BTreeMap<usize, (i64, Vec<Shown>)>,
    /// Whether a snapshot with results was delivered.
    seen: bool,
    outcome: Outcome,
}

struct PackState<'a> {
    pack: &'a Pack,
    version: Option<usize>,
    results: Vec<(usize, usize, Word)>,
    item: String,
    changed: bool,
}

/// The items of a snapshot and what they say.
struct Contents {
    items: String,
    counts: Counts,
    compliance_items: usize,
}

/// What the history objects of a day held.
#[derive(Default)]
struct Told {
    any: bool,
    results: bool,
}

impl<'a> Place<'a> {
    fn new(
        organization: &'a Organization,
        account: &'a Account,
        region_index: usize,
        deployment: &'a Deployment,
    ) -> Self {
        let region = organization.choice.regions[region_index].as_str();
        let mut random = Random::new(organization.choice.seed, &["place", &account.id, region]);
        let around = Surroundings { organization, account, region, rules: &deployment.rules };
        let root = Root { prefix: &organization.choice.prefix, account_id: &account.id, region };
        let mut outcome = Outcome { cases: deployment.cases.clone(), ..Outcome::default() };
        let resources = inventory::resources(&around, region_index, &mut random, &mut outcome.cases);
        let packs = deployment
            .packs
            .iter()
            .map(|pack| PackState { pack, version: None, results: Vec::new(), item: String::new(), changed: false })
            .collect();
        let base = calendar::base(&mut random);
        Self { around, region_index, root, resources, packs, base, random, told: BTreeMap::new(), seen: false, outcome }
    }

    fn day(&mut self, day: u32, folder: &mut Folder) -> anyhow::Result<PlaceDay> {
        let (organization, account) = (self.around.organization, self.around.account);
        let words = [account.id.as_str(), self.around.region, &day.to_string()];
        let mut random = Random::new(organization.choice.seed, &words);
        let plan = calendar::plan(organization, account, self.region_index, day, self.base, &mut random);
        if let Some(case) = plan.case {
            self.outcome.cases.push((case, day));
        }
        if account.role == Role::NeverDelivers || day < account.joins {
            return Ok(PlaceDay::default());
        }
        let before = plan.shots.iter().any(|shot| shot.before).then(|| self.contents(false));
        let today = self.step(day, &plan);
        let delivered = self.snapshots(day, &plan, before.as_ref(), folder, &mut random)?;
        let told = self.history(&today, &plan, folder, &mut random)?;
        Ok(match delivered {
            Some(delivered) => delivered,
            None if self.seen => PlaceDay::default(),
            None if told.results => PlaceDay {
                state: Some(DeliveryState::InferredFromHistory),
                counts: counts(self.told.values().flat_map(|(_, shown)| shown)),
                object: None,
            },
            None => PlaceDay { state: told.any.then_some(DeliveryState::NoComplianceItems), ..PlaceDay::default() },
        })
    }

    /// Lets the day's changes happen.
    fn step(&mut self, day: u32, plan: &Plan) -> Today {
        let window = plan.window(self.base);
        let account = self.around.account;
        let milliseconds = |seconds| self.around.organization.moment(day, seconds).unix_timestamp() * 1_000;
        let today = Today {
            day,
            start: milliseconds(window.start),
            end: milliseconds(window.end),
            first: day == account.joins,
            long_known: day == account.joins && !matches!(account.role, Role::HistoryOnly | Role::Joined),
        };
        for resource in &mut self.resources {
            resource.step(&self.around, &today, &mut self.random);
        }
        for (index, state) in self.packs.iter_mut().enumerate() {
            state.step(index, &self.around, &self.resources, &today);
        }
        if today.long_known {
            // Nobody tells as news what was there before the first day.
            for resource in &mut self.resources {
                resource.ordinary_changed = false;
                resource.results_changed = false;
            }
            self.packs.iter_mut().for_each(|pack| pack.changed = false);
        }
        today
    }

    /// What a snapshot holds now.
    fn contents(&self, bare: bool) -> Contents {
        let mut items = String::new();
        let mut add = |item: &str| {
            if !item.is_empty() {
                if !items.is_empty() {
                    items.push(',');
                }
                items.push_str(item);
            }
        };
        let mut compliance_items = 0;
        let total = self.resources.len();
        for (index, resource) in self.resources.iter().enumerate() {
            add(&resource.ordinary);
            // Results do not stand beside their resources in AWS's files.
            let other = &self.resources[(index + 3) % total];
            if !bare && !other.compliance.is_empty() {
                add(&other.compliance);
                compliance_items += 1;
            }
        }
        self.packs.iter().for_each(|pack| add(&pack.item));
        let counts = if bare { Counts::default() } else { counts(self.resources.iter().flat_map(|one| &one.shown)) };
        Contents { items, counts, compliance_items }
    }

    /// Writes the day's snapshots; what they make of the day, if there are any.
    fn snapshots(
        &mut self,
        day: u32,
        plan: &Plan,
        before: Option<&Contents>,
        folder: &mut Folder,
        random: &mut Random,
    ) -> anyhow::Result<Option<PlaceDay>> {
        let mut state = None;
        for shot in &plan.shots {
            let now;
            let contents = match before {
                Some(before) if shot.before => before,
                _ => {
                    now = self.contents(shot.bare);
                    &now
                }
            };
            let key = self.snapshot(day, shot, contents, folder, random)?;
            let unreadable = shot.damage.is_some();
            state = Some(match state {
                // An object that cannot be read takes nothing from an earlier one of the day.
                Some(PlaceDay { state: Some(DeliveryState::Delivered), counts, object }) if unreadable => {
                    PlaceDay { state: Some(DeliveryState::DeliveredLaterUnreadable), counts, object }
                }
                Some(earlier) if unreadable => earlier,
                None if unreadable => PlaceDay { state: Some(DeliveryState::Unreadable), ..PlaceDay::default() },
                _ if contents.compliance_items == 0 => PlaceDay {
                    state: Some(DeliveryState::NoComplianceItems),
                    counts: Counts::default(),
                    object: Some(key.clone()),
                },
                _ => PlaceDay {
                    state: Some(DeliveryState::Delivered),
                    counts: contents.counts,
                    object: Some(key.clone()),
                },
            });
            self.seen |= !unreadable && contents.compliance_items > 0;
            self.outcome.snapshots += 1;
            if unreadable {
                self.outcome.unreadable.push(key);
            } else if shot.late > 0 {
                self.outcome.late.push((key, day, day + shot.late));
            }
        }
        Ok(state)
    }

    /// Writes one snapshot; its key.
    fn snapshot(
        &mut self,
        day: u32,
        shot: &Shot,
        contents: &Contents,
        folder: &mut Folder,
        random: &mut Random,
    ) -> anyhow::Result<String> {
        let taken = self.around.organization.moment(day, shot.at);
        let id = random.uuid();
        let key = self.root.snapshot(taken, &id);
        let delivered =
            taken + Duration::days(i64::from(shot.late)) + Duration::seconds(i64::from(random.between(2, 90)));
        let head = format!("{{\"fileVersion\":\"1.0\",\"configSnapshotId\":\"{id}\",\"configurationItems\":[");
        if shot.huge {
            folder.put_stream(&key, litter::huge(&self.around, head, &contents.items), delivered)?;
        } else {
            let whole = folder.pack(format!("{head}{}]}}", contents.items).as_bytes());
            let bytes = match shot.damage {
                Some(damage) => damage::apply(damage, whole, folder),
                None => whole,
            };
            folder.put(&key, &bytes, delivered)?;
        }
        Ok(key)
    }

    /// Writes the day's history objects; what they held.
    fn history(
        &mut self,
        today: &Today,
        plan: &Plan,
        folder: &mut Folder,
        random: &mut Random,
    ) -> anyhow::Result<Told> {
        if plan.history == History::None {
            return Ok(Told::default());
        }
        let results = plan.history != History::Ordinary;
        if plan.history_leads {
            self.say_something(today, results, random);
        }
        let mut files: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        let mut told = Told::default();
        for (index, resource) in self.resources.iter_mut().enumerate() {
            if std::mem::take(&mut resource.ordinary_changed) {
                let gone = resource.ordinary.is_empty();
                let item = if gone { resource.gone(&self.around, false) } else { resource.ordinary.clone() };
                files.entry(resource.kind).or_default().push(item);
            }
            if !results || !std::mem::take(&mut resource.results_changed) {
                continue;
            }
            let gone = resource.compliance.is_empty();
            let item = if gone { resource.gone(&self.around, true) } else { resource.compliance.clone() };
            let file = files.entry("AWS::Config::ResourceCompliance").or_default();
            file.push(item);
            if plan.history == History::ChangesOutOfOrder && !gone && !told.results {
                file.push(resource.earlier(&self.around));
                self.outcome.cases.push(("history out of order", today.day));
            }
            self.told.insert(index, (resource.results_captured, resource.shown.clone()));
            told.results = true;
        }
        if results {
            for pack in self.packs.iter_mut().filter(|pack| !pack.item.is_empty()) {
                if std::mem::take(&mut pack.changed) {
                    files.entry("AWS::Config::ConformancePackCompliance").or_default().push(pack.item.clone());
                }
            }
        }
        let end = self.around.organization.moment(today.day, self.base) + Duration::minutes(10);
        for (resource_type, texts) in files {
            let key = self.root.history(resource_type, end - Duration::hours(6), end);
            let text = format!("{{\"fileVersion\":\"1.0\",\"configurationItems\":[{}]}}", texts.join(","));
            let packed = folder.pack(text.as_bytes());
            folder.put(&key, &packed, end + Duration::seconds(i64::from(random.between(2, 90))))?;
            self.outcome.histories += 1;
            told.any = true;
        }
        Ok(told)
    }

    /// Has something recorded anew where history speaks for the place and nothing has changed.
    fn say_something(&mut self, today: &Today, results: bool, random: &mut Random) {
        let around = self.around;
        let changed = |one: &Resource| {
            if results { one.results_changed } else { one.ordinary_changed }
        };
        if self.resources.iter().any(changed) {
            return;
        }
        let silent = |one: &&mut Resource| {
            if results { one.compliance.is_empty() } else { one.ordinary.is_empty() }
        };
        let mut speakers: Vec<&mut Resource> = self.resources.iter_mut().filter(|one| !silent(one)).collect();
        let Ok(count) = u32::try_from(speakers.len()) else {
            return;
        };
        let chosen = usize::try_from(random.below(count)).unwrap_or(0);
        if let Some(resource) = speakers.get_mut(chosen) {
            if results {
                resource.evaluate_again(&around, today, random);
            } else {
                resource.capture_again(&around, today, random);
            }
        }
    }
}

impl PackState<'_> {
    fn step(&mut self, own: usize, around: &Surroundings<'_>, resources: &[Resource], today: &Today) {
        let version = in_force(&self.pack.versions, today.day);
        let mut results = Vec::new();
        for (index, rule) in around.rules.iter().enumerate().filter(|(_, rule)| rule.pack == Some(own)) {
            if let Some(name) = in_force(&rule.versions, today.day) {
                let words = resources.iter().flat_map(|resource| resource.words_of(index));
                results.push((index, name, Word::verdict(words)));
            }
        }
        if version == self.version && results == self.results {
            return;
        }
        self.changed = true;
        (self.version, self.results) = (version, results);
        self.item.clear();
        if let Some(version) = version {
            let origin = Origin { account_id: &around.account.id, region: around.region };
            let named = self.results.iter().map(|&(rule, name, word)| {
                let name: &RuleName = &around.rules[rule].versions[name].value;
                (name, word)
            });
            self.item = items::pack(origin, &self.pack.versions[version].value, today.end - 1, named);
        }
    }
}

fn counts<'a>(shown: impl Iterator<Item = &'a Shown>) -> Counts {
    let mut counts = Counts::default();
    for (_, _, word) in shown {
        *match word {
            Word::Compliant => &mut counts.complying,
            Word::NonCompliant => &mut counts.not_complying,
            Word::InsufficientData => &mut counts.insufficient_data,
            Word::NotApplicable => &mut counts.not_applicable,
            Word::Unknown => &mut counts.unrecognised,
        } += 1;
    }
    counts
}

impl Organization {
    fn moment(&self, day: u32, seconds: u32) -> OffsetDateTime {
        self.date(day).midnight().assume_utc() + Duration::seconds(i64::from(seconds))
    }
}
