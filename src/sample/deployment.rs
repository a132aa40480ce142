//! The rules and conformance packs of one account and Region, with the days on which each name was in force.

use super::items::{PackName, RuleName};
use super::organization::{Account, Organization, Role};
use super::random::Random;
use super::rules::{self, Core};

/// Something that was in force from a day until before another.
#[derive(Debug)]
pub(super) struct Version<T> {
    from: u32,
    until: u32,
    pub(super) value: T,
}

/// A rule that lives on while its name may change.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) core: &'static Core,
    pub(super) versions: Vec<Version<RuleName>>,
    /// Index of its pack.
    pub(super) pack: Option<usize>,
    /// How readily it is broken: 100 is as usual.
    pub(super) weight: u32,
}

/// A conformance pack that lives on while its name and id may change.
#[derive(Debug)]
pub(super) struct Pack {
    pub(super) versions: Vec<Version<PackName>>,
}

/// The index of the version in force on a day.
pub(super) fn in_force<T>(versions: &[Version<T>], day: u32) -> Option<usize> {
    versions.iter().position(|version| version.from <= day && day < version.until)
}

/// What is deployed in a place.
#[derive(Debug)]
pub(super) struct Deployment {
    pub(super) rules: Vec<Rule>,
    pub(super) packs: Vec<Pack>,
    /// First days of: a pack under a new suffix, a rule that is gone for a while.
    pub(super) cases: Vec<(&'static str, u32)>,
}

/// Days without end.
const ALWAYS: u32 = u32::MAX;
const NIST: usize = 0;
const PCI: usize = 1;

impl Deployment {
    pub(super) fn new(organization: &Organization, account: &Account, region_index: usize) -> Self {
        let region = &organization.choice.regions[region_index];
        let mut random = Random::new(organization.choice.seed, &["deployment", &account.id, region]);
        let story = organization.story;
        let mut cases = Vec::new();

        // The packs' own names are the organisation's, so they are the same in every place.
        let mut names = Random::new(organization.choice.seed, &["packs"]);
        let [nist, nist_again, pci] = [("nist-csf", 8), ("nist-csf", 8), ("pci-dss-v4", 8)]
            .map(|(name, length)| format!("OrgConformsPack-{name}-{}", names.lower(length)));
        let mut deployed = |name: String| PackName { id: format!("conformance-pack-{}", random.lower(9)), name };
        let redeployed = account.role == Role::Ordinary && account.ordinal < 2 && story.redeployment() > 0;
        let mut packs = vec![Pack { versions: vec![Version { from: 0, until: ALWAYS, value: deployed(nist) }] }];
        if redeployed {
            let day = story.redeployment();
            packs[NIST].versions[0].until = day;
            packs[NIST].versions.push(Version { from: day, until: ALWAYS, value: deployed(nist_again) });
            cases.push(("pack redeployed under a new suffix", day));
        }
        if account.name.starts_with("payments") || account.name.starts_with("webshop") {
            packs.push(Pack { versions: vec![Version { from: 0, until: ALWAYS, value: deployed(pci) }] });
        }

        let place = format!("arn:aws:config:{region}:{}", account.id);
        let mut rules: Vec<Rule> = Vec::new();
        for core in rules::in_use(organization.choice.rules) {
            for form in core.forms.chars() {
                let pack = match form {
                    'n' => Some(NIST),
                    'p' => Some(PCI),
                    _ => None,
                };
                if pack.is_some_and(|index| index >= packs.len()) {
                    continue;
                }
                let mut versions = Vec::new();
                if let Some(pack) = pack {
                    for version in &packs[pack].versions {
                        let id = format!("config-rule-{}", random.lower(6));
                        versions.push(Version {
                            from: version.from,
                            until: version.until,
                            value: RuleName {
                                name: format!("{}-{}", core.name, version.value.id),
                                arn: format!("{place}:config-rule/aws-service-rule/config-conforms.amazonaws.com/{id}"),
                                id,
                            },
                        });
                    }
                } else {
                    versions.push(Version { from: 0, until: ALWAYS, value: single(core, form, &place, &mut random) });
                }
                let weight = *Random::new(organization.choice.seed, &["weight", core.name])
                    .pick(&[15, 35, 55, 80, 100, 140, 230, 380]);
                rules.push(Rule { core, versions, pack, weight });
            }
        }
        live(&mut rules, organization, account, region_index, &mut cases);
        Self { rules, packs, cases }
    }
}

/// A rule outside packs.
fn single(core: &Core, form: char, place: &str, random: &mut Random) -> RuleName {
    let id = format!("config-rule-{}", random.lower(6));
    match form {
        's' => RuleName {
            name: format!("securityhub-{}-{}", core.name, random.lower(8)),
            arn: format!("{place}:config-rule/aws-service-rule/securityhub.amazonaws.com/{id}"),
            id,
        },
        't' => RuleName {
            name: format!("AWSControlTower_AWS-GR_{}", core.name.to_uppercase().replace('-', "_")),
            arn: format!("{place}:config-rule/{id}"),
            id,
        },
        _ => RuleName { name: core.name.to_owned(), arn: format!("{place}:config-rule/{id}"), id },
    }
}

/// Gives rules their days: one was added in every place, one taken away, and one place lost one for a while.
fn live(
    rules: &mut [Rule],
    organization: &Organization,
    account: &Account,
    region_index: usize,
    cases: &mut Vec<(&'static str, u32)>,
) {
    let story = organization.story;
    let direct = |rules: &mut [Rule], name: &str| {
        rules
            .iter()
            .position(|rule| rule.core.name == name && rule.pack.is_none() && rule.versions[0].value.name == name)
    };
    if story.days >= 10 {
        if let Some(index) = direct(rules, "iam-user-group-membership-check") {
            rules[index].versions[0].from = story.at(48);
        }
        if let Some(index) = direct(rules, "lambda-dlq-check") {
            rules[index].versions[0].until = story.at(66);
        }
    }
    let (gone, back) = (story.at(25), story.at(35));
    if account.role == Role::Ordinary && account.ordinal == 0 && region_index == 0 && 0 < gone && gone < back {
        let index = direct(rules, "ec2-security-group-attached-to-eni").unwrap_or(0);
        let Some(rule) = rules.get_mut(index) else {
            return;
        };
        // Whatever name is in force over these days is cut in two.
        let Some(held) = in_force(&rule.versions, gone) else {
            return;
        };
        let until = std::mem::replace(&mut rule.versions[held].until, gone);
        let value = rule.versions[held].value.clone();
        if until > back {
            rule.versions.insert(held + 1, Version { from: back, until, value });
        }
        cases.push(("rule gone and back", gone));
    }
}
