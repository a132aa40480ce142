//! What changed between two days.

mod between;
mod lists;
mod merged;
mod order;
mod rows;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{self, Data};
use askama::Template;
use time::{Date, Duration};

pub(super) use self::between::{Between, ClassLine};
use self::merged::{Asked, Merged, SILENT_IN_MEMORY, is_short};
use self::order::By;
use self::rows::{Line, List, pour};
use super::core::{Change, Evidence};
use super::filter::{self, Filter, Offers};
use super::shown::{Shown, link, nothing_left};
use crate::State;
use crate::error::Error;
use crate::web::download::{Format, download};
use crate::web::form::{Choice, Filters};
use crate::web::format::{count, day, plural};
use crate::web::parts::{self, Empty, Provenance};
use crate::web::table::{self, Column, PLACE_KEYS, Place, Sort, Table};
use crate::web::{Access, Endpoint, Frame, Page, Section, View, filters, kept, parse_day};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![Endpoint::get("/changes", Access::Rooms, || web::get().to(list))]
}

/// Days between the two, where the address names none.
pub(super) const DAYS: i64 = 7;

const OFFERS: Offers = Offers { rule: true, severity: true, status: true, resource_type: true, age: false };

const COLUMNS: [Column; 8] = [
    table::text("Change").by("change"),
    table::text("Account").by("account"),
    table::text("Region").by("region"),
    table::text("Rule").by("rule"),
    table::text("Severity").by("severity").most_first(),
    table::text("Resource").by("resource"),
    table::text("Was, and is").by("status"),
    table::text("On").by("on").most_first(),
];

/// Where the rows of silent places are too many to be sorted, only what keeps those of a place together is offered.
fn columns(is_short: bool) -> [Column; 8] {
    if is_short {
        return COLUMNS;
    }
    COLUMNS.map(|column| match column.sort {
        Some(word) if By::parse(word).is_some() => table::text(column.title),
        _ => column,
    })
}

const DOWNLOAD: [&str; 12] = [
    "from",
    "to",
    "change",
    "account_id",
    "region",
    "rule_name",
    "severity",
    "resource_type",
    "resource_id",
    "status_from",
    "status_to",
    "changed_on",
];

#[derive(Template)]
#[template(path = "compliance/changes.html")]
struct ChangesPage {
    frame: Frame,
    lead: String,
    filters: Filters,
    classes: (Vec<ClassLine>, Table),
    lost: (Vec<LostLine>, Table),
    table: Table,
    rows: Vec<Line>,
    /// Where the list is too long for some orders: how many evaluations of silent places may be in it.
    too_long: Option<i64>,
    empty: Option<Empty>,
    provenance: Provenance,
}

struct LostLine {
    account_id: String,
    account_name: String,
    account_href: String,
    region: String,
    evaluations: i64,
    expected: bool,
    day: Date,
    href: String,
}

/// What the page can be asked for beside the day and its filters.
const KEYS: [&str; 6] = ["from", "change", "lost", "lost-sort", "classes-sort", "rows"];

/// What leaves nothing out.
const UNFILTERED: [&str; 6] = ["as_of", "scope", "from", "sort", "lost-sort", "classes-sort"];

/// The earlier day, as asked: the later is the as-of day.
fn earlier(view: &View) -> Result<Date, Error> {
    match view.address.get("from") {
        None => Ok((view.as_of - Duration::days(DAYS)).max(view.first_day)),
        Some(text) => kept(parse_day(text), "from", view.standing.floor.as_ref())?
            .filter(|day| (view.first_day..=view.latest).contains(day))
            .ok_or_else(|| Error::DayNotCollected {
                asked: text.to_owned(),
                first: view.first_day,
                latest: view.latest,
            }),
    }
}

/// The kind of change in the address; `None` is every one.
fn class(view: &View) -> Result<Option<Change>, Error> {
    let Some(slug) = view.address.get("change") else { return Ok(None) };
    let class = Change::parse(slug);
    class.map(Some).ok_or_else(|| Error::Invalid(format!("“{slug}” is none of the kinds of change.")))
}

async fn list(state: Data<State>, mut view: View) -> Result<HttpResponse, Error> {
    let filter = Filter::parse(&view.address, OFFERS, &[&PLACE_KEYS[..], &KEYS].concat())?;
    let format = Format::of(&view.address)?;
    let at = Place::of(&view.address, 6)?;
    let asked = earlier(&view)?;
    let (from, class) = (asked.min(view.as_of), class(&view)?);
    let shown = Shown::load(state, &mut view).await?;
    let between = Between::load(&shown, &mut view, from).await?;
    let left = between.left(&shown, &mut view, &filter, from).await?;
    if let Some(format) = format {
        return files(format, shown, view, (left, filter), (from, class));
    }
    let (rows, table) = page_of(&shown, &mut view, (&between, &left), (&filter, from, class), &at).await?;
    let evidence = Evidence::of(view.as_of, filter.places(&shown.places));
    let classes = classes(&view, &left);
    let lead = lead(from, view.as_of, &classes);
    let none_at_all = classes.iter().all(|line| line.evaluations == 0);
    let words = format!("Evaluations by what became of them from {} to {} (UTC)", day(from), day(view.as_of));
    let lost = lost_lines(&view, &left, class);
    let lost_words = lost_words(lost.len(), from, view.as_of);
    let compared =
        format!("{} with {} (UTC); what came and went in between is not counted", day(from), day(view.as_of));
    let page = ChangesPage {
        lead,
        filters: form(&view, &shown),
        classes: lists::classes().table(&view.address, words, classes)?,
        lost: lists::lost().table(&view.address, lost_words, lost)?,
        empty: (table.total == 0).then(|| empty(&view, asked, none_at_all)),
        provenance: shown
            .provenance(&view, &evidence, &filter)
            .link(
                "Objects of the earlier day",
                format!("those that the figures of {} (UTC) stand on", day(from)),
                super::objects::href_on(&view, from, &filter.place_pairs()),
            )
            .line("Compared", compared),
        frame: view.frame(Section::Changes, "Changes"),
        rows,
        too_long: (!is_short(&between)).then_some(SILENT_IN_MEMORY),
        table,
    };
    Ok(Page(page).answer(StatusCode::OK))
}

/// A line for each kind of change, with its rows on this page.
fn classes(view: &View, left: &Between) -> Vec<ClassLine> {
    let address = view.address.start();
    left.classes(|change| format!("{}#changes", address.with("change", change.slug())))
}

/// The rows of a page of the main table, with the table.
async fn page_of(
    shown: &Shown,
    view: &mut View,
    (between, left): (&Between, &Between),
    (filter, from, class): (&Filter, Date, Option<Change>),
    at: &Place,
) -> Result<(Vec<Line>, Table), Error> {
    let columns = columns(is_short(between));
    let sort = Sort::of(&view.address, &columns, Sort::up("account"));
    let (rows, more, total) = if let Some(by) = By::parse(sort.by) {
        let asked = Asked { from, class, by, descending: sort.descending, filter };
        let list = Merged::load(shown, view, (between, left), asked).await?;
        let (rows, more) = list.page(view, at).await?;
        (rows, more, list.total())
    } else {
        let list = List::new(shown, left, filter, (from, class, sort));
        let (rows, more) = list.page(shown, view, at).await?;
        (rows, more, list.total())
    };
    let key = |line: Option<&Line>| line.map(|line| table::key(&line.key()));
    let table = Table::whole("changes", caption(class), &columns, &view.address, rows.len())
        .sorted(sort)
        .as_of(view.as_of)
        .with_formats()
        .paged(at, key(rows.first()), key(rows.last()), more, total);
    Ok((rows, table))
}

/// The rows of one of the page's tables; those of the main one where none is named.
fn files(
    format: Format,
    shown: Shown,
    view: View,
    (left, filter): (Between, Filter),
    (from, class): (Date, Option<Change>),
) -> Result<HttpResponse, Error> {
    let stem = |what: &str| view.stem(format!("changes{what}-{from}"));
    match view.address.get("rows") {
        None | Some("changes") => {
            let stem = stem("");
            Ok(download(format, &stem, &DOWNLOAD, |rows| pour(rows, shown, view, (left, filter), (from, class))))
        }
        Some("classes") => {
            Ok(lists::classes().download(format, &stem("-by-kind"), &view.address, classes(&view, &left)))
        }
        Some("lost") => {
            let lines = lost_lines(&view, &left, class);
            Ok(lists::lost().download(format, &stem("-without-evidence"), &view.address, lines))
        }
        Some(_) => Err(Error::Invalid("The rows are those of changes, classes or lost.".to_owned())),
    }
}

fn caption(class: Option<Change>) -> String {
    match class {
        Some(change) => format!("Evaluations: {}", change.word()),
        None => "Evaluations that changed".to_owned(),
    }
}

fn form(view: &View, shown: &Shown) -> Filters {
    let changes = Change::ALL.map(|change| Choice::new(change.slug(), change.word())).to_vec();
    filter::form(&view.address, &shown.places, &shown.catalog, OFFERS)
        .select("change", "Change", "All changes", changes)
        .day("from", "Earlier day")
}

fn empty(view: &View, asked: Date, none_at_all: bool) -> Empty {
    let week = view.address.start().without(&["from", "change"]).to_string();
    if asked > view.as_of {
        return Empty::new(
            "No changes to show",
            format!("The earlier day, {}, lies after the as-of day, {} (UTC).", day(asked), day(view.as_of)),
        )
        .next("Compare with seven days before the as-of day", week);
    }
    if asked == view.as_of {
        return Empty::new("No changes to show", "The two days are the same: choose an earlier first day.")
            .next("Compare with seven days before the as-of day", week);
    }
    if none_at_all && view.address.start().without(&UNFILTERED).pairs().is_empty() {
        let same = format!("{} and {} (UTC) say the same here.", day(asked), day(view.as_of));
        return Empty::new("No evaluation changed", same)
            .next("See what was delivered in between", link(view, "/delivery", &[]));
    }
    nothing_left("No changes to show", &view.address)
}

fn lead(from: Date, to: Date, classes: &[ClassLine]) -> String {
    let parts: Vec<String> = classes
        .iter()
        .filter(|line| line.evaluations > 0)
        .map(|line| format!("{} {}", count(line.evaluations), line.change.word()))
        .collect();
    let parts = if parts.is_empty() { "nothing changed".to_owned() } else { parts.join(", ") };
    format!("From {} to {} (UTC): {parts}.", day(from), day(to))
}

fn lost_lines(view: &View, left: &Between, class: Option<Change>) -> Vec<LostLine> {
    if class.is_some_and(|class| class != Change::BecameUnknown) {
        return Vec::new();
    }
    let base = view.address.start().with("change", Change::BecameUnknown.slug());
    left.lost
        .iter()
        .map(|lost| LostLine {
            account_href: super::accounts::href(view, &lost.account_id),
            href: format!("{}#changes", base.with("account", &lost.account_id).with("region", &lost.region)),
            account_id: lost.account_id.clone(),
            account_name: lost.account_name.clone(),
            region: lost.region.clone(),
            evaluations: lost.evaluations,
            expected: lost.expected,
            day: lost.day,
        })
        .collect()
}

fn lost_words(places: usize, from: Date, to: Date) -> String {
    let places = plural(i64::try_from(places).unwrap_or(i64::MAX), "account-region");
    format!("{places} with evidence on {} and none on {}: what they said became unknown", day(from), day(to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_are_sorted_only_where_the_rows_of_a_place_stay_together() {
        let unsorted = |is_short| -> Vec<&str> {
            columns(is_short).iter().filter(|column| column.sort.is_none()).map(|column| column.title).collect()
        };
        assert_eq!(unsorted(true), [""; 0]);
        assert_eq!(unsorted(false), ["Rule", "Severity", "Resource", "Was, and is"]);
    }
}
