//! The conformance packs of the page: their totals, filters, table and files.

use actix_web::HttpResponse;

use super::core::Said;
use super::db::{self, ComparedPack, ORDERS};
use crate::compliance::Status;
use crate::error::Error;
use crate::reconcile::core::{Totals, Verdict};
use crate::reconcile::page::asked_verdict;
use crate::reconcile::page_db::{self, ReadingRow, Times, TimesOf, Which};
use crate::web::address::Encoded;
use crate::web::download::{Cell, Format, download};
use crate::web::form::{Choice, Filters};
use crate::web::keyset::{Keyed, Keyset};
use crate::web::table::{self, Column, PAGE_ROWS, Place, PlaceNames, Sort, Table, text};
use crate::web::{Address, Section, View, format};

/// Rows read from the store at a time.
const BATCH: i64 = 5_000;

const SORT: &str = "packs-sort";
const PLACE: PlaceNames = PlaceNames { after: "packs-after", before: "packs-before", row: "packs-row" };
/// What the page knows of this table.
pub(in crate::reconcile) const KEYS: [&str; 6] = ["pack-result", "pack", SORT, PLACE.after, PLACE.before, PLACE.row];

const COLUMNS: [Column; 8] = [
    text("Result").by("result"),
    text("Conformance pack").by("pack"),
    text("Account").by("account"),
    text("Region").by("region"),
    text("As delivered").by("here").most_first(),
    text("Evidence taken"),
    text("AWS").by("aws").most_first(),
    text("AWS heard of it"),
];

const DOWNLOAD: [&str; 17] = [
    "result",
    "reason",
    "conformance_pack",
    "name",
    "account_id",
    "region",
    "day",
    "evidence_taken_at",
    "here",
    "failing_rules",
    "complying_rules",
    "rules",
    "aws",
    "aws_failing_rules",
    "aws_complying_rules",
    "aws_rules",
    "aws_read_at",
];

/// A compared pack with the times of both sides.
#[derive(Debug)]
pub(in crate::reconcile) struct Line {
    pub(in crate::reconcile) row: ComparedPack,
    pub(in crate::reconcile) times: Times,
    pub(in crate::reconcile) here: Option<Said>,
    pub(in crate::reconcile) there: Option<Said>,
    /// The pack's page, as of the latest day: that is what is compared.
    pub(in crate::reconcile) href: String,
}

impl Said {
    pub(in crate::reconcile) fn status(&self) -> &Status {
        &self.compliance
    }
}

/// Which packs an address asks for, of the accounts and the Region that its results are of.
pub(in crate::reconcile) fn which(address: &Address, results: &Which) -> Result<Which, Error> {
    let verdict = asked_verdict(address, "pack-result")?;
    Ok(Which { verdict, named: address.get("pack").map(str::to_owned), ..results.clone() })
}

/// A page of the packs, before its times are known.
#[derive(Debug)]
pub(in crate::reconcile) struct Found {
    rows: Vec<Keyed<ComparedPack>>,
    place: Place,
    sort: Sort,
    more: bool,
}

/// Reads the page that the address asks for.
pub(in crate::reconcile) async fn find(view: &mut View, which: &Which) -> Result<Found, Error> {
    let place = Place::under(&view.address, PLACE, 2)?;
    let sort = Sort::asked(&view.address, SORT, &COLUMNS).unwrap_or(Sort::up("result"));
    let keyset = Keyset::of(&ORDERS, sort, &place, false)?;
    let mut rows = db::compared(&mut view.read, which, &keyset, PAGE_ROWS + 1).await?;
    let more = table::cut(&mut rows, &place);
    Ok(Found { rows, place, sort, more })
}

impl Found {
    /// Accounts and Regions whose times the page shows.
    pub(in crate::reconcile) fn places(&self) -> impl Iterator<Item = (&str, &str)> {
        self.rows.iter().map(|keyed| (keyed.row.account_id.as_str(), keyed.row.region.as_str()))
    }

    pub(in crate::reconcile) fn table(&self, view: &View, total: u64) -> Table {
        let key = |row: Option<&Keyed<ComparedPack>>| row.map(db::key);
        let (first, last) = (key(self.rows.first()), key(self.rows.last()));
        Table::whole("packs", "Conformance packs on both sides", &COLUMNS, &view.address, self.rows.len())
            .sorted_by(SORT, Some(self.sort))
            .placed_by(PLACE)
            .with_formats_of("packs")
            .paged(&self.place, first, last, self.more, i64::try_from(total).unwrap_or(i64::MAX))
    }

    pub(in crate::reconcile) fn lines(self, view: &View, times: &TimesOf) -> Vec<Line> {
        // Without the day of the address: what is compared is the latest.
        let of_day = |line: &ComparedPack| Address::new(format!("/conformance-packs/{}", Encoded(&line.core_name)));
        let scope = view.address.get("scope");
        self.rows
            .into_iter()
            .map(|Keyed { row, .. }| Line {
                times: times.get(&(row.account_id.clone(), row.region.clone())).copied().unwrap_or_default(),
                here: row.here.said(),
                there: row.there.said(),
                href: scope.map_or_else(|| of_day(&row), |scope| of_day(&row).with("scope", scope)).to_string(),
                row,
            })
            .collect()
    }
}

/// What the packs come to, each with its rows.
pub(in crate::reconcile) fn totals(view: &View, totals: &Totals) -> Vec<(Verdict, u64, String)> {
    let address = view.address.start();
    let href = |verdict: Verdict| address.with("pack-result", verdict.slug()).to_string() + "#packs";
    Verdict::ALL.into_iter().map(|verdict| (verdict, totals.of(verdict), href(verdict))).collect()
}

pub(in crate::reconcile) fn choices(view: &View) -> Filters {
    let results = Verdict::ALL.into_iter().map(|verdict| Choice::new(verdict.slug(), verdict.word())).collect();
    Filters::new(&view.address)
        .called("Filters of conformance packs")
        .select("pack-result", "Result", "All results", results)
        .text("pack", "Conformance pack", "name, or part of it")
}

/// All packs, whatever the filters of this table.
pub(in crate::reconcile) fn everything(view: &View) -> String {
    view.address.start().without(&["account", "region", "pack-result", "pack"]).to_string() + "#packs-compared"
}

/// " Of 12 conformance packs …" after the sentence on rules; '' where there are none.
pub(in crate::reconcile) fn sentence(totals: &Totals) -> String {
    if totals.all() == 0 {
        return String::new();
    }
    let all = i64::try_from(totals.all()).unwrap_or(i64::MAX);
    format!(
        " Of {} of a conformance pack in an account and Region, {}.",
        format::plural(all, "verdict"),
        totals.words()
    )
}

/// All rows that the filters leave.
pub(in crate::reconcile) fn download_of(
    format: Format,
    mut view: View,
    which: Which,
    whole: Option<ReadingRow>,
) -> Result<HttpResponse, Error> {
    let sort = Sort::asked(&view.address, SORT, &COLUMNS).unwrap_or(Sort::up("result"));
    let mut page = Keyset::of(&ORDERS, sort, &Place::First, false)?;
    Ok(download(format, &view.stem("aggregator-conformance-packs"), &DOWNLOAD, |mut to| async move {
        let day = whole.as_ref().and_then(|reading| reading.day);
        loop {
            let rows = db::compared(&mut view.read, &which, &page, BATCH).await?;
            let Some(last) = rows.last() else { return Ok(to) };
            page = db::after(page, last);
            let places = rows.iter().map(|keyed| (keyed.row.account_id.as_str(), keyed.row.region.as_str()));
            let times = page_db::times(&mut view.read, which.organization_id, day, places).await?;
            for Keyed { row, .. } in rows {
                let times = times.get(&(row.account_id.clone(), row.region.clone())).copied().unwrap_or_default();
                to.push(cells(row, times, whole.as_ref())).await?;
            }
        }
    }))
}

fn cells(row: ComparedPack, times: Times, whole: Option<&ReadingRow>) -> [Cell; 17] {
    [
        row.verdict().word().into(),
        row.reason.into(),
        row.core_name.into(),
        row.pack_name.into(),
        row.account_id.into(),
        row.region.into(),
        whole.and_then(|reading| reading.day).into(),
        times.0.into(),
        row.here.here_compliance.into(),
        row.here.here_non_compliant.into(),
        row.here.here_compliant.into(),
        row.here.here_total.into(),
        row.there.there_compliance.into(),
        row.there.there_non_compliant.into(),
        row.there.there_compliant.into(),
        row.there.there_total.into(),
        whole.map(|reading| reading.ended_at).into(),
    ]
}

/// What the page says of where its figures on packs come from.
pub(in crate::reconcile) fn provenance(
    provenance: crate::web::parts::Provenance,
    view: &View,
) -> crate::web::parts::Provenance {
    provenance.link(
        "Conformance packs",
        "As delivered: AWS’s own verdict and counts of rules in AWS::Config::ConformancePackCompliance items of the newest day. AWS: the answers of DescribeAggregateComplianceByConformancePacks, whose counts have no limit, and which name deleted packs too. What our evaluations make of a pack stands on its own page.",
        view.frame(Section::Rules, "").href("/conformance-packs"),
    )
}
