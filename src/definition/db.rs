//! Keeping readings and definitions.

use sqlx::{FromRow, PgConnection};
use time::Date;

use super::core::{Definition, difference};
use super::outcome::Outcome;

/// An account in a Region that is to be asked.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub(super) struct Place {
    pub(super) place_id: i32,
    pub(super) account_id: String,
    pub(super) region: String,
}

impl Place {
    pub(super) fn words(&self) -> String {
        format!("{} {}", self.account_id, self.region)
    }
}

/// Which reading rows belong to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading {
    pub(super) place_id: i32,
    pub(super) collection_id: i64,
    pub(super) day: Date,
}

/// The places that are expected on a day, by account and Region.
pub(super) async fn expected(db: &mut PgConnection, organization_id: i16, day: Date) -> sqlx::Result<Vec<Place>> {
    sqlx::query_as(
        "select place_id, account_id, region from place p
         where organization_id = $1
           and exists (select from expected_place e where e.place_id = p.place_id and e.until_collection is null
                       and e.first_day <= $2 and e.end_day > $2)
         order by account_id, region",
    )
    .bind(organization_id)
    .bind(day)
    .fetch_all(db)
    .await
}

#[derive(Debug, Clone, FromRow)]
pub(super) struct DefinitionRow {
    pub(super) rule_definition_id: i64,
    rule_name: String,
    arn: String,
    config_rule_id: String,
    owner: String,
    source_identifier: String,
    parameters: String,
    scope: String,
    source_details: String,
    frequency: String,
    modes: Vec<String>,
    state: String,
    created_by: String,
    description: String,
}

impl From<DefinitionRow> for Definition {
    fn from(row: DefinitionRow) -> Self {
        Self {
            name: row.rule_name,
            arn: row.arn,
            config_rule_id: row.config_rule_id,
            owner: row.owner,
            source_identifier: row.source_identifier,
            parameters: row.parameters,
            scope: row.scope,
            source_details: row.source_details,
            frequency: row.frequency,
            modes: row.modes,
            state: row.state,
            created_by: row.created_by,
            description: row.description,
        }
    }
}

/// Keeps what a place's rules are now; gives how many definitions were opened and closed.
pub(super) async fn keep(db: &mut PgConnection, reading: Reading, rules: &[Definition]) -> sqlx::Result<(u64, u64)> {
    // One reading of a place at a time, in the order of collections: a slow one must not undo what a later one found.
    sqlx::query("select from place where place_id = $1 for update").bind(reading.place_id).execute(&mut *db).await?;
    note(db, reading, Outcome::Read, i32::try_from(rules.len()).ok(), None).await?;
    let overtaken: bool = sqlx::query_scalar(
        "select exists (select from rule_reading where place_id = $1 and collection_id > $2 and outcome = 'read')",
    )
    .bind(reading.place_id)
    .bind(reading.collection_id)
    .fetch_one(&mut *db)
    .await?;
    if overtaken {
        return Ok((0, 0));
    }
    let stored: Vec<DefinitionRow> =
        sqlx::query_as("select * from rule_definition where place_id = $1 and until_collection is null")
            .bind(reading.place_id)
            .fetch_all(&mut *db)
            .await?;
    let stored: Vec<(i64, Definition)> =
        stored.into_iter().map(|row| (row.rule_definition_id, Definition::from(row))).collect();
    let difference = difference(&stored, rules);
    sqlx::query(
        "update rule_definition set until_collection = $2, end_day = greatest($3, first_day)
         where rule_definition_id = any($1)",
    )
    .bind(&difference.close)
    .bind(reading.collection_id)
    .bind(reading.day)
    .execute(&mut *db)
    .await?;
    for one in &difference.open {
        open(db, reading, one).await?;
    }
    let count = |length: usize| u64::try_from(length).unwrap_or(u64::MAX);
    Ok((count(difference.open.len()), count(difference.close.len())))
}

async fn open(db: &mut PgConnection, reading: Reading, one: &Definition) -> sqlx::Result<()> {
    sqlx::query(
        "insert into rule_definition (place_id, rule_name, arn, config_rule_id, owner, source_identifier, parameters,
             scope, source_details, frequency, modes, state, created_by, description, since_collection, first_day)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
    )
    .bind(reading.place_id)
    .bind(&one.name)
    .bind(&one.arn)
    .bind(&one.config_rule_id)
    .bind(&one.owner)
    .bind(&one.source_identifier)
    .bind(&one.parameters)
    .bind(&one.scope)
    .bind(&one.source_details)
    .bind(&one.frequency)
    .bind(&one.modes)
    .bind(&one.state)
    .bind(&one.created_by)
    .bind(&one.description)
    .bind(reading.collection_id)
    .bind(reading.day)
    .execute(db)
    .await?;
    Ok(())
}

/// Notes that a place could not be read. What was known of it stands.
pub(super) async fn note_failure(
    db: &mut PgConnection,
    reading: Reading,
    outcome: Outcome,
    why: &str,
) -> sqlx::Result<()> {
    note(db, reading, outcome, None, Some(&why.replace('\0', "\u{fffd}"))).await
}

async fn note(
    db: &mut PgConnection,
    reading: Reading,
    outcome: Outcome,
    rules: Option<i32>,
    failure: Option<&str>,
) -> sqlx::Result<()> {
    sqlx::query(
        "insert into rule_reading (place_id, collection_id, day, outcome, rules, failure) values ($1, $2, $3, $4, $5, $6)",
    )
    .bind(reading.place_id)
    .bind(reading.collection_id)
    .bind(reading.day)
    .bind(outcome.word())
    .bind(rules)
    .bind(failure)
    .execute(db)
    .await?;
    Ok(())
}
