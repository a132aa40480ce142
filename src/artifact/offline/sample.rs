//! The demo's marks: accounts with health data, and a BAA that was signed on paper for one of them.

use time::{Date, Duration};

use super::db;
use super::form::Offline;
use crate::State;
use crate::artifact::agreements_page::HEALTH;
use crate::artifact::db::accounts_on;
use crate::artifact::documents::content::MediaType;
use crate::artifact::documents::db::store;
use crate::audit_log::{self, Entry};
use crate::organization::{self, scope};
use crate::sample;

/// How many accounts of the list are marked, from the second on.
const MARKED: usize = 5;

/// Makes them where nothing was recorded by hand yet. Gives what to say of it.
pub async fn mark(
    state: &State,
    organization: &str,
    (first, latest): (Date, Date),
    made_by: &str,
) -> anyhow::Result<String> {
    let mut tx = state.db.begin().await?;
    let organization_id = organization::current(&mut tx, organization).await?;
    if !db::offline(&mut tx, organization_id, None).await?.is_empty() {
        return Ok("done earlier".to_owned());
    }
    let accounts = accounts_on(&mut tx, organization_id, latest).await?;
    let marked: Vec<String> = accounts.into_iter().skip(1).take(MARKED).map(|account| account.account_id).collect();
    let number = marked.len();
    let Some(on_paper) = marked.get(2).cloned() else { return Ok("no accounts to mark".to_owned()) };
    scope::define(
        &mut tx,
        organization_id,
        (HEALTH, "Accounts with health data"),
        &scope::Selector::Accounts(marked.into_iter().collect()),
        first,
        ("Made up for the sample.", made_by),
    )
    .await?;
    let said = Offline {
        account_id: Some(on_paper.clone()),
        title: "BAA signed on paper (sample)".to_owned(),
        from: first - Duration::days(30),
        until: None,
        note: "Made up for the sample: no document of AWS.".to_owned(),
    };
    let document = sample::one_line_pdf("Business Associate Addendum: made up for the sample, no document of AWS");
    let document_id = store(&mut tx, organization_id, MediaType::Pdf.word(), document.as_bytes()).await?;
    let id = db::insert(&mut tx, organization_id, &said, document_id, made_by).await?;
    let entry = Entry::by_demo(made_by, "record agreement", format!("agreement {id}"));
    let detail = serde_json::json!({ "account": on_paper, "title": said.title, "from": said.from.to_string() });
    audit_log::record(&mut tx, &entry.detail(detail)).await?;
    tx.commit().await?;
    Ok(format!("{number} accounts marked as having health data, a BAA on paper for one of them"))
}
