//! From a gap to a report: terms are read, accepted and used once, and the bytes that are stored are AWS's.

use serde_json::{Value, json};
use sqlx::PgPool;

use crate::artifact_sync::{SOC, described, organization};
use crate::aws::StandIn;
use crate::connect::{browse, header};
use crate::harness::{Served, address_of};

/// A portal that reads Artifact, and somebody signed in.
struct Portal {
    aws: StandIn,
    db: PgPool,
    served: Served,
    cookie: String,
}

impl Portal {
    async fn new(name: &str) -> Self {
        let (aws, db) = (described(), organization(name).await);
        let arguments = ["serve", "--bind", "127.0.0.1:0", "--demo-sign-in", "--artifact-every", "1d"];
        let mut command = aws.program(&arguments);
        command.args(["--organization", "Example", "--aws-member-role", "AuditfolioMember"]);
        command.args(["--aws-attempts", "2", "--database-url", &address_of(&db)]);
        let served = Served::run(command);
        let cookie = cookie(&served, "compliance-manager");
        let portal = Self { aws, db, served, cookie };
        // The first reading is due at once.
        portal.until("select count(*) from job where kind = 'artifact' and state = 'done'", 1).await;
        portal
    }

    fn get(&self, path: &str) -> String {
        browse(&self.served.address, &format!("GET {path}"), &self.cookie, "")
    }

    fn post(&self, path: &str, form: &str) -> String {
        browse(&self.served.address, &format!("POST {path}"), &self.cookie, form)
    }

    async fn until(&self, count: &'static str, wanted: i64) {
        let begun = std::time::Instant::now();
        loop {
            let found: i64 = sqlx::query_scalar(count).fetch_one(&self.db).await.unwrap();
            if found == wanted {
                return;
            }
            assert!(begun.elapsed().as_secs() < 60, "{count}: {found}, not {wanted}, {:?}", self.failures().await);
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }

    async fn failures(&self) -> Vec<String> {
        sqlx::query_scalar("select coalesce(failure, '') from job where state = 'failed' order by job_id")
            .fetch_all(&self.db)
            .await
            .unwrap()
    }

    /// Lets a job end, and gives its page.
    async fn ended(&self, answer: &str) -> String {
        let job = header(answer, "location").to_owned();
        let begun = std::time::Instant::now();
        loop {
            let page = self.get(&job);
            if page.contains("Open it") || page.contains("Failed.") {
                return page;
            }
            assert!(begun.elapsed().as_secs() < 60, "{page}");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }

    /// Asks for the terms of the report's second version, and gives their page's address.
    async fn terms(&self) -> String {
        let page = self.ended(&self.post(&format!("{VERSION}/terms"), "")).await;
        let at = page.find("/artifact/terms/").unwrap_or_else(|| panic!("{page}"));
        page[at..].split('"').next().unwrap().split('?').next().unwrap().to_owned()
    }

    fn document(&self, name: &str) -> Vec<u8> {
        self.aws.document(name)
    }
}

fn cookie(served: &Served, role: &str) -> String {
    let signed = browse(&served.address, "POST /sign-in", "", &format!("role={role}"));
    header(&signed, "set-cookie").split(';').next().unwrap().to_owned()
}

const VERSION: &str = "/artifact/reports/report-0123456789abcdef/versions/2";
const ACCEPT: &str = "accept=yes";

fn is(answer: &str, status: u16) -> bool {
    answer.starts_with(&format!("HTTP/1.1 {status} "))
}

#[tokio::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn terms_are_read_and_accepted_before_a_report_is_fetched_and_its_bytes_are_aws_own() {
    let portal = Portal::new("documents").await;
    assert!(portal.get(VERSION).contains("Not reviewed.") && portal.get(VERSION).contains("It is not stored here."));
    let terms = portal.terms().await;
    assert!(portal.aws.calls("GetReport").is_empty(), "terms are fetched, and nothing else");
    let refused = portal.post(&terms, ACCEPT);
    assert!(is(&refused, 422) && refused.contains("Open the terms and read them first."), "{refused}");
    let opened = portal.get(&format!("{terms}/terms.pdf"));
    assert!(is(&opened, 200) && opened.contains("%PDF-1.4"), "{opened}");
    let refused = portal.post(&terms, "accept=maybe");
    assert!(is(&refused, 422) && refused.contains("Tick that you have read the terms"), "{refused}");
    let page = portal.ended(&portal.post(&terms, ACCEPT)).await;
    assert!(page.contains(VERSION), "{page}");

    let stored: Vec<u8> = sqlx::query_scalar(
        "select string_agg(bytes, '' order by ordinal) from artifact_file f
         join artifact_document_chunk using (artifact_document_id) where f.version = 2",
    )
    .fetch_one(&portal.db)
    .await
    .unwrap();
    assert_eq!(stored, portal.document(&format!("{SOC} 2")));
    let again = portal.post(&terms, ACCEPT);
    assert!(is(&again, 409), "no terms are accepted twice: {again}");
    assert_eq!(portal.aws.calls("GetReport").len(), 1);
    let token: Option<String> =
        sqlx::query_scalar("select token from artifact_terms").fetch_one(&portal.db).await.unwrap();
    assert_eq!(token, None, "it is used");
    let acts: Vec<String> = sqlx::query_scalar(
        "select act from audit_log where act like '%report' or act like '%AWS report' order by audit_log_id",
    )
    .fetch_all(&portal.db)
    .await
    .unwrap();
    let wanted = [
        "ask for terms of report",
        "fetch terms of report",
        "open terms of report",
        "accept terms of report",
        "fetch report",
    ];
    assert_eq!(acts, wanted);
    assert_eq!(portal.aws.violations(), Vec::<Value>::new());
}

#[tokio::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn auditors_have_a_report_only_while_somebody_who_read_its_terms_lets_them() {
    let portal = Portal::new("documents-released").await;
    let terms = portal.terms().await;
    portal.get(&format!("{terms}/terms.pdf"));
    portal.ended(&portal.post(&terms, ACCEPT)).await;
    let file: i64 =
        sqlx::query_scalar("select artifact_file_id from artifact_file").fetch_one(&portal.db).await.unwrap();
    let download = format!("GET /artifact/files/{file}/{SOC}-2.pdf");
    let auditor = cookie(&portal.served, "viewer");
    let asked = |cookie: &str| browse(&portal.served.address, &download, cookie, "");
    assert!(is(&asked(&auditor), 403), "not released");
    assert!(is(&asked(&portal.cookie), 200));
    let release = format!("/artifact/files/{file}/release");
    let other = cookie(&portal.served, "administrator");
    let refused = browse(&portal.served.address, &format!("POST {release}"), &other, "reason=Audit&read=yes");
    assert!(
        is(&refused, 422) && refused.contains("Open the terms of this version"),
        "who has not read them: {refused}"
    );
    assert!(is(&portal.post(&release, "reason=&read=yes"), 422) && is(&portal.post(&release, "reason=Audit"), 422));
    assert!(is(&portal.post(&release, "reason=Annual+audit&read=yes"), 303));
    assert!(is(&asked(&auditor), 200));
    assert!(is(&portal.post(&format!("/artifact/files/{file}/withdraw"), ""), 303));
    assert!(is(&asked(&auditor), 403), "withdrawn");
    let recipients: Vec<Value> =
        sqlx::query_scalar("select detail -> 'recipient' from audit_log where act = 'download AWS report' order by 1")
            .fetch_all(&portal.db)
            .await
            .unwrap();
    assert_eq!(recipients.len(), 2, "{recipients:?}");
    assert!(is(&browse(&portal.served.address, &format!("POST {release}"), &auditor, "reason=x&read=yes"), 403));
}

#[tokio::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn what_is_no_document_or_breaks_off_is_not_stored_and_its_token_is_not_used_again() {
    let portal = Portal::new("documents-broken").await;
    let page = "<html>Sign in first, please, with a name and a password that somebody has given you.</html>";
    portal.aws.describe(&json!({"artifact": {"documents": {format!("{SOC} 2"): page}}}));
    let failed = async |words: &str| {
        let terms = portal.terms().await;
        portal.get(&format!("{terms}/terms.pdf"));
        let page = portal.ended(&portal.post(&terms, ACCEPT)).await;
        assert!(page.contains("Failed.") && page.contains(words), "{words}: {page}");
    };
    failed("it is neither a PDF nor a ZIP").await;
    portal.aws.describe(&json!({"artifact": {"documents": {}, "token_seconds": 0}}));
    failed("ValidationException").await;
    portal.aws.describe(&json!({"artifact": {"token_seconds": 900}}));
    portal.aws.fault(&json!({"kind": "cut", "service": "artifact-documents", "after": 1, "times": 1}));
    failed("broke off").await;
    let quota = json!({"resourceId": "r", "resourceType": "report", "serviceCode": "artifact", "quotaCode": "L-1"});
    portal.aws.fault(&json!({"kind": "error", "operation": "GetReport", "code": "ServiceQuotaExceededException",
                             "message": "too many requests this month", "status": 402, "members": quota}));
    failed("too many requests this month").await;
    for fault in ["server_error", "throttle"] {
        portal.aws.fault(&json!({"kind": fault, "operation": "GetReport", "times": 1}));
        failed("artifact:GetReport").await;
    }
    let files: i64 = sqlx::query_scalar("select count(*) from artifact_file").fetch_one(&portal.db).await.unwrap();
    assert_eq!(files, 0);
    let tokens: Vec<Value> =
        portal.aws.calls("GetReport").iter().map(|call| call["parameters"]["termToken"].clone()).collect();
    let once: std::collections::BTreeSet<String> = tokens.iter().map(ToString::to_string).collect();
    assert_eq!((tokens.len(), once.len()), (6, 6), "each token once: {tokens:?}");
    let job: i64 =
        sqlx::query_scalar("select max(job_id) from job where kind = 'document'").fetch_one(&portal.db).await.unwrap();
    let page = portal.ended(&portal.post(&format!("/jobs/{job}/retry"), "")).await;
    assert!(page.contains("ask for the terms again"), "{page}");
    assert_eq!(portal.aws.calls("GetReport").len(), 6);
    portal.aws.fault(&json!({"kind": "deny", "operation": "GetTermForReport"}));
    let page = portal.ended(&portal.post(&format!("{VERSION}/terms"), "")).await;
    assert!(page.contains("artifact:GetTermForReport"), "{page}");
}

#[tokio::test]
#[ignore = "needs Python's moto; tests/run runs it"]
async fn a_review_is_on_record_and_a_later_one_counts() {
    let portal = Portal::new("documents-review").await;
    let review = format!("{VERSION}/review");
    let wrong = portal.post(&review, "reviewer=&reviewed_on=2026-11-20&opinion=unqualified&conclusion=x");
    assert!(is(&wrong, 422) && wrong.contains("Name who reviewed the report"), "{wrong}");
    let form = "reviewer=R.+Wei%C3%9F&reviewed_on=2026-11-20&opinion=qualified&exceptions=One+late+revocation\
                &controls=Rotate+keys+%7C+security&carve_outs=&conclusion=Suffices+%3Cb%3E&next_due=2026-11-25";
    assert!(is(&portal.post(&review, form), 303));
    let page = portal.get(VERSION);
    assert!(page.contains("Reviewed by <bdi>R. Weiß</bdi> on 20 Nov 2026; the next review is due."), "{page}");
    assert!(page.contains("Suffices &#60;b&#62;") && page.contains("qualified opinion"), "{page}");
    assert!(is(
        &portal.post(&review, &form.replace("2026-11-25", "2036-11-25").replace("qualified", "unqualified")),
        303
    ));
    let page = portal.get(VERSION);
    assert!(
        page.contains("Reviewed by <bdi>R. Weiß</bdi> on 20 Nov 2026.") && page.contains("unqualified opinion"),
        "{page}"
    );
    let report = portal.get("/artifact/reports/report-0123456789abcdef");
    assert!(report.contains("20 Nov 2026, R. Weiß") && report.contains("not reviewed"), "{report}");
    let altered = sqlx::query("update artifact_review set conclusion = 'x'").execute(&portal.db).await;
    assert!(altered.is_err(), "a review is never altered");
}
