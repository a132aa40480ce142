//! The audit log's chain: no entry without a link, no gap, nobody waits for a transaction; and what is done to it is found.

use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use auditfolio::audit_log::chain::Checkpoint;
use auditfolio::audit_log::check::{Checked, Fault};
use auditfolio::audit_log::command::verify;
use auditfolio::audit_log::{self, Entry};
use auditfolio::jobs::Progress;
use auditfolio::packs::db::Part;
use auditfolio::packs::{Request, build, db as packs};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgPool};

use crate::harness::{address_of, database, program, said, scratch};
use crate::packs::{downloaded, have, request, state, store, tool};

/// Line breaks, another direction of writing, markup, quotes and length, as a name from outside may have them.
pub(crate) const HOSTILE: &str = "a\r\nb\u{2028}\u{202e}<b>\"\\\u{1}\u{7f},'=1+1 äöü \u{1f600}";

async fn write(db: &PgPool, entry: &Entry) {
    audit_log::record_alone(db, entry).await.unwrap();
}

fn entry(number: usize) -> Entry {
    Entry::by_demo("demo auditor", "download pack", format!("pack {number}"))
        .detail(json!({ "file": number, "b": [1.5, null] }))
}

/// A log of so many entries.
async fn log_of(entries: usize) -> PgPool {
    let db = database().await;
    for number in 1..=entries {
        write(&db, &entry(number)).await;
    }
    db
}

async fn checked(db: &PgPool, checkpoints: &[(&str, &Checkpoint)]) -> Checked {
    let named = checkpoints.iter().map(|(name, checkpoint)| ((*name).to_owned(), (*checkpoint).clone())).collect();
    verify(db, named).await.unwrap()
}

async fn newest(db: &PgPool) -> Checkpoint {
    audit_log::checkpoint(db, time::OffsetDateTime::now_utc() + time::Duration::days(1)).await.unwrap()
}

async fn positions(db: &PgPool) -> Vec<(i64, i64, String)> {
    sqlx::query_as(
        "select link_position, audit_log_id, object from audit_chain join audit_log using (audit_log_id) order by 1",
    )
    .fetch_all(db)
    .await
    .unwrap()
}

/// Does something to the log as the database's superuser can.
pub(crate) async fn tamper(db: &PgPool, statements: &str) {
    let statements = format!(
        "alter table audit_log disable trigger user; alter table audit_chain disable trigger user; {statements};
         alter table audit_log enable trigger user; alter table audit_chain enable trigger user"
    );
    db.execute(AssertSqlSafe(statements)).await.unwrap();
}

async fn faults_after(statements: &str) -> Vec<Fault> {
    let db = log_of(6).await;
    tamper(&db, statements).await;
    checked(&db, &[]).await.faults
}

fn run(db: &PgPool, arguments: &[&str]) -> Output {
    let mut command = program(arguments);
    command.args(["--database-url", &address_of(db)]);
    command.output().unwrap()
}

#[actix_web::test]
async fn many_writers_at_once_leave_no_gap_and_wait_for_no_transaction() {
    let db = database().await;
    // Both have written their entries before anybody else, and end after all others have.
    let mut late = db.begin().await.unwrap();
    audit_log::record(&mut late, &Entry::by_operator("collect", "late")).await.unwrap();
    let mut given_up = db.begin().await.unwrap();
    audit_log::record(&mut given_up, &Entry::by_operator("collect", "given up")).await.unwrap();

    let writers = (0..6).map(|writer| {
        let db = db.clone();
        tokio::spawn(async move {
            for turn in 0..25 {
                let mut tx = db.begin().await.unwrap();
                for part in 0..=turn % 3 {
                    let object = format!("{writer} {}", turn * 10 + part);
                    audit_log::record(&mut tx, &Entry::by_operator("collect", object)).await.unwrap();
                }
                if turn % 4 == 1 {
                    let mut part = tx.begin().await.unwrap();
                    audit_log::record(&mut part, &Entry::by_operator("collect", "undone")).await.unwrap();
                    part.rollback().await.unwrap();
                }
                if turn % 5 == 2 { tx.rollback().await.unwrap() } else { tx.commit().await.unwrap() }
            }
        })
    });
    let all = futures_util::future::join_all(writers);
    for writer in tokio::time::timeout(Duration::from_mins(1), all).await.expect("a writer waits for a transaction") {
        writer.unwrap();
    }
    given_up.rollback().await.unwrap();
    late.commit().await.unwrap();

    let links = positions(&db).await;
    let expected: i64 = sqlx::query_scalar("select count(*) from audit_log").fetch_one(&db).await.unwrap();
    assert_eq!(links.iter().map(|(position, ..)| *position).collect::<Vec<_>>(), (1..=expected).collect::<Vec<_>>());
    assert_eq!(links.last().map(|(_, _, object)| object.as_str()), Some("late"), "the order is that of the commits");
    assert_eq!(links.iter().map(|(_, id, _)| *id).min(), links.last().map(|(_, id, _)| *id));
    for writer in 0..6 {
        let of = |object: &str| {
            let (of, number) = object.split_once(' ')?;
            (of == writer.to_string()).then(|| number.parse::<usize>().unwrap())
        };
        let own: Vec<usize> = links.iter().filter_map(|(_, _, object)| of(object)).collect();
        assert!(own.len() > 30 && own.is_sorted(), "{own:?}");
    }
    let checked = checked(&db, &[]).await;
    assert!(checked.whole(), "{}", checked.report());
    assert_eq!(checked.head.entries, expected);
}

#[actix_web::test]
async fn an_entry_is_refused_where_the_newest_link_would_not_be_seen() {
    let db = log_of(1).await;
    for level in ["repeatable read", "serializable"] {
        let mut tx = db.begin_with(AssertSqlSafe(format!("begin isolation level {level}"))).await.unwrap();
        audit_log::record(&mut tx, &entry(2)).await.unwrap();
        let refused = tx.commit().await.unwrap_err();
        assert!(refused.to_string().contains(&format!("refused in a {level} transaction")), "{refused}");
    }
    assert_eq!(positions(&db).await.len(), 1);
    write(&db, &entry(3)).await;
    assert!(checked(&db, &[]).await.whole());
}

#[actix_web::test]
async fn links_are_never_altered_nor_made_by_hand() {
    let db = log_of(2).await;
    for (statement, why) in [
        ("update audit_chain set hash = previous", "never altered"),
        ("delete from audit_chain", "never altered"),
        ("truncate audit_chain", "never altered"),
        (
            "insert into audit_chain select 3, 3, hash, linked_at, 'commit', hash from audit_chain limit 1",
            "its own link",
        ),
        ("set session_replication_role = replica; delete from audit_chain", "never altered"),
        ("set session_replication_role = replica; update audit_log set actor = 'x'", "never altered"),
    ] {
        let refused = db.acquire().await.unwrap().detach().execute(statement).await.unwrap_err();
        assert!(refused.to_string().contains(why), "{statement}: {refused}");
    }
    let mut replica = db.acquire().await.unwrap().detach();
    replica.execute("set session_replication_role = replica").await.unwrap();
    audit_log::record(&mut replica, &entry(3)).await.unwrap();
    replica.close().await.unwrap();
    let checked = checked(&db, &[]).await;
    assert!(checked.whole() && checked.head.entries == 3, "{}", checked.report());
}

#[actix_web::test]
async fn an_owner_who_is_no_superuser_may_only_read_and_add() {
    let db = database().await;
    let allowed: Vec<(String, String)> = sqlx::query_as(
        "select c.relname::text, a.privilege_type from pg_class c, aclexplode(c.relacl) a
         where c.relname in ('audit_log', 'audit_chain') and a.privilege_type in ('UPDATE', 'DELETE', 'TRUNCATE', 'INSERT')
         order by 1, 2",
    )
    .fetch_all(&db)
    .await
    .unwrap();
    let insert = |table: &str| (table.to_owned(), "INSERT".to_owned());
    assert_eq!(allowed, [insert("audit_chain"), insert("audit_log")]);
}

#[actix_web::test]
async fn an_entry_that_was_altered_in_any_column_is_named() {
    let altered = [Fault::Altered { position: 3, audit_log_id: 3 }];
    for set in [
        "at = at + interval '1 microsecond'",
        "at = 'infinity'",
        "actor = actor || ' '",
        "actor_kind = 'operator'",
        "act = 'upload pack'",
        "object = ''",
        "detail = detail || '{\"b\": [1.50, null]}'",
        "remote = ''",
        "request_id = 'x'",
    ] {
        assert_eq!(faults_after(&format!("update audit_log set {set} where audit_log_id = 3")).await, altered, "{set}");
    }
    for set in ["linked_at = linked_at - interval '1 hour'", "linked_by = 'upgrade'"] {
        assert_eq!(
            faults_after(&format!("update audit_chain set {set} where audit_log_id = 3")).await,
            altered,
            "{set}"
        );
    }
    let severed = Fault::Severed { position: 4, audit_log_id: 4 };
    let faults = faults_after("update audit_chain set hash = sha256('x') where audit_log_id = 3").await;
    assert_eq!(faults, [altered[0].clone(), severed.clone()]);
    // The link of what was altered made anew, as the database makes it: the next one tells.
    let again = "update audit_log set actor = 'nobody' where audit_log_id = 3;
         update audit_chain c set hash = sha256(convert_to(audit_link_text(c.link_position, c.previous, c.linked_at, c.linked_by, l), 'UTF8'))
         from audit_log l where l.audit_log_id = 3 and c.audit_log_id = 3";
    assert_eq!(faults_after(again).await, [severed]);
}

#[actix_web::test]
async fn what_was_removed_swapped_or_put_in_is_named() {
    let removed = faults_after("delete from audit_log where audit_log_id = 2").await;
    assert_eq!(removed, [Fault::Removed { position: 2, audit_log_id: 2 }]);
    let with_links =
        "delete from audit_log where audit_log_id in (3, 4); delete from audit_chain where audit_log_id in (3, 4)";
    assert_eq!(faults_after(with_links).await, [Fault::Missing { first: 3, last: 4 }]);

    let moved = |position, audit_log_id, from| Fault::Moved { position, audit_log_id, from };
    let contents = "update audit_log l set (at, object, detail) = (select at, object, detail from audit_log o where o.audit_log_id = 7 - l.audit_log_id)
         where audit_log_id in (2, 5)";
    assert_eq!(faults_after(contents).await, [moved(2, 2, 5), moved(5, 5, 2)]);
    let entries = "update audit_chain set audit_log_id = -audit_log_id where audit_log_id in (2, 5);
         update audit_chain set audit_log_id = 7 + audit_log_id where audit_log_id < 0";
    assert_eq!(faults_after(entries).await, [moved(2, 5, 5), moved(5, 2, 2)]);
    let positions = "alter table audit_chain drop constraint audit_chain_link_position_check;
         update audit_chain set link_position = -link_position where link_position in (2, 5);
         update audit_chain set link_position = 7 + link_position where link_position < 0";
    let faults = faults_after(positions).await;
    assert!(faults.contains(&moved(2, 5, 5)) && faults.contains(&moved(5, 2, 2)), "{faults:?}");

    let inserted = "insert into audit_log (actor, actor_kind, act) values ('x', 'demo', 'sign in')";
    assert_eq!(faults_after(inserted).await, [Fault::Unlinked { audit_log_id: 7 }]);
    // Put in the middle, with a link as the database makes it, and those after it moved up.
    let in_the_middle = "insert into audit_log (actor, actor_kind, act) values ('x', 'demo', 'sign in');
         update audit_chain set link_position = link_position + 100 where link_position > 3;
         update audit_chain set link_position = link_position - 99 where link_position > 3;
         insert into audit_chain select 4, 7, c.hash, now(), 'commit', sha256(convert_to(audit_link_text(4, c.hash, now(), 'commit', l), 'UTF8'))
         from audit_chain c, audit_log l where c.link_position = 3 and l.audit_log_id = 7";
    let faults = faults_after(in_the_middle).await;
    assert_eq!(faults.first(), Some(&Fault::Severed { position: 5, audit_log_id: 4 }), "{faults:?}");
    assert_eq!(faults.len(), 4, "and each that was moved: {faults:?}");
}

const ANEW: &str = "update audit_log set actor = 'nobody' where audit_log_id = 3;
    do $$
    declare c audit_chain; before bytea := decode(repeat('00', 32), 'hex');
    begin
        for c in select * from audit_chain order by link_position loop
            update audit_chain set previous = before, hash = sha256(convert_to(audit_link_text(c.link_position, before, c.linked_at, c.linked_by, l), 'UTF8'))
                from audit_log l where l.audit_log_id = c.audit_log_id and link_position = c.link_position
                returning hash into before;
        end loop;
    end $$";

#[actix_web::test]
async fn a_cut_end_and_a_chain_written_anew_are_found_by_a_checkpoint_alone() {
    let db = log_of(4).await;
    let early = newest(&db).await;
    assert_eq!(early.entries, 4);
    write(&db, &entry(5)).await;
    write(&db, &entry(6)).await;
    let late = newest(&db).await;
    let (early, late) = (("early", &early), ("late", &late));
    let sound = checked(&db, &[late, early]).await;
    assert!(sound.whole() && sound.agreed.len() == 2, "{}", sound.report());
    assert!(sound.report().contains("not proven: anything about entries that were cut off after the last checkpoint"));

    tamper(&db, "delete from audit_log where audit_log_id > 4; delete from audit_chain where audit_log_id > 4").await;
    let unknown = checked(&db, &[]).await;
    assert!(unknown.whole() && unknown.report().contains("not proven: that nobody"), "{}", unknown.report());
    let cut = checked(&db, &[early, late]).await;
    assert_eq!(cut.faults, [Fault::Cut { of: "late".to_owned(), first: 5, last: 6 }]);
    assert_eq!(cut.agreed, [("early".to_owned(), 4)]);

    tamper(&db, ANEW).await;
    let unknown = checked(&db, &[]).await;
    assert!(unknown.whole(), "{}", unknown.report());
    let faults = checked(&db, &[early]).await.faults;
    assert!(matches!(&faults[..], [Fault::Rewritten { position: 4, .. }]), "{faults:?}");
}

/// The program of the README that checks an export.
pub(crate) fn ten_lines(folder: &Path) -> String {
    let readme = include_str!("../../README.md");
    let script = readme.split("```python\n").nth(1).unwrap().split("```").next().unwrap();
    assert_eq!(script.lines().count(), 10, "{script}");
    let path = folder.join("check.py");
    std::fs::write(&path, script).unwrap();
    path.display().to_string()
}

pub(crate) fn python(script: &str, log: &Path) -> Output {
    Command::new("python3").arg(script).arg(log).output().unwrap()
}

#[actix_web::test]
async fn ten_lines_of_python_rebuild_the_chain_from_the_export() {
    let db = log_of(2).await;
    let long = format!("{HOSTILE}{}", "x".repeat(200));
    let mut hostile = Entry::by_demo(&long, "sign in", &long);
    hostile.remote = Some(HOSTILE.to_owned());
    hostile.request_id = Some(HOSTILE.to_owned());
    hostile.detail =
        json!({ HOSTILE: HOSTILE, "numbers": [1, 1.10, 1e-9, 1e30, -0.0, 9_007_199_254_740_993_i64], "": null });
    write(&db, &hostile).await;
    let odd = "insert into audit_log (actor, actor_kind, act, detail, at) values ('x', 'demo', 'y', '{\"a\": 1.500, \"b\\u2028\": \"\\u0001\"}', '1999-01-01 01:02:03+05:30')";
    db.execute(odd).await.unwrap();

    let folder = scratch("audit-python");
    let exported = run(&db, &["audit", "export"]);
    assert!(exported.status.success(), "{}", said(&exported));
    let log = folder.join("log.jsonl");
    std::fs::write(&log, &exported.stdout).unwrap();
    let text = String::from_utf8(exported.stdout).unwrap();
    let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), 5, "the export is an entry of the log itself");
    assert_eq!(rows[2]["actor"], long);
    assert_eq!(rows[2]["detail"][HOSTILE], HOSTILE);
    assert_eq!(rows[3]["at"], "1998-12-31T19:32:03.000000Z");
    assert_eq!((&rows[4]["act"], &rows[4]["actor_kind"]), (&json!("export audit log"), &json!("operator")));

    let script = ten_lines(&folder);
    let said_by_python = python(&script, &log);
    assert!(said_by_python.status.success(), "{}", said(&said_by_python));
    let Checkpoint { entries, head, .. } = newest(&db).await;
    assert_eq!(said(&said_by_python).trim(), format!("{entries} {head}"));

    let altered = text.replacen("pack 2", "pack 3", 1);
    std::fs::write(&log, altered).unwrap();
    let found = python(&script, &log);
    assert!(!found.status.success() && said(&found).contains("position 2, entry 2"), "{}", said(&found));
    let without: String =
        text.lines().filter(|line| !line.contains("\"position\":3")).map(|line| format!("{line}\n")).collect();
    std::fs::write(&log, without).unwrap();
    assert!(!python(&script, &log).status.success());
}

#[actix_web::test]
async fn the_program_says_what_is_wrong_and_ends_with_it() {
    let db = log_of(3).await;
    let folder = scratch("audit-verify");
    let checkpoint = run(&db, &["audit", "checkpoint"]);
    assert!(checkpoint.status.success(), "{}", said(&checkpoint));
    let file = folder.join("checkpoint.json").display().to_string();
    std::fs::write(&file, &checkpoint.stdout).unwrap();
    let known = Checkpoint::parse(&String::from_utf8(checkpoint.stdout).unwrap()).unwrap();
    assert_eq!(known, newest(&db).await);
    let typed = format!("{}:{}", known.entries, known.head.to_uppercase());

    let whole = run(&db, &["audit", "verify", "--checkpoint", &file, "--checkpoint", &typed]);
    assert_eq!(whole.status.code(), Some(0), "{}", said(&whole));
    let words = said(&whole);
    assert!(words.contains("unbroken: 3 entries") && words.matches("3 entries, agrees").count() == 2, "{words}");

    let text = format!("update audit_log set actor = '{}' where audit_log_id = 2", HOSTILE.replace('\'', "''"));
    tamper(&db, &text).await;
    let altered = run(&db, &["audit", "verify"]);
    assert_eq!(altered.status.code(), Some(1), "{}", said(&altered));
    assert!(said(&altered).contains("position 2, entry 2: altered"), "{}", said(&altered));
    assert!(!said(&altered).contains("<b>"), "nothing that an entry says is printed");

    for wrong in ["no such file", "3:xyz"] {
        let refused = run(&db, &["audit", "verify", "--checkpoint", wrong]);
        assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
        assert!(said(&refused).contains(wrong), "{}", said(&refused));
    }
}

/// The first whole second after all that was written, once it has come.
async fn next_second(db: &PgPool) -> time::OffsetDateTime {
    let now: time::OffsetDateTime = sqlx::query_scalar("select clock_timestamp()").fetch_one(db).await.unwrap();
    let next = now.replace_nanosecond(0).unwrap() + time::Duration::SECOND;
    sqlx::query("select pg_sleep(extract(epoch from $1 - clock_timestamp()))").bind(next).execute(db).await.unwrap();
    next
}

#[actix_web::test]
async fn a_pack_prints_the_checkpoint_of_its_time() {
    let db = store().await;
    for number in 1..=3 {
        write(&db, &entry(number)).await;
    }
    let known = newest(&db).await;
    let at = next_second(&db).await;
    let asked = Request { at: Some(at), ..request() };
    let id = build(&state(&db), &asked, None, &Progress::default()).await.unwrap();
    let first = packs::bytes(&db, &id, Part::Pdf).await.unwrap();
    let again = build(&state(&db), &asked, None, &Progress::default()).await.unwrap();
    assert_eq!(again, id, "what the log says after the printed time changes nothing");
    assert_eq!(packs::bytes(&db, &again, Part::Pdf).await.unwrap(), first);
    let cover = packs::find(&db, &id).await.unwrap().unwrap().cover;
    assert_eq!(cover["audit_log"]["head"], known.head);
    assert!(newest(&db).await.entries > known.entries, "making packs is on record");

    let asked_later = Request { at: Some(next_second(&db).await), ..request() };
    let later = build(&state(&db), &asked_later, None, &Progress::default()).await.unwrap();
    let cover = packs::find(&db, &later).await.unwrap().unwrap().cover;
    assert_ne!(cover["audit_log"]["head"], known.head, "another time is another checkpoint");

    if !(have("pdftotext") && have("unzip")) {
        return;
    }
    let folder = downloaded(&db, &id, "audit-pack").await;
    let printed: String = tool(&folder, &format!("pdftotext {id}.pdf -")).split_whitespace().collect();
    assert!(printed.contains(&known.head), "{printed}");
    tool(&folder, &format!("unzip -o {id}.zip audit-checkpoint.json README.txt"));
    let file = folder.join("audit-checkpoint.json").display().to_string();
    assert_eq!(Checkpoint::parse(&std::fs::read_to_string(&file).unwrap()), Ok(known));
    let whole = run(&db, &["audit", "verify", "--checkpoint", &file]);
    assert!(whole.status.success() && said(&whole).contains("3 entries, agrees"), "{}", said(&whole));
    tamper(&db, ANEW).await;
    assert_eq!(run(&db, &["audit", "verify"]).status.code(), Some(0), "written anew to its end");
    let found = run(&db, &["audit", "verify", "--checkpoint", &file]);
    assert_eq!(found.status.code(), Some(1), "{}", said(&found));
    assert!(said(&found).contains("written anew"), "{}", said(&found));
}
