//! Where AWS Config's aggregator alone has a conformance pack: its last whole reading names the pack, and the evidence of
//! the day that it was compared with does not hold it.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use time::{Date, OffsetDateTime};

use super::core::RuleCounts;
use super::db::{self, OnlyThere};
use super::list::Asked;
use crate::compliance::Status;
use crate::compliance::core::PlaceDay;
use crate::error::Error;
use crate::web::download::Format;
use crate::web::format;
use crate::web::list::{Field, List};
use crate::web::table::Table;
use crate::web::{Address, View};

/// Rows on a page of the table.
const ROWS: usize = 25;

fn list() -> List<OnlyThere> {
    let fields = vec![
        Field::text("Account", "account_id", |row: &OnlyThere| row.account_id.as_str().into()),
        Field::text("Region", "region", |row| row.region.as_str().into()),
        Field::text("Name", "name", |row| row.name.as_str().into()),
        Field::text("AWS’s verdict", "aws_verdict", |row| row.compliance.as_str().into()),
        Field::number("Failing", "aws_failing_rules", |row| row.non_compliant_rules.into()),
        Field::number("Complying", "aws_complying_rules", |row| row.compliant_rules.into()),
        Field::number("Without data", "aws_rules_without_data", |row| row.counts().no_data().into()),
        Field::number("Rules", "aws_rules", |row| row.total_rules.into()),
        Field::text("Ever delivered", "delivered_before", |row| row.delivered_before.into()),
        Field::unseen("aggregator_read_at", |row| row.read_at.into()),
    ];
    List::new("elsewhere", "elsewhere-sort", ROWS, fields)
}

impl OnlyThere {
    fn counts(&self) -> RuleCounts {
        RuleCounts {
            failing: self.non_compliant_rules.into(),
            complying: self.compliant_rules.into(),
            all: self.total_rules.into(),
        }
    }

    pub(super) fn status(&self) -> Status {
        Status::parse(&self.compliance)
    }

    pub(super) fn no_data(&self) -> i64 {
        self.counts().no_data()
    }
}

/// Where the aggregator alone has a pack, as far as the scope reaches.
#[derive(Debug)]
pub(super) struct Elsewhere {
    rows: Vec<OnlyThere>,
    /// When the aggregator was last read whole, and the day of the store that it was compared with; `None` where it names
    /// the pack nowhere, whatever the filters.
    read: Option<(OffsetDateTime, Option<Date>)>,
}

impl Elsewhere {
    pub(super) async fn load(view: &mut View, pack: &str) -> Result<Self, Error> {
        // What was not delivered is no evidence, and a room shows evidence.
        if view.room.is_some() {
            return Ok(Self { rows: Vec::new(), read: None });
        }
        let mut rows = db::only_there(&mut view.read, view.organization_id, pack).await?;
        rows.retain(|row| view.holds(&row.account_id));
        let read = rows.first().map(|one| (one.read_at, one.compared_day));
        Ok(Self { rows, read })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// What the page of a pack that was not delivered of the day says first; `None` where the aggregator has none either.
    pub(super) fn lead(&self, view: &View) -> Option<String> {
        let (read_at, _) = self.read?;
        let day = format::day(view.as_of);
        if self.rows.is_empty() {
            return Some(format!(
                "The evidence of {day} (UTC) does not hold this pack, and the filters leave none of the account-Regions \
                 where AWS Config’s aggregator names it."
            ));
        }
        let places = format::plural(i64::try_from(self.rows.len()).unwrap_or(i64::MAX), "account-Region");
        let ever = match self.rows.iter().filter(|row| row.delivered_before).count() {
            0 => "it never came in a delivery from there",
            all if all == self.rows.len() => "it came in deliveries of other days",
            _ => "from some of them it came in deliveries of other days, from others never",
        };
        Some(format!(
            "The evidence of {day} (UTC) does not hold this pack. AWS Config’s aggregator, read on {}, names it in {places}; {ever}.",
            format::at(read_at)
        ))
    }

    /// "read on 10 Nov 2026 …, beside the evidence of 10 Nov 2026 (UTC)".
    pub(super) fn read(&self) -> String {
        let Some((read_at, compared_day)) = self.read else { return String::new() };
        let day = compared_day.map(|day| format!(", beside the evidence of {} (UTC)", format::day(day)));
        format!("read on {}{}", format::at(read_at), day.unwrap_or_default())
    }

    /// Whether the address asks for these rows as a file.
    pub(super) fn is_asked_for(address: &Address) -> bool {
        list().is_asked_for(address)
    }

    pub(super) fn download(self, format: Format, stem: &str, address: &Address) -> HttpResponse {
        list().download(format, stem, address, self.rows)
    }

    /// The rows to show, with their table.
    pub(super) fn table(self, address: &Address) -> Result<(Vec<OnlyThere>, Table), Error> {
        list().table(address, "Where AWS Config’s aggregator alone has it", self.rows)
    }

    /// Those that the filters of the page leave that say where. The aggregator may know accounts that the store does
    /// not: such a one has no name to be asked for by.
    pub(super) fn narrowed(mut self, asked: &Asked<'_>, places: &[PlaceDay]) -> Self {
        let mut names: BTreeMap<&str, &str> = BTreeMap::new();
        for place in places {
            names.insert(&place.account_id, &place.account_name);
        }
        self.rows.retain(|row| {
            let name = names.get(row.account_id.as_str()).copied().unwrap_or_default();
            asked.is_in(&row.account_id, name, &row.region)
        });
        self
    }
}
