//! What an auditor's request may read: decided at sign-in's side, before any page reads a row.

use std::sync::Arc;

use actix_web::web::Data;
use sqlx::PgConnection;
use time::{Date, OffsetDateTime};

use super::core::{Change, Moment, Terms, changes};
use super::db::{self, Sight};
use crate::State;
use crate::compliance::scoped::Scoped;
use crate::error::Error;
use crate::organization::scope::{Known, Unresolved, resolve};
use crate::people::User;
use crate::web::Standing;

/// The room that a request is in. Only [`enter`] makes one: it stands for an invitation and an hour that were looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    pub(super) engagement_id: i64,
    pub(super) terms: Terms,
    /// What changed after the room had opened.
    pub(super) changes: Vec<Change>,
}

impl Room {
    pub fn engagement_id(&self) -> i64 {
        self.engagement_id
    }

    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    pub fn changed(&self) -> bool {
        !self.changes.is_empty()
    }

    /// The days of the audited period among those that were collected.
    pub fn days(&self, first: Date, latest: Date) -> Option<(Date, Date)> {
        let (first, latest) = (first.max(self.terms.first_day), latest.min(self.terms.last_day));
        (first <= latest).then_some((first, latest))
    }
}

/// Lets somebody into a room that they are invited to and that is open.
///
/// # Errors
///
/// [`Error::NoRoom`] where they are not invited (any more), [`Error::RoomShut`] before its opening and from its closing on.
pub async fn enter(
    read: &mut PgConnection,
    user: &User,
    (organization_id, engagement_id): (i16, i64),
    now: OffsetDateTime,
) -> Result<Room, Error> {
    let all = db::room(read, user, organization_id, engagement_id).await?;
    let changes = changes(&all);
    let terms = all.into_iter().next_back().ok_or(Error::NoRoom)?;
    match terms.moment(now) {
        Moment::Open => Ok(Room { engagement_id, terms, changes }),
        moment => Err(Error::RoomShut {
            title: terms.title,
            moment,
            at: if moment == Moment::NotYet { terms.opens_at } else { terms.closes_at },
        }),
    }
}

/// What a room shows on a day.
#[derive(Debug)]
struct Seen {
    scoped: Arc<Scoped>,
    sight: Sight,
}

/// Confines a transaction to a room for good: what is read in it from here on is of the room's scope. Gives the scope, and
/// puts the room into the standing, so that nothing that is remembered of it is shown elsewhere or the other way round.
pub async fn confine(
    state: &Data<State>,
    read: &mut PgConnection,
    standing: &mut Standing,
    organization_id: i16,
    room: &Room,
    day: Date,
) -> Result<Arc<Scoped>, Error> {
    let terms = &room.terms;
    let key = standing.key(organization_id, &format!("room {} {} {day}", room.engagement_id, terms.record));
    let recalled: Option<Arc<Seen>> = key.as_deref().and_then(|key| state.memo.get(key));
    let seen = if let Some(seen) = recalled {
        seen
    } else {
        let seen = Arc::new(look(read, organization_id, terms, day).await?);
        if let Some(key) = key {
            let sight = &seen.sight;
            let bytes = 4 * (sight.places.len() + sight.rules.len()) + 60 * sight.accounts.len();
            state.memo.put(key, Arc::clone(&seen), bytes);
        }
        seen
    };
    db::wall(read, room.engagement_id, &seen.sight, terms.core_names.is_none(), terms.last_day).await?;
    standing.confine(format!("{} {}", room.engagement_id, terms.record));
    Ok(Arc::clone(&seen.scoped))
}

/// The same for a job that works for a room: gives the accounts that belong on the day.
pub(super) async fn confine_job(
    read: &mut PgConnection,
    organization_id: i16,
    (engagement_id, terms): (i64, &Terms),
    day: Date,
) -> anyhow::Result<Vec<String>> {
    let seen = look(read, organization_id, terms, day).await?;
    anyhow::ensure!(seen.scoped.undecided.is_empty(), "the scope is undecided: {}", seen.scoped.undecided.join("; "));
    db::wall(read, engagement_id, &seen.sight, terms.core_names.is_none(), terms.last_day).await?;
    Ok(seen.scoped.accounts.clone())
}

async fn look(read: &mut PgConnection, organization_id: i16, terms: &Terms, day: Date) -> Result<Seen, Error> {
    let known = Known { record: terms.scope_record, ..Known::ALL };
    let resolved = match &terms.scope_name {
        None => None,
        Some(name) => match resolve(read, organization_id, name, day, known).await {
            Ok(resolved) => Some(resolved),
            Err(Unresolved::Database(error)) => return Err(error.into()),
            // The scope was defined when the terms were made, and definitions are never removed.
            Err(other) => return Err(anyhow::Error::from(other).into()),
        },
    };
    let accounts = resolved.as_ref().map(crate::organization::scope::Resolved::account_ids);
    let sight = db::sight(read, organization_id, accounts.as_deref(), terms.core_names.as_deref(), day).await?;
    let listed_on = resolved.as_ref().and_then(crate::organization::scope::Resolved::told_on);
    let undecided = resolved.map(|resolved| resolved.membership.undecided).unwrap_or_default();
    let belong = (sight.accounts.clone(), sight.absent);
    let scoped = Arc::new(Scoped::of_room(terms.title.clone(), day, belong, listed_on, undecided));
    Ok(Seen { scoped, sight })
}
