//! What a pack says of its rules' parameters: what changed in its days, and where they are not known.

use std::collections::BTreeMap;

use sqlx::PgConnection;
use time::Date;

use super::content::day;
use super::csv::{CsvFile, Finished};
use super::gather::About;
use super::layout::Block;
use super::layout::table::{ACCOUNT, DAY, Table, text};
use super::model::{Definitions, Listed, PRINTED_ROWS, Pack, grouped};
use super::names;
use crate::compliance::rule_name;
use crate::definition::history_db::{self as db, Held, PlaceReading, Which};
use crate::definition::{COLUMNS, Outcome, Unread, cells, change_words, changes, why};

/// Places read from the store at a time.
const BATCH: usize = 50;

/// Reads it, as known at the pack's collection. The file is there only where a definition is.
pub(super) async fn gather(db: &mut PgConnection, about: &About) -> anyhow::Result<(Definitions, Option<Finished>)> {
    let scope = &about.scope;
    let days = (about.from, about.as_of);
    let known_at = about.known_at.0;
    let place_ids = db::with_evidence(db, scope.organization_id, scope.accounts.as_deref(), days, known_at).await?;
    let mut found = of_readings(&db::readings(db, &place_ids, about.as_of, known_at).await?);
    if found.read == 0 {
        return Ok((found, None));
    }
    let which = |place_ids| Which { place_ids, names: None, first: about.from, last: about.as_of, known_at };
    let lines = lines(&db::changed(db, which(&place_ids)).await?);
    let lines: Vec<[String; 5]> = lines.into_iter().map(|line| line.map(|cell| about.text(cell))).collect();
    found.change_lines = lines.iter().take(PAGE_CHANGES).cloned().collect();
    found.changes = listed(change_table(), &lines);
    let mut file = CsvFile::new(names::DEFINITIONS, "Every rule's definition in the days", &COLUMNS);
    for batch in place_ids.chunks(BATCH) {
        for held in db::held(db, which(batch)).await? {
            file.row(about.cells(cells(&held), None))?;
        }
    }
    Ok((found, Some(file.finish()?)))
}

/// Where rules were read, and where not and why.
fn of_readings(readings: &[PlaceReading]) -> Definitions {
    let (mut read, mut missing) = (0, BTreeMap::new());
    let mut unread: Vec<[String; 4]> = Vec::new();
    for reading in readings {
        let line = |why: String, last: String| [reading.account_id.clone(), reading.region.clone(), why, last];
        match (reading.read_on, &reading.last) {
            (Some(read_on), Some((outcome, tried_on, _))) if *outcome != Outcome::Read => {
                read += 1;
                let why = format!("tried last on {}: {}", day(*tried_on), outcome.cause());
                unread.push(line(why, day(read_on)));
            }
            (Some(_), _) => read += 1,
            (None, _) => {
                let cause = why(Some(reading));
                *missing.entry(cause.words()).or_default() += 1;
                if cause != Unread::NeverAsked {
                    unread.push(line(cause.words(), "never".to_owned()));
                }
            }
        }
    }
    Definitions {
        places: readings.len().try_into().unwrap_or(u64::MAX),
        read,
        missing,
        changes: listed::<5>(change_table(), &[]),
        change_lines: Vec::new(),
        unread: listed(unread_table(), &unread),
    }
}

/// Rows as they are printed: all of them, or none where they are too many.
fn listed<const N: usize>(mut table: Table, rows: &[[String; N]]) -> Listed {
    let all = rows.len().try_into().unwrap_or(u64::MAX);
    if all <= PRINTED_ROWS {
        for row in rows {
            table.push(row);
        }
    }
    Listed { rows: all, table }
}

/// One line for each change of a core rule that was found on the same days, with how many account-Regions it is in.
fn lines(pairs: &[(Held, Held)]) -> Vec<[String; 5]> {
    let mut places: BTreeMap<(String, String, Date, Date), Vec<String>> = BTreeMap::new();
    for (old, new) in pairs {
        let found = changes(&old.definition, &new.definition);
        if !found.is_empty() {
            let core = rule_name::parse(&new.definition.name).core;
            let key = (core, change_words(&found), old.last_day, new.first_day);
            places.entry(key).or_default().push(format!("{} {}", new.account_id, new.region));
        }
    }
    let lines = places.into_iter().map(|((rule, words, seen, first), places)| {
        let place = match places.as_slice() {
            [one] => one.clone(),
            [first, ..] => format!("{first} and {} more", places.len() - 1),
            [] => String::new(),
        };
        [rule, words, place, day(seen), day(first)]
    });
    lines.collect()
}

/// The changes that are printed, for the pack's page.
pub(super) fn change_rows(pack: &Pack) -> Vec<serde_json::Value> {
    let found = &pack.definitions;
    let line = |[rule, change, place, seen, first]: &[String; 5]| {
        serde_json::json!({
            "rule": rule, "change": change, "place": place, "last_seen_before": seen, "first_seen_after": first,
        })
    };
    found.change_lines.iter().map(line).collect()
}

/// Changes kept for the pack's page; the pack itself has all.
const PAGE_CHANGES: usize = 200;

/// The columns of the changes.
pub(super) fn change_table() -> Table {
    Table::new(vec![
        text("Rule", 1.0),
        text("Change", 1.3),
        text("Account, Region", 0.0).wide(92.0),
        text("Last seen before", 0.0).wide(DAY),
        text("First seen after", 0.0).wide(DAY),
    ])
}

/// The columns of what was not read.
pub(super) fn unread_table() -> Table {
    Table::new(vec![
        text("Account", 0.0).wide(ACCOUNT),
        text("Region", 0.0).wide(80.0),
        text("Why", 1.0),
        text("Last read", 0.0).wide(DAY),
    ])
}

/// What parameters the pack rests on, in one sentence.
pub(super) fn sentence(pack: &Pack) -> String {
    let found = &pack.definitions;
    let differ = "two rules of the same name can check different thresholds";
    if found.read == 0 {
        let causes: Vec<String> = found.causes();
        let asked = found.missing.keys().any(|cause| *cause != Unread::NeverAsked.words());
        let why = if asked { format!(" ({})", causes.join("; ")) } else { String::new() };
        return format!(
            "Rule parameters are not collected{why}. Two rules of the same name can check different thresholds."
        );
    }
    let missing = found.places.saturating_sub(found.read);
    let mut text = format!(
        "Rule parameters, scope and frequency were read from AWS Config in {} of {} account-Regions with evidence: each is in {}.",
        grouped(found.read),
        grouped(found.places),
        names::DEFINITIONS
    );
    if missing > 0 {
        text = format!(
            "{text} They are not collected in {} ({}); there {differ}.",
            grouped(missing),
            found.causes().join("; ")
        );
    }
    text
}

/// The part of the scope that says what changed and what is not known.
pub(super) fn section<'a>(blocks: &mut Vec<Block<'a>>, pack: &'a Pack) {
    let found = &pack.definitions;
    if found.read == 0 && found.unread.rows == 0 {
        return;
    }
    blocks.push(Block::Subheading("Rule parameters".to_owned()));
    blocks.push(Block::Paragraph(sentence(pack)));
    if found.read > 0 {
        let none = "No two readings up to the as-of day found a rule's parameters, scope or frequency changed in the pack's days.";
        let what = if found.changes.rows == 1 { "change" } else { "changes" };
        let caption = format!("{what} of what a rule asks for. Each happened between the two days");
        list(blocks, &found.changes, &caption, none);
    }
    if found.unread.rows > 0 {
        let what = if found.unread.rows == 1 { "account-Region" } else { "account-Regions" };
        list(blocks, &found.unread, &format!("{what} whose rules were not read at the last try"), "");
    }
}

fn list<'a>(blocks: &mut Vec<Block<'a>>, listed: &'a Listed, what: &str, none: &str) {
    if listed.rows == 0 {
        blocks.push(Block::Paragraph(none.to_owned()));
    } else if listed.printed() {
        blocks.push(Block::Table { caption: format!("{} {what}.", grouped(listed.rows)), table: &listed.table });
    } else {
        blocks.push(Block::Notice(format!(
            "{} {what}: too many to print. Every definition with its days is in {}.",
            grouped(listed.rows),
            names::DEFINITIONS
        )));
    }
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;
    use crate::definition::Definition;

    fn held(account_id: &str, name: &str, parameters: &str) -> Held {
        Held {
            place_id: 1,
            account_id: account_id.to_owned(),
            region: "eu-central-1".to_owned(),
            first_day: date!(2026 - 11 - 10),
            first_collection: 2,
            last_day: date!(2026 - 11 - 09),
            last_collection: 1,
            end_day: None,
            definition: Definition {
                name: name.to_owned(),
                parameters: parameters.to_owned(),
                ..Definition::default()
            },
        }
    }

    #[test]
    fn one_change_of_a_core_rule_is_one_line_however_many_accounts_have_it() {
        let change = |account: &str, name: &str, new: &str| {
            (held(account, name, r#"{"age":"90"}"#), held(account, name, &format!(r#"{{"age":"{new}"}}"#)))
        };
        let pairs = [
            change("1", "access-keys-rotated-conformance-pack-abc123def", "180"),
            change("2", "access-keys-rotated-conformance-pack-xyz789ghi", "180"),
            change("3", "access-keys-rotated", "30"),
            change("4", "access-keys-rotated", "90"),
        ];
        let lines: Vec<String> = lines(&pairs).iter().map(|line| line.join("|")).collect();
        assert_eq!(
            lines,
            [
                "access-keys-rotated|parameter age: 90 → 180|1 eu-central-1 and 1 more|2026-11-09|2026-11-10",
                "access-keys-rotated|parameter age: 90 → 30|3 eu-central-1|2026-11-09|2026-11-10",
            ]
        );
    }
}
