//! Digests of notices, against a real SMTP server.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use auditfolio::collection::{self, Progress};
use auditfolio::jobs::{self, Standing};
use auditfolio::notices::{self, MailArgs, NoticeArgs};
use auditfolio::{Duties, State};
use sqlx::PgPool;
use time::macros::datetime;
use tokio_util::sync::CancellationToken;

use crate::bucket::{Bucket, options, snapshot_name};
use crate::harness::database;
use crate::output::Lines;
use crate::site::state_at;

/// An SMTP server of its own; killed when dropped.
struct Server {
    child: Child,
    lines: Option<Lines>,
    port: String,
}

impl Server {
    /// One that gives these replies to its first messages.
    fn start(replies: &str) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/app/mail.py");
        let venv = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/.venv/bin/python");
        let mut child =
            Command::new(venv).args([script, replies]).stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = Lines::of(child.stdout.take().unwrap());
        let port = lines.next_line();
        Self { child, lines: Some(lines), port }
    }

    fn message(&mut self) -> serde_json::Value {
        serde_json::from_str(&self.lines.as_mut().unwrap().next_line()).unwrap()
    }

    /// All messages that came and were not read yet.
    fn end(mut self) -> usize {
        self.child.kill().unwrap();
        self.lines.take().unwrap().count()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _status = self.child.wait();
    }
}

fn state(db: &PgPool, port: &str) -> State {
    let args = MailArgs {
        smtp_url: None,
        mail_from: Some("Auditfolio <auditfolio@example.com>".parse().unwrap()),
        mail_to: vec!["one@example.com".parse().unwrap(), "Zwei Ü <two@example.com>".parse().unwrap()],
        mail_portal: Some("https://audit.example.com/".to_owned()),
    };
    let url = format!("smtp://127.0.0.1:{port}/portal.example.com").into();
    let duties = Arc::new(Duties { mail: args.mail(Some(url)).unwrap(), ..Duties::default() });
    State { duties, ..state_at(db, datetime!(2026-11-02 12:00 UTC)) }
}

/// Collects a day with an object that cannot be read, and decides.
async fn noticed(state: &State, name: &str) {
    let bucket = Bucket::new(name);
    bucket.snapshot(1, 23, &[("a", &[("r", "COMPLIANT")])]);
    bucket.put(&snapshot_name(crate::bucket::ACCOUNT, crate::bucket::REGION, 2, 5), b"no gzip");
    for _ in 0..2 {
        let outcome = collection::run(&state.db, &options(&bucket.root), &Progress::silent()).await;
        notices::after_collection(state, &NoticeArgs::default(), "Example", &outcome, &Progress::silent()).await;
    }
}

async fn until(db: &PgPool, job_id: i64, wanted: impl Fn(&Standing) -> bool) -> Standing {
    for _ in 0..1500 {
        let standing = jobs::find(db, job_id).await.unwrap().unwrap();
        if wanted(&standing) {
            return standing;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the job stays as {:?}", jobs::find(db, job_id).await.unwrap());
}

#[actix_web::test]
#[ignore = "needs tests/.venv with aiosmtpd, which tests/run makes"]
async fn a_digest_is_sent_once_to_all_recipients_under_its_own_message_id() {
    let db = database().await;
    let mut server = Server::start("");
    let state = state(&db, &server.port);
    noticed(&state, "mail").await;
    let jobs_made: i64 = sqlx::query_scalar("select count(*) from job").fetch_one(&db).await.unwrap();
    assert_eq!(jobs_made, 1, "the second collection had nothing new to tell");
    let stop = CancellationToken::new();
    let worker = tokio::spawn(jobs::work(state.clone(), stop.clone()));
    until(&db, 1, |job| job.state == "done").await;
    let message = server.message();
    let (message_id, sent): (String, bool) =
        sqlx::query_as("select message_id, sent_at is not null and recipients = 2 from notice_digest")
            .fetch_one(&db)
            .await
            .unwrap();
    assert!(sent);
    let headers = &message["headers"];
    assert_eq!(headers["Message-ID"], message_id);
    assert_eq!(headers["Subject"], "Auditfolio: 1 new notice – Example");
    assert_eq!(headers["Auto-Submitted"], "auto-generated");
    assert_eq!(message["from"], "auditfolio@example.com");
    assert_eq!(message["to"], serde_json::json!(["one@example.com", "two@example.com"]));
    let text = message["text"].as_str().unwrap();
    assert!(text.contains("- Collection 1 left 1 object unreadable"), "{text}");
    assert!(text.contains("All notices: https://audit.example.com/notices"), "{text}");

    // As if the program had died between the server's word and its own note: the same message, under the same id.
    for sent_at in ["sent_at", "null"] {
        sqlx::query(sqlx::AssertSqlSafe(format!("update notice_digest set sent_at = {sent_at}")))
            .execute(&db)
            .await
            .unwrap();
        sqlx::query("update job set state = 'queued', finished_at = null").execute(&db).await.unwrap();
        until(&db, 1, |job| job.state == "done").await;
    }
    assert_eq!(server.message()["headers"]["Message-ID"], message_id);
    stop.cancel();
    worker.await.unwrap();
    assert_eq!(server.end(), 0, "what was noted as sent is not sent again");
}

#[actix_web::test]
#[ignore = "needs tests/.venv with aiosmtpd, which tests/run makes"]
async fn a_digest_that_the_server_does_not_take_waits_in_view_and_one_that_it_refuses_fails() {
    let db = database().await;
    let mut server = Server::start("451,554");
    let state = state(&db, &server.port);
    noticed(&state, "mail-refused").await;
    let stop = CancellationToken::new();
    let worker = tokio::spawn(jobs::work(state.clone(), stop.clone()));
    let waiting = until(&db, 1, |job| job.not_before.is_some()).await;
    assert_eq!(waiting.state, "queued");
    assert!(waiting.failure.unwrap().starts_with("the mail server did not take the message"), "its word is in view");
    sqlx::query("update job set not_before = now()").execute(&db).await.unwrap();
    let failed = until(&db, 1, |job| job.state == "failed").await;
    assert!(failed.failure.unwrap().starts_with("the mail server refuses the message"));
    let sent: Option<time::OffsetDateTime> =
        sqlx::query_scalar("select sent_at from notice_digest").fetch_one(&db).await.unwrap();
    assert_eq!(sent, None);
    assert_eq!((server.message()["reply"].clone(), server.message()["reply"].clone()), ("451".into(), "554".into()));
    stop.cancel();
    worker.await.unwrap();
}

#[actix_web::test]
async fn without_a_server_nothing_is_queued_and_one_that_does_not_answer_is_tried_again() {
    let db = database().await;
    // A port that nobody listens on: taken and given back.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let with_mail = state(&db, &port);
    let without = State { duties: Arc::default(), ..with_mail.clone() };
    noticed(&without, "mail-unset").await;
    let queued: i64 = sqlx::query_scalar("select count(*) from job").fetch_one(&db).await.unwrap();
    assert_eq!(queued, 0);

    let db = database().await;
    let with_mail = State { db: db.clone(), ..with_mail };
    noticed(&with_mail, "mail-away").await;
    let stop = CancellationToken::new();
    let worker = tokio::spawn(jobs::work(with_mail, stop.clone()));
    let waiting = until(&db, 1, |job| job.not_before.is_some()).await;
    assert_eq!((waiting.state.as_str(), waiting.attempts), ("queued", 1));
    stop.cancel();
    worker.await.unwrap();
}
