//! Removing what is older than the setting keeps: the floor first, then rows in batches, each with its count.

use std::collections::BTreeMap;

use anyhow::Context as _;
use sqlx::PgPool;
use time::Date;

use super::remove_db::{Counts, OF_ORGANIZATION, OF_PLACE, Part, PlaceFacts};
use super::{Span, db, remove_db};
use crate::audit_log::{self, ActorKind, Entry};
use crate::collection;
use crate::jobs::{Ending, Progress};

/// Rows removed in one transaction: a fraction of a second's work, so that a collection or a backup waits for no more.
const BATCH_ROWS: i64 = 20_000;

/// What is to be removed, for whom and in whose name.
#[derive(Debug, Clone)]
pub struct Asked {
    pub organization: String,
    /// The setting, for the record.
    pub setting: String,
    /// The first day that it keeps.
    pub first_day: Date,
    /// Who asked for it.
    pub by: String,
    pub actor_kind: ActorKind,
    /// Rows that one transaction removes at most.
    pub batch_rows: i64,
}

impl Asked {
    /// What the setting asks for on a day (UTC).
    pub fn of(span: Span, organization: &str, today: Date, (by, actor_kind): (String, ActorKind)) -> Self {
        Self {
            organization: organization.to_owned(),
            setting: span.to_string(),
            first_day: span.first_day_kept(today),
            by,
            actor_kind,
            batch_rows: BATCH_ROWS,
        }
    }
}

/// A removal that came to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    pub retention_id: i64,
    pub first_day: Date,
    /// Rows removed, by table.
    pub removed: BTreeMap<String, i64>,
}

/// Counts what a removal would take away, and from which day on evidence would be kept. Changes nothing.
pub async fn count(db: &PgPool, organization: &str, first_day: Date) -> anyhow::Result<(Date, Counts)> {
    let mut read = crate::database::read_only(db).await?;
    let Some(organization_id) = db::organization(&mut *read, organization).await? else {
        return Ok((first_day, Counts::default()));
    };
    let floor = db::floor(&mut *read, organization_id).await?;
    let first_day = floor.map_or(first_day, |floor| floor.first_day.max(first_day));
    let again = db::unfinished(&mut *read, organization_id).await?;
    let point = remove_db::first_point(&mut read, organization_id, first_day).await?;
    let mut counts = Counts::default();
    let mut add = |part: &Part, rows: i64| {
        if rows > 0 {
            *counts.entry(part.table).or_default() += rows;
        }
    };
    for place_id in remove_db::places(&mut read, organization_id).await? {
        let facts = PlaceFacts::load(&mut read, place_id, (first_day, point), again).await?;
        for part in OF_PLACE {
            add(part, facts.count(&mut read, part).await?);
        }
    }
    for part in OF_ORGANIZATION {
        add(part, remove_db::count(&mut read, part, (organization_id, first_day)).await?);
    }
    Ok((first_day, counts))
}

/// Removes it. `None`: nothing is older than the setting keeps, and the floor stays where it is.
///
/// Waits until no collection of the organisation runs, and keeps one from beginning: what a collection restates and what is
/// removed would not know of each other. Cut off at any moment, a later one finishes it.
///
/// # Errors
///
/// [`Ending::Cancelled`] when `progress` is told to stop: what was removed until then stays removed.
pub async fn remove(db: &PgPool, asked: &Asked, progress: &Progress) -> anyhow::Result<Option<Done>> {
    let Some(organization_id) = db::organization(db, &asked.organization).await? else {
        return Ok(None);
    };
    let turn = collection::turn(db, organization_id, || progress.set(0, 0, "waiting for a collection to end"));
    let turn = tokio::select! {
        turn = turn => turn?,
        () = progress.cancelled().cancelled() => return Err(Ending::Cancelled.into()),
    };
    let done = in_turn(db, asked, organization_id, progress).await;
    turn.end().await?;
    done
}

/// Removes it while no collection runs.
async fn in_turn(
    db: &PgPool,
    asked: &Asked,
    organization_id: i16,
    progress: &Progress,
) -> anyhow::Result<Option<Done>> {
    let Some(begun) = begin(db, asked, organization_id).await? else { return Ok(None) };
    let places = begun.places.len();
    for (at, place_id) in begun.places.iter().enumerate() {
        progress.set(at, places, "account-Regions");
        let mut connection = db.acquire().await?;
        let facts =
            PlaceFacts::load(&mut connection, *place_id, (begun.first_day, begun.first_point), begun.again).await?;
        drop(connection);
        for part in OF_PLACE {
            in_batches(db, &begun, (part, Whose::Place(&facts)), asked.batch_rows, progress).await?;
        }
    }
    for part in OF_ORGANIZATION {
        let whose = Whose::Organization(organization_id, begun.first_day);
        in_batches(db, &begun, (part, whose), asked.batch_rows, progress).await?;
    }
    progress.set(places, places, "account-Regions");
    Ok(Some(finish(db, asked, organization_id, &begun).await?))
}

/// A removal under way.
struct Begun {
    retention_id: i64,
    first_day: Date,
    /// Whether one was cut off before it.
    again: bool,
    first_point: Option<i64>,
    places: Vec<i32>,
}

/// Raises the floor, if anything is older than the setting keeps, or takes up a removal that was cut off.
async fn begin(db: &PgPool, asked: &Asked, organization_id: i16) -> anyhow::Result<Option<Begun>> {
    let mut tx = db.begin().await?;
    let floor = db::floor(&mut *tx, organization_id).await?.map(|floor| floor.first_day);
    let first_day = floor.map_or(asked.first_day, |floor| floor.max(asked.first_day));
    let again = db::unfinished(&mut *tx, organization_id).await?;
    let first_point = remove_db::first_point(&mut tx, organization_id, first_day).await?;
    let places = remove_db::places(&mut tx, organization_id).await?;
    if !again && !remove_db::any_at_all(&mut tx, organization_id, first_day).await? {
        return Ok(None);
    }
    let retention_id = match db::cut_off(&mut *tx, organization_id, first_day).await? {
        Some(retention_id) => retention_id,
        // Rows of before the floor that came back, by hand, have no floor of their own to be removed under.
        None if floor == Some(first_day) => return Ok(None),
        None => {
            let setting = (asked.setting.as_str(), asked.by.as_str());
            let retention_id = db::begin(&mut tx, organization_id, setting, first_day, floor).await?;
            let detail = serde_json::json!({
                "organization": asked.organization, "setting": asked.setting, "first_day": first_day.to_string(),
                "first_day_before": floor.map(|day| day.to_string()),
            });
            audit_log::record(&mut tx, &entry(asked, "begin removal", retention_id).detail(detail)).await?;
            retention_id
        }
    };
    tx.commit().await?;
    Ok(Some(Begun { retention_id, first_day, again, first_point, places }))
}

/// Whose rows go.
#[derive(Clone, Copy)]
enum Whose<'a> {
    Place(&'a PlaceFacts),
    /// The organisation's own, of before a day.
    Organization(i16, Date),
}

/// Removes a part until nothing of it is left, a transaction a batch.
async fn in_batches(
    db: &PgPool,
    begun: &Begun,
    (part, whose): (&Part, Whose<'_>),
    most: i64,
    progress: &Progress,
) -> anyhow::Result<()> {
    loop {
        if progress.cancelled().is_cancelled() {
            return Err(Ending::Cancelled.into());
        }
        let mut tx = db.begin().await?;
        let rows = match whose {
            Whose::Place(facts) => facts.remove(&mut tx, part, most).await,
            Whose::Organization(id, first_day) => remove_db::remove(&mut tx, part, (id, first_day), most).await,
        };
        let rows = rows.with_context(|| format!("removing rows of {}", part.table))?;
        if rows == 0 {
            return Ok(());
        }
        db::add(&mut tx, begun.retention_id, part.table, rows).await?;
        tx.commit().await?;
    }
}

async fn finish(db: &PgPool, asked: &Asked, organization_id: i16, begun: &Begun) -> anyhow::Result<Done> {
    let mut tx = db.begin().await?;
    let removed = db::finish(&mut tx, organization_id, begun.retention_id).await?;
    let detail = serde_json::json!({
        "organization": asked.organization, "setting": asked.setting, "first_day": begun.first_day.to_string(),
        "removed": removed,
    });
    audit_log::record(&mut tx, &entry(asked, "finish removal", begun.retention_id).detail(detail)).await?;
    tx.commit().await?;
    Ok(Done { retention_id: begun.retention_id, first_day: begun.first_day, removed })
}

fn entry(asked: &Asked, act: &'static str, retention_id: i64) -> Entry {
    Entry {
        actor: asked.by.clone(),
        actor_kind: asked.actor_kind,
        ..Entry::by_system(act, format!("removal {retention_id}"))
    }
}
