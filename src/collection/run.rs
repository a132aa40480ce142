//! One collection from beginning to end.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::{Context as _, bail};
use sqlx::PgPool;
use time::Date;

use super::all_places::{Todo, places, workers};
use super::athena::{AthenaSettings, Engine, Session, Spent};
use super::coverage::Coverage;
use super::history_db;
use super::ladder::{Ladder, Tally};
use super::location::Location;
use super::open::Source;
use super::patience::Patience;
use super::place::{Context, Work};
use super::plan::{self, Again, Outcome as ObjectOutcome, Stored, Version};
use super::progress::Progress;
use super::registry::Registry;
use super::settled::Settled;
use super::source::{Days, Limits, Listing, Object, PlaceName};
use super::{lists, recount, run_db, settle, settle_db};
use crate::audit_log::ActorKind;
use crate::aws::AwsSettings;
use crate::clock::Clock;
use crate::definition;
use crate::organization::{self, AccountFile};
use crate::reconcile::{self, AggregatorSettings};
use crate::retention::{self, Floor};

/// Names kept in a ladder; more are counted only.
const NAMES_KEPT: usize = 1_000;

/// What to collect.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The organisation's name.
    pub organization: String,
    /// The delivery bucket, or a folder with its objects.
    pub from: Location,
    /// How the bucket is reached; nothing is for a folder.
    pub aws: AwsSettings,
    /// Who reads the bucket's objects, and how Athena is asked.
    pub engine: Engine,
    pub athena: AthenaSettings,
    /// Organizations' account lists, dated.
    pub accounts: Vec<PathBuf>,
    /// Ask Organizations itself too.
    pub organizations: bool,
    pub regions: Vec<String>,
    /// Days to look at, both inclusive.
    pub since: Option<Date>,
    pub until: Option<Date>,
    /// So many days before the last whole listing of a bucket are listed again, known or not.
    pub relist_days: u16,
    /// Hash collected objects again and read unreadable ones again.
    pub recheck: bool,
    /// Ask each expected account for its rules' definitions.
    pub rule_definitions: bool,
    /// The aggregator to compare with, where one is named.
    pub aggregator: AggregatorSettings,
    pub limits: Limits,
    /// Who asked for it, for the record.
    pub started_by: String,
    pub actor_kind: ActorKind,
    pub clock: Clock,
}

/// How a collection ended.
#[derive(Debug, Clone)]
pub struct Outcome {
    pub collection_id: i64,
    pub ladder: Ladder,
    /// Names of objects that could not be read, and why.
    pub unreadable: Vec<(String, String)>,
    /// What a person should know beside the counts.
    pub notes: Vec<String>,
    /// What queries of Athena came to, where it was asked.
    pub spent: Option<Spent>,
}

/// Somebody asked for the collection's end. If it had begun, it is then on record as interrupted.
#[derive(Debug, thiserror::Error)]
#[error("cancelled; what it committed stands, and the next collection finishes its work")]
pub struct Cancelled;

/// Collects. Fails if the source cannot be listed, the store cannot be written or the ladder does not close: the
/// collection is then on record as failed, and what it committed stays and is finished by the next one. Fails with
/// [`Cancelled`] when `progress` is told to stop.
pub async fn run(db: &PgPool, options: &Options, progress: &Progress) -> anyhow::Result<Outcome> {
    let accounts: Vec<AccountFile> =
        options.accounts.iter().map(|path| organization::accounts::read(path)).collect::<anyhow::Result<_>>()?;
    let mut connection = db.acquire().await?;
    let organization_id = organization::current(&mut connection, &options.organization).await?;
    drop(connection);

    let turn = run_db::turn(db, organization_id, || {
        progress.step("Waiting for another collection of this organisation, or a removal");
    });
    let turn = tokio::select! {
        turn = turn => turn?,
        () = progress.stopped() => return Err(Cancelled.into()),
    };
    let mut life = turn.begin(options).await?;
    let collection_id = life.collection_id;
    progress.begun(collection_id);
    // Boxed: it is large, and callers carry it.
    match Box::pin(collect(db, organization_id, collection_id, options, accounts, progress)).await {
        Ok(Collected { ladder, unreadable, notes, spent }) => {
            let failure = (!ladder.closes()).then(|| open_steps(&ladder));
            life.finish(&ladder, failure.as_deref(), options).await?;
            if let Some(failure) = failure {
                bail!("collection {collection_id} does not add up: {failure}");
            }
            Ok(Outcome { collection_id, ladder, unreadable, notes, spent })
        }
        Err(error) if error.is::<Cancelled>() => {
            life.interrupt(options).await?;
            Err(error)
        }
        Err(error) => {
            life.fail(&format!("{error:#}"), options).await.ok();
            Err(error).with_context(|| format!("collection {collection_id} failed"))
        }
    }
}

fn open_steps(ladder: &Ladder) -> String {
    let open: Vec<String> = ladder
        .steps()
        .iter()
        .filter(|step| !step.closes())
        .map(|step| format!("{}: {} {}, {} {}", step.name, step.left.1, step.left.0, step.right.1, step.right.0))
        .collect();
    let days = ladder.disagreeing.iter().map(|(day, how)| format!("{day}: {how}"));
    open.into_iter().chain(days).collect::<Vec<_>>().join("; ")
}

/// What a collection came to.
struct Collected {
    ladder: Ladder,
    unreadable: Vec<(String, String)>,
    notes: Vec<String>,
    spent: Option<Spent>,
}

async fn collect(
    db: &PgPool,
    organization_id: i16,
    collection_id: i64,
    options: &Options,
    accounts: Vec<AccountFile>,
    progress: &Progress,
) -> anyhow::Result<Collected> {
    let today = options.clock.now().date();
    let lists = lists::take(db, (organization_id, collection_id), options, accounts, today, progress).await?;

    let session = match options.engine {
        Engine::Files => None,
        Engine::Athena => {
            let (from, aws) = (&options.from, &options.aws);
            let session =
                Session::open(db, (organization_id, collection_id), from, aws, &options.athena, progress).await?;
            Some(Arc::new(session))
        }
    };
    progress.step("Listing");
    let asked = Days { since: options.since, until: options.until };
    let floor = retention::floor(db, organization_id).await?;
    let days = kept(asked, floor.as_ref());
    let source = Source::open(&options.from, &options.aws).await?;
    let settled = settled(db, organization_id, options).await?;
    let listing = async {
        tokio::select! {
            listing = source.list(days, &settled) => listing,
            () = progress.stopped() => Err(Cancelled.into()),
        }
    };
    let mut listing = match &session {
        None => listing.await?,
        Some(session) => Box::pin(session.unless_program_ends(listing)).await?,
    };
    let mut ladder = Ladder { accounts_unread: lists.accounts_unread, ..ladder_of(&listing) };
    let (objects, outside) = within(std::mem::take(&mut listing.objects), asked);
    ladder.objects_listed = count(objects.len());
    ladder.objects_outside_days = outside;
    let (objects, before) = within(objects, days);
    ladder.objects_before_kept = before;
    ladder.skipped.extend(floor.map(|floor| (format!("days before {}", floor.first_day), floor.sentence())));

    let again = Again { collection_id, all: options.recheck, unpacked_limit: options.limits.unpacked_bytes };
    let works = works(db, organization_id, objects, again).await?;
    let new: usize = works.iter().map(|todo| todo.new).sum();
    run_db::set_total(db, collection_id, new).await?;
    let workers = workers(source.places_at_a_time(), db.options().get_max_connections());
    let context = Arc::new(Context {
        db: db.clone(),
        organization_id,
        collection_id,
        source,
        patience: Patience::with_bucket(),
        coverage: Coverage::new(days, listing.looked_at, listing.unreached),
        limits: options.limits,
        recheck: options.recheck,
        batch_evaluations: usize::try_from(options.limits.batch_evaluations).unwrap_or(usize::MAX) / workers,
        registry: Registry::load(db, organization_id).await?,
        stop: AtomicBool::new(false),
    });
    let mut tally = places(&context, session.as_ref(), &works, workers, progress).await?;
    let settled = settle::settle(&context, today, &tally.unreached_days).await?;
    tally.add(&settled);
    fill(&mut ladder, &tally);

    progress.step("Adding up");
    if new > 0 {
        run_db::analyze(db).await?;
    }
    count_seen(db, collection_id, &works, &tally, &mut ladder).await?;
    let mut tx = db.begin().await?;
    organization::derive(&mut tx, organization_id, collection_id).await?;
    run_db::sum_days(&mut tx, organization_id).await?;
    tx.commit().await?;
    // After the deliveries: without lists, what delivered is what is expected.
    if options.rule_definitions {
        progress.step("Asking accounts for their rules");
        let asked = definition::Asked { organization_id, collection_id, day: today, aws: &options.aws };
        ladder.definitions = Some(definition::read(db, asked).await?);
    }
    ladder.aggregator = aggregator(db, organization_id, collection_id, options, progress).await?;
    recount::recount(db, organization_id, collection_id, &mut ladder).await?;
    let spent = match &session {
        Some(session) => Some(session.spent().await?),
        None => None,
    };
    Ok(Collected { ladder, unreadable: tally.unreadable, notes: lists.notes, spent })
}

/// Compares the newest day with what AWS Config's aggregator says, where the settings name one.
async fn aggregator(
    db: &PgPool,
    organization_id: i16,
    collection_id: i64,
    options: &Options,
    progress: &Progress,
) -> anyhow::Result<Option<reconcile::Tally>> {
    if options.aggregator.aggregator.is_none() {
        return Ok(None);
    }
    progress.step("Asking AWS Config’s aggregator");
    let (aws, aggregator, stop) = (&options.aws, &options.aggregator, progress.stopper());
    reconcile::read(db, reconcile::Asked { organization_id, collection_id, aws, aggregator, stop }).await
}

/// The days that need not be listed again. Who asks for days, or to read again, wants them all.
async fn settled(db: &PgPool, organization_id: i16, options: &Options) -> sqlx::Result<Settled> {
    if options.since.is_some() || options.until.is_some() || options.recheck {
        return Ok(Settled::default());
    }
    let mut connection = db.acquire().await?;
    settle_db::settled(&mut connection, organization_id, &options.from.to_string(), options.relist_days).await
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// The days asked for whose evidence is kept: what was removed is not collected again, however it is asked for.
fn kept(asked: Days, floor: Option<&Floor>) -> Days {
    let first_day = floor.map(|floor| floor.first_day);
    Days { since: asked.since.max(first_day), ..asked }
}

fn within(objects: Vec<Object>, days: Days) -> (Vec<Object>, u64) {
    let all = objects.len();
    let objects: Vec<Object> = objects.into_iter().filter(|object| days.contain(object.key.day)).collect();
    let outside = count(all - objects.len());
    (objects, outside)
}

fn ladder_of(listing: &Listing) -> Ladder {
    let unreadable = listing.unreadable.iter().map(|(path, why)| (path.to_string_lossy().into_owned(), why.clone()));
    let unreached = listing.unreached.iter().map(|it| (it.prefix.clone(), it.why.to_string()));
    Ladder {
        ignored: listing.ignored.iter().map(|(reason, count)| (reason.word().to_owned(), *count)).collect(),
        malformed: listing.malformed.iter().take(NAMES_KEPT).cloned().collect(),
        unlisted: unreadable.chain(unreached).take(NAMES_KEPT).collect(),
        skipped: listing.skipped.iter().take(NAMES_KEPT).cloned().collect(),
        ..Ladder::default()
    }
}

fn fill(ladder: &mut Ladder, tally: &Tally) {
    let words = |reasons: &BTreeMap<&'static str, u64>| {
        reasons.iter().map(|(&reason, &count)| (reason.to_owned(), count)).collect()
    };
    ladder.objects_collected = tally.collected;
    ladder.objects_superseded = tally.superseded;
    ladder.objects_unreadable = tally.new_unreadable;
    ladder.objects_read_again = tally.read_again;
    ladder.unreadable = tally.unreadable.iter().take(NAMES_KEPT).cloned().collect();
    ladder.evaluations_read = tally.snapshot_evaluations;
    ladder.evaluations_stored = u64::try_from(tally.stored).unwrap_or_default();
    ladder.left_out = words(&tally.left_out);
    ladder.history_evaluations = tally.history_evaluations;
    ladder.history_left_out = words(&tally.history_left_out);
    ladder.packs_read = tally.packs_read;
    ladder.packs_stored = tally.packs_stored;
    ladder.packs_left_out = words(&tally.packs_left_out);
    ladder.history_packs_read = tally.history_packs_read;
    ladder.days_written = tally.days;
    ladder.days_inferred = tally.inferred_days;
    ladder.rechecked = tally.rechecked;
    ladder.changed = tally.changed.iter().take(NAMES_KEPT).cloned().collect();
    ladder.objects_unreached = count(tally.unreached.len());
    ladder.unreached = tally.unreached.iter().chain(&tally.not_rechecked).take(NAMES_KEPT).cloned().collect();
}

/// The places with their objects and what is to be done.
async fn works(db: &PgPool, organization_id: i16, objects: Vec<Object>, again: Again) -> anyhow::Result<Vec<Todo>> {
    let mut by_place: BTreeMap<PlaceName, Vec<Object>> = BTreeMap::new();
    for object in objects {
        by_place.entry(object.key.place.clone()).or_default().push(object);
    }
    let parts = history_db::parts(db, organization_id).await?;
    let mut connection = db.acquire().await?;
    let mut works = Vec::with_capacity(by_place.len());
    for (name, objects) in by_place {
        let place_id = super::db::place(&mut connection, organization_id, &name.account_id, &name.region).await?;
        let stored = super::db::stored(&mut connection, place_id).await?;
        let new = plan::new_objects(&objects, &stored, again);
        let part = parts.get(&place_id).copied().unwrap_or_default();
        let unfinished = part.unfinished || plan::history_turned(&objects, &stored, part.first_snapshot);
        works.push(Todo { work: Arc::new(Work::new(place_id, name, objects)), new, unfinished });
    }
    Ok(works)
}

/// Counts the listed objects that an earlier collection saw first, and those that it could not read and that were not read
/// again. What was not reached is counted as that, whoever saw it.
async fn count_seen(
    db: &PgPool,
    collection_id: i64,
    works: &[Todo],
    tally: &Tally,
    ladder: &mut Ladder,
) -> anyhow::Result<()> {
    let unreached: BTreeSet<&str> = tally.unreached.iter().map(|(name, _)| name.as_str()).collect();
    let mut connection = db.acquire().await?;
    for Todo { work, .. } in works {
        let stored = super::db::stored(&mut connection, work.place_id).await?;
        let stored: HashMap<&Version, &Stored> = stored.iter().map(|it| (&it.version, it)).collect();
        let reached = work.objects.iter().filter(|object| !unreached.contains(object.name.as_str()));
        for it in reached.filter_map(|object| stored.get(&Version::from(object))) {
            ladder.objects_seen_before += u64::from(it.first_collection != collection_id);
            if it.seen.outcome == ObjectOutcome::Unreadable && it.judged_by != collection_id {
                ladder.objects_still_unreadable += 1;
                if ladder.still_unreadable.len() < NAMES_KEPT {
                    let reason = it.reason.clone().unwrap_or_default();
                    ladder.still_unreadable.push((it.version.name.clone(), reason));
                }
            }
        }
    }
    Ok(())
}
