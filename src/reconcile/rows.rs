//! Compared results and sources as CSV and JSON; conformance packs have theirs beside their table.

use actix_web::HttpResponse;

use super::packs;
use super::page_db::{self as db, ComparedRow, ReadingRow, SourceRow, Times, Which};
use crate::error::Error;
use crate::web::View;
use crate::web::download::{Cell, Format, download};
use crate::web::keyset::Keyset;

/// Rows read from the store at a time.
const BATCH: i64 = 5_000;

const RESULTS: [&str; 18] = [
    "result",
    "reason",
    "rule",
    "rule_name",
    "account_id",
    "region",
    "day",
    "evidence_taken_at",
    "here",
    "complying",
    "not_complying",
    "insufficient_data",
    "not_applicable",
    "unrecognised",
    "aws",
    "aws_count",
    "aws_count_is_at_least",
    "aws_read_at",
];

const SOURCES: [&str; 8] =
    ["kind", "source_id", "region", "status", "last_update_at", "so_since", "error_code", "error_message"];

/// All rows that the filters leave, of the table that `?rows=` names.
pub(super) fn download_of(
    format: Format,
    view: View,
    which: Which,
    packs: Which,
    whole: Option<ReadingRow>,
    first: Keyset,
) -> Result<HttpResponse, Error> {
    match view.address.get("rows") {
        None | Some("results") => Ok(results(format, view, which, whole, first)),
        Some("packs") => packs::table::download_of(format, view, packs, whole),
        Some("sources") => Ok(sources(format, view, which)),
        Some(_) => Err(Error::Invalid("The rows are those of results, packs or sources.".to_owned())),
    }
}

/// From the first page on, in its order.
fn results(format: Format, mut view: View, which: Which, whole: Option<ReadingRow>, first: Keyset) -> HttpResponse {
    download(format, &view.stem("aggregator-results"), &RESULTS, |mut to| async move {
        let mut page = first;
        let day = whole.as_ref().and_then(|reading| reading.day);
        loop {
            let rows = db::compared(&mut view.read, &which, &page, BATCH).await?;
            let Some(last) = rows.last() else { return Ok(to) };
            page = page.after(last.sort_key.clone(), last.row.comparison_id.to_string());
            let places = rows.iter().map(|keyed| (keyed.row.account_id.as_str(), keyed.row.region.as_str()));
            let times = db::times(&mut view.read, which.organization_id, day, places).await?;
            for keyed in rows {
                let row = keyed.row;
                let times = times.get(&(row.account_id.clone(), row.region.clone())).copied().unwrap_or_default();
                to.push(result(row, times, whole.as_ref())).await?;
            }
        }
    })
}

fn result(row: ComparedRow, times: Times, whole: Option<&ReadingRow>) -> [Cell; 18] {
    let here = row.here().map(|status| status.word().to_owned());
    [
        row.verdict().word().into(),
        row.reason.into(),
        row.core_name.into(),
        row.rule_name.into(),
        row.account_id.into(),
        row.region.into(),
        whole.and_then(|reading| reading.day).into(),
        times.0.into(),
        here.into(),
        row.counted.complying.into(),
        row.counted.not_complying.into(),
        row.counted.insufficient_data.into(),
        row.counted.not_applicable.into(),
        row.counted.unrecognised.into(),
        row.there_compliance.into(),
        row.there_count.into(),
        row.there_count.map(|_| row.there_capped).into(),
        whole.map(|reading| reading.ended_at).into(),
    ]
}

fn sources(format: Format, mut view: View, which: Which) -> HttpResponse {
    download(format, &view.stem("aggregator-sources"), &SOURCES, |mut to| async move {
        for row in db::sources(&mut view.read, &which).await? {
            to.push(source(row)).await?;
        }
        Ok(to)
    })
}

fn source(row: SourceRow) -> [Cell; 8] {
    [
        row.kind.into(),
        row.source_id.into(),
        row.region.into(),
        row.status.into(),
        row.updated_at.into(),
        row.since.into(),
        row.error_code.into(),
        row.error_message.into(),
    ]
}
