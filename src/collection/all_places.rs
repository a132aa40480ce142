//! Brings the places of a collection up to date, several at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Context as _;

use super::athena::{self, Session};
use super::ladder::Tally;
use super::place::{self, Context, Work};
use super::progress::Progress;
use super::run::Cancelled;
use super::run_db;
use super::source::Unreachable;

/// A place with its listed objects, and what is to be done there.
pub(super) struct Todo {
    pub(super) work: Arc<Work>,
    /// Objects to be judged.
    pub(super) new: usize,
    /// Days inferred from history are not what they should be: a collection was cut off, or the first snapshot moved.
    pub(super) unfinished: bool,
}

/// How many places are worked on at a time. Half of the pool's connections stay free: a worker needs a second one now and
/// then, the collection holds two of its own, and a worker that waits for one too long fails.
pub(super) fn workers(wanted: usize, connections: u32) -> usize {
    let half = usize::try_from(connections / 2).unwrap_or(wanted);
    wanted.min(half).max(1)
}

/// Brings all places up to date, by Athena as far as it goes. Of what Athena did `files` finds nothing left to do.
pub(super) async fn places(
    context: &Arc<Context>,
    session: Option<&Arc<Session>>,
    works: &[Todo],
    workers: usize,
    progress: &Progress,
) -> anyhow::Result<Tally> {
    let new = works.iter().map(|todo| todo.new).sum();
    let mut tally = Tally::default();
    if let Some(session) = session {
        progress.step("Asking Athena");
        let due = works.iter().filter(|todo| todo.new > 0).map(|todo| Arc::clone(&todo.work)).collect();
        tally = athena::collect(context, session, due, workers).await?;
    }
    progress.begin(new);
    let rest = all_places(context, works, workers, progress);
    tally.add(&match session {
        None => rest.await?,
        Some(session) => {
            session.unless_program_ends(rest).await.inspect_err(|_| context.stop.store(true, Ordering::Relaxed))?
        }
    });
    tally.unreadable.sort();
    tally.unreached.sort();
    Ok(tally)
}

/// Works on several places at a time: while one waits for the store, another reads.
///
/// A place that the store refuses does not keep the others from being finished; the collection fails in the end.
async fn all_places(
    context: &Arc<Context>,
    works: &[Todo],
    workers: usize,
    progress: &Progress,
) -> anyhow::Result<Tally> {
    let due = works.iter().filter(|todo| todo.new > 0 || todo.unfinished || context.recheck);
    let due: Arc<Vec<(Arc<Work>, usize)>> = Arc::new(due.map(|todo| (Arc::clone(&todo.work), todo.new)).collect());
    let next = Arc::new(AtomicUsize::new(0));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..workers.min(due.len()) {
        let (context, due, next, progress) =
            (Arc::clone(context), Arc::clone(&due), Arc::clone(&next), progress.clone());
        tasks.spawn(async move {
            let mut sum = Tally::default();
            let mut failed = Vec::new();
            // Between two places everything is committed.
            while !progress.is_stopped()
                && let Some((work, new)) = due.get(next.fetch_add(1, Ordering::Relaxed))
            {
                let place = format!("account {}, Region {}", work.name.account_id, work.name.region);
                match place::collect(&context, Arc::clone(work)).await {
                    Ok(tally) => sum.add(&tally),
                    Err(error) if of_all_places(&error) => return Err(error.context(place)),
                    Err(error) => failed.push(error.context(place)),
                }
                let done = progress.add(*new);
                run_db::set_done(&context.db, context.collection_id, done).await?;
            }
            anyhow::Ok((sum, failed))
        });
    }
    let mut sum = Tally::default();
    let mut failed = Vec::new();
    let mut ended = Ok(());
    while let Some(done) = tasks.join_next().await {
        match done.context("a worker ended badly").flatten() {
            Ok((tally, failures)) => {
                sum.add(&tally);
                failed.extend(failures);
            }
            // The others end what they write: cut off in the middle of a COPY, a connection is of no more use. Those that
            // read stop after the object that they are at; what they say then is no news.
            Err(error) => {
                context.stop.store(true, Ordering::Relaxed);
                next.store(due.len(), Ordering::Relaxed);
                ended = ended.and(Err(error));
            }
        }
    }
    ended?;
    let failures = failed.len();
    match failed.into_iter().next() {
        None if next.load(Ordering::Relaxed) < due.len() => Err(Cancelled.into()),
        None => Ok(sum),
        Some(error) if failures == 1 => Err(error),
        Some(error) => Err(error.context(format!("{failures} of {} account-Regions failed; one of them", due.len()))),
    }
}

/// Whether a failure is not of one place: then going on would only fail again.
pub(super) fn of_all_places(error: &anyhow::Error) -> bool {
    let nothing_reached = |it: &Unreachable| matches!(it, Unreachable::Ever(_));
    let reached = !error.chain().filter_map(|cause| cause.downcast_ref()).any(nothing_reached);
    let mut stored = error.chain().filter_map(|cause| cause.downcast_ref::<sqlx::Error>());
    !reached
        || stored.any(|error| match error {
            // Classes 08, 53, 57 and 58 of SQLSTATE: the connection, resources, an operator, the system.
            sqlx::Error::Database(error) => {
                error.code().is_some_and(|code| ["08", "53", "57", "58"].iter().any(|class| code.starts_with(class)))
            }
            _ => true,
        })
}

#[cfg(test)]
mod tests {
    use super::super::open::from_disk;
    use super::*;

    #[test]
    fn workers_leave_half_of_the_connections_free() {
        assert_eq!(workers(from_disk(2), 16), 3);
        assert_eq!(workers(from_disk(64), 16), 8);
        assert_eq!(workers(from_disk(64), 100), 8);
        assert_eq!(workers(from_disk(4), 3), 1);
        assert_eq!(workers(from_disk(4), 1), 1);
        assert_eq!(workers(32, 16), 8);
        assert_eq!(workers(32, 100), 32);
    }
}
