//! What the store knows of a place before something new is put in.

use sqlx::PgConnection;
use time::Date;

use super::day::Day;
use super::db::{self, DeliveryRow};
use super::plan;
use super::splice::Calendar;
use crate::compliance::DeliveryState;

/// A place's store as a transaction found it.
#[derive(Debug)]
pub(super) struct Standing {
    pub(super) stored: Vec<plan::Stored>,
    pub(super) rows: Vec<DeliveryRow>,
    pub(super) known: Vec<Day>,
    pub(super) ever_known: Vec<Day>,
}

impl Standing {
    pub(super) async fn load(db: &mut PgConnection, place_id: i32) -> sqlx::Result<Self> {
        let rows = db::deliveries(db, place_id).await?;
        Ok(Self {
            stored: db::stored(db, place_id).await?,
            known: rows.iter().filter(|row| row.state.0.known()).map(|row| row.day).collect(),
            ever_known: db::ever_known(db, place_id).await?,
            rows,
        })
    }

    pub(super) fn row(&self, day: Day) -> Option<&DeliveryRow> {
        self.rows.iter().find(|row| row.day == day)
    }

    /// What the object is that speaks for a day so far; `None` for any other object.
    pub(super) fn verdict(&self, day: Day, object_id: i64) -> Option<plan::Verdict> {
        let row = self.row(day).filter(|row| row.object_id == Some(object_id))?;
        Some(match row.state.0 {
            DeliveryState::NoComplianceItems => plan::Verdict::Silent,
            _ => plan::Verdict::Speaks,
        })
    }

    /// The last known day before a day.
    pub(super) fn before(&self, day: Day) -> Option<&DeliveryRow> {
        self.rows.iter().rev().find(|row| row.day < day && row.state.0.known())
    }

    /// Days that could not be reached when they were last looked at, and why.
    pub(super) fn unreached(&self) -> impl Iterator<Item = (Date, DeliveryState)> {
        let unreached = self.rows.iter().filter(|row| row.state.0.unreached());
        unreached.filter_map(|row| Some((row.day.date()?, row.state.0)))
    }

    pub(super) fn calendar(&self) -> Calendar<'_> {
        Calendar { known: &self.known, ever_known: &self.ever_known }
    }

    /// The first day with a snapshot that holds compliance items.
    pub(super) fn first_snapshot(&self) -> Option<Day> {
        self.rows
            .iter()
            .find(|row| matches!(row.state.0, DeliveryState::Delivered | DeliveryState::DeliveredLaterUnreadable))
            .map(|row| row.day)
    }
}
