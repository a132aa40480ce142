//! The installation's key of pseudonyms and the pseudonyms that were given, as they are stored: never altered.

use anyhow::{Context as _, ensure};
use ring::rand::SecureRandom as _;
use sqlx::{PgConnection, PgPool};

use super::pseudonym::Pseudonyms;
use crate::audit_log;

/// Everything that was given so far, with the key, which is made on first use. Two that come first at once agree on one.
pub(super) async fn load(db: &PgPool) -> anyhow::Result<Pseudonyms> {
    let mut tx = db.begin().await?;
    sqlx::query("lock table pseudonym_key in share row exclusive mode").execute(&mut *tx).await?;
    let found: Option<Vec<u8>> = sqlx::query_scalar("select key from pseudonym_key").fetch_optional(&mut *tx).await?;
    let key = if let Some(key) = found {
        key
    } else {
        let mut key = vec![0; 32];
        ring::rand::SystemRandom::new().fill(&mut key).ok().context("the system gave no randomness")?;
        sqlx::query("insert into pseudonym_key (key) values ($1)").bind(&key).execute(&mut *tx).await?;
        audit_log::record(&mut tx, &audit_log::Entry::by_system("make pseudonym key", "")).await?;
        key
    };
    let given: Vec<(Vec<u8>, String)> =
        sqlx::query_as("select digest, shown from pseudonym").fetch_all(&mut *tx).await?;
    tx.commit().await?;
    Ok(Pseudonyms::new(&key, given))
}

/// Keeps what was given anew.
///
/// # Errors
///
/// Where another pack gave one of the names another pseudonym meanwhile: the pack has to be made again.
pub(super) async fn keep(tx: &mut PgConnection, new: &[(Vec<u8>, String)]) -> anyhow::Result<()> {
    let (digests, shown): (Vec<&[u8]>, Vec<&str>) =
        new.iter().map(|(digest, shown)| (digest.as_slice(), shown.as_str())).unzip();
    sqlx::query(
        "insert into pseudonym (digest, shown) select * from unnest($1::bytea[], $2::text[])
         on conflict (digest) do nothing",
    )
    .bind(&digests)
    .bind(&shown)
    .execute(&mut *tx)
    .await
    .context("another pack took a pseudonym meanwhile: make this one again")?;
    let same: i64 = sqlx::query_scalar(
        "select count(*) from unnest($1::bytea[], $2::text[]) n (digest, shown) join pseudonym p using (digest, shown)",
    )
    .bind(&digests)
    .bind(&shown)
    .fetch_one(tx)
    .await?;
    ensure!(same == i64::try_from(new.len())?, "another pack gave a name its pseudonym meanwhile: make this one again");
    Ok(())
}
