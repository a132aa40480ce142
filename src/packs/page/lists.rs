//! The tables of one pack: what its cover counts, as files and on the page.

use super::show::{CoverAttachment, CoverCheck, CoverResult};
use crate::compliance::Severity;
use crate::web::download::Cell;
use crate::web::list::{Field, List};

/// More than a cover has.
const ROWS: usize = 200;

/// Results by severity. They come with the gravest first.
pub(super) fn results() -> List<CoverResult> {
    let fields = vec![
        Field::text("Severity", "severity", |one: &CoverResult| one.severity.as_str().into())
            .ordered(|one| gravity(&one.severity))
            .most_first(),
        Field::number("Rules", "rules", |one| figure(one.rules)),
        Field::number("Resources", "resources", |one| figure(one.resources)),
        Field::number("COMPLIANT", "compliant", |one| figure(one.complying)),
        Field::number("NON_COMPLIANT", "non_compliant", |one| figure(one.not_complying)),
        Field::number("NOT_APPLICABLE", "not_applicable", |one| figure(one.not_applicable)),
        Field::number("Unknown", "unknown", |one| figure(one.unknown)),
        Field::number("Deviations", "deviations", |one| figure(one.deviations)),
    ];
    List::new("results", "results-sort", ROWS, fields)
}

/// Counts of the same things from two places.
pub(super) fn checks() -> List<CoverCheck> {
    let fields = vec![
        Field::text("What", "what", |check: &CoverCheck| check.what.as_str().into()),
        Field::text("Counted", "counted", |check| check.one.0.as_str().into()),
        Field::number("Count", "count", |check| figure(check.one.1)),
        Field::text("Against", "against", |check| check.other.0.as_str().into()),
        Field::number("Count", "against_count", |check| figure(check.other.1)),
        Field::text("Closes", "closes", |check| check.closes.into()),
    ];
    List::new("checks", "checks-sort", ROWS, fields)
}

/// Files inside the pack.
pub(super) fn attachments() -> List<CoverAttachment> {
    let fields = vec![
        Field::text("File", "file", |file: &CoverAttachment| file.name.as_str().into()),
        Field::text("What it holds", "what_it_holds", |file| file.what.as_str().into()),
        Field::number("Rows", "rows", |file| figure(file.rows)),
        Field::text("SHA-256", "sha256", |file| file.sha256.as_str().into()),
    ];
    List::new("attachments", "attachments-sort", ROWS, fields)
}

fn figure(figure: u64) -> Cell {
    i64::try_from(figure).unwrap_or(i64::MAX).into()
}

/// Where a severity stands among the others; what is none of them, as the sum of all, stands last.
fn gravity(word: &str) -> Cell {
    Severity::ALL.into_iter().find(|severity| severity.word() == word).map(Severity::rank).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_severity_is_ordered_by_its_gravity_and_not_by_its_word() {
        let of = |word| match gravity(word) {
            Cell::Number(number) => Some(number),
            _ => None,
        };
        let words = ["not rated", "INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL"];
        assert!(words.map(of).is_sorted() && words.iter().all(|word| of(word).is_some()));
        assert_eq!(of("all"), None);
    }
}
