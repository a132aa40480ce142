//! Files and Athena give the same rows over the same corpus: organisations at random, with gaps, silent places, late days
//! and bad files.

use std::collections::BTreeSet;
use std::path::Path;

use auditfolio::collection::{self, Options, Progress};
use auditfolio::sample::{self, generate};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use serde_json::Value;
use sqlx::{AssertSqlSafe, PgPool};
use time::macros::date;

use crate::athena::{athena, by_athena, collected};
use crate::aws::code;
use crate::bucket::{REGION, options};
use crate::collection_laws::runner;
use crate::harness::{database, said};
use crate::s3::{OTHER, two_accounts};

/// Everything that the two engines must agree on, by names.
pub(crate) const AGREED: [(&str, &str); 10] = [
    (
        "runs",
        "select account_id, region, u.name, t.name, r.id, first_day, end_day, s.name, item_captured_at
         from run join place using (place_id) join rule u using (rule_id) join resource r using (resource_id)
         join resource_type t using (resource_type_id) join status s using (status_id)",
    ),
    (
        "rule presence",
        "select account_id, region, name, first_day, end_day from rule_presence join place using (place_id)
         join rule using (rule_id)",
    ),
    (
        "packs",
        "select account_id, region, p.id, p.name, first_day, end_day, s.name, compliant_rules, non_compliant_rules,
                total_rules
         from conformance_pack p join place using (place_id) left join conformance_pack_run using (conformance_pack_id)
         left join status s using (status_id)",
    ),
    (
        "roll-up",
        "select account_id, region, u.name, t.name, first_day, end_day, complying, not_complying, insufficient_data,
                not_applicable, unrecognised
         from rollup join place using (place_id) join rule u using (rule_id) join resource_type t using (resource_type_id)",
    ),
    (
        "deliveries",
        "select account_id, region, d.day, d.state, d.snapshot_at, o.key, d.items, d.compliance_items, d.complying,
                d.not_complying, d.insufficient_data, d.not_applicable, d.unrecognised, d.rows_added, d.rows_removed,
                d.since_collection, d.until_collection
         from delivery d join place using (place_id) left join object o using (object_id)",
    ),
    (
        "attributes",
        "select account_id, region, name, arn, config_rule_id, first_day from rule_attribute join place using (place_id)
         join rule using (rule_id)",
    ),
    (
        "objects",
        "select key, kind, snapshot_id, items, compliance_items, o.evaluations, x.outcome, x.left_out, x.evaluations,
                x.collection_id
         from object o join object_outcome x using (object_id)",
    ),
    (
        "restatements",
        "select collection_id, account_id, region, day, u.name, r.id, o.name, n.name, old_item_captured_at,
                new_item_captured_at
         from restatement join place using (place_id) join rule u using (rule_id) join resource r using (resource_id)
         left join status o on o.status_id = old_status_id left join status n on n.status_id = new_status_id",
    ),
    (
        "presence restated",
        "select collection_id, account_id, region, day, name, was_present
         from rule_presence_restatement join place using (place_id) join rule using (rule_id)",
    ),
    (
        "rules and resources",
        "select 'rule', u.name, t.pack, '' from rule u join timeline t using (timeline_id)
         union all select account_id, region, t.name, r.id from resource r join place using (place_id)
         join resource_type t using (resource_type_id)",
    ),
];

/// Those of them that say which collection.
pub(crate) const BY_COLLECTION: [&str; 4] = ["deliveries", "objects", "restatements", "presence restated"];

pub(crate) async fn rows(db: &PgPool, query: &str) -> BTreeSet<String> {
    let text = format!("select q::text from ({query}) q");
    sqlx::query_scalar(AssertSqlSafe(text)).fetch_all(db).await.unwrap().into_iter().collect()
}

async fn assert_same(one: &PgPool, other: &PgPool) {
    let mut differences = Vec::new();
    for (name, query) in AGREED {
        let (left, right) = (rows(one, query).await, rows(other, query).await);
        let more: Vec<_> = left.difference(&right).take(5).collect();
        let less: Vec<_> = right.difference(&left).take(5).collect();
        if !more.is_empty() || !less.is_empty() {
            differences.push(format!("{name}: only by files {more:#?}, only by Athena {less:#?}"));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    let runs = rows(one, AGREED[0].1).await;
    assert!(!runs.is_empty(), "nothing was compared");
}

fn moved(from: &Path, to: &Path) {
    std::fs::create_dir_all(to.parent().unwrap()).unwrap();
    std::fs::rename(from, to).unwrap();
}

/// A random organisation of any small size in which something goes wrong: with fewer days all would go well.
fn organization() -> impl Strategy<Value = sample::Options> {
    let size = (4..=7_u32, 1..=2_usize, 10..=12_u32);
    (size, 2..=4_u32, 2..=14_u32, any::<u32>()).prop_map(|((accounts, regions, days), resources, rules, seed)| {
        let mut made = sample::Options::new("");
        made.accounts = accounts;
        made.regions = sample::Regions::first(regions);
        made.days = days;
        made.resources = resources;
        made.rules = rules;
        made.seed = u64::from(seed);
        made.until = Some(date!(2026 - 11 - 21));
        made
    })
}

/// What organisations had, and how it was collected.
#[derive(Debug, Default, sqlx::FromRow)]
struct Had {
    /// Days without evidence between two with.
    gaps: i64,
    /// Places that say nothing any more on the last day.
    silent: i64,
    unreadable: i64,
    /// Days that a later collection brought.
    late: i64,
    /// Queries that told all their objects from those of the days before, and that found changes.
    differences: i64,
    /// Snapshots that Athena told of, and of those the ones that were read by us all the same.
    by_athena: i64,
    hashed: i64,
    by_us: Vec<String>,
}

impl Had {
    async fn of(db: &PgPool) -> Self {
        sqlx::query_as(
            "with known as (
                 select place_id, min(day) as first, max(day) as last, count(*) as days
                 from delivery where known and until_collection is null group by place_id
             ), read as (
                 select o.sha256, w.outcome, w.reason, w.athena_query_id
                 from object o join object_outcome w using (object_id) where o.kind = 'snapshot'
             )
             select (select coalesce(sum(last - first + 1 - days), 0)::bigint from known) as gaps,
                 (select count(*) from known where last < (select max(last) from known)) as silent,
                 (select count(*) from read where outcome = 'unreadable') as unreadable,
                 (select count(*)
                  from delivery d join collection first on first.collection_id = 1 and d.day <= first.last_day
                  left join delivery before on before.place_id = d.place_id and before.day = d.day
                      and before.until_collection = d.since_collection
                  where d.since_collection > 1 and d.known and before.known is not true) as late,
                 (select count(*) from athena_query where read_at is not null and objects = 2 * cardinality(marks)
                  and result_rows > objects) as differences,
                 count(*) filter (where athena_query_id is not null) as by_athena,
                 count(*) filter (where athena_query_id is not null and sha256 is not null) as hashed,
                 coalesce(array_agg(reason) filter (where athena_query_id is null), '{}') as by_us
             from read where outcome = 'collected'",
        )
        .fetch_one(db)
        .await
        .unwrap()
    }

    fn add(&mut self, other: Self) {
        self.gaps += other.gaps;
        self.silent += other.silent;
        self.unreadable += other.unreadable;
        self.late += other.late;
        self.differences += other.differences;
        self.by_athena += other.by_athena;
        self.hashed += other.hashed;
        self.by_us.extend(other.by_us);
    }
}

/// An organisation, collected by both engines: first all but what came late, then the rest.
async fn both_engines(mut made: sample::Options) -> Had {
    made.out = crate::harness::scratch(&format!("athena-seed-{}", made.seed)).join("bucket");
    let summary = generate(&made, |_| {}).unwrap();
    let expected = sample::Expected::read(&made.out).unwrap();
    let late = made.out.parent().unwrap().join("late");
    for (at, object) in expected.late_objects.iter().enumerate() {
        moved(&made.out.join(&object.object), &late.join(at.to_string()));
    }

    let (aws, files, db) = (athena(""), database().await, database().await);
    let by_files =
        Options { accounts: summary.account_lists.clone(), regions: summary.regions.clone(), ..options(&made.out) };
    let regions = summary.regions.join(",");
    let mut arguments: Vec<&str> =
        summary.account_lists.iter().flat_map(|it| ["--accounts", it.to_str().unwrap()]).collect();
    arguments.extend(["--regions", &regions, "--athena-batch", "4"]);
    for round in 0..2 {
        collection::run(&files, &by_files, &Progress::silent()).await.unwrap();
        aws.load(&made.out);
        let output = by_athena(&aws, &db, &arguments).output().unwrap();
        assert_ne!(code(&output), 1, "{made:?}: {}", said(&output));
        assert_same(&files, &db).await;
        for (at, object) in expected.late_objects.iter().enumerate().filter(|_| round == 0) {
            moved(&late.join(at.to_string()), &made.out.join(&object.object));
        }
    }
    assert_eq!(aws.violations(), Vec::<Value>::new());
    Had::of(&db).await
}

/// `AUDITFOLIO_TEST_CASES` and `AUDITFOLIO_TEST_SEED` take more and other organisations than those of every run.
#[tokio::test]
#[ignore = "needs Python's moto and duckdb; tests/run runs it"]
async fn both_engines_give_the_same_rows_of_random_organisations() {
    let mut runner = runner(3);
    let (cases, organization) = (runner.config().cases, organization());
    let mut had = Had::default();
    for case in 1..=cases {
        let made = organization.new_tree(&mut runner).unwrap().current();
        println!("organisation {case} of {cases}: {made:?}");
        let of_one = both_engines(made).await;
        println!("it had {of_one:?}");
        had.add(of_one);
    }
    assert!(had.by_athena > 0 && had.hashed == 0, "what Athena told of is not read by us: {had:?}");
    assert!(had.by_us.len() * 10 <= usize::try_from(had.by_athena).unwrap(), "few are left to us: {had:?}");
    if cases >= 3 {
        let found = [had.gaps, had.silent, had.unreadable, had.late, had.differences];
        assert!(
            found.iter().all(|number| *number > 0),
            "gaps, silent places, bad files, late days, differences: {had:?}"
        );
    }
}

#[tokio::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn after_a_removal_days_are_told_from_kept_ones_alone() {
    let (aws, files, db) = (athena(""), database().await, database().await);
    let bucket = two_accounts("athena-kept");
    aws.load(&bucket.root);
    collected(&aws, &db, &[]);
    collection::run(&files, &options(&bucket.root), &Progress::silent()).await.unwrap();
    for db in [&db, &files] {
        crate::retention::remove(db, "Example", date!(2026 - 11 - 10)).await.unwrap();
    }
    // A later snapshot of the first day kept, one of before it, and one of the day after.
    bucket.snapshot_of(OTHER, REGION, 8, 9, &[("a", &[("r", "COMPLIANT")])]);
    bucket.snapshot_of(OTHER, REGION, 10, 9, &[("a", &[("r", "COMPLIANT")]), ("b", &[("s", "COMPLIANT")])]);
    bucket.snapshot_of(OTHER, REGION, 11, 5, &[("a", &[("r", "COMPLIANT")]), ("c", &[("s", "NON_COMPLIANT")])]);
    aws.load(&bucket.root);
    let output = collected(&aws, &db, &["--since", "2026-11-01"]);
    assert!(said(&output).contains("days before 2026-11-10"), "{}", said(&output));
    collection::run(&files, &options(&bucket.root), &Progress::silent()).await.unwrap();
    assert_same(&files, &db).await;
    let marks: Vec<String> = sqlx::query_scalar("select unnest(marks) from athena_query where collection_id = 2")
        .fetch_all(&db)
        .await
        .unwrap();
    assert!(!marks.is_empty() && marks.iter().all(|mark| !mark.contains("/2026/11/9/")), "{marks:?}");
    assert_eq!(aws.violations(), Vec::<Value>::new());
}
