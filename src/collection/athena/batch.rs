//! Goes through the days of a batch of accounts: what Athena can be asked, it is asked; the rest is read by `files`.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Context as _;
use time::Date;
use tokio::task::JoinSet;

use super::ask::{self, Ask, Asks, Todo};
use super::db;
use super::query::{self, Outcome};
use super::session::Session;
use super::settle::Settler;
use crate::collection::ladder::Tally;
use crate::collection::place::{self, Context, Work};
use crate::collection::plan;
use crate::collection::standing::Standing;

/// Brings the snapshots of all places up to date; history objects are left to `files`.
///
/// # Errors
///
/// Athena refuses, a cap is reached, the program is told to end: queries that run are stopped then. What was committed
/// stays.
pub(in crate::collection) async fn collect(
    context: &Arc<Context>,
    session: &Arc<Session>,
    works: Vec<Arc<Work>>,
    workers: usize,
) -> anyhow::Result<Tally> {
    let batches = batches(works, usize::from(session.settings.batch.get()));
    let ended = match all(context, session, batches, workers).await {
        Ok(tally) => session.clear_away().await.map(|()| tally),
        Err(error) => Err(session.end.or(error)),
    };
    match ended {
        Ok(tally) => Ok(tally),
        Err(error) => match session.stop_all().await {
            Ok(()) => Err(error),
            Err(running) => Err(error.context(format!("a query of Athena may run on: {running:#}"))),
        },
    }
}

/// Works on several batches at a time. After an error none goes on, and each ends what it writes: cut off in the middle of a
/// COPY, a connection is of no more use.
async fn all(
    context: &Arc<Context>,
    session: &Arc<Session>,
    batches: Vec<Vec<Arc<Work>>>,
    workers: usize,
) -> anyhow::Result<Tally> {
    let workers = workers.min(usize::from(session.settings.queries)).min(batches.len());
    let batches = Arc::new(batches);
    let next = Arc::new(AtomicUsize::new(0));
    let mut tasks = JoinSet::new();
    for _ in 0..workers {
        let (context, session) = (Arc::clone(context), Arc::clone(session));
        let (batches, next) = (Arc::clone(&batches), Arc::clone(&next));
        tasks.spawn(async move {
            let mut sum = Tally::default();
            while let Some(works) = batches.get(next.fetch_add(1, Ordering::Relaxed)) {
                sum.add(&Box::pin(batch(&context, &session, works)).await?);
            }
            anyhow::Ok(sum)
        });
    }
    let mut sum = Tally::default();
    let mut ended = Ok(());
    loop {
        let done = tokio::select! {
            done = tasks.join_next() => done,
            () = session.end.reached(), if !context.stop.load(Ordering::Relaxed) => {
                context.stop.store(true, Ordering::Relaxed);
                continue;
            }
        };
        match done.map(|done| done.context("a worker ended badly").flatten()) {
            None => break,
            Some(Ok(tally)) => sum.add(&tally),
            Some(Err(error)) => {
                session.end.others();
                ended = ended.and(Err(error));
            }
        }
    }
    ended.map(|()| sum)
}

/// Places in the order of their accounts, so many accounts together.
fn batches(works: Vec<Arc<Work>>, most_accounts: usize) -> Vec<Vec<Arc<Work>>> {
    let mut by_account: BTreeMap<String, Vec<Arc<Work>>> = BTreeMap::new();
    for work in works {
        by_account.entry(work.name.account_id.clone()).or_default().push(work);
    }
    let accounts: Vec<Vec<Arc<Work>>> = by_account.into_values().collect();
    accounts.chunks(most_accounts.max(1)).map(<[_]>::concat).collect()
}

/// One day after the other, because each is told from the one before.
async fn batch(context: &Arc<Context>, session: &Session, works: &[Arc<Work>]) -> anyhow::Result<Tally> {
    let mut tally = Tally::default();
    let mut days: BTreeMap<Date, Vec<usize>> = BTreeMap::new();
    for (index, work) in works.iter().enumerate() {
        let standing = standing(context, work).await?;
        for day in ask::days_to_read(&work.objects, &standing, context.again()) {
            days.entry(day).or_default().push(index);
        }
    }
    for (day, indices) in days {
        let mut asks = Vec::new();
        for index in indices {
            session.end.go_on()?;
            let Some(work) = works.get(index) else { continue };
            match todo(context, session, work, index, day).await? {
                Todo::Nothing => {}
                Todo::Ask(ask) => asks.push(*ask),
                Todo::Files(reason) => {
                    let note = reason.map(|reason| format!("read by us and not by Athena: {reason}"));
                    tally.add(&place::by_files(context, work, day, note).await?);
                }
            }
        }
        for asks in ask::chunks(asks, usize::from(session.settings.batch.get())) {
            let settled = Box::pin(settle(&Place { context, session, works, day }, asks)).await?;
            session.progressed(&settled).await?;
            tally.add(&settled);
        }
    }
    Ok(tally)
}

async fn standing(context: &Context, work: &Work) -> anyhow::Result<Standing> {
    let mut connection = context.db.acquire().await?;
    Ok(Standing::load(&mut connection, work.place_id).await?)
}

async fn todo(context: &Context, session: &Session, work: &Work, index: usize, day: Date) -> anyhow::Result<Todo> {
    let standing = standing(context, work).await?;
    let days = plan::days(&work.objects, &standing.stored, context.again());
    let plan = days.iter().find(|plan| plan.day == day);
    Ok(plan.map_or(Todo::Nothing, |plan| ask::plan(&session.bucket, &work.name, index, &work.objects, plan, &standing)))
}

/// Where the answers to a day's question go.
struct Place<'a> {
    context: &'a Arc<Context>,
    session: &'a Session,
    works: &'a [Arc<Work>],
    day: Date,
}

impl<'a> Place<'a> {
    fn settler(&self, query_id: i64, asks: impl IntoIterator<Item = Ask>) -> Settler<'a> {
        Settler {
            context: self.context,
            session: self.session,
            works: self.works,
            day: self.day,
            query_id,
            waiting: asks.into_iter().map(|ask| (ask.place.clone(), ask)).collect(),
            changed: HashMap::new(),
            tally: Tally::default(),
        }
    }
}

/// Has a question answered: by a query that an earlier collection left behind, by a new one, by smaller ones where an object
/// among many cannot be read, at last by `files`.
async fn settle(place: &Place<'_>, asks: Vec<Ask>) -> anyhow::Result<Tally> {
    let session = place.session;
    let mut tally = Tally::default();
    let open = from_left_behind(place, asks, &mut tally).await?;
    let mut questions: Vec<Asks> = Asks::of(open).into_iter().collect();
    while let Some(asks) = questions.pop() {
        let settler = match query::ask(session, place.day, &asks).await? {
            Outcome::Succeeded(query) => {
                let mut settler = place.settler(query.query_id, asks);
                query::read(session, &query, &mut settler).await?;
                settler.rest_by_files("the table shows Athena no such object").await?;
                settler
            }
            Outcome::Smaller(reason) => match asks.halves() {
                Ok((left, right)) => {
                    questions.extend([right, left]);
                    continue;
                }
                Err(alone) => {
                    let mut settler = place.settler(0, alone);
                    settler.rest_by_files(&reason).await?;
                    settler
                }
            },
        };
        tally.add(&settler.tally);
    }
    Ok(tally)
}

/// Takes what queries tell that earlier collections left behind; gives what is still to be asked.
async fn from_left_behind(place: &Place<'_>, asks: Vec<Ask>, tally: &mut Tally) -> anyhow::Result<Vec<Ask>> {
    let session = place.session;
    let marks: Vec<String> = asks.iter().map(Ask::mark).collect();
    let (organization_id, collection_id) = (session.organization_id, session.collection_id);
    let mut open = asks;
    for left in db::left_behind(&session.db, organization_id, collection_id, Some(place.day), &marks).await? {
        let (covered, rest): (Vec<Ask>, Vec<Ask>) = open.into_iter().partition(|ask| left.marks.contains(&ask.mark()));
        open = rest;
        if covered.is_empty() {
            continue;
        }
        let Some(query) = query::take_up(session, &left).await? else {
            open.extend(covered);
            continue;
        };
        let mut settler = place.settler(query.query_id, covered);
        if let Err(error) = query::read(session, &query, &mut settler).await {
            session.end.go_on()?;
            // Its result may be gone by now: what it did not settle is asked anew.
            db::given_up(&session.db, query.query_id, collection_id, &format!("{error:#}")).await?;
        }
        tally.add(&settler.tally);
        open.extend(settler.waiting.into_values());
    }
    Ok(open)
}
