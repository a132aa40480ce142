//! What changed between two days.

mod between;
mod rows;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{self, Data};
use askama::Template;
use time::{Date, Duration};

pub(super) use self::between::{Between, ClassLine};
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
use crate::web::{Access, Endpoint, Frame, Page, Section, View, filters, parse_day};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![Endpoint::get("/changes", Access::SignedIn, || web::get().to(list))]
}

/// Days between the two, where the address names none.
pub(super) const DAYS: i64 = 7;

const OFFERS: Offers = Offers { rule: true, severity: true, status: true, resource_type: true, age: false };

const COLUMNS: [Column; 8] = [
    table::text("Change").by("change"),
    table::text("Account").by("account"),
    table::text("Region"),
    table::text("Rule"),
    table::text("Severity"),
    table::text("Resource"),
    table::text("Was, and is"),
    table::text("On").by("on").most_first(),
];

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
    from: Date,
    to: Date,
    filters: Filters,
    classes: Vec<ClassLine>,
    lost: Vec<LostLine>,
    lost_total: usize,
    table: Table,
    rows: Vec<Line>,
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
    href: String,
}

/// Places shown that fell silent; the rows hold the evaluations of all of them.
const LOST: usize = 50;

/// The earlier day, as asked: the later is the as-of day.
fn earlier(view: &View) -> Result<Date, Error> {
    match view.address.get("from") {
        None => Ok((view.as_of - Duration::days(DAYS)).max(view.first_day)),
        Some(text) => parse_day(text).filter(|day| (view.first_day..=view.latest).contains(day)).ok_or_else(|| {
            Error::DayNotCollected { asked: text.to_owned(), first: view.first_day, latest: view.latest }
        }),
    }
}

async fn list(state: Data<State>, mut view: View) -> Result<HttpResponse, Error> {
    let filter = Filter::parse(&view.address, OFFERS, &[&PLACE_KEYS[..], &["from", "change"]].concat())?;
    let format = Format::of(&view.address)?;
    let at = Place::of(&view.address, 6)?;
    let asked = earlier(&view)?;
    let (from, to) = (asked.min(view.as_of), view.as_of);
    let class = match view.address.get("change") {
        None => None,
        Some(slug) => Some(
            Change::parse(slug).ok_or_else(|| Error::Invalid(format!("“{slug}” is none of the kinds of change.")))?,
        ),
    };
    let sort = Sort::of(&view.address, &COLUMNS, Sort::up("account"));
    let shown = Shown::load(state, &mut view).await?;
    let between = Between::load(&shown, &mut view, from).await?;
    let left = between.left(&shown, &mut view, &filter, from).await?;
    if let Some(format) = format {
        let stem = view.stem(format!("changes-{from}"));
        return Ok(download(format, &stem, &DOWNLOAD, |rows| pour(rows, shown, view, (left, filter), (from, class))));
    }
    let list = List::new(&shown, &left, &filter, (from, class, sort));
    let total = list.total();
    let (rows, more) = list.page(&shown, &mut view, &at).await?;
    let key = |line: Option<&Line>| line.map(|line| table::key(&line.key()));
    let table = Table::whole("changes", caption(class), &COLUMNS, &view.address, rows.len())
        .sorted(sort)
        .as_of(view.as_of)
        .with_formats()
        .paged(&at, key(rows.first()), key(rows.last()), more, total);
    let evidence = Evidence::of(to, filter.places(&shown.places));
    let address = view.address.start();
    let classes = left.classes(|change| format!("{}#changes", address.with("change", change.slug())));
    let none_at_all = classes.iter().all(|line| line.evaluations == 0);
    let lost = lost_lines(&view, &left, class);
    let page = ChangesPage {
        lead: lead(from, to, &classes),
        from,
        to,
        filters: form(&view, &shown),
        lost_total: lost.len(),
        lost: lost.into_iter().take(LOST).collect(),
        empty: (total == 0).then(|| empty(&view, asked, none_at_all)),
        provenance: shown
            .provenance(&view, &evidence, &filter)
            .link(
                "Objects of the earlier day",
                format!("those that the figures of {} (UTC) stand on", day(from)),
                super::objects::href_on(&view, from, &filter.place_pairs()),
            )
            .line(
                "Compared",
                format!("{} with {} (UTC); what came and went in between is not counted", day(from), day(to)),
            ),
        frame: view.frame(Section::Changes, "Changes"),
        classes,
        rows,
        table,
    };
    Ok(Page(page).answer(StatusCode::OK))
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
    if none_at_all && view.address.without(&["as_of", "scope", "from", "sort"]).pairs().is_empty() {
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
        })
        .collect()
}

/// "3 account-regions".
fn places_words(places: usize) -> String {
    plural(i64::try_from(places).unwrap_or(i64::MAX), "account-region")
}
