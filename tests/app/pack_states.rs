//! States of packs: a draft on every page, final by two people, superseded, withdrawn; what never changes is the file.

use actix_web::http::{Method, StatusCode};
use auditfolio::jobs::{self, Standing};
use auditfolio::packs::db::{self, Part};
use auditfolio::packs::state::core::Standing as PackStanding;
use auditfolio::packs::state::db as states;
use auditfolio::packs::{Request, Said};
use serde_json::Value;
use sqlx::PgPool;
use time::macros::datetime;

use crate::harness::{program, said, scratch};
use crate::packs::{downloaded, have, tool};
use crate::rooms::{engaged, inside, terms};
use crate::scopes::post;
use crate::site::{Answer, NOW, ask, get, sign_in, site, state_at};

const MANAGER: &str = "compliance-manager";
const ADMINISTRATOR: &str = "administrator";
const MARK: &str = "DRAFT – not reviewed, not a final pack";

/// The number of the job that an answer leads to.
fn job_of(answer: &Answer) -> i64 {
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    let path = answer.header("location").split('?').next().unwrap();
    path.strip_prefix("/jobs/").unwrap().parse().unwrap()
}

/// Does a job; its result or its failure.
async fn done(db: &PgPool, job_id: i64) -> Standing {
    let _ended = jobs::run_to_end(&state_at(db, NOW), job_id, |_| {}).await;
    jobs::find(db, job_id).await.unwrap().unwrap()
}

/// A draft, as the form makes it.
pub(crate) async fn draft(db: &PgPool, fields: &[(&str, &str)]) -> String {
    let mut all = vec![("title", "November"), ("as_of_day", "2026-11-03"), ("classification", "Confidential")];
    all.retain(|(name, _)| !fields.iter().any(|(given, _)| given == name));
    all.extend(fields);
    let job = done(db, job_of(&post(db, MANAGER, "/packs", &all).await)).await;
    job.result.unwrap_or_else(|| panic!("{:?}", job.failure))
}

async fn act(db: &PgPool, role: &str, id: &str, what: &str, fields: &[(&str, &str)]) -> Answer {
    post(db, role, &format!("/packs/{id}/{what}"), fields).await
}

async fn standing(db: &PgPool, id: &str) -> PackStanding {
    states::course(db, id).await.unwrap().standing()
}

/// The pages of a pack as text.
pub(crate) async fn pages(db: &PgPool, id: &str, name: &str) -> Vec<String> {
    let folder = downloaded(db, id, name).await;
    if !have("pdftotext") {
        return Vec::new();
    }
    let text = tool(&folder, &format!("pdftotext -layout {id}.pdf -"));
    let text = text.replace(['\u{202a}', '\u{202b}', '\u{202c}'], "");
    let mut pages: Vec<String> = text.split('\u{c}').map(str::to_owned).collect();
    assert_eq!(pages.pop().as_deref(), Some(""));
    pages
}

/// One line of what is printed over several.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[actix_web::test]
async fn a_draft_becomes_final_by_two_people_and_neither_file_changes() {
    let db = engaged("states-journey", &[]).await;
    let id = draft(&db, &[]).await;
    let bytes = db::bytes(&db, &id, Part::Pdf).await.unwrap();
    let stored = db::find(&db, &id).await.unwrap().unwrap();
    assert_eq!(standing(&db, &id).await, PackStanding::Draft);
    let printed = pages(&db, &id, "states-draft").await;
    for page in &printed {
        assert!(page.contains(MARK) && page.contains("Confidential"), "{page}");
    }
    assert!(have("pdftotext") && printed[0].contains("DRAFT: nobody has reviewed it"), "{}", printed[0]);

    assert_eq!(act(&db, ADMINISTRATOR, &id, "approve", &[]).await.status, StatusCode::CONFLICT, "not proposed");
    let proposed = act(&db, MANAGER, &id, "propose", &[("note", "for <b>ISO</b>")]).await;
    assert_eq!(proposed.status, StatusCode::SEE_OTHER, "{}", proposed.text);
    let app = site(&db).await;
    let manager = sign_in(&app, MANAGER).await;
    let page = get(&app, &manager, &format!("/packs/{id}")).await;
    assert!(page.text.contains("Another person must review this"), "{}", page.text);
    assert!(!page.text.contains("<b>ISO") && !page.text.contains("/approve"), "{}", page.text);
    let himself = act(&db, MANAGER, &id, "approve", &[]).await;
    assert_eq!(himself.status, StatusCode::CONFLICT);
    assert!(himself.text.contains("another person must review it"), "{}", himself.text);
    assert_eq!(act(&db, "viewer", &id, "approve", &[]).await.status, StatusCode::FORBIDDEN);

    let empty = act(&db, ADMINISTRATOR, &id, "return", &[("return-reason", " ")]).await;
    assert_eq!(empty.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(empty.texts(".problems a"), ["Enter a reason: auditors read it."]);
    let returned = act(&db, ADMINISTRATOR, &id, "return", &[("return-reason", "the title")]).await;
    assert_eq!((returned.status, standing(&db, &id).await), (StatusCode::SEE_OTHER, PackStanding::Draft));
    act(&db, MANAGER, &id, "propose", &[("note", "for <b>ISO</b>")]).await;
    let approved = act(&db, ADMINISTRATOR, &id, "approve", &[]).await;
    let job = done(&db, job_of(&approved)).await;
    assert_eq!(job.state, "done", "{:?}", job.failure);
    let last = job.result.unwrap();

    assert_eq!(standing(&db, &last).await, PackStanding::Final);
    let course = states::course(&db, &id).await.unwrap();
    assert_eq!((course.standing(), course.end().unwrap().other.as_deref()), (PackStanding::Superseded, Some(&*last)));
    assert_eq!(db::bytes(&db, &id, Part::Pdf).await.unwrap(), bytes, "the draft's file is as it was");
    let made = db::find(&db, &last).await.unwrap().unwrap();
    assert_eq!(made.cover["attachments"], stored.cover["attachments"]);
    assert_eq!((made.evaluations, made.not_complying), (stored.evaluations, stored.not_complying));
    let printed = pages(&db, &last, "states-final").await;
    assert!(printed.iter().all(|page| !page.contains("DRAFT") && page.contains("Confidential")), "{printed:?}");
    let cover = words(&printed[0]);
    for expected in [
        "State FINAL",
        "Preparer demo compliance-manager (demo identity, not authenticated), Compliance manager, proposed on 20",
        "Reviewer demo administrator (demo identity, not authenticated), Administrator, approved on 20",
        "for <b>ISO</b>",
        &format!("Made of draft {id}, SHA-256"),
        &auditfolio::packs::sign::hex(&stored.pdf_sha256),
    ] {
        let cover = cover.replace(' ', "");
        assert!(cover.contains(&expected.replace(' ', "")), "{expected}: {cover}");
    }
    let folder = downloaded(&db, &last, "states-tools").await;
    if have("qpdf") {
        assert!(tool(&folder, &format!("qpdf --check {last}.pdf")).contains("No syntax or stream encoding errors"));
    }
    let readme = tool(&folder, &format!("unzip -p {last}.zip README.txt"));
    assert!(readme.contains("State: final, prepared by demo compliance-manager"), "{readme}");

    // Final is final.
    for (what, fields) in [("propose", &[][..]), ("approve", &[]), ("return", &[("return-reason", "x")])] {
        assert_eq!(act(&db, ADMINISTRATOR, &last, what, fields).await.status, StatusCode::CONFLICT, "{what}");
    }
    let listed = get(&app, &manager, "/packs").await.texts("tbody tr td:nth-child(2)");
    assert_eq!(listed[0], "final");
    assert!(listed[1].starts_with(&format!("superseded by {last}")), "{listed:?}");
    let acts: Vec<(String, Value)> = sqlx::query_as(
        "select act, detail from audit_log where object = $1 and act <> 'make pack' order by audit_log_id",
    )
    .bind(&id)
    .fetch_all(&db)
    .await
    .unwrap();
    let told: Vec<&str> = acts.iter().map(|(act, _)| act.as_str()).collect();
    assert_eq!(told, ["propose pack", "return pack", "propose pack", "approve pack"]);
    assert_eq!((&acts[1].1["before"], &acts[1].1["after"]), (&"draft, in review".into(), &"draft".into()));

    // The command that checks a file says how its pack stands now.
    let address = crate::harness::address_of(&db);
    let file = folder.join(format!("{last}.pdf"));
    let verify = || program(&["verify", &file.display().to_string(), "--database-url", &address]).output().unwrap();
    assert!(said(&verify()).contains("on record now: final."), "{}", said(&verify()));
    let gone = act(&db, MANAGER, &last, "withdraw", &[("withdraw-reason", "wrong period")]).await;
    assert_eq!(gone.status, StatusCode::SEE_OTHER, "{}", gone.text);
    let told = verify();
    assert!(told.status.success(), "its bytes are genuine all the same");
    assert!(
        said(&told).contains("on record now: withdrawn") && said(&told).contains("wrong period"),
        "{}",
        said(&told)
    );
}

#[actix_web::test]
async fn a_final_pack_that_cannot_be_made_leaves_the_draft_as_it_was() {
    let db = engaged("states-fails", &[]).await;
    let id = draft(&db, &[]).await;
    act(&db, MANAGER, &id, "propose", &[]).await;
    let first = job_of(&act(&db, ADMINISTRATOR, &id, "approve", &[]).await);
    let making = act(&db, ADMINISTRATOR, &id, "return", &[("return-reason", "no")]).await;
    assert_eq!(making.status, StatusCode::CONFLICT, "it is being made");
    // A worker died over it three times.
    sqlx::query(
        "update job set state = 'running', attempts = 5, started_at = clock_timestamp(),
             lease_until = clock_timestamp() - interval '1 second' where job_id = $1",
    )
    .bind(first)
    .execute(&db)
    .await
    .unwrap();
    let job = done(&db, first).await;
    assert_eq!(job.state, "failed", "{job:?}");
    assert_eq!(standing(&db, &id).await, PackStanding::Approved);
    let app = site(&db).await;
    let manager = sign_in(&app, MANAGER).await;
    let page = get(&app, &manager, &format!("/packs/{id}")).await.text;
    assert!(page.contains("The final pack was not made") && page.contains(&format!("/jobs/{first}")), "{page}");

    // Evidence that is another now is not issued as what was reviewed.
    sqlx::query("update resource set id = id || '-other'").execute(&db).await.unwrap();
    let again = job_of(&post(&db, MANAGER, &format!("/jobs/{first}/retry"), &[]).await);
    let job = done(&db, again).await;
    let failure = job.failure.unwrap_or_default();
    assert!(
        failure.contains("the evidence is not that of the draft") && failure.contains("population.csv"),
        "{failure}"
    );
    let packs: i64 = sqlx::query_scalar("select count(*) from pack").fetch_one(&db).await.unwrap();
    assert_eq!((packs, standing(&db, &id).await), (1, PackStanding::Approved));
    sqlx::query("update resource set id = replace(id, '-other', '')").execute(&db).await.unwrap();

    // Taken back in between, the approval makes nothing any more.
    let back = act(&db, MANAGER, &id, "return", &[("return-reason", "evidence was restated")]).await;
    assert_eq!(back.status, StatusCode::SEE_OTHER, "{}", back.text);
    let stale = job_of(&post(&db, MANAGER, &format!("/jobs/{again}/retry"), &[]).await);
    let failure = done(&db, stale).await.failure.unwrap_or_default();
    assert!(failure.contains("does not stand any more"), "{failure}");
    act(&db, MANAGER, &id, "propose", &[]).await;
    let job = done(&db, job_of(&act(&db, ADMINISTRATOR, &id, "approve", &[]).await)).await;
    assert_eq!(job.state, "done", "{:?}", job.failure);
    assert_eq!(standing(&db, &id).await, PackStanding::Superseded);
}

#[actix_web::test]
async fn in_a_room_a_withdrawn_pack_is_told_with_its_reason_and_not_handed_out() {
    let db = engaged("states-room", &[]).await;
    let (old, new) =
        (draft(&db, &[("engagement", "1")]).await, draft(&db, &[("engagement", "1"), ("title", "New")]).await);
    for id in [&old, &new] {
        let put = post(&db, MANAGER, "/engagements/1/packs", &[("pack", id), ("because", "agreed")]).await;
        assert_eq!(put.status, StatusCode::SEE_OTHER, "{}", put.text);
    }
    let app = site(&db).await;
    let auditor = inside(&app).await;
    act(&db, MANAGER, &old, "propose", &[("note", "between us")]).await;
    let page = get(&app, &auditor, &format!("/packs/{old}")).await;
    assert!(page.text.contains("This pack is a draft: nobody has reviewed it."), "{}", page.text);
    assert!(!page.text.contains("between us"), "what the team says among itself stays there");

    let wrong = act(&db, MANAGER, &old, "supersede", &[("by", &old), ("supersede-reason", "")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(wrong.texts(".problems a").len(), 2, "{}", wrong.text);
    let ended = act(&db, MANAGER, &old, "supersede", &[("by", &new), ("supersede-reason", "newer days")]).await;
    assert_eq!(ended.status, StatusCode::SEE_OTHER, "{}", ended.text);
    let page = get(&app, &auditor, &format!("/packs/{old}")).await;
    assert!(page.text.contains("This pack is superseded") && page.text.contains("newer days"), "{}", page.text);
    let file = format!("/packs/{old}/pack.pdf");
    assert_eq!(get(&app, &auditor, &file).await.status, StatusCode::OK, "superseded ones are handed out");
    let circle = act(&db, MANAGER, &new, "supersede", &[("by", &old), ("supersede-reason", "x")]).await;
    assert_eq!(circle.status, StatusCode::UNPROCESSABLE_ENTITY, "that one is superseded itself");

    act(&db, MANAGER, &new, "withdraw", &[("withdraw-reason", "of <b>wrong</b> accounts")]).await;
    let listed = get(&app, &auditor, "/packs").await;
    assert_eq!(listed.texts("tbody tr").len(), 2);
    let listed = listed.texts("tbody td:nth-child(2)");
    assert!(listed.iter().any(|text| text == "withdrawnof <b>wrong</b> accounts"), "{listed:?}");
    for part in ["pack.pdf", "pack.zip", "pack.sig"] {
        let refused = get(&app, &auditor, &format!("/packs/{new}/{part}")).await;
        assert_eq!(refused.status, StatusCode::CONFLICT, "{part}");
        assert!(refused.text.contains("was withdrawn on") && refused.text.contains("accounts"), "{}", refused.text);
        assert!(!refused.text.contains("<b>wrong"), "{}", refused.text);
    }
    let manager = sign_in(&app, MANAGER).await;
    assert_eq!(get(&app, &manager, &format!("/packs/{new}/pack.pdf")).await.status, StatusCode::OK, "the team has it");
    // Who has which file, for the team.
    let page = get(&app, &manager, &format!("/packs/{old}")).await;
    let rows = page.texts("#downloads + .table-region tbody tr");
    assert_eq!(rows.len(), 1, "{}", page.text);
    assert!(rows[0].contains("demo auditor") && rows[0].contains("Room of engagement 1"), "{rows:?}");
    assert!(get(&app, &auditor, &format!("/packs/{old}")).await.texts("#downloads").is_empty());
}

#[actix_web::test]
async fn the_cover_tells_classification_recipient_and_what_changed_of_the_engagement() {
    let db = engaged("states-cover", &[]).await;
    let changed = terms(&[("last_day", "2026-11-02"), ("reason", "one day less, אחת"), ("auditors", "")]);
    let changed = post(&db, MANAGER, "/engagements/1/terms", &changed).await;
    assert_eq!(changed.status, StatusCode::SEE_OTHER, "{}", changed.text);
    let classification = "סודי 機密 ".repeat(7);
    let recipient = format!("{} ראיית חשבון 審計員", "Auditors & <b>Partners</b>, Straße 1, ".repeat(4));
    let id = draft(
        &db,
        &[("engagement", "1"), ("as_of_day", ""), ("classification", &classification), ("recipient", &recipient)],
    )
    .await;
    let stored = db::find(&db, &id).await.unwrap().unwrap();
    assert_eq!((stored.from_day.to_string(), stored.as_of_day.to_string()), ("2026-11-01".into(), "2026-11-02".into()));
    assert_eq!(stored.cover["scope"]["name"], "prod");
    let printed = pages(&db, &id, "states-cover").await;
    let cover = words(&printed[0]);
    for expected in
        ["SOC 2 2026 (number 1)", "Terms changed after its room had opened, on 20", "Reason: one day less", "period: "]
    {
        assert!(cover.contains(expected), "{expected}: {cover}");
    }
    let squeezed = cover.replace(' ', "");
    for expected in ["審計員", "<b>Partners</b>"] {
        assert!(squeezed.contains(expected), "{expected}: {cover}");
    }
    for page in &printed {
        assert!(page.contains("機密"), "the foot of each page has it:\n{page}");
    }
    let app = site(&db).await;
    let manager = sign_in(&app, MANAGER).await;
    let page = get(&app, &manager, &format!("/packs/{id}")).await;
    assert!(page.texts("dd").iter().any(|text| text.contains("審計員") && text.contains("<b>")), "{}", page.text);
    let form = get(&app, &manager, "/packs/new?engagement=1").await;
    assert!(
        form.text.contains("value=\"2026-11-02\"") && form.text.contains("Auditors of “SOC 2 2026”"),
        "{}",
        form.text
    );
    assert_eq!(get(&app, &manager, "/packs/new?engagement=99").await.status, StatusCode::NOT_FOUND);
    let wrong = post(
        &db,
        MANAGER,
        "/packs",
        &[("title", "x"), ("as_of_day", "2026-11-03"), ("engagement", "99"), ("classification", " ")],
    )
    .await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(wrong.texts(".problems a").len(), 2, "classification and engagement: {}", wrong.text);

    // By the command line it is the engagement's too, and a draft.
    let folder = scratch("states-command");
    let (out, address) = (folder.join("p.pdf"), crate::harness::address_of(&db));
    let arguments = ["pack", "--engagement", "1", "--title", "By command", "--out", out.to_str().unwrap()];
    let made = program(&[&arguments[..], &["--organization", "Example", "--database-url", &address]].concat()).output();
    let told = said(&made.unwrap());
    assert!(told.contains(", a draft: "), "{told}");
    let row: (String, String) =
        sqlx::query_as("select as_of_day::text, cover ->> 'recipient' from pack where title = 'By command'")
            .fetch_one(&db)
            .await
            .unwrap();
    assert_eq!(row, ("2026-11-02".to_owned(), "Auditors of “SOC 2 2026”".to_owned()));
}

#[actix_web::test]
async fn a_pack_from_before_states_is_never_shown_as_final() {
    let db = engaged("states-before", &[]).await;
    let id = draft(&db, &[]).await;
    sqlx::raw_sql("alter table pack_event disable trigger user; delete from pack_event").execute(&db).await.unwrap();
    let app = site(&db).await;
    let manager = sign_in(&app, MANAGER).await;
    let page = get(&app, &manager, &format!("/packs/{id}")).await;
    assert!(page.text.contains("Issued before packs had states"), "{}", page.text);
    assert!(!page.text.contains("/propose"), "{}", page.text);
    let refused = ask(&app, Method::POST, &format!("/packs/{id}/propose"), Some(&manager), Some("")).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(get(&app, &manager, "/packs").await.texts("tbody td").contains(&"without a state".to_owned()));
}

/// Names of persons as AWS has them in ids of resources; none may be left anywhere in a pack with pseudonyms.
const CANARIES: [(i32, &str); 5] = [
    (1, "logs-of-yuri.canary@example.org"),
    (2, "arn:aws:iam::111122223333:user/team/xena.canary"),
    (3, "zelda.canary"),
    (4, "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Admin_0123456789abcdef/walter.canary"),
    (6, "zelda.canarytwo"),
];

/// A file of a pack with everything that readers and searches see of it: text, attachments, metadata, and the bytes.
fn everything(folder: &std::path::Path, id: &str) -> String {
    let out = tool(
        folder,
        &format!(
            "mkdir -p out && pdftotext -layout {id}.pdf - && pdfinfo {id}.pdf && pdfinfo -meta {id}.pdf && pdfdetach -saveall -o out {id}.pdf \
             && cat out/* && unzip -o -q {id}.zip -d unzipped && cat unzipped/*.csv unzipped/*.txt unzipped/*.json && strings {id}.pdf"
        ),
    );
    out.replace(['\u{202a}', '\u{202b}', '\u{202c}'], "")
}

#[actix_web::test]
async fn pseudonyms_leave_no_name_and_change_no_count() {
    let db = crate::packs::store().await;
    for (resource, name) in CANARIES {
        sqlx::query("update resource set id = $2 where resource_id = $1")
            .bind(resource)
            .bind(name)
            .execute(&db)
            .await
            .unwrap();
    }
    let plain = crate::packs::pack(&db, &crate::packs::request()).await;
    let with = |at| {
        let said = Said { pseudonyms: true, ..Said::default() };
        Request { said, at: Some(at), ..crate::packs::request() }
    };
    let first = crate::packs::pack(&db, &with(datetime!(2026-11-12 10:11:12 UTC))).await;
    let second = crate::packs::pack(&db, &with(datetime!(2026-11-12 10:11:13 UTC))).await;
    let (one, other) = (db::find(&db, &plain).await.unwrap().unwrap(), db::find(&db, &first).await.unwrap().unwrap());
    assert_eq!((one.evaluations, one.not_complying), (other.evaluations, other.not_complying));
    for same in ["results", "checks", "register_rows", "deviation_rows", "gaps_line"] {
        assert_eq!(one.cover[same], other.cover[same], "{same}");
    }
    let rows = |of: &db::Stored| -> Vec<(Value, Value)> {
        of.cover["attachments"]
            .as_array()
            .unwrap()
            .iter()
            .map(|file| (file["name"].clone(), file["rows"].clone()))
            .collect()
    };
    assert_eq!(rows(&one), rows(&other));
    let met = other.cover["pseudonyms"].as_u64().unwrap();
    assert_eq!(met, 6, "and an IAM user who is called Żółć");
    if !have("pdftotext") || !have("pdfdetach") {
        return;
    }
    let open = everything(&downloaded(&db, &plain, "names-open").await, &plain);
    assert!(open.contains("canary"), "the test finds what is there");
    let closed = everything(&downloaded(&db, &first, "names-closed").await, &first);
    for part in ["canary", "zelda", "yuri", "xena", "walter", "Żółć"] {
        assert!(!closed.contains(part), "{part} is left in the pack");
    }
    let cover = words(&closed);
    assert!(cover.contains(&format!("{met} names in ids of resources stand as")), "{}", &cover[..2000]);
    assert!(closed.contains("user/team/person-") && closed.contains("AWSReservedSSO_Admin_0123456789abcdef/person-"));
    // The same name is the same in the next pack, and each has one of its own.
    let again = everything(&downloaded(&db, &second, "names-again").await, &second);
    let shown: Vec<String> = sqlx::query_scalar("select shown from pseudonym").fetch_all(&db).await.unwrap();
    assert_eq!(u64::try_from(shown.len()).unwrap(), met);
    for one in &shown {
        assert!(closed.contains(one.as_str()) && again.contains(one.as_str()), "{one}");
    }
}
