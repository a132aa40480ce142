//! The demo's requests: one that was accepted, one answered, one open and one that is late.

use serde_json::json;
use time::{Date, Duration};

use super::content::Content;
use super::core::Event;
use super::db;
use super::form::{Answer, Asked, Piece};
use super::give::keep;
use crate::audit_log::{self, Entry};
use crate::engagement::db::DEMO_AUDITOR;
use crate::engagement::page::object;

/// Makes them. `days` are the first and last day of the audited period.
pub(in crate::engagement) async fn sample(
    tx: &mut sqlx::PgConnection,
    (organization_id, engagement_id, terms): (i16, i64, i64),
    today: Date,
    days: (Date, Date),
    made_by: &str,
) -> anyhow::Result<()> {
    db::lock(tx, engagement_id).await?;
    let (rotation, register, access) = (
        "The policy on the rotation of access keys, as it held in the period.",
        "Who owns which account, as of the last day of the period.",
        "How access of people who left was taken away: a sample of three.",
    );
    for (title, wanted, due) in [
        ("Policy on access keys", rotation, 7),
        ("Register of account owners", register, 10),
        ("Access of leavers", access, 14),
        ("Contact for incidents", "Whom AWS and we call, and who answers at night.", -2),
    ] {
        let asked = Asked {
            title: title.to_owned(),
            wanted: wanted.to_owned(),
            due_day: today + Duration::days(due),
            days: (due == 7).then_some(days),
            asked_for: None,
        };
        let number = db::ask(tx, engagement_id, &asked, DEMO_AUDITOR).await?;
        let detail = json!({ "request": number, "title": title, "due_day": asked.due_day.to_string() });
        let entry = Entry::by_demo(DEMO_AUDITOR, "ask for evidence", object(engagement_id)).detail(detail);
        audit_log::record(tx, &entry).await?;
    }
    let requests = db::requests(&mut *tx, engagement_id, None).await?;
    let file = "account,owner\nmade up for the sample,Platform team\n";
    let answers = [
        (0, Piece::Note, "Keys are rotated every 90 days; the policy is made up for the sample."),
        (1, Piece::File { content: Content::Text, name: "owners.csv".to_owned(), bytes: file.as_bytes().to_vec() }, ""),
    ];
    for (index, piece, note) in answers {
        let Some(request) = requests.get(index) else { continue };
        let answer = Answer { piece, note: note.to_owned(), days: (days.1, days.1) };
        let of = (organization_id, request.engagement_request_id, terms);
        let (answer_id, _) = keep(tx, of, &answer, made_by).await?;
        let detail = json!({ "request": request.number, "answer": answer_id, "kind": answer.piece.word() });
        let entry = Entry::by_demo(made_by, Event::Answered.act(), object(engagement_id)).detail(detail);
        audit_log::record(tx, &entry).await?;
    }
    if let Some(request) = requests.first() {
        let accepted = (Event::Accepted.word(), "", None);
        db::happen(tx, request.engagement_request_id, accepted, DEMO_AUDITOR).await?;
        let detail = json!({ "request": request.number, "before": "answered", "after": "accepted" });
        let entry = Entry::by_demo(DEMO_AUDITOR, Event::Accepted.act(), object(engagement_id)).detail(detail);
        audit_log::record(tx, &entry).await?;
    }
    Ok(())
}
