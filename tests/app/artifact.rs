//! What AWS Artifact says of AWS: imported from what the AWS CLI writes, kept as history, and shown.

use std::path::{Path, PathBuf};

use actix_web::http::{Method, StatusCode};
use auditfolio::artifact::command::import_folder;
use auditfolio::collection::{self, Progress};
use auditfolio::jobs::Progress as JobProgress;
use auditfolio::packs::{Request, build};
use auditfolio::sample::{Summary, generate};
use serde_json::{Value, json};
use sqlx::PgPool;
use time::OffsetDateTime;
use time::macros::{date, datetime};

use crate::harness::{database, scratch};
use crate::pack_evidence::text_of;
use crate::portal::{Reader, texts};
use crate::sample::{Scratch, small};
use crate::sample_collected::collecting;
use crate::site::{ask, get, sign_in, site_of, state_at};

const ORGANIZATION: &str = "Example";
/// On the sample's last day.
const LAST: OffsetDateTime = datetime!(2026-03-05 23:00 UTC);
const LATER: OffsetDateTime = datetime!(2026-11-07 12:00 UTC);

/// The sample of ten accounts from 24 February to 5 March 2026, collected.
pub(crate) async fn organization(name: &str) -> (PgPool, Summary, Scratch) {
    let db = database().await;
    let folder = Scratch::new(name);
    let options = small(&folder);
    let summary = generate(&options, |_| ()).unwrap();
    collection::run(&db, &collecting(&options, &summary), &Progress::silent()).await.unwrap();
    (db, summary, folder)
}

async fn import(db: &PgPool, folder: &Path) -> anyhow::Result<(String, Vec<String>)> {
    import_folder(&state_at(db, LATER), ORGANIZATION, folder, None).await
}

pub(crate) async fn imported(name: &str) -> (PgPool, Reader, Scratch) {
    let (db, summary, folder) = organization(name).await;
    for answers in &summary.artifact {
        let (_, problems) = import(&db, answers).await.unwrap();
        assert!(problems.is_empty(), "{problems:?}");
    }
    let reader = Reader::at(&db, LAST).await;
    (db, reader, folder)
}

/// A folder with these answers.
fn answers(name: &str, files: &[(&str, Value)]) -> PathBuf {
    let folder = scratch(name);
    for (file, value) in files {
        std::fs::write(folder.join(file), value.to_string()).unwrap();
    }
    folder
}

fn of<'a>(rows: &'a [Value], column: &str, value: &str) -> &'a Value {
    rows.iter().find(|row| row[column] == value).unwrap_or_else(|| panic!("no row with {column} {value} in {rows:?}"))
}

#[actix_web::test]
async fn gaps_of_a_period_are_reckoned_and_a_letter_shortens_none() {
    let (_db, reader, _folder) = imported("artifact-gaps").await;
    let kinds = reader.json("/artifact?rows=kinds&format=json").await;
    let soc2 = of(&kinds, "kind", "SOC 2 Type 2");
    assert_eq!((&soc2["gap_days"], &soc2["gap_days_addressed_by_letter"]), (&json!(156), &json!(92)));
    assert_eq!(soc2["says"], "gap 156 days, of which 92 addressed by letter");
    let soc1 = of(&kinds, "kind", "SOC 1 Type 2");
    assert_eq!((&soc1["gap_days"], &soc1["gap_days_addressed_by_letter"]), (&json!(210), &json!(92)));
    assert_eq!(of(&kinds, "kind", "ISO/IEC 27001")["gap_days"], 0);
    assert_eq!(of(&kinds, "kind", "PCI DSS AOC")["gap_days"], 24, "it was assessed on 30 March 2025");

    let gaps = reader.json("/artifact?rows=gaps&format=json&gaps-sort=first_day").await;
    let of_soc1: Vec<(&str, i64)> = gaps
        .iter()
        .filter(|row| row["kind"] == "SOC 1 Type 2")
        .map(|row| (row["first_day"].as_str().unwrap(), row["days"].as_i64().unwrap()))
        .collect();
    assert_eq!(of_soc1, [("2025-04-01", 54), ("2025-10-01", 156)]);

    let page = reader.page("/artifact?from=2025-04-01&until=2025-09-30").await;
    let rows = texts(&page, "#kinds tbody tr");
    assert!(rows.iter().any(|row| row.starts_with("SOC 2 Type 2 a report speaks for every day 183 0")), "{rows:?}");
    assert!(texts(&page, ".strip title").iter().any(|title| title.contains("SOC 2 Type 2 Report version 3 and SOC 2")));
    let ahead = reader.json("/artifact?from=2027-01-01&until=2027-12-31&format=json").await;
    assert_eq!(of(&ahead, "kind", "SOC 2 Type 2")["says"], "the period has not begun");
    let iso = of(&ahead, "kind", "ISO/IEC 27001");
    assert_eq!(iso["days_still_to_come"], json!(365 - iso["days_spoken_for"].as_i64().unwrap()));
    assert!(iso["says"].as_str().unwrap().starts_with("a certificate valid on every day that has come; "), "{iso}");
    for period in ["from=9999-12-01&until=9999-12-31", "until=-9999-01-05"] {
        assert_eq!(reader.ask(&format!("/artifact?{period}")).await.0, StatusCode::BAD_REQUEST, "{period}");
    }
    assert_eq!(reader.ask("/artifact?from=2026-01-02&until=2026-01-01").await.0, StatusCode::BAD_REQUEST);
}

#[actix_web::test]
async fn a_version_once_seen_is_marked_and_never_forgotten() {
    let (db, summary, _folder) = organization("artifact-history").await;
    let id = "report-0123456789abcdef";
    let report = |version: i64, name: &str| json!({"id": id, "version": version, "name": name, "state": "PUBLISHED"});
    let first = answers(
        "artifact-first",
        &[
            ("list-reports.json", json!({"reports": [report(2, "SOC 3 Report")]})),
            ("list-report-versions-a.json", json!({"reports": [report(2, "SOC 3 Report"), report(1, "SOC 3 <b>=1")]})),
        ],
    );
    let state = state_at(&db, LATER);
    let at = |day: i64| Some(summary.last_day.midnight().assume_utc() - time::Duration::days(9 - day));
    import_folder(&state, ORGANIZATION, &first, at(1)).await.unwrap();
    let (again, _) = import_folder(&state, ORGANIZATION, &first, at(2)).await.unwrap();
    assert!(again.contains("2 versions of reports read, 0 new or changed"), "{again}");
    let second = answers(
        "artifact-second",
        &[
            ("list-reports.json", json!({"reports": [report(2, "SOC 3 Report 2026")]})),
            ("list-report-versions-a.json", json!({"reports": [report(2, "SOC 3 Report 2026")]})),
        ],
    );
    import_folder(&state, ORGANIZATION, &second, at(4)).await.unwrap();
    let error = import_folder(&state, ORGANIZATION, &first, at(3)).await.unwrap_err().to_string();
    assert!(error.contains("can no longer be added"), "{error}");

    let reader = Reader::new(&db).await;
    let states = async |day: i64| {
        let day = summary.last_day - time::Duration::days(9 - day);
        let rows = reader.json(&format!("/artifact?rows=versions&format=json&as_of={day}")).await;
        rows.into_iter().map(|row| format!("{} {}", row["name"], row["state"])).collect::<Vec<_>>()
    };
    assert_eq!(states(0).await, Vec::<String>::new());
    assert_eq!(states(3).await, ["\"SOC 3 Report\" \"published\"", "\"SOC 3 <b>=1\" \"published\""]);
    assert_eq!(states(4).await, ["\"SOC 3 Report 2026\" \"published\"", "\"SOC 3 <b>=1\" \"no longer listed\""]);
    let history = texts(&reader.page(&format!("/artifact/reports/{id}")).await, "#changes tbody tr td:nth-child(3)");
    assert_eq!(history, ["name: SOC 3 Report → SOC 3 Report 2026", "first seen", "no longer listed", "first seen"]);
}

#[actix_web::test]
async fn a_baa_is_told_account_by_account_and_not_read_is_not_none() {
    let (_db, reader, _folder) = imported("artifact-baa").await;
    let before = reader.json("/artifact/agreements?as_of=2026-02-24&format=json").await;
    let words = |rows: &[Value]| rows.iter().map(|row| row["baa"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    let count = |words: &[String], word: &str| words.iter().filter(|one| *one == word).count();
    let all = words(&before);
    assert_eq!((count(&all, "own agreement"), count(&all, "not read")), (2, 1), "{all:?}");
    assert_eq!(count(&all, "none listed"), all.len() - 3, "one was terminated");
    let not_read = of(&before, "baa", "not read");
    assert!(not_read["own_not_read_because"].as_str().unwrap().contains("artifact:ListCustomerAgreements"));

    let after = reader.json("/artifact/agreements?format=json").await;
    let all = words(&after);
    assert_eq!(count(&all, "own and organisation’s"), 2, "{all:?}");
    assert_eq!(count(&all, "organisation’s"), all.len() - 2);
    let one = of(&after, "baa", "organisation’s");
    assert_eq!(one["would_end_if_it_left_the_organization"], true);
    assert!(one["since"].as_str().unwrap() >= "2026-03-02", "{one}");
    let page = reader.page("/artifact/agreements?baa=both").await;
    assert_eq!(texts(&page, "#accounts tbody tr").len(), 2);
    assert!(texts(&page, ".lead")[0].starts_with("A BAA is listed by Artifact for 2 of 2 accounts"));
    assert_eq!(reader.ask("/artifact/agreements?baa=maybe").await.0, StatusCode::BAD_REQUEST);
    assert_eq!(texts(&page, "#agreements tbody th"), ["AWS Artifact Nondisclosure Agreement"]);
}

#[actix_web::test]
async fn accounts_with_health_data_and_no_baa_lead() {
    let (db, reader, _folder) = imported("artifact-health").await;
    let before = reader.json("/artifact/agreements?as_of=2026-02-24&format=json").await;
    let last =
        before.iter().rfind(|row| row["baa"] == "none listed").unwrap()["account_id"].as_str().unwrap().to_owned();
    let app = site_of(state_at(&db, LAST)).await;
    let cookie = sign_in(&app, "compliance-manager").await;
    let form =
        format!("name=health-data&title=Health+data&kind=accounts&accounts={last}&first_day=2026-02-24&reason=PHI");
    let made = ask(&app, Method::POST, "/scopes", Some(&cookie), Some(&form)).await;
    assert_eq!(made.status, StatusCode::SEE_OTHER, "{}", made.text);
    let page = reader.page("/artifact/agreements?as_of=2026-02-24").await;
    assert_eq!(texts(&page, "#accounts tbody th")[0], last);
    assert!(texts(&page, ".lead")[0].contains("of 1 account with health data 1 without one"));
}

#[actix_web::test]
async fn a_persons_word_on_a_kind_goes_first_and_is_on_record() {
    let (db, reader, _folder) = imported("artifact-kind").await;
    let path = "/artifact/reports/report-Sample00CSASTAR0";
    let app = site_of(state_at(&db, LAST)).await;
    let cookie = sign_in(&app, "compliance-manager").await;
    let post =
        async |form: &str| ask(&app, Method::POST, &format!("{path}/kind"), Some(&cookie), Some(form)).await.status;
    assert_eq!(post("kind=soc-9&reason=x").await, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(post("kind=iso-27001&reason=").await, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(post("kind=iso-27001&reason=It+holds+the+certificate").await, StatusCode::SEE_OTHER);
    let page = reader.page(path).await;
    assert!(texts(&page, ".lead")[0].starts_with("ISO/IEC 27001: valid from"), "{:?}", texts(&page, ".lead"));
    let detail: Value = sqlx::query_scalar("select detail from audit_log where act = 'say kind of report'")
        .fetch_one(&db)
        .await
        .unwrap();
    assert_eq!((&detail["before"], &detail["after"]), (&json!("other"), &json!("iso-27001")));
    let viewer = sign_in(&app, "viewer").await;
    assert!(!get(&app, &viewer, path).await.text.contains("Say what it is"));
}

#[actix_web::test]
async fn what_is_not_understood_is_said_and_the_rest_is_kept() {
    let (db, _summary, _folder) = organization("artifact-bad").await;
    let folder = answers(
        "artifact-bad-answers",
        &[
            (
                "list-reports.json",
                json!({"reports": [{"id": "report-0123456789abcdef", "version": 1, "periodEnd": "soon"}, 7]}),
            ),
            ("list-customer-agreements-111122223333.json", json!({"customerAgreements": [], "nextToken": "more"})),
            ("notes.json", json!({})),
        ],
    );
    let read_at = Some(datetime!(2026-11-07 11:00 UTC));
    let (words, problems) = import_folder(&state_at(&db, LATER), ORGANIZATION, &folder, read_at).await.unwrap();
    assert!(words.contains("1 version of reports read, 1 new"), "{words}");
    assert_eq!(problems.len(), 3, "{problems:?}");
    assert!(problems.iter().any(|problem| problem.contains("one page of several")), "{problems:?}");
    let half = answers(
        "artifact-half",
        &[("list-customer-agreements-444455556666.json", json!({"customerAgreements": [{"name": "no\u{0}id"}]}))],
    );
    import_folder(&state_at(&db, LATER), ORGANIZATION, &half, read_at).await.unwrap();
    let failure: String = sqlx::query_scalar("select failure from artifact_reading where account_id = '444455556666'")
        .fetch_one(&db)
        .await
        .unwrap();
    assert!(failure.contains("was not understood as a whole"), "{failure}");
    let kept: i64 = sqlx::query_scalar("select count(*) from artifact_reading where account_id = '111122223333'")
        .fetch_one(&db)
        .await
        .unwrap();
    assert_eq!(kept, 0, "a page of several says nothing of an account");
    let late = import(&db, &folder).await.unwrap_err().to_string();
    assert!(late.contains("is in the future"), "{late}");
    assert!(import(&db, &scratch("artifact-empty")).await.unwrap_err().to_string().contains("holds no answer"));
}

#[actix_web::test]
async fn before_anything_is_read_the_pages_say_what_to_do() {
    let (db, _summary, _folder) = organization("artifact-none").await;
    let reader = Reader::new(&db).await;
    for (path, what) in [("/artifact", "No reports read"), ("/artifact/agreements", "No agreements read")] {
        let text = texts(&reader.page(path).await, "main").join(" ");
        assert!(text.contains(what) && text.contains("auditfolio artifact import"), "{text}");
    }
    let rows = reader.json("/artifact/agreements?format=json").await;
    assert!(rows.iter().all(|row| row["baa"] == "not known"), "{rows:?}");
    assert_eq!(reader.ask("/artifact/reports/report-0123456789abcdef").await.0, StatusCode::NOT_FOUND);
    assert_eq!(reader.ask("/artifact/reports/%3Cb%3E").await.0, StatusCode::NOT_FOUND);
}

#[actix_web::test]
async fn reports_beside_the_answers_are_stored_once_and_stand_in_the_pack() {
    let (db, summary, _folder) = organization("artifact-pack").await;
    let last = summary.artifact.last().unwrap();
    let (words, problems) = import(&db, last).await.unwrap();
    assert!(
        words.ends_with("2 documents and 3 records of people stored.") && problems.is_empty(),
        "{words} {problems:?}"
    );
    let (again, _) = import(&db, last).await.unwrap();
    assert!(again.ends_with("0 documents and 0 records of people stored."), "{again}");
    let reader = Reader::at(&db, LAST).await;
    let page = reader.page("/artifact/reports/report-Sample0SOC2Type2/versions/3").await;
    let text = texts(&page, "main").join(" ");
    for wanted in [
        "Reviewed by Robin Example on 5 Mar 2026",
        "elsewhere, as an imported record says, by Alex Example on 5 Mar 2026",
        "may have it: released by Alex Example (",
        ", imported from the folder 2026-03-05) on",
        "Platform team",
    ] {
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
    let bare = reader.page("/artifact/reports/report-Sample0ISO270010/versions/1").await;
    let bare = texts(&bare, "main").join(" ");
    for wanted in ["elsewhere, without a record of who did", "not released to auditors", "Not reviewed."] {
        assert!(bare.contains(wanted), "{wanted}: {bare}");
    }

    let request = Request {
        organization: ORGANIZATION.to_owned(),
        from: Some(date!(2026 - 02 - 24)),
        as_of: date!(2026 - 03 - 05),
        at: None,
        ..crate::packs::request()
    };
    let state = auditfolio::State { clock: auditfolio::clock::Clock::Real, ..crate::packs::state(&db) };
    let id = build(&state, &request, None, &JobProgress::default()).await.unwrap();
    let text = text_of(&db, &id).await;
    let sha256: Vec<u8> = sqlx::query_scalar(
        "select sha256 from artifact_file join artifact_document using (artifact_document_id)
         where report_id = 'report-Sample0SOC2Type2'",
    )
    .fetch_one(&db)
    .await
    .unwrap();
    let hash: String = sha256.iter().map(|byte| format!("{byte:02x}")).collect();
    for wanted in [
        "AWS's reports and agreements for this period",
        "gap 10 days, of which 0 addressed by letter",
        "A SOC 3 fills no gap of a SOC 2",
        "own and organisation’s",
        "aws-reports.csv",
        "agreements.csv",
    ] {
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
    let unbroken = text.replace(char::is_whitespace, "");
    for wanted in [
        hash.as_str(),
        "acceptedelsewherebyAlexExampleon5Mar2026",
        "therecordwasimportedby",
        "ReviewedbyRobinExampleon2026-03-05:unqualifiedopinion",
    ] {
        assert!(unbroken.contains(wanted), "{wanted}: {unbroken}");
    }
    // What is read later is not in a pack of the same printed clock.
    let printed: OffsetDateTime = sqlx::query_scalar("select printed_at from pack").fetch_one(&db).await.unwrap();
    let bare = Request { at: Some(printed - time::Duration::days(400)), ..request };
    let id = build(&state, &bare, None, &JobProgress::default()).await.unwrap();
    assert!(!text_of(&db, &id).await.contains("AWS's reports and agreements"), "nothing was known then");
}

#[actix_web::test]
async fn records_of_people_are_on_record_and_what_was_withdrawn_here_does_not_come_back() {
    let (db, summary, _folder) = organization("artifact-records").await;
    let last = summary.artifact.last().unwrap();
    import(&db, last).await.unwrap();
    let acts: Vec<(String, Value)> =
        sqlx::query_as("select act, detail from audit_log where act like 'import % of %' order by act")
            .fetch_all(&db)
            .await
            .unwrap();
    let names: Vec<&str> = acts.iter().map(|(act, _)| act.as_str()).collect();
    assert_eq!(names, ["import acceptance of terms", "import release of report", "import review of report"]);
    assert_eq!((&acts[0].1["accepted_by"], &acts[0].1["source"]), (&json!("Alex Example"), &json!("2026-03-05")));

    let app = site_of(state_at(&db, LAST)).await;
    let viewer = sign_in(&app, "viewer").await;
    let version = "/artifact/reports/report-Sample0SOC2Type2/versions/3";
    let page = get(&app, &viewer, version).await.text;
    let link = |what: &str| {
        let mut hrefs = page.split("href=\"").filter_map(|part| part.split('"').next());
        hrefs.find(|href| href.contains(what)).unwrap_or_else(|| panic!("{page}")).to_owned()
    };
    let file = link("/artifact/files/");
    assert_eq!(get(&app, &viewer, &file).await.status, StatusCode::OK);
    let terms = get(&app, &viewer, &link("/artifact/terms/")).await.text;
    assert!(
        terms.contains("These terms were accepted elsewhere") && terms.contains("imported from the folder 2026-03-05"),
        "{terms}"
    );
    assert!(!terms.contains("Accept and fetch the report"), "{terms}");

    let maker = sign_in(&app, "compliance-manager").await;
    let withdraw = format!("{}/withdraw", file.rsplit_once('/').unwrap().0);
    assert_eq!(ask(&app, Method::POST, &withdraw, Some(&maker), Some("")).await.status, StatusCode::SEE_OTHER);
    import(&db, last).await.unwrap();
    assert_eq!(get(&app, &viewer, &file).await.status, StatusCode::FORBIDDEN);
}

#[actix_web::test]
async fn a_record_that_says_nothing_is_named_and_the_rest_is_kept() {
    let (db, _summary, _folder) = organization("artifact-record-bad").await;
    let review = json!({"reviewer": "R", "reviewed_on": "2026-11-01", "opinion": "none", "conclusion": "C"});
    let folder = answers(
        "artifact-record-bad-answers",
        &[
            ("list-reports.json", json!({"reports": [{"id": "report-0123456789abcdef", "version": 1}]})),
            ("review-report-0123456789abcdef-1.json", review.clone()),
            ("review-report-0123456789abcdef-2.json", review),
            (
                "acceptance-report-0123456789abcdef-1.json",
                json!({"accepted_by": "R", "accepted_at": "2026-11-01T00:00:00Z"}),
            ),
            ("release-report-0123456789abcdef-1.json", json!({"released_by": "R", "reason": "A", "terms_read": true})),
            ("review-report-0123456789abcdeg-1.json", json!({"reviewer": "R"})),
        ],
    );
    let read_at = Some(datetime!(2026-11-07 11:00 UTC));
    let (words, problems) = import_folder(&state_at(&db, LATER), ORGANIZATION, &folder, read_at).await.unwrap();
    assert!(words.ends_with("0 documents and 1 record of people stored."), "{words}");
    let said = problems.join("\n");
    assert_eq!(problems.len(), 4, "{said}");
    for wanted in [
        "review-report-0123456789abcdeg-1.json: is not the record that its name says",
        "acceptance-report-0123456789abcdef-1: is left out, since terms-report-0123456789abcdef-1 is not beside it",
        "report-0123456789abcdef-2: is left out, since no list has that version",
        "release-report-0123456789abcdef-1.json: no document is stored to be released",
    ] {
        assert!(said.contains(wanted), "{wanted}: {said}");
    }
}

#[actix_web::test]
async fn a_letter_that_reaches_far_beyond_its_report_is_said_so_and_changes_no_gap() {
    let (db, _summary, _folder) = organization("artifact-letters").await;
    let line = |id: &str, name: &str, first: &str, last: &str| {
        json!({"id": id, "name": name, "version": 1, "state": "PUBLISHED", "periodStart": format!("{first}T00:00:00Z"),
               "periodEnd": format!("{last}T00:00:00Z")})
    };
    let letter = "SOC Continued Operations Letter";
    let folder = answers(
        "artifact-letters-answers",
        &[(
            "list-reports.json",
            json!({"reports": [
                line("report-0123456789abcdef", "SOC 2 Type 2 Report", "2025-04-01", "2025-09-30"),
                line("report-0123456789abcdeg", letter, "2025-10-01", "2026-02-28"),
            ]}),
        )],
    );
    let read_at = Some(datetime!(2026-03-05 11:00 UTC));
    import_folder(&state_at(&db, LATER), ORGANIZATION, &folder, read_at).await.unwrap();
    let said = async |months: u16| {
        let state = auditfolio::State { letter_months: months, ..state_at(&db, LAST) };
        let reader = Reader::of(state, "viewer").await;
        let kinds = reader.json("/artifact?from=2025-10-01&rows=kinds&format=json").await;
        let gaps = reader.json("/artifact?from=2025-10-01&rows=gaps&format=json").await;
        (
            of(&kinds, "kind", "SOC 2 Type 2").clone(),
            of(&gaps, "kind", "SOC 2 Type 2").clone(),
            reader.page("/artifact?from=2025-10-01").await,
        )
    };
    let (kind, gap, page) = said(3).await;
    let warning = "59 of 151 days addressed lie more than 3 months after the report’s end";
    assert_eq!(kind["says"], format!("gap 156 days, of which 151 addressed by letter; {warning}"));
    assert_eq!((&gap["letters_warning"], &gap["last_report_ended"]), (&json!(warning), &json!("2025-09-30")));
    assert_eq!((&gap["addressed_late"], &gap["letters"]), (&json!(59), &json!(letter)));
    // There is no SOC 1 at all that it could follow.
    let unfollowed = "151 of 151 days addressed follow no report that is known";
    assert_eq!(texts(&page, "#gaps tbody tr .hint"), [unfollowed, warning]);
    let (wider, gap, page) = said(5).await;
    assert_eq!(wider["says"], "gap 156 days, of which 151 addressed by letter");
    assert_eq!(
        (&wider["gap_days"], &wider["gap_days_addressed_by_letter"]),
        (&kind["gap_days"], &kind["gap_days_addressed_by_letter"])
    );
    assert_eq!((&gap["addressed_late"], &gap["letters_warning"]), (&json!(0), &Value::Null));
    assert_eq!(texts(&page, "#gaps tbody tr .hint"), [unfollowed]);
}

#[actix_web::test]
async fn notices_tell_of_what_ends_and_of_what_was_not_read() {
    let (db, summary, _folder) = organization("artifact-notices").await;
    import(&db, summary.artifact.last().unwrap()).await.unwrap();
    let open: Vec<(String, String)> = sqlx::query_as(
        "select kind, sentence from notice where closed_at is null
           and kind in ('report-version', 'review-due', 'certificate-ending', 'artifact-unread') order by 1, 2",
    )
    .fetch_all(&db)
    .await
    .unwrap();
    let kinds: Vec<&str> = open.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds, ["artifact-unread", "certificate-ending", "certificate-ending"], "{open:?}");
    assert!(open[0].1.contains("The agreements of 1 account could not be read"), "{open:?}");
    assert!(
        open.iter().any(|(_, sentence)| sentence.contains("“ISO 27018 Certificate” version 1 ended on 14 Apr 2026")),
        "{open:?}"
    );
    let reader = Reader::new(&db).await;
    let page = reader.page("/notices?kind=certificate-ending").await;
    assert_eq!(texts(&page, "#notices tbody tr").len(), 2);
}
