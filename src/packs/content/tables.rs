//! The tables of a pack.

use super::{day, maybe, moment};
use crate::compliance::Severity;
use crate::packs::layout::table::{ACCOUNT, DAY, Table, marked, number, text};
use crate::packs::model::{Pack, grouped};

/// The tables that are made for the page alone; they live beside the document that shows them.
#[derive(Debug)]
pub struct Tables {
    pub(super) accounts: Table,
    pub(super) left_out: Table,
    /// Of the scope set.
    pub(super) definitions: Table,
    pub(super) rules: Table,
    pub(super) checks: Table,
    pub(super) states: Table,
    pub(super) gaps: Table,
    pub(super) results: Table,
    pub(super) collections: Table,
    pub(super) objects: Table,
    pub(super) attachments: Table,
}

impl Tables {
    /// Makes the tables of a pack.
    pub fn of(pack: &Pack) -> Self {
        Self {
            accounts: accounts(pack),
            left_out: left_out(pack),
            definitions: definitions(pack),
            rules: rules(pack),
            checks: checks(pack),
            states: states(pack),
            gaps: gaps(pack),
            results: results(pack),
            collections: collections(pack),
            objects: objects(pack),
            attachments: attachments(pack),
        }
    }
}

fn left_out(pack: &Pack) -> Table {
    let mut table = Table::new(vec![
        text("Account", 0.0).wide(ACCOUNT),
        text("Name", 1.0),
        text("Status", 0.0).wide(54.0),
        text("Expected from", 0.0).wide(DAY),
        text("until", 0.0).wide(DAY),
        number("Evaluations", 0.0).wide(54.0),
        text("Why not in this pack", 1.0),
    ]);
    for account in &pack.scope.left_out {
        table.push([
            account.account_id.as_str(),
            if account.name.is_empty() { "(in no account list)" } else { &account.name },
            &account.status,
            &maybe(account.joined),
            &maybe(account.left),
            &grouped(account.evaluations),
            if account.why.is_empty() { "not asked for" } else { &account.why },
        ]);
    }
    table
}

/// How the pack's scope set is defined.
fn definitions(pack: &Pack) -> Table {
    let mut table = Table::new(vec![
        number("Number", 0.0).wide(36.0),
        text("Accounts by", 1.0),
        text("From", 0.0).wide(DAY),
        text("Until", 0.0).wide(DAY),
        text("In force", 0.0).wide(36.0),
        text("Reason", 1.0),
        text("Made", 0.0).wide(70.0),
        text("Ended", 0.0).wide(70.0),
    ]);
    for one in pack.cover.scope.iter().flat_map(|scope| &scope.definitions) {
        table.push([
            one.record.to_string().as_str(),
            &one.by,
            &day(one.first_day),
            &maybe(one.end_day),
            if one.in_force { "yes" } else { "no" },
            &one.reason,
            &one.made,
            &one.ended,
        ]);
    }
    table
}

/// Days one under the other.
fn days(days: &[time::Date]) -> String {
    days.iter().map(|date| day(*date)).collect::<Vec<_>>().join(" ")
}

fn accounts(pack: &Pack) -> Table {
    let scoped = pack.cover.scope.is_some();
    let mut columns = vec![
        text("Account", 0.0).wide(ACCOUNT),
        text("Name", 1.0),
        text("Status", 0.0).wide(54.0),
        text("Expected from", 0.0).wide(DAY),
        text("until", 0.0).wide(DAY),
        number("Regions", 0.0).wide(42.0),
        text("Known from", 0.0).wide(DAY),
        text("to", 0.0).wide(DAY),
        number("Gap-days", 0.0).wide(42.0),
    ];
    columns.extend(scoped.then(|| text("Why in", 0.0).wide(56.0)));
    let mut table = Table::new(columns);
    for account in &pack.scope.accounts {
        let never = pack.delivery.never_seen.contains(&account.account_id);
        let name = if account.name.is_empty() { "(in no account list)" } else { &account.name };
        let cells = [
            account.account_id.clone(),
            name.to_owned(),
            account.status.clone(),
            maybe(account.joined),
            maybe(account.left),
            grouped(account.regions),
            if never { "never seen".to_owned() } else { maybe(account.first_known) },
            maybe(account.last_known),
            grouped(account.gap_days),
        ];
        table.push(cells.into_iter().chain(scoped.then(|| account.why.clone())));
    }
    table
}

/// In groups by severity, gravest first.
fn rules(pack: &Pack) -> Table {
    let mut table = Table::new(vec![
        text("Rule", 1.0),
        text("Identifier", 1.0),
        number("Names", 0.0).wide(34.0),
        number("Places", 0.0).wide(36.0),
        number("Evaluations", 0.0).wide(54.0),
        number("NON_COMPLIANT", 0.0).wide(54.0),
        text("Appeared", 0.0).wide(DAY),
        text("Vanished", 0.0).wide(DAY),
    ]);
    for severity in Severity::ALL {
        let of_severity: Vec<_> = pack.scope.rules.iter().filter(|rule| rule.severity == severity).collect();
        if of_severity.is_empty() {
            continue;
        }
        table.group(format!("{}  ({})", severity.word(), of_severity.len()));
        for rule in of_severity {
            table.push([
                rule.name.as_str(),
                rule.identifier.as_deref().unwrap_or(""),
                &grouped(rule.names),
                &grouped(rule.places),
                &grouped(rule.evaluations),
                &grouped(rule.not_complying),
                &days(&rule.appeared),
                &days(&rule.vanished),
            ]);
        }
    }
    table
}

fn checks(pack: &Pack) -> Table {
    let mut table = Table::new(vec![
        text("What is counted", 1.3),
        text("Counted by", 1.0),
        number("Count", 0.0).wide(56.0),
        text("and by", 1.0),
        number("Count", 0.0).wide(56.0),
        text("", 0.0).wide(44.0),
    ]);
    for check in &pack.checks {
        table.push([
            check.what.as_str(),
            &check.one.0,
            &grouped(check.one.1),
            &check.other.0,
            &grouped(check.other.1),
            if check.closes() { "closes" } else { "DIFFERS" },
        ]);
    }
    table
}

fn states(pack: &Pack) -> Table {
    let mut table = Table::new(vec![
        marked("State", 0.0).wide(160.0),
        number("Days", 0.0).wide(50.0),
        text("Known", 0.0).wide(40.0),
        text("Cause", 1.0),
    ]);
    for (state, days) in &pack.delivery.states {
        let known = if state.known() { "yes" } else { "no" };
        table.push([state.word(), &grouped(*days), known, state.cause()]);
    }
    table
}

/// Gaps that are printed; all days are in the attachment.
const PRINTED_GAPS: usize = 1_000;

fn gaps(pack: &Pack) -> Table {
    let mut table = Table::new(vec![
        marked("State", 1.0),
        text("Account", 0.0).wide(ACCOUNT),
        text("Region", 0.0).wide(80.0),
        text("First day", 0.0).wide(60.0),
        text("Last day", 0.0).wide(60.0),
        number("Days", 0.0).wide(40.0),
    ]);
    for gap in pack.delivery.gaps.iter().take(PRINTED_GAPS) {
        table.push([
            gap.state.word(),
            &gap.account_id,
            &gap.region,
            &day(gap.first),
            &day(gap.last),
            &grouped(gap.days.into()),
        ]);
    }
    table
}

fn results(pack: &Pack) -> Table {
    let mut table = Table::new(vec![
        text("Severity", 0.0).wide(56.0),
        number("Rules", 1.0),
        number("Resources", 1.0),
        number("COMPLIANT", 1.0),
        number("NON_COMPLIANT", 1.0),
        number("NOT_APPLICABLE", 1.0),
        number("Unknown", 1.0),
        number("Deviations", 1.0),
    ]);
    for one in &pack.results.severities {
        let figures = [
            one.rules,
            one.resources,
            one.complying,
            one.not_complying,
            one.not_applicable,
            one.unknown(),
            one.deviations,
        ];
        table.push(std::iter::once(one.severity.word().to_owned()).chain(figures.map(grouped)));
    }
    if pack.results.severities.len() > 1 {
        let all = pack.results.all();
        let figures = [all.complying, all.not_complying, all.not_applicable, all.unknown(), all.deviations];
        let first = ["all".to_owned(), grouped(all.rules), "–".to_owned()];
        table.push(first.into_iter().chain(figures.map(grouped)));
    }
    table
}

fn collections(pack: &Pack) -> Table {
    let mut table = Table::new(vec![
        number("Collection", 0.0).wide(52.0),
        text("Engine", 0.0).wide(40.0),
        text("Source", 1.4),
        text("By", 0.7),
        text("Started", 0.0).wide(58.0),
        text("Ended", 0.0).wide(58.0),
        text("Program", 0.0).wide(70.0),
    ]);
    for one in &pack.provenance.collections {
        table.push([
            one.collection_id.to_string(),
            one.engine.clone(),
            one.source.clone(),
            one.started_by.clone(),
            moment(one.started),
            one.finished.map(moment).unwrap_or_default(),
            one.program.clone(),
        ]);
    }
    table
}

fn objects(pack: &Pack) -> Table {
    let mut table =
        Table::new(vec![text("Outcome", 0.0).wide(120.0), number("Objects", 0.0).wide(60.0), text("", 1.0)]);
    for (outcome, count) in &pack.provenance.objects {
        table.push([outcome.as_str(), &grouped(*count), ""]);
    }
    table
}

fn attachments(pack: &Pack) -> Table {
    let mut table = Table::new(vec![
        text("File", 0.0).wide(68.0),
        text("What", 1.0),
        number("Rows", 0.0).wide(48.0),
        number("Bytes", 0.0).wide(56.0),
        text("SHA-256", 0.0).wide(170.0),
    ]);
    for file in &pack.attachments {
        table.push([file.name.as_str(), file.what, &grouped(file.rows), &grouped(file.bytes), &file.sha256]);
    }
    table
}

/// The columns of the register; its rows stand in groups by rule.
pub fn register_table() -> Table {
    Table::new(vec![
        text("Account", 0.0).wide(ACCOUNT),
        text("Region", 0.0).wide(61.0),
        text("Suffix", 0.0).wide(SUFFIX),
        text("Resource type", 0.62),
        text("Resource id", 1.0),
        text("Since", 0.0).wide(DAY),
    ])
}

/// The columns of the deviations; their rows stand in groups by rule.
pub fn deviation_table() -> Table {
    Table::new(vec![
        text("Account, Region", 0.0).wide(61.0),
        text("Suffix", 0.0).wide(SUFFIX),
        text("Resource", 1.0),
        text("Last day good", 0.0).wide(DAY),
        text("First, last day bad", 0.0).wide(DAY),
        text("End", 0.0).wide(79.0),
        number("Gap-days", 0.0).wide(30.0),
    ])
}

/// Points of a column that holds what ends the names of a deployment.
const SUFFIX: f32 = 52.0;

/// A rule's name as delivered with `…` for its core name and `*` for its suffix, which stand apart in a list; `None`
/// where it is the core name alone.
pub fn delivered_as(name: &str, core_name: &str, suffix: Option<&str>) -> Option<String> {
    if name == core_name {
        return None;
    }
    let ending = suffix.filter(|suffix| !suffix.is_empty());
    let (start, end) = match ending.and_then(|suffix| name.strip_suffix(suffix)) {
        Some(start) => (start, "*"),
        None => (name, ""),
    };
    let start = if core_name.is_empty() { start.to_owned() } else { start.replacen(core_name, "…", 1) };
    Some(format!("{start}{end}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delivered_name_is_told_by_what_surrounds_the_rule_and_a_suffix_that_stands_in_the_row() {
        let told = |name, suffix| delivered_as(name, "s3-rule", suffix);
        assert_eq!(told("s3-rule", None), None);
        assert_eq!(told("securityhub-s3-rule-1a2b3c4d", Some("1a2b3c4d")).as_deref(), Some("securityhub-…-*"));
        assert_eq!(told("AWSControlTower_AWS-GR_S3", None).as_deref(), Some("AWSControlTower_AWS-GR_S3"));
        assert_eq!(told("s3-rule-old", Some("new")).as_deref(), Some("…-old"), "a suffix that is none is left");
    }
}
