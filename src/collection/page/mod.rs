//! Collections, and one collection with its count ladder, its objects and what it changed.

mod athena;
mod db;
mod list;
mod objects;
mod objects_db;
mod queries;
mod show;

use actix_web::web;
use time::OffsetDateTime;

use self::db::CollectionRow;
use crate::organization::NamedPlace;
use crate::web::{Access, Address, Endpoint, format};

pub fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get("/collections", Access::Team, || web::get().to(list::list)),
        Endpoint::get("/collections/{collection_id}", Access::Team, || web::get().to(show::show)),
    ]
}

/// The places that the filters of an address leave; `None` is all.
fn chosen(address: &Address, places: &[NamedPlace]) -> Option<Vec<i32>> {
    let (account, region) = (address.get("account"), address.get("region"));
    if account.is_none() && region.is_none() {
        return None;
    }
    let meant = places.iter().filter(|place| place.is_asked_for(account, region));
    Some(meant.map(|place| place.place_id).collect())
}

/// Seconds after which the page of a running collection is asked for again.
const REFRESH_SECONDS: u32 = 2;

impl CollectionRow {
    fn running(&self) -> bool {
        self.alive
    }

    /// "finished", or what went wrong.
    fn state_words(&self) -> String {
        if self.state == "running" && !self.alive {
            return "interrupted: the program ended before the collection did. What it committed stands, and the next \
                    collection finishes the work"
                .to_owned();
        }
        match &self.failure {
            Some(failure) => format!("{}: {failure}", self.state),
            None => self.state.clone(),
        }
    }

    fn days_words(&self) -> String {
        match (self.first_day, self.last_day) {
            (Some(first), Some(last)) => format!("{} to {}", format::day(first), format::day(last)),
            _ => "–".to_owned(),
        }
    }

    fn took(&self, now: OffsetDateTime) -> String {
        format::duration(self.finished_at.unwrap_or(now) - self.started_at)
    }

    /// "1,203 of 4,000 objects, 400 a second, about 7 seconds left".
    fn progress_words(&self, now: OffsetDateTime) -> String {
        format::progress(self.objects_done, self.objects_total, "object", now - self.started_at)
    }

    fn unreadable(&self) -> Option<i64> {
        self.ladder.as_ref()?.get("objects_unreadable")?.as_i64()
    }
}
