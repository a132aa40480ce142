//! One resource of the sample and its results under the rules, day by day.

use time::{Date, Duration, OffsetDateTime};

use super::bodies::{self, Setting};
use super::deployment::{Rule, in_force};
use super::items::{self, Origin, Word};
use super::organization::{Account, Organization, Role, Story};
use super::random::Random;
use super::rules;

/// A result as shown: index of the rule, of its name, and the status.
pub(super) type Shown = (usize, usize, Word);

/// A resource with its results.
#[derive(Debug)]
pub(super) struct Resource {
    /// Its resource type.
    pub(super) kind: &'static str,
    pub(super) id: String,
    number: usize,
    own_name: Option<String>,
    created: OffsetDateTime,
    /// Days on which it exists.
    pub(super) alive: Vec<(u32, u32)>,
    evaluations: Vec<Evaluation>,
    revision: u32,
    captured: i64,
    /// When the results were captured.
    pub(super) results_captured: i64,
    pub(super) shown: Vec<Shown>,
    /// The item of the resource itself; empty where it does not exist, or is an account.
    pub(super) ordinary: String,
    /// The item of its results; empty where there are none.
    pub(super) compliance: String,
    pub(super) ordinary_changed: bool,
    pub(super) results_changed: bool,
    /// Whether results were captured before.
    evaluated_before: bool,
}

#[derive(Debug)]
struct Evaluation {
    rule: usize,
    word: Word,
    /// Broken by the incident until this day.
    incident_until: Option<u32>,
    /// Days on which AWS says a word that nobody knows.
    unknown: Option<(u32, u32)>,
}

/// What a resource needs to know of its place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Surroundings<'a> {
    pub(super) organization: &'a Organization,
    pub(super) account: &'a Account,
    pub(super) region: &'a str,
    pub(super) rules: &'a [Rule],
}

/// A day and the milliseconds since 1970 in which its news were captured.
#[derive(Debug, Clone, Copy)]
pub(super) struct Today {
    pub(super) day: u32,
    pub(super) start: i64,
    pub(super) end: i64,
    /// The place's first day.
    pub(super) first: bool,
    /// What is seen today was there long before.
    pub(super) long_known: bool,
}

impl Resource {
    pub(super) fn new(
        resource_type: &'static str,
        number: usize,
        own_name: Option<String>,
        around: &Surroundings<'_>,
        random: &mut Random,
    ) -> Self {
        let seed = around.organization.choice.seed;
        let first_day: Date = around.organization.first_day;
        let created =
            first_day.midnight().assume_utc() - Duration::seconds(i64::from(random.between(90_000, 60_000_000)));
        let evaluations = around
            .rules
            .iter()
            .enumerate()
            .filter(|(_, rule)| rule.core.evaluates(resource_type))
            .map(|(rule, deployed)| Evaluation {
                rule,
                word: initial(around.account, deployed, random),
                incident_until: None,
                unknown: None,
            })
            .collect();
        let mut resource = Self {
            kind: resource_type,
            id: around.account.id.clone(),
            number,
            own_name,
            created,
            alive: vec![life(resource_type, around.organization.story, random)],
            evaluations,
            revision: 0,
            captured: 0,
            results_captured: 0,
            shown: Vec::new(),
            ordinary: String::new(),
            compliance: String::new(),
            ordinary_changed: false,
            results_changed: false,
            evaluated_before: false,
        };
        if let Some(body) = resource.body(around, seed) {
            resource.id = body.id;
        }
        resource
    }

    /// Lets a result have a word on some days that nobody knows; whether there is a result to have it.
    pub(super) fn puzzle(&mut self, from: u32, until: u32) -> bool {
        if let Some(evaluation) = self.evaluations.first_mut() {
            evaluation.unknown = Some((from, until));
            self.alive = vec![(0, u32::MAX)];
        }
        !self.evaluations.is_empty()
    }

    /// Goes on to a day.
    pub(super) fn step(&mut self, around: &Surroundings<'_>, today: &Today, random: &mut Random) {
        let day = today.day;
        let exists = self.alive.iter().any(|&(from, until)| from <= day && day < until);
        let mut shown = Vec::new();
        for evaluation in &mut self.evaluations {
            let rule = &around.rules[evaluation.rule];
            if !today.first {
                evaluation.step(around, rule, day, random);
            }
            if let (true, Some(version)) = (exists, in_force(&rule.versions, day)) {
                let puzzling = evaluation.unknown.is_some_and(|(from, until)| from <= day && day < until);
                shown.push((evaluation.rule, version, if puzzling { Word::Unknown } else { evaluation.word }));
            }
        }
        let is_account = self.kind == "AWS::::Account";
        let existed = !self.ordinary.is_empty();
        let evaluated = shown != self.shown;
        if evaluated {
            self.shown = shown;
            self.results_captured = capture(today, self.results_captured, random);
            self.results_changed = true;
            self.compliance = self.results(around, self.results_captured, &self.shown);
            self.evaluated_before = true;
        }
        if is_account {
            return;
        }
        if !exists {
            if existed {
                self.ordinary.clear();
                self.captured = capture(today, self.captured, random);
                self.ordinary_changed = true;
            }
        } else if !existed || evaluated {
            if existed {
                self.revision += 1;
            }
            self.capture_again(around, today, random);
        }
    }

    /// Records the resource itself anew.
    pub(super) fn capture_again(&mut self, around: &Surroundings<'_>, today: &Today, random: &mut Random) {
        self.captured = capture(today, self.captured, random);
        self.ordinary_changed = true;
        let Some(body) = self.body(around, around.organization.choice.seed) else {
            return;
        };
        let status = if self.revision == 0 { "ResourceDiscovered" } else { "OK" };
        let origin = self.origin(around);
        self.ordinary = items::ordinary(origin, self.kind, &body, self.captured, status, self.created);
    }

    /// Records the same results anew.
    pub(super) fn evaluate_again(&mut self, around: &Surroundings<'_>, today: &Today, random: &mut Random) {
        self.results_captured = capture(today, self.results_captured, random);
        self.results_changed = true;
        self.compliance = self.results(around, self.results_captured, &self.shown);
    }

    /// An item with results; empty where there are none.
    fn results(&self, around: &Surroundings<'_>, captured: i64, shown: &[Shown]) -> String {
        if shown.is_empty() {
            return String::new();
        }
        // Rules of IAM run in the place, while their users are "global" in AWS's items.
        let is_user = self.kind == "AWS::IAM::User";
        let region = if is_user { "global" } else { around.region };
        let origin = Origin { account_id: &around.account.id, region };
        let names = shown.iter().map(|&(rule, version, word)| (&around.rules[rule].versions[version].value, word));
        items::compliance(origin, self.kind, &self.id, captured, !self.evaluated_before, names)
    }

    /// An earlier item of the results, which said the contrary.
    pub(super) fn earlier(&self, around: &Surroundings<'_>) -> String {
        let mut shown = self.shown.clone();
        for (_, _, word) in &mut shown {
            *word = if *word == Word::Compliant { Word::NonCompliant } else { Word::Compliant };
        }
        self.results(around, self.results_captured - 3_600_000, &shown)
    }

    /// The item that says that the resource's results, or it itself, are gone.
    pub(super) fn gone(&self, around: &Surroundings<'_>, results: bool) -> String {
        if results {
            let id = format!("{}/{}", self.kind, self.id);
            let origin = Origin { account_id: &around.account.id, region: around.region };
            items::deleted(origin, "AWS::Config::ResourceCompliance", &id, self.results_captured)
        } else {
            items::deleted(self.origin(around), self.kind, &self.id, self.captured)
        }
    }

    /// The results that a rule's name stands for.
    pub(super) fn words_of(&self, wanted: usize) -> impl Iterator<Item = Word> {
        self.shown.iter().filter(move |&&(rule, _, _)| rule == wanted).map(|&(_, _, word)| word)
    }

    fn origin<'a>(&self, around: &Surroundings<'a>) -> Origin<'a> {
        let region = if rules::is_global(self.kind) { "global" } else { around.region };
        Origin { account_id: &around.account.id, region }
    }

    fn body(&self, around: &Surroundings<'_>, seed: u64) -> Option<bodies::Body> {
        if self.kind == "AWS::::Account" {
            return None;
        }
        let slug = around.account.slug();
        let setting = Setting {
            account_id: &around.account.id,
            slug: &slug,
            region: around.region,
            created: self.created,
            revision: self.revision,
            number: self.number,
        };
        let mut random = Random::new(seed, &["body", &around.account.id, around.region, &self.number.to_string()]);
        Some(match &self.own_name {
            Some(name) => bodies::describe_alarm(name, &setting, &mut random),
            None => bodies::describe(self.kind, &setting, &mut random),
        })
    }
}

/// Most resources are there all the time; of those that come and go, some do.
fn life(resource_type: &str, story: Story, random: &mut Random) -> (u32, u32) {
    let fleeting = matches!(
        resource_type,
        "AWS::EC2::Instance" | "AWS::EC2::Volume" | "AWS::Lambda::Function" | "AWS::ECS::TaskDefinition"
    );
    if !fleeting || !random.chance(300_000) {
        return (0, u32::MAX);
    }
    let from = if random.chance(500_000) { random.below(story.days) } else { 0 };
    let until = if random.chance(600_000) { from + 1 + random.below(story.days) } else { u32::MAX };
    (from, until)
}

/// Milliseconds since 1970 for something new: later than what was captured before.
fn capture(today: &Today, before: i64, random: &mut Random) -> i64 {
    if today.long_known {
        // Known for up to two months.
        return today.start - i64::from(random.below(5_000_000)) * 1_000 - i64::from(random.below(1_000));
    }
    let start = today.start.max(before + 1);
    let length = u32::try_from((today.end - start).max(1)).unwrap_or(u32::MAX);
    start + i64::from(random.below(length))
}

fn initial(account: &Account, rule: &Rule, random: &mut Random) -> Word {
    let broken = if account.role == Role::Neglected { 420_000 } else { 780 * rule.weight * account.looseness / 100 };
    match random.below(1_000_000) {
        0..12_000 => Word::NotApplicable,
        12_000..18_000 => Word::InsufficientData,
        _ if random.chance(broken.min(700_000)) => Word::NonCompliant,
        _ => Word::Compliant,
    }
}

impl Evaluation {
    fn step(&mut self, around: &Surroundings<'_>, rule: &Rule, day: u32, random: &mut Random) {
        let story = around.organization.story;
        let account = around.account;
        if let Some(until) = self.incident_until {
            if day >= until {
                self.word = Word::Compliant;
                self.incident_until = None;
            }
            return;
        }
        let struck = account.incident && day == story.incident() && rule.core.breaks_in_incident();
        if struck && self.word != Word::NotApplicable && random.chance(800_000) {
            self.word = Word::NonCompliant;
            self.incident_until = Some(day + 1 + random.below(7));
            return;
        }
        // Over the whole time the rate of breaking falls from 1.4 to 0.5 of the usual: the slow improvement.
        let season = 140 - 90 * day / story.days;
        let drift = around.organization.choice.drift;
        let (breaking, mending) = if account.role == Role::Neglected {
            (drift * 110, drift * 120)
        } else {
            (drift * rule.weight * account.looseness / 100 * season / 100, drift * 1_600)
        };
        let chance = random.below(1_000_000);
        self.word = match self.word {
            Word::Compliant if chance < breaking => Word::NonCompliant,
            Word::Compliant if (999_900..1_000_000).contains(&chance) && drift > 0 => Word::InsufficientData,
            Word::NonCompliant if chance < mending => Word::Compliant,
            Word::InsufficientData if chance < mending * 2 => Word::Compliant,
            word => word,
        };
    }
}
