//! Rows of the page of AWS's reports, and what its tables and files are made of. Pure.

use time::Date;

use super::kind::{Kind, Terms};
use super::letters;
use super::periods::{Gap, Span};
use super::speaking::{KindSpeaks, Version};
use super::told::VersionKey;
use crate::web::chart::Strip;
use crate::web::format;
use crate::web::list::{Field, List};

/// Rows of a table's page.
const ROWS: usize = 50;

/// A version with what people made of it.
pub(super) struct Listed {
    pub(super) one: Version,
    pub(super) reviewed: Option<Date>,
}

impl Listed {
    pub(super) fn reviewed_words(&self) -> String {
        self.reviewed.map_or_else(|| "not reviewed".to_owned(), format::day)
    }
}

/// What a kind says of the period, as a row.
pub(super) struct KindRow {
    pub(super) kind: Kind,
    pub(super) words: String,
    pub(super) strip: Strip,
    pub(super) spoken_days: i64,
    pub(super) gap_days: i64,
    pub(super) addressed_days: i64,
    pub(super) to_come: i64,
}

pub(super) struct GapRow {
    pub(super) kind: Kind,
    /// The newest version of a report of the kind: its id and number.
    pub(super) newest: Option<VersionKey>,
    pub(super) gap: Gap,
    pub(super) letters: String,
    /// What is to be said of how far the letters reach.
    pub(super) warning: Option<String>,
}

pub(super) fn gap_rows(speaks: &KindSpeaks, versions: &[Version], letter_months: u16) -> Vec<GapRow> {
    let letter = |number: &usize| speaks.letters.get(*number).and_then(|number| versions.get(*number));
    let of_kind = versions.iter().filter(|one| one.kind == speaks.kind && one.speaks());
    let newest = of_kind.max_by_key(|one| (one.days.ok().map(|span| span.last), one.version));
    let newest = newest.map(|one| (one.report_id.clone(), one.version));
    let row = |gap: &Gap| GapRow {
        kind: speaks.kind,
        newest: newest.clone(),
        letters: gap.letters.iter().filter_map(letter).map(|one| one.name.clone()).collect::<Vec<_>>().join("; "),
        warning: letters::warning(std::slice::from_ref(gap), letter_months),
        gap: gap.clone(),
    };
    speaks.spoken.gaps.iter().map(row).collect()
}

/// What speaks as at one day of the period, which is no period and fills no gap.
pub(super) fn as_at(versions: &[Version], period: Span) -> Vec<String> {
    let as_at = versions.iter().filter(|one| one.kind.terms() == Terms::AsAt && one.speaks());
    let as_at = as_at.filter(|one| one.days.is_ok_and(|span| period.holds(span.first)));
    as_at.map(|one| format!("{} version {}, {}", one.name, one.version, one.terms())).collect()
}

pub(super) fn kind_list() -> List<KindRow> {
    let fields = vec![
        Field::text("Kind", "kind", |row: &KindRow| row.kind.title().into()),
        Field::text("What it says of the period", "says", |row| row.words.clone().into()),
        Field::number("Days spoken for", "days_spoken_for", |row| row.spoken_days.into()),
        Field::number("Gap", "gap_days", |row| row.gap_days.into()),
        Field::number("Addressed by letter", "gap_days_addressed_by_letter", |row| row.addressed_days.into()),
        Field::number("Still to come", "days_still_to_come", |row| row.to_come.into()),
    ];
    List::new("kinds", "kinds-sort", ROWS, fields)
}

pub(super) fn gap_list() -> List<GapRow> {
    let fields = vec![
        Field::text("Kind", "kind", |row: &GapRow| row.kind.title().into()),
        Field::text("From", "first_day", |row| row.gap.span.first.into()),
        Field::text("To", "last_day", |row| row.gap.span.last.into()),
        Field::number("Days", "days", |row| row.gap.span.days().into()),
        Field::number("Addressed by letter", "addressed_by_letter", |row| row.gap.addressed.into()),
        Field::text("Letter", "letters", |row| row.letters.clone().into()),
        Field::unseen("addressed_late", |row| row.gap.late.into()),
        Field::unseen("last_report_ended", |row| row.gap.ended.into()),
        Field::unseen("letters_warning", |row| row.warning.clone().into()),
    ];
    List::new("gaps", "gaps-sort", ROWS, fields)
}

pub(super) fn version_list() -> List<Listed> {
    let fields = vec![
        Field::text("Report", "name", |row: &Listed| row.one.name.as_str().into()),
        Field::text("Kind", "kind", |row| row.one.kind.title().into()),
        Field::number("Version", "version", |row| row.one.version.into()),
        Field::text("What it says of time", "says_of_time", |row: &Listed| row.one.terms().into())
            .ordered(|row| row.one.days.ok().map(|span| span.first).into()),
        Field::text("State", "state", |row| row.one.state().into()),
        Field::text("Reviewed", "reviewed_on", |row: &Listed| row.reviewed.into()).most_first(),
        Field::text("First seen", "first_seen_at", |row: &Listed| row.one.seen_at.into()).most_first(),
        Field::unseen("report_id", |row| row.one.report_id.as_str().into()),
        Field::unseen("first_day", |row| row.one.days.ok().map(|span| span.first).into()),
        Field::unseen("last_day", |row| row.one.days.ok().map(|span| span.last).into()),
        Field::unseen("kind_said_by_a_person", |row| row.one.corrected.into()),
        Field::unseen("series", |row| row.one.facts.text("series").into()),
        Field::unseen("category", |row| row.one.facts.text("category").into()),
        Field::unseen("arn", |row| row.one.facts.text("arn").into()),
    ];
    List::new("versions", "versions-sort", ROWS, fields)
}
