//! The job queue: taken once, kept while alive, taken up again after a death, failed with a reason.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use auditfolio::State;
use auditfolio::clock::Clock;
use auditfolio::compliance::memo::Memo;
use auditfolio::jobs::{self, CarryOut, Ending, Job, Kind, Pace, Progress, Standing};
use futures_util::future::BoxFuture;
use serde_json::json;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::harness::database;

const PACE: Pace = Pace {
    poll: Duration::from_millis(10),
    progress: Duration::from_millis(10),
    lease: Duration::from_millis(300),
    attempts: 3,
};

fn state(db: &PgPool) -> State {
    State {
        db: db.clone(),
        memo: Memo::default(),
        clock: Clock::Real,
        demo: false,
        grace: time::Duration::hours(6),
        letter_months: auditfolio::artifact::LETTER_MONTHS,
        classification: auditfolio::packs::build::DEFAULT_CLASSIFICATION.into(),
        duties: Arc::default(),
        gate: Arc::default(),
        sign_in: Arc::default(),
    }
}

async fn enqueue(db: &PgPool) -> i64 {
    let mut tx = db.begin().await.unwrap();
    let job_id = jobs::enqueue(&mut tx, Kind::Pack, &json!({"title": "Example"}), "somebody").await.unwrap();
    tx.commit().await.unwrap();
    job_id
}

fn start(db: &PgPool, carry_out: CarryOut) -> (CancellationToken, tokio::task::JoinHandle<()>) {
    let stop = CancellationToken::new();
    (stop.clone(), tokio::spawn(jobs::work_with(state(db), stop, PACE, &Kind::ALL, carry_out)))
}

/// Waits until the job is as wanted; panics after a while with what it is instead.
async fn until(db: &PgPool, job_id: i64, wanted: impl Fn(&Standing) -> bool) -> Standing {
    for _ in 0..1000 {
        let standing = jobs::find(db, job_id).await.unwrap().unwrap();
        if wanted(&standing) {
            return standing;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the job stays as {:?}", jobs::find(db, job_id).await.unwrap());
}

#[expect(clippy::needless_pass_by_value, reason = "the worker's signature")]
fn does_it(state: State, job: Job, progress: Progress) -> BoxFuture<'static, anyhow::Result<()>> {
    Box::pin(async move {
        progress.set(7, 7, "pages");
        let mut tx = state.db.begin().await?;
        assert!(jobs::finish(&mut tx, job.claim, "pack-1").await?);
        tx.commit().await?;
        Ok(())
    })
}

fn never_ends(_: State, _: Job, progress: Progress) -> BoxFuture<'static, anyhow::Result<()>> {
    Box::pin(async move {
        progress.set(3, 9, "pages");
        std::future::pending().await
    })
}

fn fails(_: State, _: Job, _: Progress) -> BoxFuture<'static, anyhow::Result<()>> {
    Box::pin(async { Err(anyhow::anyhow!("the ladder does not close").context("making the pack")) })
}

fn panics(_: State, _: Job, _: Progress) -> BoxFuture<'static, anyhow::Result<()>> {
    Box::pin(async { panic!("a bug") })
}

fn forgets(_: State, _: Job, _: Progress) -> BoxFuture<'static, anyhow::Result<()>> {
    Box::pin(async { Ok(()) })
}

#[actix_web::test]
async fn a_job_is_done_and_keeps_its_result() {
    let db = database().await;
    let job_id = enqueue(&db).await;
    let (stop, worker) = start(&db, does_it);
    let done = until(&db, job_id, |job| job.state == "done").await;
    assert_eq!(done.result.as_deref(), Some("pack-1"));
    assert_eq!((done.attempts, done.created_by.as_str()), (1, "somebody"));
    stop.cancel();
    worker.await.unwrap();
}

#[actix_web::test]
async fn progress_is_seen_while_the_job_runs_longer_than_its_lease() {
    let db = database().await;
    let job_id = enqueue(&db).await;
    let (stop, worker) = start(&db, never_ends);
    let running = until(&db, job_id, |job| job.progress_done == 3).await;
    assert_eq!((running.progress_total, running.progress_unit.as_str()), (9, "pages"));
    tokio::time::sleep(PACE.lease * 2).await;
    let held: bool = sqlx::query_scalar("select state = 'running' and attempts = 1 and lease_until > now() from job")
        .fetch_one(&db)
        .await
        .unwrap();
    assert!(held, "the lease is renewed and nobody else has taken the job");
    stop.cancel();
    worker.await.unwrap();
}

#[actix_web::test]
async fn a_stopped_worker_gives_its_job_back_and_another_does_it() {
    let db = database().await;
    let job_id = enqueue(&db).await;
    let (stop, worker) = start(&db, never_ends);
    until(&db, job_id, |job| job.state == "running").await;
    stop.cancel();
    worker.await.unwrap();
    assert_eq!(jobs::find(&db, job_id).await.unwrap().unwrap().state, "queued");
    let (stop, worker) = start(&db, does_it);
    let done = until(&db, job_id, |job| job.state == "done").await;
    assert_eq!(done.attempts, 1, "being given back is no attempt");
    stop.cancel();
    worker.await.unwrap();
}

#[actix_web::test]
async fn a_job_of_a_dead_worker_is_taken_up_again() {
    let db = database().await;
    let job_id = enqueue(&db).await;
    let (_stop, worker) = start(&db, never_ends);
    until(&db, job_id, |job| job.state == "running").await;
    // Aborted like this a worker does as little as a killed one.
    worker.abort();
    let (stop, worker) = start(&db, does_it);
    let done = until(&db, job_id, |job| job.state == "done").await;
    assert_eq!(done.attempts, 2);
    stop.cancel();
    worker.await.unwrap();
}

#[actix_web::test]
async fn who_has_lost_the_lease_cannot_finish() {
    let db = database().await;
    let job_id = enqueue(&db).await;
    let (stop, worker) = start(&db, does_it);
    until(&db, job_id, |job| job.state == "done").await;
    sqlx::query("update job set state = 'running', attempts = 2").execute(&db).await.unwrap();
    let mut tx = db.begin().await.unwrap();
    let late = jobs::Claim { job_id, attempt: 1 };
    assert!(!jobs::finish(&mut tx, late, "pack-2").await.unwrap());
    stop.cancel();
    worker.await.unwrap();
}

#[actix_web::test]
async fn a_job_that_kills_its_workers_is_given_up() {
    let db = database().await;
    let job_id = enqueue(&db).await;
    sqlx::query("update job set state = 'running', attempts = 3, lease_until = now() - interval '1 s'")
        .execute(&db)
        .await
        .unwrap();
    let (stop, worker) = start(&db, does_it);
    let failed = until(&db, job_id, |job| job.state == "failed").await;
    assert!(failed.failure.as_deref().unwrap().starts_with("given up after 3 attempts"), "{failed:?}");
    stop.cancel();
    worker.await.unwrap();
}

#[actix_web::test]
async fn a_failure_is_recorded_with_its_cause() {
    let cases: [(CarryOut, &str); 3] = [
        (fails, "making the pack: the ladder does not close"),
        (panics, "an error in the program itself; its log says more"),
        (forgets, "the job ended without a result"),
    ];
    for (carry_out, expected) in cases {
        let db = database().await;
        let job_id = enqueue(&db).await;
        let (stop, worker) = start(&db, carry_out);
        let failed = until(&db, job_id, |job| job.state == "failed").await;
        assert_eq!(failed.failure.as_deref(), Some(expected));
        stop.cancel();
        worker.await.unwrap();
    }
}

#[actix_web::test]
async fn two_workers_never_do_the_same_job() {
    static STARTED: AtomicUsize = AtomicUsize::new(0);
    fn counts(state: State, job: Job, progress: Progress) -> BoxFuture<'static, anyhow::Result<()>> {
        STARTED.fetch_add(1, Ordering::SeqCst);
        does_it(state, job, progress)
    }
    let db = database().await;
    for _ in 0..20 {
        enqueue(&db).await;
    }
    let workers = [start(&db, counts), start(&db, counts), start(&db, counts)];
    until(&db, 20, |job| job.state == "done").await;
    for job_id in 1..=20 {
        assert_eq!(until(&db, job_id, |job| job.state == "done").await.attempts, 1);
    }
    assert_eq!(STARTED.load(Ordering::SeqCst), 20);
    for (stop, worker) in workers {
        stop.cancel();
        worker.await.unwrap();
    }
}

fn waits_for_its_end(_: State, _: Job, progress: Progress) -> BoxFuture<'static, anyhow::Result<()>> {
    Box::pin(async move {
        progress.cancelled().cancelled().await;
        Err(Ending::Cancelled.into())
    })
}

fn may_succeed_later(_: State, _: Job, _: Progress) -> BoxFuture<'static, anyhow::Result<()>> {
    Box::pin(async { Err(Ending::Later("the server is away".to_owned()).into()) })
}

async fn enqueue_kind(db: &PgPool, kind: Kind) -> i64 {
    let mut tx = db.begin().await.unwrap();
    let job_id = jobs::enqueue(&mut tx, kind, &json!({}), "somebody").await.unwrap();
    tx.commit().await.unwrap();
    job_id
}

async fn ask_to_cancel(db: &PgPool, job_id: i64) {
    sqlx::query("update job set cancel_asked_at = now(), cancel_asked_by = 'somebody' where job_id = $1")
        .bind(job_id)
        .execute(db)
        .await
        .unwrap();
}

#[actix_web::test]
async fn a_running_job_is_cut_off_or_ends_by_itself_when_somebody_asks_for_its_end() {
    let cases: [(Kind, CarryOut); 2] = [(Kind::Pack, never_ends), (Kind::Collect, waits_for_its_end)];
    for (kind, carry_out) in cases {
        let db = database().await;
        let job_id = enqueue_kind(&db, kind).await;
        let (stop, worker) = start(&db, carry_out);
        until(&db, job_id, |job| job.state == "running").await;
        ask_to_cancel(&db, job_id).await;
        let ended = until(&db, job_id, |job| job.state == "cancelled").await;
        assert!(ended.finished_at.is_some() && ended.failure.is_none(), "{ended:?}");
        let acts: Vec<(String, String)> =
            sqlx::query_as("select act, object from audit_log order by audit_log_id").fetch_all(&db).await.unwrap();
        let of_it = |act: &str| (act.to_owned(), format!("job {job_id}"));
        assert_eq!(acts, [of_it("start job"), of_it("end cancelled job")]);
        stop.cancel();
        worker.await.unwrap();
    }
}

#[actix_web::test]
async fn a_collection_whose_lease_is_lost_is_not_cut_off_but_ends_by_itself() {
    static ENDED: AtomicUsize = AtomicUsize::new(0);
    fn ends_first(state: State, job: Job, progress: Progress) -> BoxFuture<'static, anyhow::Result<()>> {
        if job.claim.attempt > 1 {
            return does_it(state, job, progress);
        }
        Box::pin(async move {
            progress.cancelled().cancelled().await;
            tokio::task::yield_now().await;
            ENDED.fetch_add(1, Ordering::SeqCst);
            Err(Ending::Cancelled.into())
        })
    }
    let db = database().await;
    let job_id = enqueue_kind(&db, Kind::Collect).await;
    let (stop, worker) = start(&db, ends_first);
    until(&db, job_id, |job| job.state == "running").await;
    // As if another worker had taken it up and died.
    sqlx::query("update job set attempts = 2, lease_until = now() - interval '1 s'").execute(&db).await.unwrap();
    let done = until(&db, job_id, |job| job.state == "done").await;
    assert_eq!((done.attempts, ENDED.load(Ordering::SeqCst)), (3, 1));
    stop.cancel();
    worker.await.unwrap();
}

#[actix_web::test]
async fn a_job_that_was_to_be_cancelled_is_not_taken_up_again_after_its_worker_died() {
    let db = database().await;
    let job_id = enqueue(&db).await;
    let (_stop, worker) = start(&db, never_ends);
    until(&db, job_id, |job| job.state == "running").await;
    worker.abort();
    ask_to_cancel(&db, job_id).await;
    let (stop, worker) = start(&db, does_it);
    until(&db, job_id, |job| job.state == "cancelled").await;
    stop.cancel();
    worker.await.unwrap();
}

#[actix_web::test]
async fn a_job_that_may_succeed_later_waits_with_its_failure_in_view_and_is_given_up_in_the_end() {
    let db = database().await;
    let job_id = enqueue(&db).await;
    let (stop, worker) = start(&db, may_succeed_later);
    let waiting = until(&db, job_id, |job| job.not_before.is_some()).await;
    assert_eq!((waiting.state.as_str(), waiting.failure.as_deref()), ("queued", Some("the server is away")));
    let minute: bool = sqlx::query_scalar("select not_before - now() between '50 s' and '1 min' from job")
        .fetch_one(&db)
        .await
        .unwrap();
    assert!(minute, "{waiting:?}");
    // Its last attempt, due now. Attempts that failed are not deaths of the worker.
    sqlx::query("update job set failures = 15, attempts = 15, not_before = now()").execute(&db).await.unwrap();
    let failed = until(&db, job_id, |job| job.state == "failed").await;
    assert_eq!(failed.failure.as_deref(), Some("the server is away (given up after 16 attempts)"));
    stop.cancel();
    worker.await.unwrap();
}

#[actix_web::test]
async fn a_worker_leaves_other_kinds_of_jobs_to_others() {
    let db = database().await;
    let collect = enqueue_kind(&db, Kind::Collect).await;
    let pack = enqueue(&db).await;
    let stop = CancellationToken::new();
    let worker = tokio::spawn(jobs::work_with(state(&db), stop.clone(), PACE, &[Kind::Pack], does_it));
    until(&db, pack, |job| job.state == "done").await;
    assert_eq!(jobs::find(&db, collect).await.unwrap().unwrap().state, "queued");
    stop.cancel();
    worker.await.unwrap();
}

#[actix_web::test]
async fn a_second_collection_is_refused_while_one_is_queued_or_running() {
    let db = database().await;
    enqueue_kind(&db, Kind::Collect).await;
    for state in ["queued", "running"] {
        sqlx::query("update job set state = $1").bind(state).execute(&db).await.unwrap();
        let mut tx = db.begin().await.unwrap();
        let refused = jobs::enqueue(&mut tx, Kind::Collect, &json!({}), "somebody").await.unwrap_err();
        assert!(jobs::is_one_at_a_time(&refused), "{refused}");
    }
    sqlx::query("update job set state = 'failed'").execute(&db).await.unwrap();
    enqueue_kind(&db, Kind::Collect).await;
}
