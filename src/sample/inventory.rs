//! Which resources a place has.

use super::organization::Role;
use super::random::Random;
use super::resource::{Resource, Surroundings};
use super::rules;

/// Names that AWS allows for alarms and that break careless programs.
const HARD_NAMES: [&str; 6] = [
    "<b>disk</b> & \"memory\" 'full' \\ 95 %",
    "התראה: עומס יתר על השרת",
    "生产数据库连接数过高",
    "backup \u{202e}cod.gpj\u{202c} failed",
    "latency > 500 ms 🔥 naïve café",
    "=1+1;@SUM(A1:A9)",
];

/// Makes the resources of a place, and adds to `cases` what is special about them.
pub(super) fn resources(
    around: &Surroundings<'_>,
    region_index: usize,
    random: &mut Random,
    cases: &mut Vec<(&'static str, u32)>,
) -> Vec<Resource> {
    let (story, account) = (around.organization.story, around.account);
    let recipe: Vec<&str> =
        rules::RECIPE.into_iter().filter(|name| region_index == 0 || !rules::home_only(name)).collect();
    // The commonest types are everywhere; the others begin somewhere else in each place.
    let (common, others) = recipe.split_at(8);
    let shift = random.next() % 64;
    let shift = usize::try_from(shift).unwrap_or(0);
    let total = usize::try_from(around.organization.choice.resources).unwrap_or(usize::MAX);
    let mut resources = Vec::new();
    for number in 0..total {
        let resource_type = match number.checked_sub(common.len()) {
            None => common[number],
            Some(beyond) => {
                let lap = (beyond + shift) % (others.len() + common.len());
                // An account is one: its second turn goes to another bucket.
                let name = others.get(lap).or_else(|| common.get(lap - others.len())).copied();
                name.filter(|name| *name != "AWS::::Account").unwrap_or("AWS::S3::Bucket")
            }
        };
        resources.push(Resource::new(resource_type, number, None, around, random));
    }
    if account.role == Role::Ordinary && account.ordinal == 1 && region_index == 0 {
        let long = format!("a-very-long-alarm-name-{}", "that-goes-on-and-on-".repeat(10));
        for name in HARD_NAMES.into_iter().map(str::to_owned).chain([long]) {
            let number = resources.len();
            resources.push(Resource::new("AWS::CloudWatch::Alarm", number, Some(name), around, random));
        }
        cases.push(("hard names", 0));
    }
    if account.role == Role::Ordinary && account.ordinal == 0 && region_index == 0 && story.days >= 10 {
        if let Some(resource) = resources.iter_mut().find(|one| one.kind == "AWS::EC2::SecurityGroup") {
            resource.alive = vec![(0, story.at(30)), (story.at(50), u32::MAX)];
            cases.push(("resource gone and back", story.at(30)));
        }
        let (from, until) = (story.at(45), story.at(45) + 3);
        if resources.first_mut().is_some_and(|resource| resource.puzzle(from, until)) {
            cases.push(("unknown status", from));
        }
    }
    resources
}
