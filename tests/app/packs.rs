//! Packs: made from a store, the same bytes each time, checked by other people's tools, never altered.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use auditfolio::State;
use auditfolio::clock::Clock;
use auditfolio::compliance::memo::Memo;
use auditfolio::jobs::{self, Kind, Progress};
use auditfolio::packs::db::{self, NEWEST, Part, Which};
use auditfolio::packs::verify::{Verdict, verify};
use auditfolio::packs::{BuildError, Request, build, sign};
use auditfolio::web::keyset::Keyset;
use auditfolio::web::table::{Place, Sort};
use sqlx::PgPool;
use time::macros::{date, datetime};

use crate::harness::{database, scratch};

/// Two accounts, two Regions, ten days; one account delivered nothing on the fifth day, one rule appears on the sixth.
pub(crate) async fn store() -> PgPool {
    let db = database().await;
    sqlx::raw_sql(include_str!("packs.sql")).execute(&db).await.unwrap();
    db
}

pub(crate) fn state(db: &PgPool) -> State {
    State {
        db: db.clone(),
        memo: Memo::default(),
        clock: Clock::Fixed(datetime!(2026-11-12 09:00 UTC)),
        demo: false,
        grace: time::Duration::hours(6),
        letter_months: auditfolio::artifact::LETTER_MONTHS,
        classification: auditfolio::packs::build::DEFAULT_CLASSIFICATION.into(),
        duties: Arc::default(),
        gate: Arc::default(),
        sign_in: Arc::default(),
    }
}

pub(crate) fn request() -> Request {
    Request {
        organization: "Straße & Söhne".to_owned(),
        title: "Evidence for the first half of November".to_owned(),
        from: Some(date!(2026 - 11 - 01)),
        as_of: date!(2026 - 11 - 10),
        accounts: None,
        scope: None,
        scopes_at: None,
        known_at: None,
        at: Some(datetime!(2026-11-12 10:11:12 UTC)),
        created_by: "Ångström".to_owned(),
        demo: false,
        said: auditfolio::packs::Said::default(),
        final_of: None,
    }
}

pub(crate) async fn pack(db: &PgPool, request: &Request) -> String {
    build(&state(db), request, None, &Progress::default()).await.unwrap()
}

async fn listed(db: &PgPool) -> Vec<db::Stored> {
    db::list(db, &Which { organization_id: 1, ..Which::default() }, &NEWEST, 100)
        .await
        .unwrap()
        .into_iter()
        .map(|listed| listed.row)
        .collect()
}

async fn pdf(db: &PgPool, request: &Request) -> Vec<u8> {
    let id = pack(db, request).await;
    db::bytes(db, &id, Part::Pdf).await.unwrap()
}

/// Runs a tool; a missing one fails the test by name.
pub(crate) fn tool(folder: &Path, command: &str) -> String {
    let output =
        Command::new("bash").arg("-c").arg(format!("set -o pipefail; {command}")).current_dir(folder).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command}\n{text}");
    text
}

/// Whether the program is there. Where it is not, the test says loudly what it leaves out; `tests/run` installs it.
pub(crate) fn have(program: &str) -> bool {
    let found = Command::new("bash").arg("-c").arg(format!("command -v {program}")).output().unwrap().status.success();
    if !found {
        eprintln!("\n*** NOT CHECKED: {program} is missing. tests/run installs it. ***\n");
        assert!(std::env::var_os("AUDITFOLIO_ALL_TOOLS").is_none(), "{program} is missing");
    }
    found
}

/// Writes a pack and its companions as somebody who downloads them has them.
pub(crate) async fn downloaded(db: &PgPool, id: &str, name: &str) -> PathBuf {
    let folder = scratch(name);
    let stored = db::find(db, id).await.unwrap().unwrap();
    std::fs::write(folder.join(format!("{id}.pdf")), db::bytes(db, id, Part::Pdf).await.unwrap()).unwrap();
    std::fs::write(folder.join(format!("{id}.zip")), db::bytes(db, id, Part::Zip).await.unwrap()).unwrap();
    std::fs::write(folder.join(format!("{id}.sig")), stored.signature).unwrap();
    let key = db::public_key(db, &stored.key_id).await.unwrap().unwrap();
    std::fs::write(folder.join("auditfolio-key.pem"), sign::pem(&key)).unwrap();
    folder
}

#[actix_web::test]
async fn the_same_evidence_and_clock_give_the_same_pack_to_the_byte() {
    let db = store().await;
    let first = pdf(&db, &request()).await;
    let again = build(&state(&db), &request(), None, &Progress::default()).await.unwrap();
    assert_eq!(listed(&db).await.len(), 1, "the second is the first");
    assert_eq!(sign::sha256_hex(&first), sign::sha256_hex(&db::bytes(&db, &again, Part::Pdf).await.unwrap()));
    let later = Request { at: Some(datetime!(2026-11-12 10:11:13 UTC)), ..request() };
    assert_ne!(pack(&db, &later).await, again, "another clock is another pack");
    assert_eq!(listed(&db).await.len(), 2);
}

#[actix_web::test]
async fn a_pack_says_what_the_store_says() {
    let db = store().await;
    let id = pack(&db, &request()).await;
    let stored = db::find(&db, &id).await.unwrap().unwrap();
    assert_eq!((stored.evaluations, stored.not_complying), (8, 3));
    assert_eq!((stored.gap_days, stored.expected_days), (1, 40));
    assert_eq!(stored.cover["completeness_established"], false);
    assert_eq!(stored.cover["day_open"], false);
    assert_eq!(stored.cover["attachments"].as_array().unwrap().len(), 5);
    let all_close = stored.cover["checks"].as_array().unwrap().iter().all(|check| check["closes"] == true);
    assert!(all_close, "{}", stored.cover["checks"]);
}

#[actix_web::test]
async fn people_with_other_tools_can_read_and_check_a_pack() {
    let db = store().await;
    let id = pack(&db, &request()).await;
    let folder = downloaded(&db, &id, "pack-tools").await;
    if let Ok(keep) = std::env::var("AUDITFOLIO_KEEP_PACK") {
        tool(&folder, &format!("cp {id}.* auditfolio-key.pem {keep}"));
    }
    let mut text = String::new();
    if have("qpdf") {
        assert!(tool(&folder, &format!("qpdf --check {id}.pdf")).contains("No syntax or stream encoding errors"));
    }
    if have("pdftotext") {
        text = tool(&folder, &format!("pdftotext -layout {id}.pdf -"));
        for expected in [
            "AWS Config evaluation evidence",
            "Straße & Söhne",
            "clock set by operator",
            "issued with 1 gap-day, 2.5 % of 40 expected",
            "Completeness against the organisation not established",
            // Printed as a code point, copied out as it was delivered.
            "bucket-東京",
            "a-resource-with-a-name-that-is-so-long-that-it-wraps-in-its-column-and-is-copied-whole",
        ] {
            assert!(text.replace(['\u{202a}', '\u{202b}', '\u{202c}'], "").contains(expected), "missing: {expected}");
        }
        let cover = text.split('\u{c}').next().unwrap();
        assert!(!cover.replace("2.5 % of 40 expected", "").contains('%'), "no percentage on the cover:\n{cover}");
        let pages = text.matches('\u{c}').count();
        for page in 1..=pages {
            assert!(text.contains(&format!("page {page} of {pages}")), "page {page} of {pages}");
        }
    }
    if have("pdffonts") {
        let fonts = tool(&folder, &format!("pdffonts {id}.pdf"));
        let lines: Vec<&str> = fonts.lines().skip(2).collect();
        assert_eq!(lines.len(), 2, "{fonts}");
        assert!(lines.iter().all(|line| line.contains("yes yes yes")), "embedded, subset, with ToUnicode:\n{fonts}");
    }
    if have("pdfdetach") {
        tool(&folder, &format!("pdfdetach -saveall {id}.pdf"));
        let printed: String = text.split_whitespace().collect();
        for file in ["population.csv", "period.csv", "delivery.csv", "objects.csv", "accounts.csv"] {
            let bytes = std::fs::read(folder.join(file)).unwrap();
            assert!(text.is_empty() || printed.contains(&sign::sha256_hex(&bytes)), "the hash of {file} is printed");
        }
        let rows = std::fs::read_to_string(folder.join("population.csv")).unwrap().lines().count() - 1;
        assert_eq!(rows, 8);
    }
    if have("openssl") {
        let line =
            format!("openssl pkeyutl -verify -pubin -inkey auditfolio-key.pem -rawin -in {id}.pdf -sigfile {id}.sig");
        let printed = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.is_empty() || printed.contains(&line), "the pack prints the line that checks it: {line}");
        assert!(tool(&folder, &line).contains("Signature Verified Successfully"));
        let fingerprint = tool(&folder, "openssl pkey -pubin -in auditfolio-key.pem -outform DER | sha256sum");
        let key_id = db::find(&db, &id).await.unwrap().unwrap().key_id;
        assert!(fingerprint.starts_with(&key_id), "{fingerprint} {key_id}");
    }
    if have("unzip") {
        tool(
            &folder,
            &format!(
                "mkdir unzipped && cd unzipped && unzip ../{id}.zip && cmp population.csv ../population.csv && cmp {id}.sig ../{id}.sig"
            ),
        );
    }
}

#[actix_web::test]
async fn verify_knows_a_pack_its_copy_with_a_changed_byte_and_a_stranger() {
    let db = store().await;
    let id = pack(&db, &request()).await;
    let bytes = db::bytes(&db, &id, Part::Pdf).await.unwrap();
    let verdict = verify(&db, &bytes, None).await.unwrap();
    assert!(matches!(&verdict, Verdict::Unchanged { pack_id, key_id: Some(_), .. } if *pack_id == id), "{verdict}");
    let zip = db::bytes(&db, &id, Part::Zip).await.unwrap();
    assert!(verify(&db, &zip, None).await.unwrap().genuine());
    let signature = db::find(&db, &id).await.unwrap().unwrap().signature;
    for file in [&bytes, &zip] {
        assert!(verify(&db, file, Some(&signature)).await.unwrap().genuine());
        let verdict = verify(&db, file, Some(b"another")).await.unwrap();
        assert_eq!(verdict, Verdict::OtherSignature { pack_id: id.clone() });
        assert!(!verdict.genuine(), "{verdict}");
    }

    let mut changed = bytes.clone();
    *changed.last_mut().unwrap() ^= 1;
    let mut longer = bytes.clone();
    longer.extend(b"junk");
    for altered in [changed, longer, bytes[..bytes.len() - 1].to_vec()] {
        let verdict = verify(&db, &altered, None).await.unwrap();
        assert!(matches!(&verdict, Verdict::Altered { pack_id, .. } if *pack_id == id), "{verdict}");
    }
    assert_eq!(verify(&db, b"%PDF-1.7", None).await.unwrap(), Verdict::NotOurs);
    let stranger = store().await;
    assert_eq!(verify(&stranger, &bytes, None).await.unwrap(), Verdict::NotOurs);
}

#[actix_web::test]
async fn a_file_signed_here_that_the_database_has_lost_is_still_known_by_its_signature() {
    let db = store().await;
    let id = pack(&db, &request()).await;
    let (bytes, stored) = (db::bytes(&db, &id, Part::Pdf).await.unwrap(), db::find(&db, &id).await.unwrap().unwrap());
    let restored = store().await;
    sqlx::query("insert into installation_key (key_id, private_key, public_key) values ($1, '', $2)")
        .bind(&stored.key_id)
        .bind(db::public_key(&db, &stored.key_id).await.unwrap().unwrap())
        .execute(&restored)
        .await
        .unwrap();
    let verdict = verify(&restored, &bytes, Some(&stored.signature)).await.unwrap();
    assert_eq!(verdict, Verdict::SignedOnly { key_id: stored.key_id });
}

#[actix_web::test]
async fn an_issued_pack_is_never_altered_and_gets_no_more_chunks() {
    let db = store().await;
    let id = pack(&db, &request()).await;
    for statement in [
        "update pack set title = 'other'",
        "delete from pack",
        "truncate pack cascade",
        "update pack_chunk set bytes = ''",
        "delete from pack_chunk",
        "truncate pack_chunk",
        "insert into pack_chunk select pack_id, part, 9999, bytes from pack_chunk limit 1",
        "update installation_key set private_key = ''",
        "delete from installation_key",
    ] {
        let refused = sqlx::query(statement).execute(&db).await.unwrap_err().to_string();
        assert!(refused.contains("is refused"), "{statement}: {refused}");
    }
    assert_eq!(db::find(&db, &id).await.unwrap().unwrap().title, request().title);
}

#[actix_web::test]
async fn counts_that_disagree_fail_the_pack_and_leave_nothing() {
    let db = store().await;
    sqlx::query("update rollup set not_complying = not_complying + 1 where end_day = 'infinity' and not_complying > 0")
        .execute(&db)
        .await
        .unwrap();
    let error = build(&state(&db), &request(), None, &Progress::default()).await.unwrap_err();
    assert!(matches!(error, BuildError::LadderOpen(_)), "{error}");
    assert!(error.to_string().contains("roll-up"), "{error}");
    assert!(listed(&db).await.is_empty());
}

#[actix_web::test]
async fn what_cannot_be_packed_is_refused_with_the_reason() {
    let db = store().await;
    let refused = [
        (Request { title: "  ".to_owned(), ..request() }, "title"),
        (Request { from: Some(date!(2026 - 11 - 11)), ..request() }, "before it begins"),
        (Request { as_of: date!(2026 - 12 - 01), ..request() }, "2026-11-01 to 2026-11-10"),
        (Request { accounts: Some(vec!["999999999999".to_owned()]), ..request() }, "999999999999"),
        (Request { organization: "Nobody".to_owned(), ..request() }, "Nobody"),
        (Request { known_at: Some(77), ..request() }, "77"),
    ];
    for (request, reason) in refused {
        let error = build(&state(&db), &request, None, &Progress::default()).await.unwrap_err();
        assert!(matches!(error, BuildError::Refused(_)) && error.to_string().contains(reason), "{error}");
    }
}

#[actix_web::test]
async fn asking_failing_and_the_first_key_are_in_the_audit_log() {
    let db = store().await;
    pack(&db, &request()).await;
    let mut tx = db.begin().await.unwrap();
    let payload = serde_json::to_value(Request { title: String::new(), ..request() }).unwrap();
    let job_id = jobs::enqueue(&mut tx, Kind::Pack, &payload, "tester").await.unwrap();
    tx.commit().await.unwrap();
    let failure = jobs::run_to_end(&state(&db), job_id, |_| {}).await.unwrap_err().to_string();
    assert!(failure.contains("title"), "{failure}");
    let acts: Vec<(String, String, String)> =
        sqlx::query_as("select act, object, coalesce(detail ->> 'failure', '') from audit_log order by audit_log_id")
            .fetch_all(&db)
            .await
            .unwrap();
    let acts: Vec<(&str, &str, &str)> = acts.iter().map(|(act, object, why)| (&**act, &**object, &**why)).collect();
    let [("make signing key", ..), ("make pack", ..), ("start job", ..), ("fail job", object, why)] = acts.as_slice()
    else {
        panic!("{acts:?}")
    };
    assert_eq!((*object, *why), (&*format!("job {job_id}"), &*failure));
}

#[actix_web::test]
async fn the_list_of_packs_goes_on_from_any_of_them() {
    let db = store().await;
    let mut made = Vec::new();
    for title in ["1", "2", "3", "4", "5"] {
        made.insert(0, pack(&db, &Request { title: title.to_owned(), from: None, ..request() }).await);
    }
    let which = Which { organization_id: 1, ..Which::default() };
    let page = async |place: Place| {
        let page = Keyset::of(&db::ORDERS, Sort::down("made"), &place, true).unwrap();
        let packs = db::list(&db, &which, &page, 2).await.unwrap();
        packs.into_iter().map(|pack| vec![pack.sort_key, pack.row.pack_id]).collect::<Vec<_>>()
    };
    let ids = |page: &[Vec<String>]| page.iter().map(|key| key[1].clone()).collect::<Vec<_>>();
    let first = page(Place::First).await;
    let second = page(Place::After(first[1].clone())).await;
    let third = page(Place::After(second[1].clone())).await;
    assert_eq!([ids(&first), ids(&second), ids(&third)].concat(), made);
    let mut back = ids(&page(Place::Before(third[0].clone())).await);
    back.reverse();
    assert_eq!(back, ids(&second));
    assert_eq!(db::count(&db, &which).await.unwrap(), 5);
}

#[actix_web::test]
async fn a_later_delivery_is_told_beside_the_pack_and_leaves_it_as_it_was() {
    let db = store().await;
    let id = pack(&db, &request()).await;
    let before = sign::sha256_hex(&db::bytes(&db, &id, Part::Pdf).await.unwrap());
    assert!(db::restated_since(&db, &[&id]).await.unwrap().is_empty());
    // Collection 2 brings the missing day, and changes another.
    sqlx::raw_sql(
        "insert into collection (organization_id, engine, source, state, started_by, finished_at, program_version, program_commit)
             values (1, 'files', '/evidence', 'finished', 'tester', now(), '0', 'c');
         update delivery set until_collection = 2 where place_id = 1 and day = '2026-11-03';
         insert into delivery (place_id, day, state, since_collection, complying, not_complying, rows_added, rows_removed)
             values (1, '2026-11-03', 'delivered', 2, 1, 2, 2, 1), (3, '2026-11-05', 'delivered', 2, 1, 1, 0, 0);",
    )
    .execute(&db)
    .await
    .unwrap();
    let restated = db::restated_since(&db, &[&id]).await.unwrap();
    assert_eq!(restated.len(), 1);
    let one = &restated[0];
    assert_eq!((one.collection_id, one.rows_added, one.rows_removed, one.days, one.late_days), (2, 4, 1, 2, 1));
    // What a collection had brought before it failed stands as well.
    sqlx::query("update collection set state = 'failed' where collection_id = 2").execute(&db).await.unwrap();
    let failed = db::restated_since(&db, &[&id]).await.unwrap();
    assert_eq!((failed.len(), failed[0].state.as_str(), failed[0].rows_added), (1, "failed", 4));
    assert_eq!(sign::sha256_hex(&db::bytes(&db, &id, Part::Pdf).await.unwrap()), before);
    let same = Request { known_at: Some(1), ..request() };
    assert_eq!(pack(&db, &same).await, id, "the knowledge point gives the same pack again");
}

#[actix_web::test]
async fn a_job_stores_the_pack_and_ends_in_one_step_and_is_not_done_twice() {
    let db = store().await;
    let mut tx = db.begin().await.unwrap();
    let payload = serde_json::to_value(Request { at: None, ..request() }).unwrap();
    let job_id = jobs::enqueue(&mut tx, Kind::Pack, &payload, "tester").await.unwrap();
    tx.commit().await.unwrap();
    let id = jobs::run_to_end(&state(&db), job_id, |_| {}).await.unwrap();
    assert_eq!(db::find(&db, &id).await.unwrap().unwrap().printed_at, datetime!(2026-11-12 09:00 UTC));
    // As if the worker had died between its pack and the job's end: impossible now, harmless before.
    sqlx::query("update job set state = 'queued', finished_at = null, result = null").execute(&db).await.unwrap();
    assert_eq!(jobs::run_to_end(&state(&db), job_id, |_| {}).await.unwrap(), id);
    assert_eq!(listed(&db).await.len(), 1);
}

#[actix_web::test]
async fn a_pack_of_a_demo_and_of_an_open_day_says_so() {
    let db = store().await;
    let request = Request { demo: true, at: Some(datetime!(2026-11-10 12:00 UTC)), ..request() };
    let id = pack(&db, &request).await;
    let cover = db::find(&db, &id).await.unwrap().unwrap().cover;
    let notices = cover["notices"].to_string();
    assert!(notices.contains("was not authenticated") && notices.contains("still open"), "{notices}");
}
