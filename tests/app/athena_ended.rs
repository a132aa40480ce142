//! Collections by Athena that do not get to their end undisturbed: killed, told to end, cancelled, or with objects that are
//! overwritten meanwhile.
//!
//! `AUDITFOLIO_TEST_SEED` kills at other moments than the ones of every run.

use std::process::Command;
use std::time::{Duration, Instant};

use auditfolio::jobs;
use serde_json::json;
use sqlx::{Executor as _, PgPool};

use crate::athena::{athena, attempt, attempts, by_athena, collected, compared};
use crate::aws::{BUCKET, StandIn};
use crate::bucket::{Bucket, REGION};
use crate::harness::{Served, address_of, database, said};
use crate::s3::two_accounts;

/// Numbers that a seed gives: `SplitMix64`.
struct Random(u64);

impl Random {
    fn new() -> Self {
        let seed = std::env::var("AUDITFOLIO_TEST_SEED").map_or(7, |seed| seed.parse().unwrap());
        println!("seed {seed}");
        Self(seed)
    }

    /// One of `0..end`.
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % u64::try_from(end).unwrap()).unwrap()
    }
}

/// Waits until the stand-in has seen so many calls of an operation.
fn until_called(aws: &StandIn, operation: &str, times: usize) {
    let begun = Instant::now();
    while aws.calls(operation).len() < times {
        assert!(begun.elapsed() < Duration::from_mins(2), "{operation} was not called");
    }
}

/// Waits until Postgres has noticed that a killed program is gone: its locks are free.
async fn until_let_go(db: &PgPool) {
    let begun = Instant::now();
    let held = "select count(*) from pg_locks l join pg_database d on d.oid = l.database
                where l.locktype = 'advisory' and d.datname = current_database()";
    while sqlx::query_scalar::<_, i64>(held).fetch_one(db).await.unwrap() > 0 {
        assert!(begun.elapsed() < Duration::from_mins(1), "a killed program holds its locks");
    }
}

#[tokio::test]
#[ignore = "needs Python's moto and duckdb; tests/run runs it"]
async fn a_killed_collection_s_query_is_taken_up_by_the_next() {
    let (aws, db, bucket) = (athena("/o-abc"), database().await, two_accounts("athena-killed"));
    aws.load(&bucket.root);
    aws.fault(&json!({"kind": "hold", "operation": "StartQueryExecution", "after": 1}));
    let before = aws.calls("StartQueryExecution").len();
    let mut killed = by_athena(&aws, &db, &[]).spawn().unwrap();
    until_called(&aws, "StartQueryExecution", before + 2);
    let looks = aws.calls("GetQueryExecution").len();
    until_called(&aws, "GetQueryExecution", looks + 1);
    killed.kill().unwrap();
    killed.wait().unwrap();
    until_let_go(&db).await;
    aws.clear_faults();
    collected(&aws, &db, &[]);
    assert_eq!(aws.calls("StartQueryExecution").len(), before + 2, "no query was started again");
    let taken: Vec<(i64, Option<i64>)> =
        sqlx::query_as("select collection_id, taken_up_by from athena_query order by 1, 2 nulls first")
            .fetch_all(&db)
            .await
            .unwrap();
    assert_eq!(taken, [(1, None), (1, Some(2))]);
    compared(&aws, &bucket, &db).await;
}

#[tokio::test]
#[ignore = "needs Python's moto and duckdb; tests/run runs it"]
async fn a_collection_that_is_told_to_end_stops_its_query() {
    let (aws, db, bucket) = (athena("/o-abc"), database().await, two_accounts("athena-ended"));
    aws.load(&bucket.root);
    aws.fault(&json!({"kind": "hold", "operation": "StartQueryExecution"}));
    let looks = aws.calls("GetQueryExecution").len();
    let mut ended = by_athena(&aws, &db, &[]).stderr(std::process::Stdio::piped()).spawn().unwrap();
    until_called(&aws, "GetQueryExecution", looks + 2);
    let pid = ended.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert_eq!(ended.wait().unwrap().code(), Some(1));
    assert_eq!(aws.calls("StopQueryExecution").len(), 1);
    assert_eq!(attempts(&db).await, [attempt(1, "CANCELLED")]);
    let failure: String = sqlx::query_scalar("select failure from collection").fetch_one(&db).await.unwrap();
    assert!(failure.contains("told to end by SIGTERM"), "{failure}");
    aws.clear_faults();
    collected(&aws, &db, &[]);
    compared(&aws, &bucket, &db).await;
}

#[tokio::test]
#[ignore = "needs Python's moto and duckdb; tests/run runs it"]
async fn a_cancelled_job_stops_its_query_and_its_collection_is_interrupted() {
    let (aws, db, bucket) = (athena("/o-abc"), database().await, two_accounts("athena-cancelled"));
    aws.load(&bucket.root);
    aws.fault(&json!({"kind": "hold", "operation": "StartQueryExecution"}));
    let asked = json!({"organization": "Example", "created_by": "tester", "demo": false});
    let mut connection = db.acquire().await.unwrap();
    jobs::enqueue(&mut connection, jobs::Kind::Collect, &asked, "tester").await.unwrap();
    let address = address_of(&db);
    let arguments = ["serve", "--bind", "127.0.0.1:0", "--organization", "Example", "--database-url", &address];
    let from = format!("s3://{BUCKET}");
    let collecting = ["--collect-from", &from, "--collect-engine", "athena", "--athena-database", "default"];
    let looks = aws.calls("GetQueryExecution").len();
    let mut command = aws.program(&arguments);
    command.args(collecting).arg("--aws-s3-path-style").stderr(std::process::Stdio::null());
    let served = Served { child: command.spawn().unwrap(), address: String::new() };
    until_called(&aws, "GetQueryExecution", looks + 2);
    db.execute("update job set cancel_asked_at = now(), cancel_asked_by = 'tester'").await.unwrap();
    let begun = Instant::now();
    let state = async || sqlx::query_scalar::<_, String>("select state from job").fetch_one(&db).await.unwrap();
    while state().await == "running" {
        assert!(begun.elapsed() < Duration::from_mins(2), "it does not end");
    }
    assert_eq!(state().await, "cancelled");
    drop(served);
    assert_eq!(aws.calls("StopQueryExecution").len(), 1);
    assert_eq!(attempts(&db).await, [attempt(1, "CANCELLED")]);
    let collection: String = sqlx::query_scalar("select state from collection").fetch_one(&db).await.unwrap();
    assert_eq!(collection, "interrupted");
    aws.clear_faults();
    collected(&aws, &db, &[]);
    compared(&aws, &bucket, &db).await;
}

/// Another day of four accounts, of which each has something that turned.
fn another_day(bucket: &Bucket, day: u8) {
    for account in 1..=4 {
        let status = if (day + account).is_multiple_of(2) { "NON_COMPLIANT" } else { "COMPLIANT" };
        let rules: crate::bucket::Rules<'_> = &[("r", status), ("s", "COMPLIANT")];
        bucket.snapshot_of(&format!("00000000000{account}"), REGION, day, 5, &[("a", rules), ("b", rules)]);
    }
}

/// What is in the store when a collection was killed.
#[derive(Debug, sqlx::FromRow)]
struct Left {
    collections: i64,
    /// Queries whose results are not all in the store.
    unread: i64,
    /// Days of a place that are, and those that were delivered.
    known: i64,
    delivered: i64,
}

impl Left {
    async fn of(db: &PgPool, day: u8) -> Self {
        sqlx::query_as(
            "select (select count(*) from collection) as collections,
                 (select count(*) from athena_query
                  where read_at is null and state in ('starting', 'QUEUED', 'RUNNING', 'SUCCEEDED')) as unread,
                 (select count(*) from delivery where known and until_collection is null) as known, $1 as delivered",
        )
        .bind(i64::from(day) * 4)
        .fetch_one(db)
        .await
        .unwrap()
    }
}

/// What a collection is at: the operation that it calls of AWS, and how often at most before it is killed. While it lists,
/// asks, waits, looks at the objects again, reads the result.
const PHASES: [(&str, usize); 5] = [
    ("ListObjectsV2", 20),
    ("StartQueryExecution", 6),
    ("GetQueryExecution", 12),
    ("HeadObject", 12),
    ("GetObject", 6),
];

#[tokio::test]
#[ignore = "needs Python's moto and duckdb; tests/run runs it"]
async fn a_collection_that_is_killed_at_ten_random_moments_ends_in_the_same_store() {
    let (aws, db, bucket) = (athena("/o-abc"), database().await, Bucket::new("athena-killed-often"));
    let mut random = Random::new();
    let first = random.below(PHASES.len());
    let mut kills: Vec<(&str, Left)> = Vec::new();
    let (mut day, mut begun) = (0, 0);
    while kills.len() < 10 {
        // Each has something to do: one that was done before its moment was not killed.
        day += 1;
        assert!(day < 28, "most end undisturbed: {kills:?}");
        another_day(&bucket, day);
        aws.load(&bucket.root);
        let (operation, most) = PHASES[(first + kills.len()) % PHASES.len()];
        let calls = aws.calls(operation).len() + 1 + random.below(most);
        let mut killed = by_athena(&aws, &db, &["--athena-batch", "2", "--athena-queries", "2"])
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let started = Instant::now();
        while aws.calls(operation).len() < calls && killed.try_wait().unwrap().is_none() {
            assert!(started.elapsed() < Duration::from_mins(2), "it does not go on");
        }
        // Or a little later: while it writes.
        std::thread::sleep(Duration::from_millis(u64::try_from(random.below(40)).unwrap()));
        killed.kill().unwrap();
        let ended_by_itself = killed.wait().unwrap().code().is_some();
        until_let_go(&db).await;
        let left = Left::of(&db, day).await;
        let at_work = left.collections > begun && !ended_by_itself;
        begun = left.collections;
        if at_work {
            kills.push((operation, left));
        }
    }
    println!("{kills:?}");
    let number = |is: fn(&Left) -> bool| kills.iter().filter(|(_, left)| is(left)).count();
    assert!(number(|left| left.unread > 0) > 1, "some waited for a query or read its result: {kills:?}");
    assert!(number(|left| 0 < left.known && left.known < left.delivered) > 0, "some had written in part: {kills:?}");
    collected(&aws, &db, &["--athena-batch", "2"]);
    compared(&aws, &bucket, &db).await;
    let (twice, open): (i64, i64) = sqlx::query_as(
        "select (select count(*) from (select question_key from athena_query where state = 'SUCCEEDED'
                                       group by question_key having count(*) > 1) q),
                (select count(*) from athena_query where state in ('starting', 'QUEUED', 'RUNNING'))",
    )
    .fetch_one(&db)
    .await
    .unwrap();
    assert_eq!((twice, open), (0, 0), "no question was answered twice and none is left open");
}

/// What was noted of the object that a day was collected from.
async fn note(db: &PgPool, name: &str) -> String {
    sqlx::query_scalar(
        "select coalesce(reason, outcome) from object_outcome join object using (object_id) where key = $1
         order by collection_id desc limit 1",
    )
    .bind(name)
    .fetch_one(db)
    .await
    .unwrap()
}

/// Has one object overwritten while Athena reads, and lets the collection end.
fn overwritten_meanwhile(
    aws: &StandIn,
    db: &PgPool,
    bucket: &Bucket,
    name: &str,
    day: u8,
    hour: u8,
) -> (Option<i32>, String) {
    aws.fault(&json!({"kind": "hold", "operation": "StartQueryExecution"}));
    let looks = aws.calls("GetQueryExecution").len();
    let mut command = by_athena(aws, db, &["--relist-days", "1000"]);
    let running = command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    until_called(aws, "GetQueryExecution", looks + 1);
    bucket.snapshot(day, hour, &[("a", &[("r", "NON_COMPLIANT")]), ("b", &[("r", "NON_COMPLIANT")])]);
    aws.put(name, &std::fs::read(bucket.root.join(name)).unwrap(), "STANDARD");
    aws.clear_faults();
    let output = running.wait_with_output().unwrap();
    (output.status.code(), said(&output))
}

#[tokio::test]
#[ignore = "needs Python's moto and duckdb; tests/run runs it"]
async fn an_object_that_is_overwritten_while_athena_reads_is_not_told_by_athena() {
    let (aws, db, bucket) = (athena("/o-abc"), database().await, Bucket::new("athena-overwritten"));
    let name = bucket.snapshot(9, 5, &[("a", &[("r", "COMPLIANT")]), ("b", &[("r", "COMPLIANT")])]);
    aws.load(&bucket.root);
    let (code, said) = overwritten_meanwhile(&aws, &db, &bucket, &name, 9, 5);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("overwritten between listing and reading"), "{said}");
    collected(&aws, &db, &[]);
    compared(&aws, &bucket, &db).await;
}

#[tokio::test]
#[ignore = "needs Python's moto and duckdb; tests/run runs it"]
async fn a_day_is_not_told_from_an_object_that_is_overwritten_meanwhile() {
    let (aws, db, bucket) = (athena("/o-abc"), database().await, Bucket::new("athena-base-overwritten"));
    let before = bucket.snapshot(9, 5, &[("a", &[("r", "COMPLIANT")]), ("b", &[("r", "COMPLIANT")])]);
    aws.load(&bucket.root);
    collected(&aws, &db, &[]);
    let name = bucket.snapshot(10, 5, &[("a", &[("r", "COMPLIANT")]), ("b", &[("r", "NON_COMPLIANT")])]);
    aws.load(&bucket.root);
    // As many evaluations as before: the counts do not betray it.
    let (code, said) = overwritten_meanwhile(&aws, &db, &bucket, &before, 9, 5);
    assert_eq!(code, Some(0), "{said}");
    let note = note(&db, &name).await;
    assert!(note.starts_with("read by us and not by Athena: after Athena read it, "), "{note}");
    let failing: i64 = sqlx::query_scalar(
        "select count(*) from run join status using (status_id)
         where name = 'NON_COMPLIANT' and first_day <= '2026-11-10' and end_day > '2026-11-10'",
    )
    .fetch_one(&db)
    .await
    .unwrap();
    assert_eq!(failing, 1);
}
