//! How the figures of the page are known.

use super::db::Lists;
use crate::web::parts::Provenance;
use crate::web::{Frame, format};

pub(super) fn provenance(frame: &Frame, lists: &Lists) -> Provenance {
    let href = |path: &str| frame.href(path);
    let mut provenance = Provenance::default()
        .line("What is a day", "The day in the delivered object’s path, in UTC.")
        .line(
            "What is delivered",
            "The last readable snapshot of the day, else what history items say before the first snapshot ever.",
        )
        .link("Which objects", "Collections, with every object that was read", href("/collections"));
    provenance = match (lists.accounts_listed_on, &lists.accounts_source, lists.accounts_collection) {
        (Some(day), Some(source), Some(collection)) => provenance.link(
            "Expected accounts",
            format!("Organizations’ account list of {}, read from {source}", format::day(day)),
            href(&format!("/collections/{collection}")),
        ),
        _ => provenance.line(
            "Expected accounts",
            "No account list was read: completeness against the organisation not established.",
        ),
    };
    match (lists.regions_listed_on, &lists.regions) {
        (Some(day), Some(regions)) => {
            provenance.line("Expected Regions", format!("{}, as listed on {}", regions.join(", "), format::day(day)))
        }
        _ => provenance.line("Expected Regions", "No list of Regions was given."),
    }
}
