//! The program's commands, one after the other, as an operator gives them: from a bucket to a pack that others have checked.

use std::path::Path;
use std::process::Output;

use auditfolio::sample::{Summary, generate};
use sqlx::{Executor as _, PgPool};

use crate::bucket::{ACCOUNT, Bucket, REGION, snapshot_name};
use crate::harness::{address_of, database, program, said, scratch};
use crate::packs::{have, tool};
use crate::sample::{Scratch, small};

const ORGANIZATION: [&str; 2] = ["--organization", "Straße & Söhne"];

fn run(db: &PgPool, arguments: &[&str]) -> Output {
    program(arguments).args(ORGANIZATION).env("DATABASE_URL", address_of(db)).output().unwrap()
}

fn succeeds(db: &PgPool, arguments: &[&str]) -> Output {
    let output = run(db, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", said(&output));
    output
}

fn collect(db: &PgPool, folder: &Path, summary: &Summary) -> Output {
    let regions = summary.regions.join(",");
    let mut arguments = vec!["collect", "--from", folder.to_str().unwrap(), "--regions", &regions];
    for list in &summary.account_lists {
        arguments.extend(["--accounts", list.to_str().unwrap()]);
    }
    run(db, &arguments)
}

#[actix_web::test]
async fn collect_export_pack_and_verify_say_the_same() {
    let db = database().await;
    let bucket = Scratch::new("commands");
    let summary = generate(&small(&bucket), |_| ()).unwrap();
    let collected = collect(&db, &bucket.0, &summary);
    assert_eq!(collected.status.code(), Some(2), "what cannot be read is told: {}", said(&collected));

    let folder = scratch("commands");
    let (from, until) = (summary.first_day.to_string(), summary.last_day.to_string());
    let day = succeeds(&db, &["export", "--as-of", &until]).stdout;
    let period = succeeds(&db, &["export", "--from", &from, "--until", &until]).stdout;

    let pack = folder.join("a pack.pdf");
    let out = pack.to_str().unwrap();
    let asked =
        ["pack", "--as-of", &until, "--from", &from, "--title", "First", "--at", "2026-11-22T10:00:00Z", "--out", out];
    let made = succeeds(&db, &asked);
    let words = String::from_utf8(made.stdout).unwrap();
    let rows = csv::Reader::from_reader(&day[..]).records().count();
    assert!(words.contains(&format!(" pages, {rows} evaluations, ")), "{words}");
    let bytes = std::fs::read(&pack).unwrap();
    succeeds(&db, &asked);
    assert!(std::fs::read(&pack).unwrap() == bytes, "the same clock and evidence, the same bytes");

    let verified = succeeds(&db, &["verify", out]);
    assert!(said(&verified).contains("pack of this installation, unchanged"), "{}", said(&verified));
    let altered = folder.join("altered.pdf");
    std::fs::write(&altered, [&bytes[..], b"\n"].concat()).unwrap();
    let refused = run(&db, &["verify", altered.to_str().unwrap()]);
    assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));

    if have("openssl") {
        let line = words.lines().find_map(|line| line.strip_prefix("check it with: ")).unwrap();
        assert!(tool(&folder, line).contains("Signature Verified Successfully"));
    }
    if have("qpdf") {
        for (name, exported) in [("population.csv", &day), ("period.csv", &period)] {
            let attached = tool(&folder, &format!("qpdf --show-attachment={name} 'a pack.pdf'"));
            assert!(attached.as_bytes() == exported, "{name} is what the export says");
        }
    }
    if have("pdftotext") {
        let text = tool(&folder, "pdftotext -l 1 'a pack.pdf' -");
        assert!(text.contains("clock set by operator") && text.contains("Straße & Söhne"), "{text}");
    }
}

#[actix_web::test]
async fn a_pack_and_an_export_of_one_account_hold_the_same_rows() {
    let db = database().await;
    let bucket = Scratch::new("commands-account");
    let summary = generate(&small(&bucket), |_| ()).unwrap();
    collect(&db, &bucket.0, &summary);
    let (account, until): (String, _) = (
        sqlx::query_scalar("select min(account_id) from delivery join place using (place_id) where complying > 0")
            .fetch_one(&db)
            .await
            .unwrap(),
        summary.last_day.to_string(),
    );
    let of_account = ["export", "--as-of", &until, "--account", &account, "--format", "jsonl"];
    let lines = String::from_utf8(succeeds(&db, &of_account).stdout).unwrap();
    assert!(lines.lines().all(|line| line.contains(&account)) && !lines.is_empty());
    let out = scratch("commands-account").join("pack.pdf");
    let asked = ["pack", "--as-of", &until, "--account", &account, "--title", "One", "--out", out.to_str().unwrap()];
    let words = String::from_utf8(succeeds(&db, &asked).stdout).unwrap();
    assert!(words.contains(&format!(" pages, {} evaluations, ", lines.lines().count())), "{words}");
}

#[actix_web::test]
async fn collect_ends_by_whether_all_is_whole_something_cannot_be_read_or_nothing_adds_up() {
    let (db, bucket) = (database().await, Bucket::new("commands-ends"));
    bucket.snapshot(1, 5, &[("a", &[("r", "COMPLIANT")]), ("b", &[("r", "COMPLIANT")])]);
    let from = bucket.root.to_str().unwrap();
    let code = |output: &Output| output.status.code().unwrap();
    let whole = run(&db, &["collect", "--from", from]);
    assert_eq!(code(&whole), 0, "{}", said(&whole));
    let printed = said(&whole);
    for line in ["objects listed 1\n", "collected 1, superseded 0, unreadable 0", "evaluations read 2, stored 2\n"] {
        assert!(printed.contains(line), "{line}: {printed}");
    }
    assert!(printed.matches(": closes\n").count() > 5 && !printed.contains("DOES NOT CLOSE"), "{printed}");

    let cut = snapshot_name(ACCOUNT, REGION, 2, 5);
    bucket.put(&cut, b"no gzip");
    let unreadable = run(&db, &["collect", "--from", from]);
    assert_eq!(code(&unreadable), 2, "{}", said(&unreadable));
    assert!(said(&unreadable).contains(&cut), "{}", said(&unreadable));

    // The store loses a run of the third day.
    let lose = "create function lose() returns trigger language plpgsql as $$ begin return null; end $$;
                create trigger lose before insert on run for each row execute function lose()";
    db.execute(lose).await.unwrap();
    bucket.snapshot(3, 5, &[("c", &[("r", "COMPLIANT")])]);
    let open = run(&db, &["collect", "--from", from]);
    assert_eq!(code(&open), 1, "{}", said(&open));
    assert!(said(&open).contains("does not add up"), "{}", said(&open));
    let ended: Vec<(String, bool)> =
        sqlx::query_as("select state, ladder is not null from collection order by collection_id")
            .fetch_all(&db)
            .await
            .unwrap();
    let ended: Vec<(&str, bool)> = ended.iter().map(|(state, ladder)| (state.as_str(), *ladder)).collect();
    assert_eq!(ended, [("finished", true), ("finished", true), ("failed", true)]);
}
