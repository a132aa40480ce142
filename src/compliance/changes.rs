//! What changed between two days.

use std::collections::BTreeMap;
use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{self, Data};
use askama::Template;
use rustc_hash::{FxHashMap, FxHashSet};
use time::{Date, Duration};

use super::core::changes::{Change, Context, failed_and_complied};
use super::core::{Evidence, PlaceDay};
use super::db::{self, changes as changes_db};
use super::filter::{self, Filter, Offers};
use super::shown::{Shown, link, nothing_left};
use super::{Severity, Status};
use crate::State;
use crate::error::Error;
use crate::web::download::{Format, Rows, download};
use crate::web::form::{Choice, Filters};
use crate::web::format::{count, day, plural};
use crate::web::parts::{self, Empty, Provenance};
use crate::web::table::{self, Column, PAGE_ROWS, Place, Table};
use crate::web::{Access, Endpoint, Frame, Page, Section, View, filters, parse_day};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![Endpoint::get("/changes", Access::SignedIn, || web::get().to(list))]
}

/// Days between the two, where the address names none.
pub(super) const DAYS: i64 = 7;

const COLUMNS: [Column; 8] = [
    table::text("Change"),
    table::text("Account"),
    table::text("Region"),
    table::text("Rule"),
    table::text("Severity"),
    table::text("Resource"),
    table::text("Was, and is"),
    table::text("On"),
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

/// An evaluation that changed, by the store's ids.
#[derive(Debug, Clone, Copy)]
struct Changed {
    change: Change,
    place_id: i32,
    rule_id: i32,
    resource_id: i32,
    resource_type_id: i16,
    old: Option<i16>,
    new: Option<i16>,
    day: Date,
}

/// A place that had evidence on the earlier day and has none on the later.
#[derive(Debug, Clone)]
struct Lost {
    account_id: String,
    account_name: String,
    region: String,
    /// Last known evaluations that became unknown; 0 where the place is no longer expected.
    evaluations: i64,
    expected: bool,
}

/// Everything that changed between two days, in text order.
#[derive(Debug, Default)]
pub(super) struct Between {
    changed: Vec<Changed>,
    lost: Vec<Lost>,
}

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
    table: Table,
    rows: Vec<Line>,
    empty: Option<Empty>,
    provenance: Provenance,
}

/// A class with its counts.
pub(super) struct ClassLine {
    pub(super) change: Change,
    pub(super) evaluations: i64,
    /// Of them, those whose evidence stopped with their whole account and Region.
    pub(super) silent: i64,
    pub(super) href: String,
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

struct Line {
    change: Change,
    account_id: String,
    account_name: String,
    region: String,
    rule: String,
    rule_href: String,
    severity: Severity,
    resource_type: String,
    resource_id: String,
    href: String,
    old: Option<Status>,
    new: Option<Status>,
    day: Date,
}

/// The two days: `to` is the as-of day unless the address says otherwise.
fn days(view: &View) -> Result<(Date, Date), Error> {
    let asked = |name: &str| match view.address.get(name) {
        None => Ok(None),
        Some(text) => {
            parse_day(text).filter(|day| (view.first_day..=view.latest).contains(day)).map(Some).ok_or_else(|| {
                Error::DayNotCollected { asked: text.to_owned(), first: view.first_day, latest: view.latest }
            })
        }
    };
    let to = asked("to")?.unwrap_or(view.as_of);
    let from = asked("from")?.unwrap_or_else(|| (to - Duration::days(DAYS)).max(view.first_day));
    if from > to {
        return Err(Error::Invalid("The earlier day must not lie after the later one.".to_owned()));
    }
    Ok((from, to))
}

impl Between {
    /// Compares two days; `view` and `shown` are of the later.
    pub(super) async fn load(shown: &Shown, view: &mut View, from: Date) -> Result<Arc<Self>, Error> {
        let key = shown.key(view, &format!("changes {from} {}", view.as_of));
        if let Some(between) = shown.recall(key.as_deref()) {
            return Ok(between);
        }
        let known: Vec<i32> = shown.places.iter().filter(|place| place.known()).map(|place| place.place_id).collect();
        let rows = changes_db::differing(&mut view.read, &known, from, view.as_of).await?;
        let mut earlier = db::places(&mut view.read, view.organization_id, from).await?;
        if let Some(scope) = &view.scope {
            earlier.retain(|place| scope.holds(&place.account_id));
        }
        let between =
            Arc::new(Self { changed: rows.iter().filter_map(classify).collect(), lost: lost(&earlier, &shown.places) });
        shown.remember(key, &between, between.changed.len() * size_of::<Changed>());
        Ok(between)
    }

    /// How many evaluations each class has, and of them those of places without evidence.
    pub(super) fn counts(&self) -> BTreeMap<Change, (i64, i64)> {
        let mut counts: BTreeMap<Change, (i64, i64)> = BTreeMap::new();
        for changed in &self.changed {
            counts.entry(changed.change).or_default().0 += 1;
        }
        let silent: i64 = self.lost.iter().map(|lost| lost.evaluations).sum();
        let unknown = counts.entry(Change::BecameUnknown).or_default();
        unknown.0 += silent;
        unknown.1 = silent;
        counts
    }

    /// A line for each class, also those without any.
    pub(super) fn classes(&self, href: impl Fn(Change) -> String) -> Vec<ClassLine> {
        let counts = self.counts();
        let line = |change| {
            let (evaluations, silent) = counts.get(&change).copied().unwrap_or_default();
            ClassLine { change, evaluations, silent, href: href(change) }
        };
        Change::ALL.into_iter().map(line).collect()
    }
}

fn classify(row: &changes_db::Differing) -> Option<Changed> {
    let context = Context {
        failed_before: failed_and_complied(&row.before),
        rule_present: row.rule_present,
        resource_present: row.resource_present,
    };
    Some(Changed {
        change: Change::of(row.old_status_id, row.new_status_id, context)?,
        place_id: row.place_id,
        rule_id: row.rule_id,
        resource_id: row.resource_id,
        resource_type_id: row.resource_type_id,
        old: row.old_status_id,
        new: row.new_status_id,
        day: row.day,
    })
}

fn lost(earlier: &[PlaceDay], later: &[PlaceDay]) -> Vec<Lost> {
    let later: FxHashMap<i32, &PlaceDay> = later.iter().map(|place| (place.place_id, place)).collect();
    let silent = earlier.iter().filter(|place| place.known());
    let silent = silent.filter(|place| !later.get(&place.place_id).is_some_and(|now| now.known()));
    silent
        .map(|place| {
            let now = later.get(&place.place_id);
            Lost {
                account_id: place.account_id.clone(),
                account_name: place.account_name.clone(),
                region: place.region.clone(),
                evaluations: now.map_or(0, |now| now.carried()),
                expected: now.is_some_and(|now| now.expected),
            }
        })
        .collect()
}

async fn list(state: Data<State>, mut view: View) -> Result<HttpResponse, Error> {
    let filter = Filter::parse(&view.address)?;
    let format = Format::of(&view.address)?;
    let at = Place::of(&view.address, 1)?;
    let (from, to) = days(&view)?;
    let class = match view.address.get("change") {
        None => None,
        Some(slug) => Some(
            Change::parse(slug).ok_or_else(|| Error::Invalid(format!("“{slug}” is none of the kinds of change.")))?,
        ),
    };
    // Everything on the page is as of the later day.
    view.turn_to(to).await?;
    let shown = Shown::load(state, &mut view).await?;
    let between = Between::load(&shown, &mut view, from).await?;
    let left = left(&shown, &between, &filter);
    let picked: Vec<Changed> =
        left.changed.iter().filter(|changed| class.is_none_or(|class| changed.change == class)).copied().collect();
    if let Some(format) = format {
        let stem = format!("changes-{from}-{to}");
        return Ok(download(format, &stem, &DOWNLOAD, |rows| pour(rows, shown, view, from, picked)));
    }
    let (rows, table) = page(&shown, &mut view, &at, &picked, class).await?;
    let evidence = Evidence::of(to, shown.places.iter());
    let address = view.address.without(&["after", "before", "row", "format"]);
    let classes = left.classes(|change| format!("{}#changes", address.with("change", change.slug())));
    let page = ChangesPage {
        lead: lead(from, to, &classes),
        from,
        to,
        filters: form(&view, &shown),
        lost: lost_lines(&view, &left, class),
        empty: picked.is_empty().then(|| empty(&view, from, to, left.changed.is_empty())),
        provenance: shown.provenance(&view, &evidence).line(
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

fn form(view: &View, shown: &Shown) -> Filters {
    let offers = Offers { rule: true, severity: true, resource_type: true, ..Offers::default() };
    let changes = Change::ALL.map(|change| Choice::new(change.slug(), change.word())).to_vec();
    filter::form(&view.address, &shown.places, &shown.catalog, offers)
        .select("change", "Change", "All changes", changes)
        .day("from", "From")
        .day("to", "To")
}

fn empty(view: &View, from: Date, to: Date, none_at_all: bool) -> Empty {
    if from == to {
        return Empty::new("No changes to show", "The two days are the same: choose an earlier first day.");
    }
    if none_at_all {
        return Empty::new("No evaluation changed", format!("{} and {} (UTC) say the same here.", day(from), day(to)));
    }
    nothing_left("No changes to show", &view.address)
}

/// What the filters leave.
fn left(shown: &Shown, between: &Between, filter: &Filter) -> Between {
    let places: FxHashSet<i32> = filter.places(&shown.places).into_iter().map(|place| place.place_id).collect();
    let rules: Option<FxHashSet<i32>> = filter.rule_ids(&shown.catalog).map(|ids| ids.into_iter().collect());
    let wanted_type = filter.resource_type_id(&shown.catalog);
    let meant = |changed: &&Changed| {
        places.contains(&changed.place_id)
            && rules.as_ref().is_none_or(|rules| rules.contains(&changed.rule_id))
            && wanted_type.is_ok_and(|wanted| wanted.is_none_or(|wanted| wanted == changed.resource_type_id))
    };
    // Evaluations of a silent place are counted whole: not by rule or type.
    let whole = rules.is_none() && wanted_type == Ok(None);
    let lost = |lost: &&Lost| whole && filter.is_of(&lost.account_id, &lost.account_name, &lost.region);
    Between {
        changed: between.changed.iter().filter(meant).copied().collect(),
        lost: between.lost.iter().filter(lost).cloned().collect(),
    }
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

async fn page(
    shown: &Shown,
    view: &mut View,
    at: &Place,
    picked: &[Changed],
    class: Option<Change>,
) -> Result<(Vec<Line>, Table), Error> {
    let limit = usize::try_from(PAGE_ROWS).unwrap_or(100);
    let number = |key: &[String]| -> Result<usize, Error> {
        let number = key.first().and_then(|text| text.parse().ok()).filter(|number| *number <= picked.len());
        number.ok_or_else(|| Error::Invalid("The row that this page begins at is no longer in the table.".to_owned()))
    };
    // Two days and a collection give one list: a row's number in it is a key that stays.
    let (first, end, more) = match at {
        Place::First => (0, picked.len().min(limit), picked.len() > limit),
        Place::After(key) => {
            let first = number(key)?;
            let end = picked.len().min(first + limit);
            (first, end, picked.len() > end)
        }
        Place::Before(key) => {
            let end = number(key)?.saturating_sub(1);
            let first = end.saturating_sub(limit);
            (first, end, first > 0)
        }
    };
    let part = &picked[first..end];
    let rows = lines(shown, view, part).await?;
    let key = |row: usize| (!part.is_empty()).then(|| table::key(&[row]));
    let caption = match class {
        Some(change) => format!("Evaluations: {}", change.word()),
        None => "Evaluations that changed".to_owned(),
    };
    let total = i64::try_from(picked.len()).unwrap_or(i64::MAX);
    let table = Table::whole("changes", caption, &COLUMNS, &view.address, rows.len())
        .as_of(view.as_of)
        .with_formats()
        .paged(at, key(first + 1), key(end), more, total);
    Ok((rows, table))
}

async fn lines(shown: &Shown, view: &mut View, changed: &[Changed]) -> Result<Vec<Line>, Error> {
    let ids: Vec<i32> = changed.iter().map(|changed| changed.resource_id).collect();
    let names: FxHashMap<i32, String> = changes_db::resource_ids(&mut view.read, &ids).await?.into_iter().collect();
    Ok(changed
        .iter()
        .filter_map(|changed| {
            let place = shown.place(changed.place_id)?;
            let (_, rule) = shown.catalog.rule(changed.rule_id)?;
            let id = names.get(&changed.resource_id)?;
            let resource_type = shown.catalog.type_name(changed.resource_type_id);
            let pairs = [
                ("account", place.account_id.as_str()),
                ("region", &place.region),
                ("type", resource_type),
                ("id", id),
            ];
            Some(Line {
                change: changed.change,
                account_id: place.account_id.clone(),
                account_name: place.account_name.clone(),
                region: place.region.clone(),
                rule: rule.name.clone(),
                rule_href: super::rules::href(view, &rule.core_name),
                severity: rule.severity(),
                resource_type: resource_type.to_owned(),
                resource_id: id.clone(),
                href: link(view, "/resources", &pairs),
                old: changed.old.map(|held| shown.catalog.status(held)),
                new: changed.new.map(|held| shown.catalog.status(held)),
                day: changed.day,
            })
        })
        .collect())
}

fn lost_lines(view: &View, left: &Between, class: Option<Change>) -> Vec<LostLine> {
    if class.is_some_and(|class| class != Change::BecameUnknown) {
        return Vec::new();
    }
    left.lost
        .iter()
        .map(|lost| {
            let pairs = [("account", lost.account_id.as_str()), ("region", &lost.region), ("status", "carried")];
            LostLine {
                account_href: super::accounts::href(view, &lost.account_id),
                href: link(view, "/evaluations", &pairs),
                account_id: lost.account_id.clone(),
                account_name: lost.account_name.clone(),
                region: lost.region.clone(),
                evaluations: lost.evaluations,
                expected: lost.expected,
            }
        })
        .collect()
}

async fn pour(mut to: Rows, shown: Shown, mut view: View, from: Date, picked: Vec<Changed>) -> anyhow::Result<Rows> {
    for part in picked.chunks(1000) {
        let lines = lines(&shown, &mut view, part).await;
        for line in lines.map_err(|error| anyhow::anyhow!("reading rows: {error}"))? {
            to.push([
                from.into(),
                view.as_of.into(),
                line.change.word().into(),
                line.account_id.into(),
                line.region.into(),
                line.rule.into(),
                line.severity.word().into(),
                line.resource_type.into(),
                line.resource_id.into(),
                line.old.map(|status| status.word().to_owned()).into(),
                line.new.map(|status| status.word().to_owned()).into(),
                line.day.into(),
            ])
            .await?;
        }
    }
    Ok(to)
}

/// "3 account-regions".
fn places_words(places: &[LostLine]) -> String {
    plural(i64::try_from(places.len()).unwrap_or(i64::MAX), "account-region")
}
