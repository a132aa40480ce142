//! Collections that are cut off, fail or find evidence damaged, gone or hostile.

use std::collections::BTreeMap;

use auditfolio::collection::source::Limits;
use auditfolio::collection::{self, Options, Outcome, Progress};
use sqlx::{AssertSqlSafe, Executor as _, PgPool};
use time::Date;

use crate::bucket::{ACCOUNT, Bucket, REGION, gz, item, options, pack_item, snapshot_name};
use crate::collection::{collect, rows, said, states};

/// Makes the store refuse what `condition` is true of, until [`obey`].
async fn refuse(db: &PgPool, table: &str, condition: &str) {
    let statement = format!(
        "create function refuse() returns trigger language plpgsql as
             $$ begin if {condition} then raise exception 'refused'; end if; return new; end $$;
         create trigger refuse before insert on {table} for each row execute function refuse()"
    );
    db.execute(AssertSqlSafe(statement)).await.unwrap();
}

async fn obey(db: &PgPool) {
    db.execute("drop function refuse cascade").await.unwrap();
}

pub(crate) async fn try_collect(db: &PgPool, options: &Options) -> Result<Outcome, String> {
    collection::run(db, options, &Progress::silent()).await.map_err(|error| format!("{error:#}"))
}

fn words(states: &[(u8, &str)]) -> BTreeMap<u8, String> {
    states.iter().map(|(day, state)| (*day, (*state).to_owned())).collect()
}

#[tokio::test]
async fn a_collection_cut_off_before_it_takes_inferred_days_back_is_finished_by_the_next() {
    let db = crate::harness::database().await;
    let bucket = Bucket::new("cut-off");
    bucket.history(1, &[("a", 2, Some(&[("r", "COMPLIANT")]))]);
    bucket.history(3, &[("a", 3, Some(&[("r", "NON_COMPLIANT")]))]);
    collect(&db, &bucket).await;
    bucket.snapshot(2, 5, &[("a", &[("r", "COMPLIANT")])]);
    refuse(&db, "delivery", "new.state = 'missing'").await;
    try_collect(&db, &options(&bucket.root)).await.unwrap_err();
    let half = words(&[(1, "inferred from history"), (2, "delivered"), (3, "inferred from history")]);
    assert_eq!(states(&db).await, half, "the snapshot is committed");
    obey(&db).await;
    let outcome = collect(&db, &bucket).await;
    assert_eq!(outcome.ladder.objects_collected, 0, "nothing is new");
    assert_eq!(states(&db).await, words(&[(1, "inferred from history"), (2, "delivered"), (3, "missing")]));
}

#[tokio::test]
async fn a_collection_cut_off_before_it_infers_days_again_is_finished_by_the_next() {
    let db = crate::harness::database().await;
    let bucket = Bucket::new("cut-off-again");
    bucket.snapshot(1, 3, &[("a", &[("r", "COMPLIANT")])]);
    bucket.history(2, &[("a", 2, Some(&[("r", "NON_COMPLIANT")]))]);
    collect(&db, &bucket).await;
    bucket.snapshot(1, 9, &[]);
    refuse(&db, "delivery", "new.state = 'inferred from history'").await;
    try_collect(&db, &options(&bucket.root)).await.unwrap_err();
    assert_eq!(states(&db).await, words(&[(1, "no compliance items")]));
    obey(&db).await;
    collect(&db, &bucket).await;
    assert_eq!(states(&db).await, words(&[(1, "no compliance items"), (2, "inferred from history")]));
    assert_eq!(said(&db, 2).await, rows(&[("r", "a", "NON_COMPLIANT")]));
}

#[tokio::test]
async fn what_does_not_add_up_keeps_every_later_collection_from_finishing() {
    let db = crate::harness::database().await;
    let bucket = Bucket::new("washed-out");
    bucket.snapshot(1, 5, &[("a", &[("r", "COMPLIANT")]), ("b", &[("r", "COMPLIANT")])]);
    bucket.snapshot(2, 5, &[("a", &[("r", "COMPLIANT")]), ("b", &[("r", "NON_COMPLIANT")])]);
    // The store loses a run of the first day.
    let lose = "create function lose() returns trigger language plpgsql as
                    $$ begin return case when new.end_day = '2026-11-02' then null else new end; end $$;
                create trigger lose before insert on run for each row execute function lose()";
    db.execute(lose).await.unwrap();
    let first = try_collect(&db, &options(&bucket.root)).await.unwrap_err();
    db.execute("drop function lose cascade").await.unwrap();
    bucket.snapshot(3, 5, &[("a", &[("r", "COMPLIANT")])]);
    let second = try_collect(&db, &options(&bucket.root)).await.unwrap_err();
    for error in [first, second] {
        assert!(error.contains("does not add up"), "{error}");
        assert!(
            error.contains("2026-11-01: its object says 2 evaluations, its delivery says 2, the runs 1, the roll-up 2"),
            "{error}"
        );
        assert!(!error.contains("2026-11-02:") && !error.contains("2026-11-03:"), "{error}");
    }
}

#[tokio::test]
async fn a_place_that_the_store_refuses_does_not_keep_the_others_waiting() {
    let db = crate::harness::database().await;
    let bucket = Bucket::new("refused");
    let accounts = ["111111111111", "222222222222", "333333333333", "444444444444", "555555555555"];
    for account in accounts {
        bucket.snapshot_of(account, REGION, 1, 5, &[("a", &[("r", "COMPLIANT")])]);
    }
    let condition = "exists (select from place where place_id = new.place_id and account_id < '300000000000')";
    refuse(&db, "delivery", condition).await;
    let error = try_collect(&db, &options(&bucket.root)).await.unwrap_err();
    assert!(error.contains("2 of 5 account-Regions failed"), "{error}");
    assert_eq!(said(&db, 1).await.len(), 3);
    obey(&db).await;
    assert_eq!(collect(&db, &bucket).await.ladder.objects_collected, 2);
    assert_eq!(said(&db, 1).await.len(), 5);
}

#[tokio::test]
async fn evidence_that_the_source_lists_no_more_still_speaks() {
    let db = crate::harness::database().await;
    let bucket = Bucket::new("expired");
    let late = bucket.snapshot(1, 23, &[("a", &[("r", "NON_COMPLIANT")])]);
    collect(&db, &bucket).await;
    std::fs::remove_file(bucket.root.join(late)).unwrap();
    bucket.snapshot(1, 9, &[("a", &[("r", "COMPLIANT")])]);
    let outcome = collect(&db, &bucket).await;
    assert_eq!(outcome.ladder.objects_superseded, 1);
    assert_eq!(said(&db, 1).await, rows(&[("r", "a", "NON_COMPLIANT")]));
    assert_eq!(states(&db).await, words(&[(1, "delivered")]));
}

#[tokio::test]
async fn an_unreadable_object_never_takes_a_known_day_away() {
    let db = crate::harness::database().await;
    let bucket = Bucket::new("overwritten");
    let overwritten = bucket.snapshot(1, 9, &[("a", &[("r", "COMPLIANT")])]);
    let expired = bucket.snapshot(2, 9, &[("a", &[("r", "NON_COMPLIANT")])]);
    collect(&db, &bucket).await;
    bucket.put(&overwritten, b"\x1f\x8b cut");
    std::fs::remove_file(bucket.root.join(expired)).unwrap();
    bucket.put(&snapshot_name(ACCOUNT, REGION, 2, 21), b"\x1f\x8b cut");
    let outcome = collect(&db, &bucket).await;
    assert_eq!(outcome.ladder.objects_unreadable, 2);
    let later = "delivered, later object unreadable";
    assert_eq!(states(&db).await, words(&[(1, later), (2, later)]));
    assert_eq!(said(&db, 1).await, rows(&[("r", "a", "COMPLIANT")]));
    assert_eq!(said(&db, 2).await, rows(&[("r", "a", "NON_COMPLIANT")]));
}

#[tokio::test]
async fn an_object_with_thousands_of_status_words_is_unreadable_and_nothing_else_is() {
    let db = crate::harness::database().await;
    let bucket = Bucket::new("hostile");
    let odd: Vec<(String, String)> = (0..40_000).map(|n| (format!("rule-{n}"), format!("ODD_{n}"))).collect();
    let odd: Vec<(&str, &str)> = odd.iter().map(|(rule, status)| (rule.as_str(), status.as_str())).collect();
    bucket.snapshot(1, 5, &[("a", &odd)]);
    bucket.snapshot(2, 5, &[("a", &[("r", "ODD"), ("s", "COMPLIANT")])]);
    bucket.put(&format!("{}/{}", "deep/".repeat(250), snapshot_name(ACCOUNT, REGION, 3, 5)), b"");
    let outcome = collect(&db, &bucket).await;
    assert_eq!(outcome.unreadable.len(), 1);
    assert!(outcome.unreadable[0].1.contains("40000 status words that no object had before"), "{outcome:?}");
    assert!(outcome.ladder.malformed[0].1.contains("longer than 1024 bytes"), "{:?}", outcome.ladder.malformed);
    assert_eq!(states(&db).await, words(&[(1, "unreadable"), (2, "delivered")]));
    assert_eq!(said(&db, 2).await, rows(&[("r", "a", "ODD"), ("s", "a", "COMPLIANT")]));
}

#[tokio::test]
async fn an_unreadable_object_leaves_no_trace_but_its_own() {
    let db = crate::harness::database().await;
    let bucket = Bucket::new("traces");
    bucket.snapshot(1, 3, &[("a", &[("r", "COMPLIANT")])]);
    let bad = item(ACCOUNT, "bad", 1, 9, &[("r", "COMPLIANT"), ("bad-rule", "BAD_WORD")]);
    let pack = pack_item(ACCOUNT, "conformance-pack-bad", "Bad", 1, 9, &[("bad-too", "COMPLIANT")]);
    let text = format!("{{\"fileVersion\": \"1.0\", \"configurationItems\": [{bad}, {pack}, {{\"cut\": ");
    bucket.put(&snapshot_name(ACCOUNT, REGION, 1, 9), &crate::bucket::gz_text(&text));
    collect(&db, &bucket).await;
    assert_eq!(states(&db).await, words(&[(1, "delivered, later object unreadable")]));
    let names: Vec<String> = sqlx::query_scalar(
        "select name from rule union all select id from resource union all select name from status where status_id > 4
         union all select id from conformance_pack",
    )
    .fetch_all(&db)
    .await
    .unwrap();
    assert_eq!(names, ["r", "a"]);
    let arns: Vec<String> = sqlx::query_scalar("select arn from rule_attribute").fetch_all(&db).await.unwrap();
    assert_eq!(arns, ["arn:aws:config:eu-central-1:012345678901:config-rule/r"], "as the good object says");
}

#[tokio::test]
async fn two_collections_of_different_listings_wait_for_each_other() {
    let db = crate::harness::database().await;
    let (one, other) = (Bucket::new("listing-one"), Bucket::new("listing-other"));
    for day in 1..=6 {
        for account in ["111111111111", "222222222222", "333333333333"] {
            one.snapshot_of(account, REGION, day, 5, &[("a", &[("r", "COMPLIANT")])]);
            other.snapshot_of(account, REGION, day, 9, &[("a", &[("r", "NON_COMPLIANT")])]);
        }
    }
    let (first, second) = tokio::join!(collect(&db, &one), collect(&db, &other));
    assert!(first.ladder.closes() && second.ladder.closes());
    for day in 1..=6 {
        assert_eq!(said(&db, day).await, rows(&[("r", "a", "NON_COMPLIANT"); 3]), "on day {day}");
    }
    let overlaps: i64 = sqlx::query_scalar(
        "select count(*) from collection a join collection b on a.collection_id < b.collection_id
         where a.finished_at > b.started_at",
    )
    .fetch_one(&db)
    .await
    .unwrap();
    assert_eq!(overlaps, 0, "ids are in the order of writing");
}

#[tokio::test]
async fn an_object_above_a_limit_is_read_once_the_limit_is_raised_and_counts_until_then() {
    let db = crate::harness::database().await;
    let bucket = Bucket::new("limit");
    bucket.snapshot(1, 5, &[("a", &[("r", "COMPLIANT")])]);
    bucket.put(&snapshot_name(ACCOUNT, REGION, 2, 5), b"\x1f\x8b cut");
    let limit =
        |unpacked_bytes| Options { limits: Limits { unpacked_bytes, ..Limits::default() }, ..options(&bucket.root) };
    let outcome = try_collect(&db, &limit(100)).await.unwrap();
    assert_eq!(outcome.ladder.objects_unreadable, 2);
    let outcome = try_collect(&db, &limit(100)).await.unwrap();
    assert_eq!((outcome.unreadable.len(), outcome.ladder.objects_still_unreadable), (0, 2));
    assert!(!outcome.ladder.whole(), "what stands unreadable is said in every run");
    let outcome = try_collect(&db, &limit(10_000)).await.unwrap();
    assert_eq!((outcome.ladder.objects_read_again, outcome.ladder.objects_still_unreadable), (1, 1));
    assert_eq!(states(&db).await, words(&[(1, "delivered"), (2, "unreadable")]));
    assert!(outcome.ladder.closes());
}

#[tokio::test]
async fn an_unreadable_object_that_a_later_one_overtakes_is_complained_of_no_more() {
    let db = crate::harness::database().await;
    let bucket = Bucket::new("overtaken");
    bucket.put(&snapshot_name(ACCOUNT, REGION, 1, 5), b"\x1f\x8b cut");
    assert!(!collect(&db, &bucket).await.ladder.whole());
    assert!(!collect(&db, &bucket).await.ladder.whole());
    bucket.snapshot(1, 9, &[("a", &[("r", "COMPLIANT")])]);
    assert!(collect(&db, &bucket).await.ladder.whole());
    assert_eq!(states(&db).await, words(&[(1, "delivered")]));
}

#[tokio::test]
async fn an_object_that_could_not_be_reached_is_tried_by_every_collection() {
    let db = crate::harness::database().await;
    let bucket = Bucket::new("unreached");
    let name = bucket.snapshot(1, 5, &[("a", &[("r", "COMPLIANT")])]);
    bucket.change_unseen(&name, |bytes| bytes[0] ^= 1);
    collect(&db, &bucket).await;
    bucket.change_unseen(&name, |bytes| bytes[0] ^= 1);
    assert_eq!(collect(&db, &bucket).await.ladder.objects_read_again, 0, "its bytes were at fault");
    db.execute("update object_outcome set retry_above = 0").await.unwrap();
    assert_eq!(collect(&db, &bucket).await.ladder.objects_read_again, 1);
    assert_eq!(said(&db, 1).await, rows(&[("r", "a", "COMPLIANT")]));
}

#[tokio::test]
async fn recheck_looks_at_what_speaks_only_and_a_changed_speaker_goes_on_speaking() {
    let db = crate::harness::database().await;
    let bucket = Bucket::new("recheck-superseded");
    let early = bucket.snapshot(1, 5, &[("a", &[("r", "COMPLIANT")])]);
    collect(&db, &bucket).await;
    let late = bucket.snapshot(1, 9, &[("a", &[("r", "NON_COMPLIANT")])]);
    collect(&db, &bucket).await;
    bucket.change_unseen(&early, |bytes| bytes[4] ^= 1);
    let recheck = Options { recheck: true, ..options(&bucket.root) };
    let outcome = try_collect(&db, &recheck).await.unwrap();
    assert_eq!((outcome.ladder.rechecked, outcome.ladder.changed.len()), (1, 0));
    bucket.change_unseen(&late, |bytes| bytes[4] ^= 1);
    let outcome = try_collect(&db, &recheck).await.unwrap();
    assert_eq!(outcome.ladder.changed.len(), 1);
    // A third one that cannot be read: the changed one speaks, and not the superseded one.
    bucket.put(&snapshot_name(ACCOUNT, REGION, 1, 21), b"\x1f\x8b cut");
    collect(&db, &bucket).await;
    assert_eq!(states(&db).await, words(&[(1, "delivered, later object unreadable")]));
    assert_eq!(said(&db, 1).await, rows(&[("r", "a", "NON_COMPLIANT")]));
}

async fn pack_names(db: &PgPool) -> Vec<(String, String)> {
    sqlx::query_as("select id, name from conformance_pack order by id").fetch_all(db).await.unwrap()
}

#[tokio::test]
async fn a_pack_is_called_as_its_newest_day_calls_it_whenever_that_was_collected() {
    let db = crate::harness::database().await;
    let bucket = Bucket::new("pack-name");
    let deliver = |day, name| {
        let items = [item(ACCOUNT, "a", day, 5, &[("r", "COMPLIANT")]), pack_item(ACCOUNT, "p", name, day, 5, &[])];
        bucket.snapshot_items(ACCOUNT, REGION, day, 5, &items);
    };
    deliver(5, "Newest");
    collect(&db, &bucket).await;
    deliver(3, "Older");
    collect(&db, &bucket).await;
    assert_eq!(pack_names(&db).await, [("p".to_owned(), "Newest".to_owned())]);
    deliver(6, "Newer yet");
    collect(&db, &bucket).await;
    assert_eq!(pack_names(&db).await, [("p".to_owned(), "Newer yet".to_owned())]);
}

#[tokio::test]
async fn a_rule_joins_the_timeline_of_its_pack_whenever_the_pack_was_named() {
    let db = crate::harness::database().await;
    let bucket = Bucket::new("pack-timeline");
    let rule = "s3-bucket-versioning-enabled-conformance-pack-k3yq7n1xz";
    let other = "s3-bucket-logging-enabled-conformance-pack-k3yq7n1xz";
    let pack = |day| pack_item(ACCOUNT, "conformance-pack-k3yq7n1xz", "Ops", day, 5, &[(rule, "COMPLIANT")]);
    bucket.snapshot(1, 5, &[("a", &[(rule, "COMPLIANT")])]);
    collect(&db, &bucket).await;
    bucket.snapshot_items(ACCOUNT, REGION, 2, 5, &[item(ACCOUNT, "a", 2, 5, &[(rule, "COMPLIANT")]), pack(2)]);
    collect(&db, &bucket).await;
    // A rule of the same pack that comes without the pack's item.
    bucket.snapshot(3, 5, &[("a", &[(rule, "COMPLIANT"), (other, "COMPLIANT")])]);
    collect(&db, &bucket).await;
    let timelines: Vec<(String, String)> = sqlx::query_as(
        "select r.core_name, t.pack from rule r join timeline t using (timeline_id) order by r.core_name",
    )
    .fetch_all(&db)
    .await
    .unwrap();
    let named = |core: &str| (core.to_owned(), "Ops".to_owned());
    assert_eq!(timelines, [named("s3-bucket-logging-enabled"), named("s3-bucket-versioning-enabled")]);
}

#[tokio::test]
async fn history_gives_packs_their_verdicts_and_rules_their_presence() {
    let db = crate::harness::database().await;
    let bucket = Bucket::new("history-packs");
    let pack = |day, rules| pack_item(ACCOUNT, "p", "Ops", day, 5, rules);
    let compliant = item(ACCOUNT, "a", 1, 5, &[("r", "COMPLIANT"), ("r", "NON_COMPLIANT")]);
    bucket.history_items(ACCOUNT, REGION, 1, &[compliant, pack(1, &[("r", "NON_COMPLIANT"), ("idle", "COMPLIANT")])]);
    bucket.history_items(
        ACCOUNT,
        REGION,
        3,
        &[item(ACCOUNT, "a", 3, 5, &[("r", "COMPLIANT")]), pack(3, &[("r", "COMPLIANT")])],
    );
    let ladder = collect(&db, &bucket).await.ladder;
    assert!(ladder.closes(), "{ladder:?}");
    assert_eq!((ladder.history_evaluations, ladder.history_in_store), (3, 2));
    assert_eq!((ladder.history_packs_read, ladder.history_packs_in_store), (2, 2));
    let verdicts: Vec<(Date, i32, i32)> = sqlx::query_as(
        "select first_day, non_compliant_rules, total_rules from conformance_pack_run order by first_day",
    )
    .fetch_all(&db)
    .await
    .unwrap();
    let verdicts: Vec<_> = verdicts.iter().map(|(day, bad, all)| (day.day(), *bad, *all)).collect();
    assert_eq!(verdicts, [(1, 1, 2), (3, 0, 1)]);
    let presence: Vec<(String, Date, bool)> = sqlx::query_as(
        "select name, first_day, end_day = 'infinity' from rule_presence join rule using (rule_id) order by name",
    )
    .fetch_all(&db)
    .await
    .unwrap();
    let presence: Vec<_> = presence.iter().map(|(rule, day, open)| (rule.as_str(), day.day(), *open)).collect();
    assert_eq!(presence, [("idle", 1, false), ("r", 1, true)]);
}

#[tokio::test]
async fn pack_items_of_snapshots_have_a_step_in_the_ladder() {
    let db = crate::harness::database().await;
    let bucket = Bucket::new("pack-ladder");
    let pack = |id, hour| pack_item(ACCOUNT, id, "Ops", 1, hour, &[("r", "COMPLIANT")]);
    let compliant = item(ACCOUNT, "a", 1, 5, &[("r", "COMPLIANT")]);
    bucket.snapshot_items(ACCOUNT, REGION, 1, 5, &[compliant, pack("p", 1), pack("p", 2), pack("q", 1)]);
    bucket.snapshot_items(ACCOUNT, REGION, 2, 5, &[pack("p", 1)]);
    let ladder = collect(&db, &bucket).await.ladder;
    assert!(ladder.closes(), "{ladder:?}");
    assert_eq!((ladder.packs_read, ladder.packs_stored, ladder.packs_in_store), (4, 2, 2));
    assert_eq!(ladder.packs_left_out.values().sum::<u64>(), 2);
}

#[tokio::test]
async fn since_is_known_where_a_late_day_splits_a_run() {
    let db = crate::harness::database().await;
    let bucket = Bucket::new("since");
    for day in [1, 3, 5] {
        bucket.snapshot(day, 5, &[("a", &[("r", "COMPLIANT")]), ("b", &[("r", "COMPLIANT")])]);
    }
    collect(&db, &bucket).await;
    bucket.snapshot(2, 6, &[("a", &[("r", "NON_COMPLIANT")])]);
    collect(&db, &bucket).await;
    let runs: Vec<(String, Date, Option<String>)> = sqlx::query_as(
        "select id, first_day, to_char(item_captured_at at time zone 'UTC', 'DD HH24:MI') from run
         join resource using (resource_id) order by id, first_day",
    )
    .fetch_all(&db)
    .await
    .unwrap();
    let runs: Vec<_> =
        runs.iter().map(|(id, day, at)| (id.as_str(), day.day(), at.as_deref().unwrap_or("none"))).collect();
    assert_eq!(
        runs,
        [("a", 1, "01 05:10"), ("a", 2, "02 06:10"), ("a", 3, "03 05:10"), ("b", 1, "01 05:10"), ("b", 3, "03 05:10")]
    );
}

#[tokio::test]
async fn since_is_known_where_an_inferred_day_that_began_a_run_is_taken_back() {
    let db = crate::harness::database().await;
    let bucket = Bucket::new("since-taken-back");
    bucket.history(3, &[("b", 0, Some(&[("r", "COMPLIANT")]))]);
    collect(&db, &bucket).await;
    bucket.snapshot(1, 3, &[("a", &[("r", "COMPLIANT")])]);
    bucket.snapshot(4, 3, &[("b", &[("r", "COMPLIANT")])]);
    collect(&db, &bucket).await;
    let since: Option<String> = sqlx::query_scalar(
        "select to_char(item_captured_at at time zone 'UTC', 'DD HH24:MI') from run join resource using (resource_id)
         where id = 'b'",
    )
    .fetch_one(&db)
    .await
    .unwrap();
    assert_eq!(since.as_deref(), Some("04 03:10"));
}

#[tokio::test]
async fn a_shorter_region_list_says_what_is_expected_no_more() {
    let db = crate::harness::database().await;
    let bucket = Bucket::new("regions");
    bucket.put("x/README.md", &gz(&serde_json::json!({})));
    let with = |regions: &[&str]| Options {
        regions: regions.iter().map(|region| (*region).to_owned()).collect(),
        ..options(&bucket.root)
    };
    let outcome = try_collect(&db, &with(&["eu-central-1", "eu-west-1", "us-east-1"])).await.unwrap();
    assert!(outcome.notes.is_empty());
    let outcome = try_collect(&db, &with(&["us-east-1"])).await.unwrap();
    let [note] = &outcome.notes[..] else { panic!("{:?}", outcome.notes) };
    assert!(note.starts_with("no longer expected from ") && note.ends_with("eu-central-1, eu-west-1"), "{note}");
    let outcome = try_collect(&db, &with(&["us-east-1"])).await.unwrap();
    assert!(outcome.notes.is_empty());
}

#[test]
fn a_region_that_is_none_is_refused() {
    let mut command = crate::harness::program(&["collect", "--from", "/", "--regions", "eu-central-1,Frankfurt"]);
    let output = command.output().unwrap();
    assert!(!output.status.success());
    assert!(crate::harness::said(&output).contains("is not the name of a Region"), "{}", crate::harness::said(&output));
}
