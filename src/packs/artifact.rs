//! What a pack says of AWS's own reports and agreements: which report speaks for which of its days, and the BAA of each
//! account. In packs of installations that read Artifact.

use sqlx::PgConnection;
use time::OffsetDateTime;

use super::content::{day, moment};
use super::csv::{CsvFile, Finished};
use super::gather::About;
use super::layout::Block;
use super::layout::table::{ACCOUNT, DAY, Table, number, text};
use super::model::{Listed, PRINTED_ROWS, grouped};
use super::names;
use crate::artifact::{AccountSaid, Asked, Said, VersionSaid, said};
use crate::web::download::Cell;

/// What is said, with the tables that are printed.
#[derive(Debug, Clone)]
pub struct ArtifactPart {
    pub said: Said,
    kinds: Table,
    gaps: Table,
    versions: Table,
    accounts: Listed,
    others: Table,
}

/// Columns of `aws-reports.csv`.
const REPORT_COLUMNS: [&str; 17] = [
    "report_id",
    "version",
    "name",
    "kind",
    "says_of_time",
    "state",
    "document_sha256",
    "terms_accepted",
    "reviewer",
    "reviewed_on",
    "opinion",
    "exceptions",
    "user_entity_controls",
    "carve_outs",
    "conclusion",
    "next_review_due",
    "known_at",
];

/// Columns of `agreements.csv`.
const AGREEMENT_COLUMNS: [&str; 8] =
    ["account_id", "account_name", "baa", "since", "until", "read_at", "own_not_read_because", "known_at"];

/// Reads it as known at the pack's printed clock. Nothing where Artifact was never read.
pub(super) async fn gather(
    db: &mut PgConnection,
    about: &About,
    known_at: OffsetDateTime,
    letter_months: u16,
) -> anyhow::Result<Option<(ArtifactPart, Vec<Finished>)>> {
    let asked = Asked {
        organization_id: about.scope.organization_id,
        days: (about.from, about.as_of),
        // The printed clock has whole seconds: what was kept within its second was known.
        known_at: known_at + time::Duration::SECOND,
        accounts: about.scope.accounts.as_deref(),
        letter_months,
    };
    let Some(mut said) = said(db, &asked).await? else { return Ok(None) };
    for one in &mut said.accounts {
        one.name = about.text(std::mem::take(&mut one.name));
    }
    let mut reports = CsvFile::new(names::REPORTS, "Every version of AWS's reports", &REPORT_COLUMNS);
    for one in &said.versions {
        reports.row(report_cells(one, known_at))?;
    }
    let mut agreements = CsvFile::new(names::AGREEMENTS, "BAA listed by Artifact, by account", &AGREEMENT_COLUMNS);
    for one in &said.accounts {
        agreements.row(agreement_cells(one, known_at))?;
    }
    Ok(Some((part(said), vec![reports.finish()?, agreements.finish()?])))
}

fn report_cells(one: &VersionSaid, known_at: OffsetDateTime) -> [Cell; 17] {
    let review = one.review.as_ref();
    [
        one.report_id.as_str().into(),
        one.version.into(),
        one.name.as_str().into(),
        one.kind.into(),
        one.terms.as_str().into(),
        one.state.as_str().into(),
        one.sha256.as_deref().into(),
        one.accepted.as_deref().into(),
        review.map(|review| review.reviewer.as_str()).into(),
        review.map(|review| review.on).into(),
        review.map(|review| review.opinion).into(),
        review.map(|review| review.exceptions.as_str()).into(),
        review.map(|review| review.controls.as_str()).into(),
        review.map(|review| review.carve_outs.as_str()).into(),
        review.map(|review| review.conclusion.as_str()).into(),
        review.and_then(|review| review.next_due).into(),
        moment(known_at).into(),
    ]
}

fn agreement_cells(one: &AccountSaid, known_at: OffsetDateTime) -> [Cell; 8] {
    [
        one.account_id.as_str().into(),
        one.name.as_str().into(),
        one.baa.as_str().into(),
        one.since.into(),
        one.until.into(),
        one.read_at.map(moment).into(),
        one.not_read.as_deref().into(),
        moment(known_at).into(),
    ]
}

fn part(said: Said) -> ArtifactPart {
    let mut kinds =
        Table::new(vec![text("Kind", 0.0).wide(96.0), text("What its reports say of the pack's days", 1.0)]);
    for one in &said.kinds {
        kinds.push([one.kind, &one.words]);
    }
    let mut gaps = Table::new(vec![
        text("Kind", 1.0),
        text("From", 0.0).wide(DAY),
        text("To", 0.0).wide(DAY),
        number("Days", 0.0).wide(36.0),
        number("By letter", 0.0).wide(48.0),
        text("Letter", 1.0),
    ]);
    for one in &said.gaps {
        let (days, addressed) = (one.days.to_string(), one.addressed.to_string());
        let letters = if one.letters.is_empty() { "none" } else { &one.letters };
        let warning = one.warning.as_deref().map(|warning| format!(": {warning}")).unwrap_or_default();
        let letters = format!("{letters}{warning}");
        gaps.push([one.kind, &day(one.first), &day(one.last), &days, &addressed, &letters]);
    }
    let mut versions = Table::new(vec![
        text("Report", 1.0),
        text("Kind", 0.0).wide(72.0),
        number("Version", 0.0).wide(40.0),
        text("What it says of time", 1.0),
        text("Document and review", 1.4),
    ]);
    for one in &said.versions {
        let number = one.version.to_string();
        let terms = format!("{} ({})", one.terms, one.state);
        versions.push([one.name.as_str(), one.kind, &number, &terms, &on_record(one)]);
    }
    let mut others = Table::new(vec![text("Agreement", 1.0), number("Accounts that list it", 0.0).wide(110.0)]);
    for (name, accounts) in &said.others {
        others.push([name.as_str(), &accounts.to_string()]);
    }
    let accounts = accounts(&said.accounts);
    ArtifactPart { said, kinds, gaps, versions, accounts, others }
}

/// What is on record of a version: its document, who accepted its terms, its review.
fn on_record(one: &VersionSaid) -> String {
    let document = match (&one.sha256, &one.accepted) {
        (Some(sha256), Some(accepted)) => format!("Document SHA-256 {sha256}; terms accepted {accepted}."),
        _ => "Document not stored.".to_owned(),
    };
    let review = one.review.as_ref().map_or_else(
        || "Not reviewed.".to_owned(),
        |review| {
            let due =
                review.next_due.map_or_else(|| "no next day set".to_owned(), |due| format!("next due {}", day(due)));
            format!(
                "Reviewed by {} on {}: {}; {}; {due}.",
                review.reviewer,
                day(review.on),
                review.opinion,
                review.conclusion
            )
        },
    );
    format!("{document} {review}")
}

fn accounts(rows: &[AccountSaid]) -> Listed {
    let mut table = Table::new(vec![
        text("Account", 0.0).wide(ACCOUNT),
        text("Name", 1.0),
        text("BAA listed by Artifact", 1.0),
        text("Since", 0.0).wide(DAY),
        text("Until", 0.0).wide(DAY),
        text("Read", 0.0).wide(DAY),
    ]);
    let all = rows.len().try_into().unwrap_or(u64::MAX);
    let maybe = |date: Option<time::Date>| date.map(day).unwrap_or_default();
    for one in rows.iter().take_while(|_| all <= PRINTED_ROWS) {
        let baa = match &one.not_read {
            Some(why) => format!("{} (its own not read: {why})", one.baa),
            None => one.baa.clone(),
        };
        let read = one.read_at.map_or_else(|| "never".to_owned(), |at| day(at.date()));
        table.push([one.account_id.as_str(), &one.name, &baa, &maybe(one.since), &maybe(one.until), &read]);
    }
    Listed { rows: all, table }
}

/// "AWS's reports and agreements for this period".
pub(super) fn section<'a>(blocks: &mut Vec<Block<'a>>, part: &'a ArtifactPart) {
    let said = &part.said;
    let paragraph = |text: &str| Block::Paragraph(text.to_owned());
    blocks.push(Block::Heading { text: "AWS's reports and agreements for this period".to_owned(), new_page: true });
    blocks.push(paragraph("What AWS's own auditors say of AWS and what AWS has agreed with the accounts, as AWS Artifact listed it when it was read. These are documents about AWS: they say nothing of how this organisation uses it."));
    blocks.push(Block::List(said.readings.clone()));
    blocks.push(Block::Table { caption: "Report periods, kind by kind.".to_owned(), table: &part.kinds });
    blocks.push(paragraph("A continued operations letter is a statement of AWS's management and not audited: it never shortens a gap. A SOC 3 fills no gap of a SOC 2. Services in scope are not compared."));
    if !part.gaps.is_empty() {
        let caption = "Days of the pack for which no report of a kind speaks.".to_owned();
        blocks.push(Block::Table { caption, table: &part.gaps });
    }
    blocks.push(Block::Subheading("Reports and their versions".to_owned()));
    if part.versions.is_empty() {
        blocks.push(paragraph("AWS Artifact listed no report."));
    } else {
        let caption =
            format!("Every version that Artifact ever listed. Each with its review in full is in {}.", names::REPORTS);
        blocks.push(Block::Table { caption, table: &part.versions });
    }
    blocks.push(Block::Subheading("Business Associate Addendum".to_owned()));
    blocks.push(paragraph("A BAA is for HIPAA-eligible services only, and having one is not HIPAA compliance. One that was signed outside Artifact is not visible to it: “none listed” does not say that there is none."));
    if part.accounts.rows == 0 {
        blocks.push(paragraph("No account list says which accounts there are."));
    } else if part.accounts.printed() {
        let caption = format!("{} of the pack, by account.", plural(part.accounts.rows));
        blocks.push(Block::Table { caption, table: &part.accounts.table });
    } else {
        let words = format!("{}: too many to print. Each is in {}.", plural(part.accounts.rows), names::AGREEMENTS);
        blocks.push(Block::Notice(words));
    }
    if !part.others.is_empty() {
        let caption = "Other agreements in force, of all accounts.".to_owned();
        blocks.push(Block::Table { caption, table: &part.others });
    }
}

fn plural(accounts: u64) -> String {
    if accounts == 1 { "1 account".to_owned() } else { format!("{} accounts", grouped(accounts)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_on_record_is_said_so() {
        let version = VersionSaid {
            report_id: "report-a".to_owned(),
            version: 1,
            name: "SOC 2".to_owned(),
            kind: "SOC 2 Type 2",
            terms: "period".to_owned(),
            state: "published".to_owned(),
            sha256: None,
            accepted: None,
            review: None,
        };
        assert_eq!(on_record(&version), "Document not stored. Not reviewed.");
        let stored = VersionSaid { sha256: Some("ab".to_owned()), accepted: Some("by x".to_owned()), ..version };
        assert_eq!(on_record(&stored), "Document SHA-256 ab; terms accepted by x. Not reviewed.");
    }
}
