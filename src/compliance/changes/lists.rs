//! The page's small tables: the kinds of change, and the account-Regions that fell silent.

use super::LostLine;
use super::between::ClassLine;
use crate::compliance::core::Change;
use crate::web::download::Cell;
use crate::web::list::{Field, List};

/// Account-Regions of a page; the rows of the main table hold the evaluations of all of them.
const LOST: usize = 20;

/// The kinds of change. They come in the order of their gravity.
pub(super) fn classes() -> List<ClassLine> {
    let fields = vec![
        Field::text("Change", "change", |line: &ClassLine| line.change.word().into())
            .ordered(|line| place(line.change)),
        Field::number("Evaluations", "evaluations", |line| line.evaluations.into()),
        Field::unseen("in_silent_account_regions", |line| line.silent.into()),
        Field::text("Meaning", "meaning", |line| line.change.meaning().into()),
    ];
    List::new("classes", "classes-sort", Change::ALL.len(), fields)
}

fn place(change: Change) -> Cell {
    Change::ALL.iter().position(|of| *of == change).and_then(|place| i64::try_from(place).ok()).into()
}

/// Account-Regions with evidence on the earlier day and none on the later. They come by account and Region.
pub(super) fn lost() -> List<LostLine> {
    let fields = vec![
        Field::text("Account", "account_id", |line: &LostLine| line.account_id.as_str().into()),
        Field::unseen("account_name", |line| line.account_name.as_str().into()),
        Field::text("Region", "region", |line| line.region.as_str().into()),
        Field::number("Evaluations that became unknown", "evaluations_that_became_unknown", |line| {
            line.expected.then_some(line.evaluations).into()
        }),
        Field::unseen("expected", |line| line.expected.into()),
        Field::unseen("first_day_without_evidence", |line| line.day.into()),
    ];
    List::new("lost", "lost-sort", LOST, fields)
}
