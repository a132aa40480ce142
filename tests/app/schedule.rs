//! Scheduled collections: once per due time, one at a time, cancelled between places, asked for by those who may.

use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::http::{Method, StatusCode};
use auditfolio::collection::{self, CollectArgs, Progress};
use auditfolio::jobs::{self, Standing};
use auditfolio::schedule::{self, Collecting};
use auditfolio::{Duties, State};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::bucket::{Bucket, options};
use crate::harness::database;
use crate::output::LONGEST;
use crate::site::{NOW, ask, get, sign_in, site_of, state_at};

const HOUR: Duration = Duration::from_hours(1);

/// A program that collects a folder, every hour.
fn state(db: &PgPool, bucket: &Bucket) -> State {
    let source = CollectArgs { unpacked_limit: 1 << 30, ..CollectArgs::of(bucket.root.clone().into()) };
    let collecting = Collecting { organization: "Example".to_owned(), source, every: Some(HOUR) };
    State { duties: Arc::new(Duties { collecting: Some(collecting), ..Duties::default() }), ..state_at(db, NOW) }
}

async fn due(db: &PgPool, when: &str) {
    sqlx::query(sqlx::AssertSqlSafe(format!(
        "insert into collect_schedule (every_seconds, source, due_at) values (3600, 'x', now() + '{when}')
         on conflict (collect_schedule_id) do update set due_at = excluded.due_at"
    )))
    .execute(db)
    .await
    .unwrap();
}

async fn collect_jobs(db: &PgPool) -> i64 {
    sqlx::query_scalar("select count(*) from job where kind = 'collect'").fetch_one(db).await.unwrap()
}

async fn until(db: &PgPool, job_id: i64, wanted: impl Fn(&Standing) -> bool) -> Standing {
    for _ in 0..1500 {
        let standing = jobs::find(db, job_id).await.unwrap().unwrap();
        if wanted(&standing) {
            return standing;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the job stays as {:?}", jobs::find(db, job_id).await.unwrap());
}

#[tokio::test]
async fn many_programs_that_look_at_once_enqueue_one_collection_for_a_due_time() {
    let db = database().await;
    due(&db, "-3 hours").await;
    let looks = (0..8).map(|_| schedule::look(&db, "Example"));
    for wait in futures_util::future::join_all(looks).await {
        assert!(wait.unwrap() <= HOUR);
    }
    assert_eq!(collect_jobs(&db).await, 1, "three missed times are one collection");
    let ahead: bool = sqlx::query_scalar("select due_at > now() and due_at <= now() + '1 hour' from collect_schedule")
        .fetch_one(&db)
        .await
        .unwrap();
    assert!(ahead);
    schedule::look(&db, "Example").await.unwrap();
    assert_eq!(collect_jobs(&db).await, 1, "the next one is not due");
}

#[tokio::test]
async fn a_due_time_passes_while_a_collection_is_queued_or_running() {
    let db = database().await;
    due(&db, "-1 second").await;
    schedule::look(&db, "Example").await.unwrap();
    for state in ["queued", "running"] {
        sqlx::query("update job set state = $1").bind(state).execute(&db).await.unwrap();
        due(&db, "-1 second").await;
        schedule::look(&db, "Example").await.unwrap();
        assert_eq!(collect_jobs(&db).await, 1, "{state}");
    }
    sqlx::query("update job set state = 'failed', failure = 'x'").execute(&db).await.unwrap();
    due(&db, "-1 second").await;
    schedule::look(&db, "Example").await.unwrap();
    assert_eq!(collect_jobs(&db).await, 2, "the next due time comes after a failure too");
}

#[actix_web::test]
async fn the_schedule_collects_what_was_delivered_and_says_so() {
    let db = database().await;
    let bucket = Bucket::new("schedule");
    bucket.snapshot(6, 5, &[("a", &[("r", "COMPLIANT")])]);
    let state = state(&db, &bucket);
    let stop = CancellationToken::new();
    let keeper = tokio::spawn(schedule::keep(state.clone(), stop.clone()));
    let worker = tokio::spawn(jobs::work(state.clone(), stop.clone()));
    let begun = Instant::now();
    let done = loop {
        assert!(begun.elapsed() < LONGEST, "nothing is collected");
        if collect_jobs(&db).await == 1 {
            break until(&db, 1, |job| job.state != "queued" && job.state != "running").await;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    stop.cancel();
    keeper.await.unwrap();
    worker.await.unwrap();
    assert_eq!((done.state.as_str(), done.result.as_deref()), ("done", Some("1")), "{done:?}");
    let acts: Vec<(String, String, String)> = sqlx::query_as(
        "select actor, actor_kind, act from audit_log where act like '%collection' order by audit_log_id",
    )
    .fetch_all(&db)
    .await
    .unwrap();
    let by = |actor: &str, act: &str| (actor.to_owned(), "system".to_owned(), act.to_owned());
    assert_eq!(
        acts,
        [
            by("auditfolio", "schedule collection"),
            by("schedule", "start collection"),
            by("schedule", "finish collection")
        ]
    );
    let decided: i64 =
        sqlx::query_scalar("select count(*) from notice_decision where whole").fetch_one(&db).await.unwrap();
    assert_eq!(decided, 1);
    let site = site_of(state).await;
    let cookie = sign_in(&site, "viewer").await;
    let page = get(&site, &cookie, "/collections").await;
    assert!(page.text.contains("Deliveries are looked for every hour in"), "{}", page.text);
    assert!(!page.text.contains("Collect now"), "auditors start nothing");
}

#[actix_web::test]
async fn a_collection_that_fails_is_a_failed_job_with_a_notice_and_can_be_tried_again() {
    let db = database().await;
    let bucket = Bucket::new("schedule-failing");
    let mut state = state(&db, &bucket);
    let mut collecting = state.duties.collecting.clone().unwrap();
    collecting.source.accounts = vec![bucket.root.join("no-such-list.json")];
    state.duties = Arc::new(Duties { collecting: Some(collecting), ..Duties::default() });
    let site = site_of(state.clone()).await;
    let cookie = sign_in(&site, "compliance-manager").await;
    let asked = ask(&site, Method::POST, "/collections", Some(&cookie), Some("")).await;
    assert_eq!((asked.status, asked.header("location")), (StatusCode::SEE_OTHER, "/jobs/1"));
    let again = ask(&site, Method::POST, "/collections", Some(&cookie), Some("")).await;
    assert_eq!(again.status, StatusCode::CONFLICT, "one at a time");

    let stop = CancellationToken::new();
    let worker = tokio::spawn(jobs::work(state, stop.clone()));
    let failed = until(&db, 1, |job| job.state == "failed").await;
    assert!(failed.failure.unwrap().contains("no-such-list.json"));
    stop.cancel();
    worker.await.unwrap();
    let notices: Vec<(String, String)> =
        sqlx::query_as("select kind, facts ->> 'job' from notice").fetch_all(&db).await.unwrap();
    assert_eq!(notices, [("collection-failed".to_owned(), "1".to_owned())]);

    let page = get(&site, &cookie, "/jobs/1").await;
    assert_eq!(page.texts("form[action='/jobs/1/retry'] button"), ["Try again"]);
    let retried = ask(&site, Method::POST, "/jobs/1/retry", Some(&cookie), Some("")).await;
    assert_eq!((retried.status, retried.header("location")), (StatusCode::SEE_OTHER, "/jobs/2"));
    let twice = ask(&site, Method::POST, "/jobs/1/retry", Some(&cookie), Some("")).await;
    assert_eq!(twice.status, StatusCode::CONFLICT);
    let list = get(&site, &cookie, "/jobs?state=failed").await;
    assert_eq!(list.texts("#jobs tbody th"), ["1"]);
    assert!(list.text.contains("no-such-list.json"), "the failure stays in view");

    let cancelled = ask(&site, Method::POST, "/jobs/2/cancel", Some(&cookie), Some("")).await;
    assert_eq!(cancelled.status, StatusCode::SEE_OTHER);
    assert_eq!(jobs::find(&db, 2).await.unwrap().unwrap().state, "cancelled");
    let ended = ask(&site, Method::POST, "/jobs/2/cancel", Some(&cookie), Some("")).await;
    assert_eq!(ended.status, StatusCode::CONFLICT);
    let acts: Vec<(String, String)> = sqlx::query_as(
        "select act, object from audit_log where actor = 'demo compliance-manager' and act <> 'sign in' order by audit_log_id",
    )
    .fetch_all(&db)
    .await
    .unwrap();
    let act = |act: &str, object: &str| (act.to_owned(), object.to_owned());
    assert_eq!(acts, [act("ask for collection", "job 1"), act("retry job", "job 1"), act("cancel job", "job 2")]);
}

#[tokio::test]
async fn a_cancelled_collection_stops_between_places_and_the_next_one_finishes_its_work() {
    let db = database().await;
    let bucket = Bucket::new("schedule-cancel");
    for account in 10..40 {
        bucket.snapshot_of(&format!("0000000000{account}"), "eu-central-1", 6, 5, &[("a", &[("r", "COMPLIANT")])]);
    }
    let stop = CancellationToken::new();
    let progress = Progress::stopped_by(stop.clone());
    let collecting = options(&bucket.root);
    let run = collection::run(&db, &collecting, &progress);
    // As soon as something is committed somebody asks for its end.
    let begun = Instant::now();
    let cancel = async {
        while progress.done() == 0 {
            assert!(begun.elapsed() < LONGEST, "nothing is committed");
            tokio::task::yield_now().await;
        }
        stop.cancel();
    };
    let (ended, ()) = tokio::join!(run, cancel);
    assert!(ended.unwrap_err().is::<collection::Cancelled>());
    let (state, failure): (String, String) =
        sqlx::query_as("select state, failure from collection").fetch_one(&db).await.unwrap();
    assert_eq!((state.as_str(), failure.as_str()), ("interrupted", "It was asked to stop. What it committed stands."));
    let places = "select count(*) from delivery where state = 'delivered' and until_collection is null";
    let committed: i64 = sqlx::query_scalar(places).fetch_one(&db).await.unwrap();
    assert!((1..30).contains(&committed), "{committed}");
    let outcome = collection::run(&db, &collecting, &Progress::silent()).await.unwrap();
    assert!(outcome.ladder.closes());
    assert_eq!(sqlx::query_scalar::<_, i64>(places).fetch_one(&db).await.unwrap(), 30);
}

#[tokio::test]
async fn a_collection_that_waits_for_another_one_is_cancelled_at_once_and_leaves_no_row() {
    let db = database().await;
    let bucket = Bucket::new("schedule-waiting");
    bucket.snapshot(6, 5, &[("a", &[("r", "COMPLIANT")])]);
    collection::run(&db, &options(&bucket.root), &Progress::silent()).await.unwrap();
    // As a collection of the command line does while it runs.
    let mut other = db.acquire().await.unwrap();
    sqlx::query("select pg_advisory_lock(1634100079, 1)").execute(&mut *other).await.unwrap();
    let stop = CancellationToken::new();
    let progress = Progress::stopped_by(stop.clone());
    let collecting = options(&bucket.root);
    let begun = Instant::now();
    let cancel = async {
        while !progress.step_words().starts_with("Waiting for another collection") {
            assert!(begun.elapsed() < LONGEST, "it does not wait: {}", progress.step_words());
            tokio::task::yield_now().await;
        }
        stop.cancel();
    };
    let (ended, ()) = tokio::join!(collection::run(&db, &collecting, &progress), cancel);
    assert!(ended.unwrap_err().is::<collection::Cancelled>());
    assert_eq!(progress.collection_id(), None);
    let collections: i64 = sqlx::query_scalar("select count(*) from collection").fetch_one(&db).await.unwrap();
    assert_eq!(collections, 1);
    sqlx::query("select pg_advisory_unlock_all()").execute(&mut *other).await.unwrap();
    collection::run(&db, &collecting, &Progress::silent()).await.unwrap();
}

#[actix_web::test]
async fn a_program_for_another_organisation_does_not_collect_its_own_in_its_place() {
    let db = database().await;
    let bucket = Bucket::new("schedule-organisation");
    bucket.snapshot(6, 5, &[("a", &[("r", "COMPLIANT")])]);
    due(&db, "-1 second").await;
    schedule::look(&db, "Another").await.unwrap();
    let stop = CancellationToken::new();
    let worker = tokio::spawn(jobs::work(state(&db, &bucket), stop.clone()));
    let failed = until(&db, 1, |job| job.state == "failed").await;
    assert_eq!(failed.failure.as_deref(), Some("it is asked for “Another”, and this program collects for “Example”"));
    stop.cancel();
    worker.await.unwrap();
    let collections: i64 = sqlx::query_scalar("select count(*) from collection").fetch_one(&db).await.unwrap();
    assert_eq!(collections, 0);
}

#[tokio::test]
async fn a_collection_that_is_cut_off_is_on_record_as_interrupted_by_the_next() {
    let db = database().await;
    let bucket = Bucket::new("schedule-cut");
    for account in 10..40 {
        bucket.snapshot_of(&format!("0000000000{account}"), "eu-central-1", 6, 5, &[("a", &[("r", "COMPLIANT")])]);
    }
    let progress = Progress::stopped_by(CancellationToken::new());
    // A program of its own, as far as its connections go.
    let its_db = PgPool::connect(&crate::harness::address_of(&db)).await.unwrap();
    let task = tokio::spawn({
        let (options, progress) = (options(&bucket.root), progress.clone());
        async move { collection::run(&its_db, &options, &progress).await }
    });
    let begun = Instant::now();
    while progress.done() == 0 {
        assert!(begun.elapsed() < LONGEST, "nothing is committed");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    task.abort();
    assert!(task.await.is_err_and(|error| error.is_cancelled()), "it was still running");
    // Its lock goes with its connection, which is closed, not given back to the pool.
    let mut free = false;
    for _ in 0..500 {
        let held: i64 = sqlx::query_scalar(
            "select count(*) from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())",
        )
        .fetch_one(&db)
        .await
        .unwrap();
        free = held == 0;
        if free {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(free, "a lock stays");
    collection::run(&db, &options(&bucket.root), &Progress::silent()).await.unwrap();
    let states: Vec<String> =
        sqlx::query_scalar("select state from collection order by collection_id").fetch_all(&db).await.unwrap();
    assert_eq!(states, ["interrupted", "finished"]);
}

#[test]
fn settings_that_do_not_fit_together_are_refused_before_anything_starts() {
    for (arguments, said) in [
        (&["serve", "--collect-every", "1h"][..], "add --collect-from"),
        (&["serve", "--collect-from", "x", "--collect-every", "10s"], "shorter than a minute"),
        (&["serve", "--collect-every", "often"], "not a length of time"),
        (&["serve", "--mail-to", "a@example.com"], "add --smtp-url"),
        (&["serve", "--smtp-url", "smtp://mail.example.com"], "add --mail-from"),
        (
            &["serve", "--smtp-url", "smtp://me:geheim@mail.example.com", "--mail-from", "a@example.com"],
            "password in the clear",
        ),
    ] {
        let output = crate::harness::program(arguments).output().unwrap();
        let text = crate::harness::said(&output);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(text.contains(said), "{text}");
        assert!(!text.contains("geheim"), "{text}");
    }
}
