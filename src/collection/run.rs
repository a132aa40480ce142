//! One collection from beginning to end.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use anyhow::{Context as _, bail};
use sqlx::PgPool;
use time::Date;

use super::ladder::{Ladder, Tally};
use super::location::Location;
use super::open::Source;
use super::place::{self, Context, Work};
use super::progress::Progress;
use super::registry::Registry;
use super::settle::{self, Open};
use super::source::{Days, Limits, Listing, Object, PlaceName};
use super::{plan, run_db};
use crate::aws::AwsSettings;
use crate::clock::Clock;
use crate::organization::{self, AccountFile};

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
    /// Organizations' account lists, dated.
    pub accounts: Vec<PathBuf>,
    pub regions: Vec<String>,
    /// Days to look at, both inclusive.
    pub since: Option<Date>,
    pub until: Option<Date>,
    /// Hash collected objects again and read unreadable ones again.
    pub recheck: bool,
    pub limits: Limits,
    /// Who asked for it, for the record.
    pub started_by: String,
    pub clock: Clock,
}

/// How a collection ended.
#[derive(Debug, Clone)]
pub struct Outcome {
    pub collection_id: i64,
    pub ladder: Ladder,
    /// Names of objects that could not be read, and why.
    pub unreadable: Vec<(String, String)>,
}

/// Collects. Fails if the source cannot be listed, the store cannot be written or the ladder does not close: the
/// collection is then on record as failed, and what it committed stays and is finished by the next one.
pub async fn run(db: &PgPool, options: &Options, progress: &Progress) -> anyhow::Result<Outcome> {
    let accounts: Vec<AccountFile> =
        options.accounts.iter().map(|path| organization::accounts::read(path)).collect::<anyhow::Result<_>>()?;
    let mut connection = db.acquire().await?;
    let organization_id = organization::current(&mut connection, &options.organization).await?;
    run_db::end_interrupted(&mut connection, organization_id).await?;
    drop(connection);

    let mut life = run_db::begin(db, organization_id, options).await?;
    let collection_id = life.collection_id;
    match collect(db, organization_id, collection_id, options, &accounts, progress).await {
        Ok((ladder, unreadable)) => {
            let failure = (!ladder.closes()).then(|| open_steps(&ladder));
            life.finish(organization_id, &ladder, failure.as_deref(), &options.started_by).await?;
            if let Some(failure) = failure {
                bail!("collection {collection_id} does not add up: {failure}");
            }
            Ok(Outcome { collection_id, ladder, unreadable })
        }
        Err(error) => {
            life.fail(&format!("{error:#}"), &options.started_by).await.ok();
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
    open.join("; ")
}

async fn collect(
    db: &PgPool,
    organization_id: i16,
    collection_id: i64,
    options: &Options,
    accounts: &[AccountFile],
    progress: &Progress,
) -> anyhow::Result<(Ladder, Vec<(String, String)>)> {
    let today = options.clock.now().date();
    let mut tx = db.begin().await?;
    run_db::lock_derived(&mut tx, organization_id).await?;
    organization::take(&mut tx, organization_id, collection_id, accounts, &options.regions, today).await?;
    tx.commit().await?;

    progress.step("Listing");
    let days = Days { since: options.since, until: options.until };
    let source = Source::open(&options.from, &options.aws).await?;
    let mut listing = source.list(days).await?;
    let mut ladder = ladder_of(&listing);
    let (objects, outside) = within(std::mem::take(&mut listing.objects), days);
    ladder.objects_listed = count(objects.len());
    ladder.objects_outside_days = outside;

    let works = Arc::new(works(db, organization_id, objects).await?);
    let new: usize = works.iter().map(|(_, new)| new).sum();
    run_db::set_total(db, collection_id, new).await?;
    progress.begin(new);
    let context = Arc::new(Context {
        db: db.clone(),
        organization_id,
        collection_id,
        source,
        limits: options.limits,
        recheck: options.recheck,
        registry: Registry::load(db, organization_id).await?,
        stop: AtomicBool::new(false),
    });
    let mut tally = all_places(&context, &works, progress).await?;
    let open = Open {
        days,
        today,
        unlisted: &listing.unreached,
        accounts: &listing.accounts,
        unreached: &tally.unreached_days,
    };
    let settled = settle::settle(&context, &open).await?;
    tally.add(&settled);
    fill(&mut ladder, &tally);

    progress.step("Adding up");
    if new > 0 {
        run_db::analyze(db).await?;
    }
    ladder.objects_seen_before = seen_before(db, collection_id, &works, &tally).await?;
    let mut tx = db.begin().await?;
    run_db::lock_derived(&mut tx, organization_id).await?;
    organization::derive(&mut tx, organization_id, collection_id).await?;
    run_db::sum_days(&mut tx, organization_id).await?;
    tx.commit().await?;
    run_db::recount(db, organization_id, collection_id, &mut ladder).await?;
    Ok((ladder, tally.unreadable))
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
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
    ladder.days_written = tally.days;
    ladder.days_inferred = tally.inferred_days;
    ladder.rechecked = tally.rechecked;
    ladder.changed = tally.changed.iter().take(NAMES_KEPT).cloned().collect();
    ladder.objects_unreached = count(tally.unreached.len());
    ladder.unreached = tally.unreached.iter().chain(&tally.not_rechecked).take(NAMES_KEPT).cloned().collect();
}

/// The places with their objects and how many of those are new.
async fn works(db: &PgPool, organization_id: i16, objects: Vec<Object>) -> anyhow::Result<Vec<(Arc<Work>, usize)>> {
    let mut by_place: BTreeMap<PlaceName, Vec<Object>> = BTreeMap::new();
    for object in objects {
        by_place.entry(object.key.place.clone()).or_default().push(object);
    }
    let mut connection = db.acquire().await?;
    let mut works = Vec::with_capacity(by_place.len());
    for (name, objects) in by_place {
        let place_id = super::db::place(&mut connection, organization_id, &name.account_id, &name.region).await?;
        let seen = super::db::seen(&mut connection, place_id).await?;
        let is_new = |object: &&Object| !seen.contains_key(&plan::Version::from(*object));
        let new = objects.iter().filter(is_new).count();
        works.push((Arc::new(Work { place_id, name, objects }), new));
    }
    Ok(works)
}

/// How many listed objects another collection saw first: asked of the store afterwards, because another collection may
/// have run at the same time. What was not reached is counted as that, whoever saw it.
async fn seen_before(
    db: &PgPool,
    collection_id: i64,
    works: &[(Arc<Work>, usize)],
    tally: &Tally,
) -> anyhow::Result<u64> {
    let unreached: BTreeSet<&str> = tally.unreached.iter().map(|(name, _)| name.as_str()).collect();
    let mut connection = db.acquire().await?;
    let mut seen = 0;
    for (work, _) in works {
        let others = super::db::first_seen_by_others(&mut connection, work.place_id, collection_id).await?;
        let is_seen = |object: &&Object| {
            others.contains(&plan::Version::from(*object)) && !unreached.contains(object.name.as_str())
        };
        seen += work.objects.iter().filter(is_seen).count();
    }
    Ok(count(seen))
}

/// Works on several places at a time: while one waits for the store, another reads.
async fn all_places(
    context: &Arc<Context>,
    works: &[(Arc<Work>, usize)],
    progress: &Progress,
) -> anyhow::Result<Tally> {
    let works: Arc<Vec<(Arc<Work>, usize)>> =
        Arc::new(works.iter().filter(|(_, new)| *new > 0 || context.recheck).cloned().collect());
    let next = Arc::new(AtomicUsize::new(0));
    let workers = context.source.places_at_a_time();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..workers.min(works.len()) {
        let (context, works, next, progress) =
            (Arc::clone(context), Arc::clone(&works), Arc::clone(&next), progress.clone());
        tasks.spawn(async move {
            let mut sum = Tally::default();
            while let Some((work, new)) = works.get(next.fetch_add(1, Ordering::Relaxed)) {
                context.go_on()?;
                let tally = place::collect(&context, Arc::clone(work))
                    .await
                    .with_context(|| format!("account {}, Region {}", work.name.account_id, work.name.region))?;
                sum.add(&tally);
                let done = progress.add(*new);
                run_db::set_done(&context.db, context.collection_id, done).await?;
            }
            anyhow::Ok(sum)
        });
    }
    let mut sum = Tally::default();
    let mut failed = None;
    while let Some(done) = tasks.join_next().await {
        match done.context("a worker ended badly").flatten() {
            Ok(tally) => sum.add(&tally),
            Err(error) => {
                // The others end after the object that they are at; what they say then is no news.
                context.stop.store(true, Ordering::Relaxed);
                failed.get_or_insert(error);
            }
        }
    }
    if let Some(error) = failed {
        return Err(error);
    }
    sum.unreadable.sort();
    sum.unreached.sort();
    Ok(sum)
}
