//! What a pack says of AWS's reports and agreements: plain text, as known at the pack's printed clock.

use sqlx::PgConnection;
use time::{Date, OffsetDateTime};

use super::agreement_rows::{of_members, others, rows};
use super::db::{self, ReadingRow, Until};
use super::documents::db::{FileRow, Which, files};
use super::documents::review_db::{ReviewRow, reviews};
use super::offline::db::offline;
use super::page::{sorted, words};
use super::periods::Span;
use super::report_rows::gap_rows;
use super::speaking::{Version, reckon};
use crate::web::format;

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    pub organization_id: i16,
    /// First and last day of the pack.
    pub days: (Date, Date),
    /// What was known at this moment.
    pub known_at: OffsetDateTime,
    /// Accounts of the pack; `None` is all.
    pub accounts: Option<&'a [String]>,
    /// Months that letters are to reach beyond a report.
    pub letter_months: u16,
}

/// All that a pack says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// Who was asked when, and what could not be read.
    pub readings: Vec<String>,
    pub kinds: Vec<KindSaid>,
    pub gaps: Vec<GapSaid>,
    pub versions: Vec<VersionSaid>,
    pub accounts: Vec<AccountSaid>,
    /// Other agreements by name, with how many accounts list them.
    pub others: Vec<(String, i64)>,
}

/// What the versions of a kind say of the pack's days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KindSaid {
    pub kind: &'static str,
    pub words: String,
}

/// Days for which no report of a kind speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GapSaid {
    pub kind: &'static str,
    pub first: Date,
    pub last: Date,
    pub days: i64,
    /// Of them, those that a letter addresses, and which.
    pub addressed: i64,
    pub letters: String,
    /// What is to be said of how far the letters reach.
    pub warning: Option<String>,
}

/// A version with its document and its review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionSaid {
    pub report_id: String,
    pub version: i64,
    pub name: String,
    pub kind: &'static str,
    pub terms: String,
    pub state: String,
    /// Of the stored document, in hex.
    pub sha256: Option<String>,
    /// Who accepted which terms when, or where that happened.
    pub accepted: Option<String>,
    pub review: Option<ReviewSaid>,
}

/// A review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewSaid {
    pub reviewer: String,
    pub on: Date,
    pub opinion: &'static str,
    pub exceptions: String,
    /// "control: owner", each.
    pub controls: String,
    pub carve_outs: String,
    pub conclusion: String,
    pub next_due: Option<Date>,
}

/// What Artifact lists for an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountSaid {
    pub account_id: String,
    pub name: String,
    /// What is listed for it, and what was recorded by hand.
    pub baa: String,
    pub since: Option<Date>,
    pub until: Option<Date>,
    pub read_at: Option<OffsetDateTime>,
    /// Why its own agreements were not read.
    pub not_read: Option<String>,
}

/// What a pack says; `None` where Artifact was never read, and so nothing is known.
pub async fn said(db: &mut PgConnection, asked: &Asked<'_>) -> sqlx::Result<Option<Said>> {
    let Asked { organization_id, days: (first, last), known_at, accounts, letter_months } = *asked;
    let until = Until::known_at(known_at);
    let of_reports = db::readings(db, organization_id, "reports", until).await?;
    // Artifact lists what is in force when it is asked: of a day before the first reading nothing is known.
    let until_last = Until::end_of_known_at(last, known_at);
    let of_agreements = db::readings(db, organization_id, "agreements", until_last).await?;
    let ever_read = !db::readings(db, organization_id, "agreements", until).await?.is_empty();
    if of_reports.is_empty() && !ever_read {
        return Ok(None);
    }
    let kinds = db::kinds(db, organization_id, Some(known_at)).await?;
    let all = sorted(db::versions(db, organization_id, None, until).await?, &kinds);
    let which = Which::Of { organization_id, report_id: None, until: Some(known_at) };
    let (files, reviews) = (files(db, which).await?, reviews(db, organization_id, None, Some(known_at)).await?);
    let period = Span { first, last };
    // Before a whole reading nothing is known of any report, which is no gap: the first line says so.
    let is_read = of_reports.first().is_some_and(|row| row.first_read_at.is_some());
    let speaks = if is_read { reckon(&all, period, known_at.date(), letter_months) } else { Vec::new() };
    let spoken = |of: &super::speaking::KindSpeaks| of.spoken.stretches.iter().map(|one| one.span.days()).sum();
    let members = db::accounts_on(db, organization_id, last).await?;
    let agreements = of_members(db::agreements(db, organization_id, until_last).await?, &members);
    let is_meant = |id: &str| accounts.is_none_or(|accounts| accounts.iter().any(|one| one == id));
    let recorded = offline(db, organization_id, Some(known_at)).await?;
    let mut found = rows(members, &agreements, &of_agreements, None, (&recorded, Some(known_at)), last);
    found.retain(|row| is_meant(&row.account_id));
    found.sort_by(|one, other| one.account_id.cmp(&other.account_id));
    Ok(Some(Said {
        readings: readings(&of_reports, &of_agreements, last),
        kinds: speaks
            .iter()
            .map(|of| KindSaid { kind: of.kind.title(), words: words(of, spoken(of), letter_months) })
            .collect(),
        gaps: speaks.iter().flat_map(|of| gap_rows(of, &all, letter_months)).map(gap).collect(),
        versions: all.iter().map(|one| version(one, &files, &reviews)).collect(),
        accounts: found.iter().map(account).collect(),
        others: others(&agreements, &of_agreements, last).into_iter().map(|row| (row.name, row.accounts)).collect(),
    }))
}

fn readings(of_reports: &[ReadingRow], of_agreements: &[ReadingRow], day: Date) -> Vec<String> {
    let mut lines = Vec::new();
    match of_reports.first() {
        None => lines.push("AWS's reports were never read.".to_owned()),
        Some(row) => {
            let read = format!("{}, from {}", format::at(row.read_at), row.source);
            match &row.failure {
                None => lines.push(format!("AWS's reports were read on {read}.")),
                Some(why) => {
                    lines.push(format!("AWS's reports were not read on {read}: {why}. What is said is older."));
                }
            }
            if !row.problems.is_empty() {
                lines.push(format!("That reading left something out: {}.", row.problems.join("; ")));
            }
        }
    }
    let failed = of_agreements.iter().filter(|row| row.failure.is_some()).count();
    let last = of_agreements.iter().map(|row| row.read_at).max();
    let first = of_agreements.iter().filter_map(|row| row.first_read_at).min();
    lines.push(match last {
        None => format!(
            "No account's agreements had been read by the end of {}: what was in force then is not known.",
            format::day(day)
        ),
        Some(last) => format!(
            "As known at the end of {}: the agreements of {} were read last on {}, of {} they could not be read; known \
             since {}.",
            format::day(day),
            format::plural(i64::try_from(of_agreements.len()).unwrap_or(i64::MAX), "account"),
            format::at(last),
            format::count(i64::try_from(failed).unwrap_or(i64::MAX)),
            first.map_or_else(|| "no day".to_owned(), format::at),
        ),
    });
    lines
}

fn gap(row: super::report_rows::GapRow) -> GapSaid {
    let span = row.gap.span;
    let (days, addressed) = (span.days(), row.gap.addressed);
    let (letters, warning) = (row.letters, row.warning);
    GapSaid { kind: row.kind.title(), first: span.first, last: span.last, days, addressed, letters, warning }
}

fn version(one: &Version, files: &[FileRow], reviews: &[ReviewRow]) -> VersionSaid {
    let is_it = |report_id: &str, version: i64| (report_id, version) == (one.report_id.as_str(), one.version);
    let file = files.iter().find(|file| is_it(&file.report_id, file.version));
    let review = reviews.iter().find(|review| is_it(&review.report_id, review.version));
    VersionSaid {
        report_id: one.report_id.clone(),
        version: one.version,
        name: one.name.clone(),
        kind: one.kind.title(),
        terms: one.terms(),
        state: one.state(),
        sha256: file.map(|file| format::hex(&file.sha256)),
        accepted: file.map(|file| match (&file.accepted_by, file.accepted_at, &file.terms_sha256) {
            (Some(who), Some(at), Some(terms)) => {
                let accepted = format!("by {who} on {}, terms SHA-256 {}", format::at(at), format::hex(terms));
                if file.is_accepted_elsewhere() {
                    let (by, at) = (&file.stored_by, format::at(file.stored_at));
                    format!("elsewhere {accepted}; the record was imported by {by} on {at}")
                } else {
                    accepted
                }
            }
            _ => format!("elsewhere; brought in by {} on {}", file.stored_by, format::at(file.stored_at)),
        }),
        review: review.map(review_said),
    }
}

fn review_said(row: &ReviewRow) -> ReviewSaid {
    let control = |one: &super::documents::review::UserControl| {
        let owner = if one.owner.is_empty() { "no owner" } else { &one.owner };
        format!("{}: {owner}", one.control)
    };
    ReviewSaid {
        reviewer: row.reviewer.clone(),
        on: row.reviewed_on,
        opinion: row.opinion().words(),
        exceptions: row.exceptions.clone(),
        controls: row.controls().iter().map(control).collect::<Vec<_>>().join("; "),
        carve_outs: row.carve_outs.clone(),
        conclusion: row.conclusion.clone(),
        next_due: row.next_due,
    }
}

fn account(row: &super::agreement_rows::Row) -> AccountSaid {
    AccountSaid {
        account_id: row.account_id.clone(),
        name: row.name.clone(),
        baa: row.words(),
        since: row.held.since,
        until: row.held.until,
        read_at: row.read.as_ref().map(|read| read.read_at),
        not_read: row.why_not_read().map(str::to_owned),
    }
}
