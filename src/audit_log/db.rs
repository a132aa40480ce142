//! The one statement that writes the audit log.

use sqlx::{PgConnection, PgPool};

use super::Entry;

/// Writes an entry. Call it in the transaction of the act, so that neither stands without the other. The transaction is a
/// read committed one, as the pool begins them: the link that the entry gets at its end follows the newest one.
pub async fn record(tx: &mut PgConnection, entry: &Entry) -> sqlx::Result<()> {
    sqlx::query(
        "insert into audit_log (actor, actor_kind, act, object, detail, remote, request_id)
         values ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(&entry.actor)
    .bind(entry.actor_kind.word())
    .bind(entry.act)
    .bind(&entry.object)
    .bind(&entry.detail)
    .bind(&entry.remote)
    .bind(&entry.request_id)
    .execute(tx)
    .await?;
    Ok(())
}

/// What the newest entry of an act keeps.
pub(super) async fn newest_detail(tx: &mut PgConnection, act: &str) -> sqlx::Result<Option<serde_json::Value>> {
    sqlx::query_scalar("select detail from audit_log where act = $1 order by at desc, audit_log_id desc limit 1")
        .bind(act)
        .fetch_optional(tx)
        .await
}

/// Writes an entry of an act that changes nothing, before what it is about is handed out.
pub async fn record_alone(db: &PgPool, entry: &Entry) -> sqlx::Result<()> {
    let mut tx = db.begin().await?;
    record(&mut tx, entry).await?;
    tx.commit().await
}
