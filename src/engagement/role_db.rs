//! The database role that a room's transactions go on as: it reads what a room's pages read, and writes nothing.

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

/// Tables that a room's pages read. Those with rows of places, accounts, rules and packs have row-level security.
pub const READ: [&str; 52] = [
    "account",
    "account_list",
    "account_listing",
    "account_reading",
    "aggregate_pack",
    "aggregator_reading",
    "artifact_acceptance",
    "artifact_document",
    "artifact_file",
    "artifact_release",
    "artifact_version",
    "athena_query",
    "audit_log",
    "collection",
    "conformance_pack",
    "conformance_pack_run",
    "delivery",
    "engagement_answer",
    "engagement_answer_end",
    "engagement_answer_frozen",
    "engagement_pack",
    "engagement_pack_end",
    "engagement_publication",
    "engagement_request",
    "engagement_request_event",
    "engagement_sample",
    "engagement_sample_drawn",
    "engagement_sample_row",
    "expected_place",
    "object",
    "object_outcome",
    "organization",
    "pack",
    "pack_chunk",
    "pack_event",
    "place",
    "region_list",
    "resource",
    "resource_type",
    "restatement",
    "retention",
    "rollup",
    "rule",
    "rule_attribute",
    "rule_definition",
    "rule_presence",
    "rule_presence_restatement",
    "rule_reading",
    "rule_timeline_move",
    "run",
    "status",
    "timeline",
];

/// Serialises those who make the role or grant to it: Postgres refuses two at once.
const LOCK: i64 = 0x726f_6f6d;

/// Whether the database has the role and this connection may go on as it.
pub async fn is_ready(connection: &mut PgConnection) -> sqlx::Result<bool> {
    sqlx::query_scalar(
        "select coalesce((select pg_has_role(current_user, oid, 'MEMBER') and (select bool_and(
                 has_table_privilege(oid, name::regclass, 'SELECT')) from unnest($1::text[]) t (name))
             from pg_roles where rolname = 'auditfolio_room'), false)",
    )
    .bind(READ)
    .fetch_one(connection)
    .await
}

/// Makes the role where it is missing, and lets it read what rooms show. Does nothing where all stands.
///
/// # Errors
///
/// Of the database, e.g. where its user may make no roles (SQLSTATE 42501).
pub async fn make_ready(connection: &mut PgConnection) -> sqlx::Result<()> {
    if is_ready(connection).await? {
        return Ok(());
    }
    let mut tx = connection.begin().await?;
    sqlx::query("select pg_advisory_xact_lock($1)").bind(LOCK).execute(&mut *tx).await?;
    // Roles are the whole server's: another database of it may have made this one.
    tx.execute(
        "do $$ begin
             if not exists (select from pg_roles where rolname = 'auditfolio_room') then
                 begin
                     create role auditfolio_room nologin;
                 exception when duplicate_object or unique_violation then null;
                 end;
             end if;
             if not pg_has_role(current_user, 'auditfolio_room', 'MEMBER') then
                 execute format('grant auditfolio_room to %I', current_user);
             end if;
         end $$",
    )
    .await?;
    // Not the tokens by which terms are accepted.
    tx.execute(
        "grant select (artifact_terms_id, artifact_document_id, fetched_at) on artifact_terms to auditfolio_room",
    )
    .await?;
    // The public halves alone: packs are checked with them.
    tx.execute("grant select (key_id, public_key, created_at) on installation_key to auditfolio_room").await?;
    tx.execute(AssertSqlSafe(format!("grant select on {} to auditfolio_room", READ.join(", ")))).await?;
    tx.execute("do $$ begin execute format('grant usage on schema %I to auditfolio_room', current_schema()); end $$")
        .await?;
    tx.commit().await
}
