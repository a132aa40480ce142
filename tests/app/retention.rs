//! Removal by the retention setting: what goes and what stays, at the command line and as a job, cut off and finished.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use auditfolio::audit_log::ActorKind;
use auditfolio::jobs::{self, Progress};
use auditfolio::retention::{self, Asked, DECISIONS, Decision, Done, Duty, TABLES};
use auditfolio::{Duties, State};
use sqlx::{AssertSqlSafe, Executor as _, PgPool};
use time::Date;
use time::macros::{date, datetime};
use tokio_util::sync::CancellationToken;

use crate::harness::{address_of, database, program, said, scratch};
use crate::site::state_at;
use crate::world::{Said, World};

/// Removes what is before a day.
pub(crate) fn asked(organization: &str, first_day: Date) -> Asked {
    Asked {
        organization: organization.to_owned(),
        setting: "7y".to_owned(),
        first_day,
        by: "test".to_owned(),
        actor_kind: ActorKind::Operator,
        batch_rows: 3,
    }
}

pub(crate) async fn remove(db: &PgPool, organization: &str, first_day: Date) -> Option<Done> {
    retention::remove(db, &asked(organization, first_day), &Progress::default()).await.unwrap()
}

/// Six years ago: one account on three days, then on one of a later year. Of its two resources one is gone on the third day.
async fn old_world(db: &PgPool) -> World {
    let mut world = World::new(db, "Example").await;
    world.base = date!(2020 - 01 - 01);
    let collection_id = world.begin().await;
    let [stays, goes] = [0, 1].map(|at| (world.rules[0], world.places[0].resources[at]));
    let days = [(0, 1), (1, 2), (3, 1), (800, 2)].map(|(day, status)| {
        let gone = (day < 3).then_some((goes, 1));
        (world.day(day), Some([(stays, status)].into_iter().chain(gone).collect::<Said>()))
    });
    world.collect(collection_id, 0, BTreeMap::from(days)).await;
    world.finish(collection_id).await;
    world
}

async fn rows(db: &PgPool, table: &str) -> i64 {
    sqlx::query_scalar(AssertSqlSafe(format!("select count(*) from \"{table}\""))).fetch_one(db).await.unwrap()
}

async fn acts(db: &PgPool) -> Vec<(String, String, serde_json::Value)> {
    sqlx::query_as("select act, actor_kind, detail from audit_log where act like '%removal' order by audit_log_id")
        .fetch_all(db)
        .await
        .unwrap()
}

#[actix_web::test]
async fn every_table_has_a_decision_and_those_to_be_removed_are() {
    let db = database().await;
    let tables: BTreeSet<String> = sqlx::query_scalar(
        "select relname::text from pg_class
         where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace and relname <> '_sqlx_migrations'",
    )
    .fetch_all(&db)
    .await
    .unwrap()
    .into_iter()
    .collect();
    let decided: BTreeSet<String> = DECISIONS.iter().map(|(table, _)| (*table).to_owned()).collect();
    assert_eq!(decided, tables, "a new table needs a line in retention::DECISIONS");
    assert_eq!(decided.len(), DECISIONS.len(), "each once");
    let removed = DECISIONS.iter().filter(|(_, decision)| matches!(decision, Decision::Removed(_)));
    let removed: BTreeSet<&str> = removed.map(|(table, _)| *table).collect();
    assert_eq!(removed, TABLES.into_iter().collect(), "what is decided is what is done");
}

#[actix_web::test]
async fn the_record_of_removals_is_never_altered() {
    let db = database().await;
    old_world(&db).await;
    remove(&db, "Example", date!(2021 - 01 - 01)).await.unwrap();
    for statement in [
        "update retention set first_day = '2020-01-01'",
        "update retention set removed = '{}'",
        "update retention set finished_at = null",
        "delete from retention",
        "truncate retention",
    ] {
        let refused = db.execute(statement).await.unwrap_err();
        assert!(refused.to_string().contains("is refused"), "{statement}: {refused}");
    }
}

#[actix_web::test]
async fn the_floor_is_raised_first_never_falls_and_is_logged() {
    let db = database().await;
    let world = old_world(&db).await;
    let done = remove(&db, "Example", date!(2021 - 01 - 01)).await.unwrap();
    // The last known day before the floor stands for the days until the next one.
    assert_eq!(rows(&db, "delivery").await, 2);
    assert_eq!(rows(&db, "run").await, 2, "the failure of two days is gone: what followed covers kept days");
    assert_eq!(done.removed["delivery"], 2);
    assert_eq!(done.removed["run"], 3);
    assert_eq!(done.removed["resource"], 1, "the resource of which nothing is left");
    let floor = retention::floor(&db, world.organization_id).await.unwrap().unwrap();
    assert_eq!((floor.first_day, floor.setting.as_str()), (date!(2021 - 01 - 01), "7y"));
    let logged = acts(&db).await;
    let act = |at: usize| (logged[at].0.as_str(), logged[at].1.as_str());
    assert_eq!((act(0), act(1)), (("begin removal", "operator"), ("finish removal", "operator")));
    assert_eq!(logged[0].2["first_day"], "2021-01-01");
    assert_eq!(logged[0].2["first_day_before"], serde_json::Value::Null);
    assert_eq!(logged[1].2["removed"]["run"], 3);

    assert_eq!(remove(&db, "Example", date!(2021 - 01 - 01)).await, None, "nothing is left to remove");
    assert_eq!(remove(&db, "Example", date!(2020 - 01 - 01)).await, None, "a longer span brings nothing back");
    assert_eq!(remove(&db, "Example", date!(2021 - 06 - 01)).await, None, "nor is a floor raised over nothing");
    let later = remove(&db, "Example", date!(2023 - 01 - 01)).await.unwrap();
    assert_eq!(later.removed["delivery"], 1);
    let removals = retention::removals(&db, world.organization_id, 9).await.unwrap();
    let floors: Vec<_> = removals.iter().map(|one| (one.first_day, one.first_day_before)).collect();
    assert_eq!(floors, [(date!(2023 - 01 - 01), Some(date!(2021 - 01 - 01))), (date!(2021 - 01 - 01), None)]);
    assert!(removals.iter().all(|one| one.finished_at.is_some() && one.rows() > 0));
    assert_eq!(retention::count(&db, "Example", date!(2020 - 01 - 01)).await.unwrap().1.len(), 0);
    assert_eq!(acts(&db).await.len(), 4);
}

#[actix_web::test]
async fn another_organisation_keeps_what_it_has() {
    let db = database().await;
    old_world(&db).await;
    let mut other = World::new(&db, "Other").await;
    other.base = date!(2020 - 01 - 01);
    let collection_id = other.begin().await;
    let key = (other.rules[0], other.places[0].resources[0]);
    other.collect(collection_id, 0, BTreeMap::from([(other.day(0), Some(Said::from([(key, 1)])))])).await;
    other.finish(collection_id).await;
    remove(&db, "Example", date!(2021 - 01 - 01)).await.unwrap();
    assert_eq!(remove(&db, "Nobody", date!(2021 - 01 - 01)).await, None);
    let days: i64 = sqlx::query_scalar("select count(*) from delivery where place_id = $1")
        .bind(other.places[0].id)
        .fetch_one(&db)
        .await
        .unwrap();
    assert_eq!(days, 1);
    assert_eq!(retention::floor(&db, other.organization_id).await.unwrap(), None);
}

#[actix_web::test]
async fn a_failure_that_a_redeployed_pack_took_over_stays_as_old_as_it_is() {
    let db = database().await;
    let mut world = World::new(&db, "Example").await;
    let (old, new, resource) = (world.rules[0], world.rules[2], world.places[0].resources[0]);
    sqlx::query("update rule set timeline_id = (select timeline_id from rule where rule_id = $1) where rule_id = $2")
        .bind(old)
        .bind(new)
        .execute(&db)
        .await
        .unwrap();
    let collection_id = world.begin().await;
    let said = [(0, old, 1), (1, old, 2), (3, new, 2), (5, new, 2)];
    let days = said.map(|(day, rule, status)| (world.day(day), Some(Said::from([((rule, resource), status)]))));
    world.collect(collection_id, 0, BTreeMap::from(days)).await;
    world.finish(collection_id).await;
    remove(&db, "Example", world.date(5)).await.unwrap();
    let runs: Vec<(i32, Date)> =
        sqlx::query_as("select rule_id, first_day from run order by first_day").fetch_all(&db).await.unwrap();
    assert_eq!(runs, [(old, world.date(1)), (new, world.date(3))], "what was good before is gone");
    let known_at = auditfolio::compliance::evidence::KnownAt(collection_id);
    let lines = crate::evidence_laws::read_period(&world, world.day(5), world.day(5), known_at).await;
    let deviation = lines[0].2[0];
    assert_eq!((deviation.first_day_bad, deviation.last_day_known_good), (world.date(1), None));
    assert!(deviation.before_removed);
}

#[actix_web::test]
async fn a_removal_that_is_cut_off_anywhere_is_finished_by_the_next() {
    for at in 1..40 {
        let db = database().await;
        let world = old_world(&db).await;
        db.execute(
            "create sequence deleted; create table cut (at bigint);
             create function cut() returns trigger language plpgsql as $$
             begin
                 if nextval('deleted') = (select at from cut) then raise exception 'cut'; end if;
                 return null;
             end $$;
             do $$ declare name text; begin
                 foreach name in array array['run', 'rollup', 'rule_presence', 'delivery', 'resource', 'day_total'] loop
                     execute format('create trigger cut after delete on %I for each row execute function cut()', name);
                 end loop;
             end $$",
        )
        .await
        .unwrap();
        let batch = Asked { batch_rows: 1, ..asked("Example", date!(2021 - 01 - 01)) };
        sqlx::query("insert into cut values ($1)").bind(at).execute(&db).await.unwrap();
        let cut = retention::remove(&db, &batch, &Progress::default()).await;
        let floor = retention::floor(&db, world.organization_id).await.unwrap().unwrap();
        assert_eq!(floor.first_day, date!(2021 - 01 - 01), "the floor comes first");
        db.execute("delete from cut").await.unwrap();
        let known_at = auditfolio::compliance::evidence::KnownAt(1);
        let (rows_kept, _) = crate::evidence_laws::read_day(&world, world.day(800), known_at).await;
        assert_eq!(rows_kept.len(), 1, "a kept day reads while a removal is under way, cut {at}");
        if cut.is_ok() {
            assert!(at > 8, "{at}: the cuts came to the end");
            return;
        }
        let unfinished = retention::removals(&db, world.organization_id, 9).await.unwrap();
        assert_eq!(unfinished[0].finished_at, None);
        let done = retention::remove(&db, &batch, &Progress::default()).await.unwrap().unwrap();
        assert_eq!(done.retention_id, unfinished[0].retention_id, "the same removal goes on");
        // What was cut off is looked at as a whole: resources of which there never was anything go, too.
        assert_eq!((done.removed["delivery"], done.removed["run"]), (2, 3), "cut {at}");
        assert!(done.removed["resource"] >= 1, "cut {at}");
        assert_eq!((rows(&db, "delivery").await, rows(&db, "run").await), (2, 2), "cut {at}");
    }
    panic!("no removal came to its end");
}

#[actix_web::test]
async fn who_asks_for_the_end_of_a_removal_gets_it_between_two_batches() {
    let db = database().await;
    old_world(&db).await;
    let progress = Progress::default();
    progress.cancelled().cancel();
    let cancelled = retention::remove(&db, &asked("Example", date!(2021 - 01 - 01)), &progress).await.unwrap_err();
    assert_eq!(cancelled.to_string(), "cancelled");
    assert!(remove(&db, "Example", date!(2021 - 01 - 01)).await.is_some());
}

/// A program that keeps evidence for two years, two years after the evidence.
fn keeping(db: &PgPool) -> State {
    let duty = Duty::of("2y".parse().unwrap(), "Example");
    let duties = Duties { retention: duty, ..Duties::default() };
    State { duties: Arc::new(duties), ..state_at(db, datetime!(2023-01-01 00:10 UTC)) }
}

#[actix_web::test]
async fn a_removal_is_a_job_once_a_day_where_anything_is_too_old() {
    let db = database().await;
    let state = keeping(&db);
    let duty = state.duties.retention.clone().unwrap();
    assert!(!retention::look(&state, &duty).await.unwrap(), "there is no organisation yet");
    let world = old_world(&db).await;
    let looks = futures_util::future::join_all((0..4).map(|_| retention::look(&state, &duty))).await;
    assert_eq!(looks.into_iter().filter(|enqueued| *enqueued.as_ref().unwrap()).count(), 1, "once, whoever looks");

    let stop = CancellationToken::new();
    let worker = tokio::spawn(jobs::work(state.clone(), stop.clone()));
    let done = loop {
        let standing = jobs::find(&db, 1).await.unwrap().unwrap();
        if standing.state != "queued" && standing.state != "running" {
            break standing;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    };
    stop.cancel();
    worker.await.unwrap();
    assert_eq!(
        (done.state.as_str(), done.kind.as_str(), done.result.as_deref()),
        ("done", "retain", Some("1")),
        "{done:?}"
    );
    let removal = retention::removals(&db, world.organization_id, 9).await.unwrap().remove(0);
    assert_eq!(
        (removal.first_day, removal.setting.as_str(), removal.started_by.as_str()),
        (date!(2021 - 01 - 01), "2y", "retention")
    );
    let kinds: Vec<(String, String)> = acts(&db).await.into_iter().map(|(act, kind, _)| (act, kind)).collect();
    let by_system = |act: &str| (act.to_owned(), "system".to_owned());
    assert_eq!(kinds, [by_system("schedule removal"), by_system("begin removal"), by_system("finish removal")]);

    // The database's clock says that it was today; the program's, that days have passed.
    assert!(!retention::look(&state, &duty).await.unwrap(), "not again today");
    db.execute("update job set created_at = '2022-12-31'").await.unwrap();
    assert!(!retention::look(&state, &duty).await.unwrap(), "nothing is too old");
}

#[actix_web::test]
async fn the_command_says_first_and_removes_when_it_is_told_to() {
    let db = database().await;
    old_world(&db).await;
    let address = address_of(&db);
    let retain = |arguments: &[&str]| {
        let all = [&["retain", "--database-url", &address, "--organization", "Example"], arguments].concat();
        let output = program(&all).env_remove("AUDITFOLIO_RETAIN").output().unwrap();
        (output.status.code(), said(&output))
    };
    let (code, text) = retain(&[]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("the retention setting is never"), "{text}");
    for wrong in ["89d", "0y", "soon"] {
        let (code, text) = retain(&["--retain", wrong]);
        assert_eq!(code, Some(1), "{wrong}: {text}");
        assert!(text.contains("--retain"), "{wrong}: {text}");
    }
    let (code, dry) = retain(&["--retain", "90d"]);
    assert_eq!(code, Some(0), "{dry}");
    assert!(dry.contains("give --apply") && dry.contains("\n  delivery 3\n") && dry.contains("\n  run 4\n"), "{dry}");
    assert_eq!(rows(&db, "delivery").await, 4, "a dry run removes nothing");
    let (code, text) = retain(&["--retain", "90d", "--apply"]);
    assert_eq!(code, Some(0), "{text}");
    let counted =
        |text: &str| text.lines().filter(|line| line.starts_with("  ")).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(counted(&text), counted(&dry), "what was said is what is done");
    let (code, text) = retain(&["--retain", "90d", "--apply"]);
    assert_eq!((code, text.as_str()), (Some(0), "Nothing is older than 90d: nothing was removed.\n"));

    let folder = scratch("retain");
    let pdf = folder.join("pack.pdf").display().to_string();
    for arguments in [
        &["export", "--as-of", "2020-01-01"][..],
        &["export", "--from", "2020-01-01", "--until", "2022-03-11"],
        &["pack", "--title", "T", "--as-of", "2020-01-01", "--out", &pdf],
        &["pack", "--title", "T", "--from", "2020-01-01", "--as-of", "2022-03-11", "--out", &pdf],
    ] {
        let all = [arguments, &["--database-url", &address, "--organization", "Example"]].concat();
        let output = program(&all).output().unwrap();
        let text = said(&output);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {text}");
        assert!(text.contains("Evidence before") && text.contains("by the retention setting (90d)"), "{text}");
        assert!(text.contains("The first day kept is"), "{text}");
    }
}
