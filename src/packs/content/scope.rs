//! The section of a pack that says which accounts and rules it is about.

use super::{day, heading, paragraph, table};
use crate::packs::content::Tables;
use crate::packs::definitions;
use crate::packs::layout::Block;
use crate::packs::model::{NamedScope, Pack, grouped};

/// Accounts and rules: what is in, what is out, and why.
pub(super) fn section<'a>(blocks: &mut Vec<Block<'a>>, pack: &'a Pack, tables: &'a Tables) {
    blocks.push(heading("Scope", true));
    if let Some(scope) = &pack.cover.scope {
        definitions_of_scope(blocks, pack, scope, tables);
    }
    let (inside, outside) = (pack.scope.accounts.len(), pack.scope.left_out.len());
    let mut sentences = vec![format!("{inside} account{} in this pack", if inside == 1 { "" } else { "s" })];
    if outside > 0 {
        sentences.push(format!("{outside} more of the organisation are not: they are listed below"));
    }
    if pack.delivery.never_seen().any() {
        let regions = pack.delivery.never_seen_regions.iter().map(|(account, region)| format!("{account} in {region}"));
        let never: Vec<String> = pack.delivery.never_seen.iter().cloned().chain(regions).collect();
        sentences.push(format!("Expected and never seen up to {}: {}", day(pack.cover.as_of), never.join(", ")));
    } else if pack.cover.completeness_established {
        sentences.push("Every account has delivered at least once in every Region in which it was expected".to_owned());
    }
    if !pack.cover.completeness_established {
        sentences.push("Completeness against the organisation not established".to_owned());
    }
    let sentence = format!("{}.", sentences.join(". "));
    blocks.push(paragraph(sentence));
    table(
        blocks,
        "Accounts, by id. Known: first and last day of the pack with evidence. Gap-days: expected account-Region-days without.",
        &tables.accounts,
        "No account is known.",
    );
    if outside > 0 {
        blocks.push(Block::Subheading("Accounts left out".to_owned()));
        let evaluations: u64 = pack.scope.left_out.iter().map(|account| account.evaluations).sum();
        blocks.push(paragraph(format!(
            "Accounts of the organisation that the pack was asked for without. Nothing of them is counted in it. For {} they \
             delivered {} evaluations.",
            day(pack.cover.as_of),
            grouped(evaluations)
        )));
        blocks.push(Block::Table {
            caption: "Accounts that are not in this pack, by id.".to_owned(),
            table: &tables.left_out,
        });
    }
    blocks.push(Block::Subheading("Rules".to_owned()));
    let appeared = pack.scope.rules.iter().filter(|rule| !rule.appeared.is_empty()).count();
    let vanished = pack.scope.rules.iter().filter(|rule| !rule.vanished.is_empty()).count();
    blocks.push(paragraph(format!(
        "{} rules under {} names as delivered; {appeared} appeared after the first day or came back, {vanished} vanished. Rules that no account of the scope had are not in this pack.",
        grouped(pack.scope.rules.len().try_into().unwrap_or(u64::MAX)),
        grouped(pack.scope.rules.iter().map(|rule| rule.names).sum())
    )));
    table(
        blocks,
        "Rules, by severity and core name. Names: a conformance pack gives the same rule a name of its own in each account-Region. Places: account-Regions that had it on the as-of day, or when last known. Evaluations of that day. Appeared, vanished: every day on which a first account-Region had it, and on which none had it any more.",
        &tables.rules,
        "No rule is known.",
    );
    definitions::section(blocks, pack);
}

/// How the scope set is defined, and by whose word.
fn definitions_of_scope<'a>(blocks: &mut Vec<Block<'a>>, pack: &'a Pack, scope: &'a NamedScope, tables: &'a Tables) {
    blocks.push(paragraph(format!("Scope {}.", sentence(scope, pack))));
    let period = if pack.cover.from == pack.cover.as_of {
        ""
    } else {
        " Earlier days of the period are those of the same accounts, whether or not they belonged then."
    };
    blocks.push(paragraph(format!(
        "Who belongs is decided on the as-of day: every account that at least one definition in force on it chooses.{period} \
         Definitions are never altered: they are ended. Those known up to number {} of the record are taken into account.",
        scope.record
    )));
    blocks.push(Block::Table {
        caption: "Definitions of the scope, in the order in which they were made. Until: the first day on which one no longer holds.".to_owned(),
        table: &tables.definitions,
    });
}

/// The scope set with its counts: "production, Production accounts: 2 accounts on 2026-11-02; left out: …".
pub(in crate::packs) fn sentence(scope: &NamedScope, pack: &Pack) -> String {
    let accounts = |length: usize| {
        let number = u64::try_from(length).unwrap_or(u64::MAX);
        format!("{} account{}", grouped(number), if number == 1 { "" } else { "s" })
    };
    let evaluations: u64 = pack.scope.left_out.iter().map(|account| account.evaluations).sum();
    let list =
        scope.listed_on.map(|listed_on| format!(", by the account list of {}", day(listed_on))).unwrap_or_default();
    format!(
        "{}, {}: {} on {}{list}. Left out: {} with {} evaluation{} of the day",
        scope.name,
        scope.title,
        accounts(pack.cover.accounts.as_ref().map_or(0, Vec::len)),
        day(pack.cover.as_of),
        accounts(pack.scope.left_out.len()),
        grouped(evaluations),
        if evaluations == 1 { "" } else { "s" }
    )
}
