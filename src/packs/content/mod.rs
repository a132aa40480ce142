//! The words and the order of a pack: from the model to what layout sets. Pure.

mod scope;
mod stage;
mod tables;

pub(super) use scope::sentence as scope_sentence;
pub use tables::{Tables, delivered_as, deviation_table, register_table};

use std::collections::BTreeSet;

use time::macros::format_description;
use time::{Date, OffsetDateTime, UtcOffset};

use super::artifact;
use super::definitions;
use super::layout::table::Table;
use super::layout::{Block, Document};
use super::model::{Cover, Listed, Pack, Program, Queries, Stage, grouped, share_down};
use super::names;
use crate::audit_log::Checkpoint;

/// `2026-11-22`.
pub fn day(day: Date) -> String {
    day.format(format_description!("[year]-[month]-[day]")).expect("a date has these parts")
}

/// `22 November 2026`.
fn long_day(day: Date) -> String {
    day.format(format_description!("[day padding:none] [month repr:long] [year]")).expect("a date has these parts")
}

/// `2026-11-22 10:11:12 UTC`.
pub fn moment(at: OffsetDateTime) -> String {
    at.to_offset(UtcOffset::UTC)
        .format(format_description!("[year]-[month]-[day] [hour]:[minute]:[second] UTC"))
        .expect("a time has these parts")
}

fn maybe(date: Option<Date>) -> String {
    date.map(day).unwrap_or_default()
}

fn program(program: &Program) -> String {
    format!("Auditfolio {} ({})", program.version, program.commit)
}

impl Cover {
    /// The days that the pack is about, in words.
    pub fn days(&self) -> String {
        if self.from == self.as_of {
            format!("{} (UTC)", long_day(self.as_of))
        } else {
            format!(
                "{} to {} (UTC); register and results as of the last day",
                long_day(self.from),
                long_day(self.as_of)
            )
        }
    }

    fn day_or_period(&self) -> &'static str {
        if self.from == self.as_of { "Day" } else { "Period" }
    }
}

/// What stands on each page of a draft.
const DRAFT: &str = "DRAFT – not reviewed, not a final pack";

/// The whole document.
pub fn document<'a>(pack: &'a Pack, tables: &'a Tables) -> Document<'a> {
    let mut blocks = Vec::new();
    cover(&mut blocks, pack);
    blocks.push(heading("Contents", true));
    blocks.push(Block::Contents);
    what_this_is(&mut blocks, pack);
    scope::section(&mut blocks, pack, tables);
    ladder(&mut blocks, pack, tables);
    severities(&mut blocks, pack, tables);
    deviations(&mut blocks, pack);
    register(&mut blocks, pack);
    if let Some(part) = &pack.artifact {
        artifact::section(&mut blocks, part);
    }
    provenance(&mut blocks, pack, tables);
    how_to_check(&mut blocks, pack, tables);
    let cover = &pack.cover;
    let demo = if cover.demo { " · demo identity, not authenticated" } else { "" };
    let foot = format!("Pack {} · as of {} (UTC){demo}", cover.pack_id, day(cover.as_of));
    let mark = (cover.stage == Stage::Draft).then(|| DRAFT.to_owned());
    Document { blocks, foot, below: cover.classification.clone(), mark }
}

fn heading<'a>(text: &str, new_page: bool) -> Block<'a> {
    Block::Heading { text: text.to_owned(), new_page }
}

fn paragraph<'a>(text: impl Into<String>) -> Block<'a> {
    Block::Paragraph(text.into())
}

fn fact(name: &str, value: impl Into<String>) -> (String, String) {
    (name.to_owned(), value.into())
}

fn cover(blocks: &mut Vec<Block>, pack: &Pack) {
    let cover = &pack.cover;
    blocks.push(Block::Subheading("AWS Config evaluation evidence".to_owned()));
    blocks.push(Block::Title(cover.title.clone()));
    blocks.push(Block::Space(14.0));
    blocks.push(Block::Facts(stage::facts(cover)));
    let scope = match (&cover.scope, &cover.accounts) {
        (Some(scope), _) => scope_sentence(scope, pack),
        (None, None) => "every account of the organisation".to_owned(),
        (None, Some(accounts)) if accounts.len() <= 6 => format!("accounts {}", accounts.join(", ")),
        (None, Some(accounts)) => format!("{} accounts, listed under Scope", accounts.len()),
    };
    let mut generated = moment(cover.generated);
    if cover.clock_set {
        generated.push_str(" (clock set by operator)");
    }
    let mut who = cover.created_by.clone();
    if cover.demo {
        who.push_str(" (demo identity, not authenticated)");
    }
    let mut facts = vec![
        fact("Organisation", cover.organization.clone()),
        fact("Scope", scope),
        fact(cover.day_or_period(), cover.days()),
        fact("Evidence captured to", cover.captured_to.map_or_else(|| "no capture time".to_owned(), moment)),
        fact("Evidence received", moment(cover.received)),
        fact("Generated", generated),
        fact("By", who),
        fact("Knowledge point", format!("collection {}: what it and all before it brought in", cover.known_at)),
        fact("Gaps", pack.delivery.gaps_line()),
        fact("Pack", cover.pack_id.clone()),
        fact("Made with", program(&cover.program)),
    ];
    if cover.stage != Stage::Draft {
        // Who prepared it stands above.
        facts.retain(|(name, _)| name != "By");
    }
    blocks.push(Block::Facts(facts));
    blocks.push(Block::Space(10.0));
    for notice in notices(pack) {
        blocks.push(Block::Notice(notice));
    }
}

/// What must be seen before anything else is read.
pub(super) fn notices(pack: &Pack) -> Vec<String> {
    let cover = &pack.cover;
    let mut notices = Vec::new();
    if cover.demo {
        notices.push("Demo: the person named here is a demo identity and was not authenticated.".to_owned());
    }
    if !cover.completeness_established {
        notices.push("Completeness against the organisation not established: no account list and Region list say what should have been delivered.".to_owned());
    }
    if let Some(removed) = &pack.provenance.removed {
        notices.push(format!("{removed} What began before that day is told from it on."));
    }
    if !pack.scope.unknown.is_empty() {
        notices.push(format!(
            "Of the scope's accounts these are on no account list and never delivered: {}.",
            pack.scope.unknown.join(", ")
        ));
    }
    if cover.day_open {
        notices.push(format!(
            "{} was still open when this pack was made: more may have been delivered for it since.",
            long_day(cover.as_of)
        ));
    }
    if pack.delivery.gap_days > 0 {
        notices.push(format!(
            "Evidence is missing: {}. The gaps are listed under Count ladder and delivery.",
            pack.delivery.gaps_line()
        ));
    }
    for (listed, name, what) in
        [(&pack.register, "register", names::POPULATION), (&pack.deviations, "list of deviations", names::PERIOD)]
    {
        if !listed.printed() {
            let file = pack.attachments.iter().find(|file| file.name == what);
            let (rows, sha256) = file.map_or((0, ""), |file| (file.rows, file.sha256.as_str()));
            notices.push(format!(
                "The {name} has {} rows and is not printed: it is in the attachment {what} ({} rows, SHA-256 {sha256}).",
                grouped(listed.rows),
                grouped(rows)
            ));
        }
    }
    notices
}

fn what_this_is(blocks: &mut Vec<Block>, pack: &Pack) {
    blocks.push(heading("What this is and what it is not", true));
    blocks.push(paragraph("This pack lists what AWS Config last said of each resource under each rule, as AWS Config delivered it to a bucket of the organisation, observed once a day."));
    blocks.push(Block::List(vec![
        "It is a daily observation of AWS Config's recorded state, not a test performed by this installation. An evaluation can be older than the day it is observed on: the attachment carries the time the item was captured and the time of the snapshot.".to_owned(),
        "Changes between two snapshots are not visible. What failed and was put right within a day may not appear.".to_owned(),
        definitions::sentence(pack),
        "The same rule in several conformance packs is counted once for each.".to_owned(),
        "A rule is related to controls of frameworks; no verdict on any control is given here.".to_owned(),
        "AWS Config result COMPLIANT says that AWS Config evaluated the resource so. It does not say that the organisation complies with anything.".to_owned(),
    ]));
    blocks.push(Block::Subheading("Unknown is not good".to_owned()));
    blocks.push(paragraph("A day without a delivered snapshot, an account that never delivered, an account without compliance items, INSUFFICIENT_DATA and statuses that this program does not know are counted as unknown. Two figures stand together: complying of known, and at least, which counts everything unknown as if it did not comply. Both are rounded down."));
    blocks.push(Block::Subheading("Tamper-evident".to_owned()));
    let demo = if pack.cover.demo { " The installation runs in its demo form." } else { "" };
    blocks.push(paragraph(format!("The pack is signed by the installation that made it. The signature shows that the file has not changed since; it does not show who a person is.{demo} When a later delivery changes a day that this pack covers, this pack stays as it is and the portal says so beside it.")));
}

/// A table, or what its emptiness means.
fn table<'a>(blocks: &mut Vec<Block<'a>>, caption: &str, table: &'a Table, empty: &str) {
    if table.is_empty() {
        blocks.push(paragraph(empty));
    } else {
        blocks.push(Block::Table { caption: caption.to_owned(), table });
    }
}

fn ladder<'a>(blocks: &mut Vec<Block<'a>>, pack: &'a Pack, tables: &'a Tables) {
    blocks.push(heading("Count ladder and delivery", true));
    blocks.push(paragraph(
        "Each count below was made in two ways. A pack in which one pair differed would not have been issued.",
    ));
    for check in pack.disagreements() {
        blocks.push(Block::Notice(format!("Does not close. {check}.")));
    }
    table(blocks, "The count ladder.", &tables.checks, "Nothing was counted.");
    blocks.push(Block::Subheading("Delivery".to_owned()));
    blocks.push(paragraph(format!("This pack is {}.", pack.delivery.gaps_line())));
    table(
        blocks,
        "Account-Region-days of the pack, by state.",
        &tables.states,
        "No account-Region-day is known or expected.",
    );
    blocks.push(Block::Subheading("Gaps".to_owned()));
    if tables.gaps.is_empty() {
        blocks.push(paragraph("None: every expected account-Region-day is known."));
    } else {
        let all = grouped(pack.delivery.gap_days);
        let printed = tables.gaps.len();
        let caption = format!(
            "{all} gap-days in {} gaps, longest first; {}. Every day is in {}.",
            pack.delivery.gaps.len(),
            if printed == pack.delivery.gaps.len() {
                "all are listed".to_owned()
            } else {
                format!("the first {printed} are listed")
            },
            names::DELIVERY
        );
        blocks.push(Block::Table { caption, table: &tables.gaps });
    }
}

fn severities<'a>(blocks: &mut Vec<Block<'a>>, pack: &'a Pack, tables: &'a Tables) {
    blocks.push(heading("Results by severity", true));
    let all = pack.results.all();
    let (known, unknown) = (all.complying + all.not_complying, all.unknown());
    blocks.push(paragraph(format!(
        "On {} AWS Config results were COMPLIANT for {} of {} known evaluations{}; {} more are unknown{}.",
        day(pack.cover.as_of),
        grouped(all.complying),
        grouped(known),
        share_down(all.complying, known).map_or_else(String::new, |share| format!(" ({share})")),
        grouped(unknown),
        if pack.delivery.never_seen().any() {
            format!("; at least: not computable, {}", pack.delivery.never_seen())
        } else {
            share_down(all.complying, known + unknown).map_or_else(String::new, |share| format!(": at least {share}"))
        }
    )));
    blocks.push(paragraph("Unknown holds INSUFFICIENT_DATA, statuses that this program does not know, and the last known evaluations of expected account-Regions without evidence of the day. A resource that several rules evaluate is counted once in each severity."));
    let caption = "Severity is that of the rule data: Security Hub's, or this program's judgement where it has none. Deviations: intervals observed NON_COMPLIANT in the days of the pack.";
    table(blocks, caption, &tables.results, "No evaluation was delivered for the day.");
}

fn deviations<'a>(blocks: &mut Vec<Block<'a>>, pack: &'a Pack) {
    blocks.push(heading("Deviations", true));
    blocks.push(paragraph("An interval in which an evaluation was observed NON_COMPLIANT on known days. A gap neither closes nor bridges one silently: the days without evidence in it are counted. Only an observed COMPLIANT is \"good again\"."));
    listed(
        blocks,
        &pack.deviations,
        "deviations, by severity and rule, then account and Region. First and last day bad: as observed on known days. The line above rows has the rule and, where it was delivered under another name, that name with … for the rule and * for the suffix. A deviation that went on when a conformance pack was deployed again stands once, under its last name",
        "No deviation was observed.",
        names::PERIOD,
    );
}

fn register<'a>(blocks: &mut Vec<Block<'a>>, pack: &'a Pack) {
    blocks.push(heading("Register", true));
    blocks.push(paragraph(format!(
        "Every evaluation that AWS Config reported NON_COMPLIANT on {}. Since: the day the item was captured that first said so.",
        day(pack.cover.as_of)
    )));
    listed(
        blocks,
        &pack.register,
        "NON_COMPLIANT evaluations, by severity and rule, then account and Region. The line above rows has the rule and, where it was delivered under another name, that name with … for the rule and * for the suffix",
        "None.",
        names::POPULATION,
    );
}

fn listed<'a>(blocks: &mut Vec<Block<'a>>, listed: &'a Listed, what: &str, empty: &str, file: &str) {
    if !listed.printed() {
        blocks.push(Block::Notice(format!("{} {what}: not printed, in the attachment {file}.", grouped(listed.rows))));
    } else if listed.rows == 0 {
        blocks.push(paragraph(empty));
    } else {
        blocks.push(Block::Table { caption: format!("{} {what}.", grouped(listed.rows)), table: &listed.table });
    }
}

fn provenance<'a>(blocks: &mut Vec<Block<'a>>, pack: &'a Pack, tables: &'a Tables) {
    blocks.push(heading("Provenance", true));
    blocks.push(paragraph(format!(
        "Knowledge point: collection {}. Later collections are not in this pack, even where they bring evidence of its days.",
        pack.cover.known_at
    )));
    table(
        blocks,
        "Collections that brought evidence of the pack's days and scope.",
        &tables.collections,
        "No collection brought evidence of the pack's days and scope.",
    );
    let read = if pack.provenance.not_read_by_us == 0 {
        "The SHA-256 of each was computed over the bytes that were read.".to_owned()
    } else {
        format!("{} were not read by this installation and have no SHA-256.", grouped(pack.provenance.not_read_by_us))
    };
    blocks.push(paragraph(format!(
        "Every object with its key, size, SHA-256 and counts is in {}. {read}",
        names::OBJECTS
    )));
    if let Some(asked) = &pack.provenance.queries {
        queries(blocks, asked);
    }
    table(blocks, "Objects of the pack's days and scope, by outcome.", &tables.objects, "No object was found.");
    for (listed_on, source, sha256) in &pack.provenance.account_lists {
        blocks.push(paragraph(format!("Account list of {}: {source}, SHA-256 {sha256}.", day(*listed_on))));
    }
}

/// Execution ids that are printed.
const EXECUTIONS: usize = 20;

fn queries(blocks: &mut Vec<Block>, asked: &Queries) {
    blocks.push(paragraph(format!(
        "Queries of Amazon Athena that read objects: {}. Each with its text, execution id, times, bytes and result is in {}; \
         which of them read an object, in {}. What they counted was counted again in the store.",
        grouped(asked.count),
        names::QUERIES,
        names::OBJECTS
    )));
    let joined = |words: &BTreeSet<String>| words.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    let engine = if asked.engines.is_empty() { "Amazon Athena".to_owned() } else { joined(&asked.engines) };
    let mut executions = asked.execution_ids.iter().take(EXECUTIONS).cloned().collect::<Vec<_>>().join(", ");
    let more = asked.execution_ids.len().saturating_sub(EXECUTIONS);
    if more > 0 {
        let more = grouped(u64::try_from(more).unwrap_or(u64::MAX));
        executions = format!("{executions} and {more} more, in {}", names::QUERIES);
    }
    blocks.push(Block::Facts(vec![
        fact("Engine", engine),
        fact("Workgroup", joined(&asked.workgroups)),
        fact("Objects read", grouped(asked.objects_read)),
        fact("Bytes scanned", grouped(asked.bytes_scanned)),
        fact("Execution ids", executions),
    ]));
}

fn how_to_check<'a>(blocks: &mut Vec<Block<'a>>, pack: &'a Pack, tables: &'a Tables) {
    blocks.push(heading("How to check this pack", true));
    blocks.push(paragraph("Without this installation, with OpenSSL 3, coreutils and Poppler. Take the public key and the signature from the ZIP beside the pack or from the portal, and compare the key's fingerprint with one that you were given on another way."));
    blocks.push(Block::Facts(vec![fact("Key fingerprint", format!("SHA-256 {}", pack.key_fingerprint))]));
    let names = names::Names::of(&pack.cover.pack_id);
    blocks.push(Block::Subheading("The signature".to_owned()));
    blocks.push(Block::Code(vec![
        format!(
            "openssl pkeyutl -verify -pubin -inkey {} -rawin -in {} -sigfile {}",
            names::KEY,
            names.pdf,
            names.signature
        ),
        format!("openssl pkey -pubin -in {} -outform DER | sha256sum", names::KEY),
    ]));
    blocks.push(paragraph(
        "The first says \"Signature Verified Successfully\", the second prints the fingerprint above.",
    ));
    blocks.push(Block::Subheading("The attachments".to_owned()));
    blocks.push(Block::Code(vec![format!("pdfdetach -saveall {}", names.pdf), "sha256sum *.csv".to_owned()]));
    blocks.push(paragraph("Browsers hide a PDF's attachments; the ZIP beside the pack holds the same files."));
    table(blocks, "Files inside this PDF. Rows without the header.", &tables.attachments, "None.");
    blocks.push(Block::Subheading("With this installation".to_owned()));
    blocks.push(Block::Code(vec![format!("auditfolio verify {}", names.pdf)]));
    audit_log(blocks, &pack.cover.checkpoint);
    blocks.push(paragraph(format!("Copying text out of this PDF gives the strings as they were delivered. A character that the typeface does not have, and every character that would not be seen or would act on the text, is printed as its code point, for example <U+202E>. Printed by {}.", program(&pack.cover.program))));
}

/// The checkpoint: whoever holds the pack can tell later whether the log up to there was changed.
fn audit_log(blocks: &mut Vec<Block>, Checkpoint { entries, head, linked_at }: &Checkpoint) {
    blocks.push(Block::Subheading("The audit log".to_owned()));
    blocks.push(paragraph("The installation records who did what as a chain of hashes. So far it had come when this pack was generated; an entry up to there that is altered, removed or put in later no longer gives this hash. It says nothing of later entries, nor that an entry is true."));
    blocks.push(Block::Facts(vec![
        fact("Entries", grouped(u64::try_from(*entries).unwrap_or_default())),
        fact("Hash of the last", format!("SHA-256 {head}")),
        fact("Linked", linked_at.clone().unwrap_or_else(|| "no entry at that time".to_owned())),
    ]));
    blocks.push(Block::Code(vec![format!("auditfolio audit verify --checkpoint {}", names::CHECKPOINT)]));
}
