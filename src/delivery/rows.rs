//! The calendar as a download.

use actix_web::HttpResponse;

use super::core::Period;
use crate::web::View;
use crate::web::download::{Cell, Format, download};

const COLUMNS: [&str; 7] = ["account_id", "region", "state", "expected", "first_day", "last_day", "days"];

/// Every stretch of equal days, the places in the order of the page.
pub(super) fn rows(format: Format, view: &View, period: &Period<'_>) -> HttpResponse {
    let cells: Vec<[Cell; 7]> = period
        .places
        .iter()
        .flat_map(|(place, stretches)| {
            stretches.iter().map(|(first, end, day)| {
                [
                    place.account_id.as_str().into(),
                    place.region.as_str().into(),
                    day.state.word().into(),
                    day.expected.into(),
                    (*first).into(),
                    end.previous_day().into(),
                    (*end - *first).whole_days().into(),
                ]
            })
        })
        .collect();
    download(format, &view.stem("delivery"), &COLUMNS, |mut rows| async move {
        for row in cells {
            rows.push(row).await?;
        }
        Ok(rows)
    })
}
