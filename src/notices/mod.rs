//! What a person should look at, once for its cause: decided after each collection from what the store says.
//!
//! [`core`] decides, purely; [`facts`] asks the store; [`db`] keeps notices, which are closed but never altered;
//! [`digest`] and [`mail`] tell of them by e-mail where that is set.

mod core;
mod db;
mod digest;
mod facts;
mod kind;
mod links;
mod mail;
pub mod page;

use std::time::Duration;

use sqlx::PgConnection;

pub use self::core::Seen;
pub use digest::send as send_digest;
pub use kind::Kind;
pub use mail::{Mail, MailArgs};

use self::core::{Decision, Facts};
use crate::State;
use crate::audit_log::{self, Entry};
use crate::collection::{Cancelled, Outcome, Progress};
use crate::jobs;
use crate::settings::length;

/// Settings of what is noticed.
#[derive(Debug, Clone, clap::Args)]
pub struct NoticeArgs {
    /// An account-Region whose last snapshot is older than this gets a notice; of one that never had a snapshot, the
    /// last history object counts. AWS Config delivers snapshots every 24 hours at the longest.
    #[arg(long, env = "AUDITFOLIO_SILENT_AFTER", value_parser = length, default_value = "36h")]
    pub silent_after: Duration,
}

impl Default for NoticeArgs {
    fn default() -> Self {
        Self { silent_after: Duration::from_hours(36) }
    }
}

/// How a collection ended, as far as notices go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Collected {
    Finished {
        collection_id: i64,
    },
    /// Only that it failed is noticed: what it committed is looked at when the next one has finished.
    Failed {
        /// `None`: it failed before it had a number.
        collection_id: Option<i64>,
        job_id: Option<i64>,
        failure: String,
    },
}

impl Collected {
    /// From what a collection gave. `None`: somebody ended it, and there is nothing to notice.
    fn of(outcome: &anyhow::Result<Outcome>, progress: &Progress) -> Option<Self> {
        match outcome {
            Ok(outcome) => Some(Self::Finished { collection_id: outcome.collection_id }),
            Err(error) if error.is::<Cancelled>() => None,
            Err(error) => Some(Self::Failed {
                collection_id: progress.collection_id(),
                job_id: None,
                failure: format!("{error:#}"),
            }),
        }
    }
}

/// [`after`] a collection that no job made, however it ended.
pub async fn after_collection(
    state: &State,
    args: &NoticeArgs,
    organization: &str,
    outcome: &anyhow::Result<Outcome>,
    progress: &Progress,
) {
    if let Some(collected) = Collected::of(outcome, progress) {
        after(state, args, organization, &collected).await;
    }
}

/// [`decide`] in a transaction of its own. A failure is logged: the collection stands whether it is noticed or not, and
/// the next one looks again.
pub async fn after(state: &State, args: &NoticeArgs, organization: &str, collected: &Collected) {
    let decided = async {
        let mut tx = state.db.begin().await?;
        decide(&mut tx, state, args, organization, collected).await?;
        tx.commit().await?;
        anyhow::Ok(())
    };
    match decided.await {
        Ok(()) => jobs::wake(),
        Err(error) => tracing::error!("deciding what there is to notice: {error:#}"),
    }
}

/// Looks at what the store says, opens and closes notices, and asks for a digest where mail is set. Waits for another
/// decision about the organisation to be committed first.
pub async fn decide(
    tx: &mut PgConnection,
    state: &State,
    args: &NoticeArgs,
    organization: &str,
    collected: &Collected,
) -> anyhow::Result<()> {
    let organization_id = crate::organization::current(tx, organization).await?;
    db::lock(tx, organization_id).await?;
    let now = state.clock.now();
    let facts = facts::gather(tx, organization_id, collected, now, args.silent_after).await?;
    let decision = core::decide(&facts);
    let decision_id = keep(tx, organization_id, collected, &facts, &decision).await?;
    if !decision.is_empty() {
        ask_for_digest(tx, state, organization, decision_id).await?;
    }
    // A review falls due and a certificate ends as days pass, whether or not Artifact is read.
    crate::artifact::decide_notices(tx, state, organization).await
}

/// Opens and closes notices of some kinds by what is seen of their causes now; each kind with why one of it is closed.
pub async fn decide_seen(
    tx: &mut PgConnection,
    state: &State,
    organization: &str,
    kinds: &[(Kind, &'static str)],
    seen: &[Seen],
) -> anyhow::Result<()> {
    let organization_id = crate::organization::current(tx, organization).await?;
    db::lock(tx, organization_id).await?;
    let now = state.clock.now();
    let decision = core::seen_now(&db::open_notices(tx, organization_id).await?, kinds, seen);
    if decision.is_empty() {
        return Ok(());
    }
    let decision_id = db::insert_decision(tx, organization_id, None, false, now).await?;
    for opening in &decision.opened {
        db::open(tx, organization_id, (decision_id, None, now), opening).await?;
    }
    for closing in &decision.closed {
        db::close(tx, decision_id, now, closing).await?;
    }
    record(tx, "Artifact".to_owned(), &decision).await?;
    ask_for_digest(tx, state, organization, decision_id).await
}

/// Lets the decision be told by e-mail, where that is set.
async fn ask_for_digest(
    tx: &mut PgConnection,
    state: &State,
    organization: &str,
    decision_id: i64,
) -> anyhow::Result<()> {
    if let Some(mail) = &state.duties.mail {
        db::insert_digest(tx, decision_id, &mail.new_message_id()?).await?;
        let payload = serde_json::json!({ "decision": decision_id, "organization": organization });
        jobs::enqueue(tx, jobs::Kind::Digest, &payload, "notices").await?;
    }
    Ok(())
}

async fn record(tx: &mut PgConnection, about: String, decision: &Decision) -> anyhow::Result<()> {
    let entry = Entry::by_system("decide notices", about).detail(serde_json::json!({
        "opened": decision.opened.len(), "closed": decision.closed.len(),
    }));
    audit_log::record(tx, &entry).await?;
    Ok(())
}

async fn keep(
    tx: &mut PgConnection,
    organization_id: i16,
    collected: &Collected,
    facts: &Facts,
    decision: &Decision,
) -> anyhow::Result<i64> {
    let (collection_id, whole) = match collected {
        Collected::Finished { collection_id } => (Some(*collection_id), true),
        Collected::Failed { collection_id, .. } => (*collection_id, false),
    };
    let decision_id = db::insert_decision(tx, organization_id, collection_id, whole, facts.now).await?;
    for opening in &decision.opened {
        db::open(tx, organization_id, (decision_id, facts.as_of, facts.now), opening).await?;
    }
    for closing in &decision.closed {
        db::close(tx, decision_id, facts.now, closing).await?;
    }
    if !decision.is_empty() {
        let about = collection_id.map_or_else(|| "collection".to_owned(), |id| format!("collection {id}"));
        record(tx, about, decision).await?;
    }
    Ok(decision_id)
}
