//! `auditfolio collect` as a program: killed half-way, and its memory.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use auditfolio::sample::{Options, Regions, Summary, generate};
use sqlx::{Executor as _, PgPool};
use time::macros::date;

use crate::harness::{address_of, program, said, scratch};
use crate::output::LONGEST;

fn sample(name: &str, options: impl FnOnce(&mut Options)) -> (Options, Summary) {
    let mut made = Options::new(scratch(name).join("bucket"));
    made.until = Some(date!(2026 - 11 - 21));
    options(&mut made);
    let summary = generate(&made, |_| {}).unwrap();
    (made, summary)
}

fn collect(db: &PgPool, from: &Path, summary: &Summary) -> Command {
    let mut command = program(&["collect", "--from", from.to_str().unwrap()]);
    command.env("DATABASE_URL", address_of(db)).stdout(Stdio::piped()).stderr(Stdio::piped());
    for list in &summary.account_lists {
        command.arg("--accounts").arg(list);
    }
    command.args(["--regions", &summary.regions.join(",")]);
    command
}

/// Everything that the store says, without what tells one collection from another.
async fn content(db: &PgPool) -> Vec<String> {
    let mut lines = Vec::new();
    for statement in [
        "select (account_id, region, d.day, state, key, snapshot_at, d.items, d.compliance_items, complying, not_complying,
                 insufficient_data, not_applicable, unrecognised)::text
         from delivery d join place using (place_id) left join object o using (object_id)
         where until_collection is null order by account_id, region, d.day",
        "select (account_id, region, rule.name, t.name, s.id, r.first_day, r.end_day, status.name, item_captured_at)::text
         from run r join place using (place_id) join rule using (rule_id) join resource s using (resource_id)
         join resource_type t using (resource_type_id) join status using (status_id)
         order by account_id, region, rule.name, t.name, s.id, r.first_day",
        "select (account_id, region, rule.name, r.first_day, r.end_day)::text
         from rule_presence r join place using (place_id) join rule using (rule_id)
         order by account_id, region, rule.name, r.first_day",
        "select (account_id, region, rule.name, t.name, r.first_day, r.end_day, complying, not_complying,
                 insufficient_data, not_applicable, unrecognised)::text
         from rollup r join place using (place_id) join rule using (rule_id) join resource_type t using (resource_type_id)
         order by account_id, region, rule.name, t.name, r.first_day",
        "select (account_id, region, p.id, p.name, r.first_day, r.end_day, status_id, compliant_rules,
                 non_compliant_rules, total_rules)::text
         from conformance_pack_run r join conformance_pack p using (conformance_pack_id) join place using (place_id)
         order by account_id, region, p.id, r.first_day",
        "select (rule.name, t.core_name, t.origin, t.pack)::text from rule join timeline t using (timeline_id)
         order by rule.name",
        "select (account_id, region, rule.name, arn, config_rule_id, first_day)::text
         from rule_attribute join place using (place_id) join rule using (rule_id)
         order by account_id, region, rule.name, arn, config_rule_id",
        "select (o.key, x.outcome, x.reason, x.evaluations, x.left_out, o.sha256, o.items)::text
         from object o cross join lateral (select * from object_outcome x where x.object_id = o.object_id
                                           order by collection_id desc limit 1) x order by o.key",
        "select (account_id, region, first_day, end_day)::text from expected_place join place using (place_id)
         where until_collection is null order by account_id, region, first_day",
        "select (t.*)::text from day_total t order by day",
    ] {
        let rows: Vec<String> = sqlx::query_scalar(statement).fetch_all(db).await.unwrap();
        assert!(!rows.is_empty(), "{statement}");
        lines.extend(rows);
    }
    lines
}

#[tokio::test]
async fn a_collection_killed_half_way_is_finished_by_the_next_as_if_nothing_had_been() {
    let (made, summary) = sample("killed", |options| (options.accounts, options.days, options.resources) = (10, 12, 5));
    let undisturbed = crate::harness::database().await;
    let output = collect(&undisturbed, &made.out, &summary).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "the sample holds what cannot be read: {}", said(&output));

    let db = crate::harness::database().await;
    // The store holds back the second half of the account-Regions until the program is gone.
    let hold = "create function hold() returns trigger language plpgsql as $$ begin
                    if (select count(distinct place_id) from delivery) >= 10 then
                        perform pg_advisory_xact_lock_shared(7078);
                    end if;
                    return null;
                end $$;
                create trigger hold after insert on object for each statement execute function hold()";
    db.execute(hold).await.unwrap();
    let mut holder = db.acquire().await.unwrap();
    holder.execute("select pg_advisory_lock(7078)").await.unwrap();
    let mut child = collect(&db, &made.out, &summary).spawn().unwrap();
    let waiting = "select exists (select from pg_locks where locktype = 'advisory' and objid = 7078 and not granted
                   and database = (select oid from pg_database where datname = current_database()))";
    let begun = Instant::now();
    while !sqlx::query_scalar::<_, bool>(waiting).fetch_one(&mut *holder).await.unwrap() {
        assert!(child.try_wait().unwrap().is_none(), "the collection ended before it was half-way");
        assert!(begun.elapsed() < LONGEST, "the collection does not come half-way");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    child.kill().unwrap();
    child.wait().unwrap();
    holder.execute("select pg_advisory_unlock_all()").await.unwrap();
    drop(holder);
    db.execute("drop trigger hold on object").await.unwrap();

    let places: i64 = sqlx::query_scalar("select count(distinct place_id) from delivery").fetch_one(&db).await.unwrap();
    assert!((10..30).contains(&places), "{places} account-Regions of 30 were committed");
    let output = collect(&db, &made.out, &summary).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    let ended: Vec<String> =
        sqlx::query_scalar("select state from collection order by collection_id").fetch_all(&db).await.unwrap();
    assert_eq!(ended, ["interrupted", "finished"]);
    let (one, other) = (content(&undisturbed).await, content(&db).await);
    for (one, other) in one.iter().zip(&other) {
        assert_eq!(one, other);
    }
    assert_eq!(one.len(), other.len());
}

/// The most memory that a program had, in MB, until it ends.
#[cfg(target_os = "linux")]
fn peak(child: &mut std::process::Child) -> u64 {
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    let begun = Instant::now();
    while child.try_wait().unwrap().is_none() {
        assert!(begun.elapsed() < 4 * LONGEST, "the program does not end");
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let number = line.and_then(|line| line.trim().strip_suffix(" kB"));
        peak = peak.max(number.map_or(0, |number| number.parse::<u64>().unwrap()));
        std::thread::sleep(Duration::from_millis(5));
    }
    peak / 1000
}

#[cfg(target_os = "linux")]
#[tokio::test]
#[ignore = "reads 300 MB of JSON with an unoptimised program; tests/run includes it"]
async fn one_huge_snapshot_takes_no_more_than_250_mb() {
    let (made, summary) = sample("huge-memory", |options| {
        (options.accounts, options.days, options.resources) = (2, 3, 30);
        options.regions = Regions::first(1);
        options.huge = true;
    });
    let db = crate::harness::database().await;
    let mut child = collect(&db, &made.out, &summary).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let peak = peak(&mut child);
    assert!(child.wait().unwrap().code().is_some_and(|code| code == 0 || code == 2));
    let largest: i64 = sqlx::query_scalar("select max(unpacked_bytes) from object").fetch_one(&db).await.unwrap();
    assert!(largest >= 300_000_000, "the huge snapshot was read: {largest}");
    assert!((10..250).contains(&peak), "{peak} MB");
}
