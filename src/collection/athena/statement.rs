//! Statements as Athena gets them. Pure.
//!
//! What comes from outside of AWS's own grammar is a parameter: names of objects and days. Names of databases and tables
//! cannot be, and are checked; ids of accounts stand in the text, since the table injects them.

use time::Date;

use super::ask::Asks;
use super::identifier::Name;

const CHANGES: &str = include_str!("sql/changes_of_a_day.sql");
const TABLE: &str = include_str!("sql/create_table.sql");

/// The longest parameter that Athena takes, in bytes.
pub(super) const MOST_PARAMETER_BYTES: usize = 1024;

/// AWS's commercial Regions; a Region whose name is missing from the table is read by `files`.
const REGIONS: &str = "af-south-1,ap-east-1,ap-east-2,ap-northeast-1,ap-northeast-2,ap-northeast-3,ap-south-1,ap-south-2,\
    ap-southeast-1,ap-southeast-2,ap-southeast-3,ap-southeast-4,ap-southeast-5,ap-southeast-6,ap-southeast-7,ca-central-1,\
    ca-west-1,eu-central-1,eu-central-2,eu-north-1,eu-south-1,eu-south-2,eu-west-1,eu-west-2,eu-west-3,il-central-1,\
    me-central-1,me-south-1,mx-central-1,sa-east-1,us-east-1,us-east-2,us-west-1,us-west-2";

/// A statement with its parameters, which are literals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Statement {
    pub(super) sql: String,
    pub(super) parameters: Vec<String>,
}

/// What one day says otherwise than the days before it.
pub(super) fn changes(database: &Name, table: &Name, day: Date, asks: &Asks) -> Statement {
    let sorted = |mut texts: Vec<String>| {
        texts.sort_unstable();
        texts.dedup();
        texts
    };
    let accounts = sorted(asks.iter().map(|ask| literal(&ask.place.account_id)).collect());
    let regions = sorted(asks.iter().map(|ask| literal(&ask.place.region)).collect());
    let bases = || asks.iter().filter_map(|ask| ask.base.as_ref());
    let days =
        sorted(std::iter::once(day).chain(bases().map(|base| base.day)).map(|day| literal(&written(day))).collect());
    let paths =
        sorted(asks.iter().map(|ask| literal(&ask.path)).chain(bases().map(|base| literal(&base.path))).collect());
    let places = |texts: &[String]| vec!["?"; texts.len()].join(", ");
    let sql = CHANGES
        .replace("{table}", &format!("\"{database}\".\"{table}\""))
        .replace("{accounts}", &accounts.join(", "))
        .replace("{regions}", &places(&regions))
        .replace("{days}", &places(&days))
        .replace("{paths}", &places(&paths));
    let parameters = std::iter::once(literal(&written(day))).chain(regions).chain(days).chain(paths).collect();
    Statement { sql, parameters }
}

/// The statement that makes the table of the snapshots below a folder (`s3://…/AWSLogs/`).
///
/// # Errors
///
/// A name could end the quotes around it.
pub(super) fn create_table(
    database: &Name,
    table: &Name,
    location: &str,
    regions: &[String],
    first_day: Date,
) -> Result<String, String> {
    let plain = |text: &str| !text.chars().any(|c| c == '\'' || c == '\\' || c == '$' || c.is_control());
    if !plain(location) || !location.starts_with("s3://") || !location.ends_with('/') {
        return Err(format!("{location:?} cannot be the location of a table"));
    }
    let named = |region: &String| region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if let Some(bad) = regions.iter().find(|region| !named(region)) {
        return Err(format!("{bad:?} is not the name of a Region"));
    }
    let regions = if regions.is_empty() { REGIONS.to_owned() } else { regions.join(",") };
    Ok(TABLE
        .replace("{database}", database.as_ref())
        .replace("{table}", table.as_ref())
        .replace("{location}", location)
        .replace("{regions}", &regions)
        .replace("{first_day}", &written(first_day)))
}

/// A day as the delivery bucket's keys have it: month and day are not padded.
pub(super) fn written(day: Date) -> String {
    format!("{}/{}/{}", day.year(), u8::from(day.month()), day.day())
}

/// A text as SQL has it.
pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

    use time::macros::date;

    use super::super::ask::{Ask, Base};
    use super::*;
    use crate::collection::source::PlaceName;

    fn ask(account_id: &str, path: &str, base: Option<(Date, &str)>) -> Ask {
        Ask {
            index: 0,
            place: PlaceName { account_id: account_id.to_owned(), region: "eu-central-1".to_owned() },
            name: path.to_owned(),
            path: path.to_owned(),
            etag: None,
            version_id: None,
            size_bytes: 1,
            base: base.map(|(day, path)| Base {
                day,
                object_id: 1,
                path: path.to_owned(),
                etag: None,
                size_bytes: 1,
                evaluations: 1,
            }),
        }
    }

    #[test]
    fn names_of_objects_and_days_are_parameters_and_accounts_stand_in_the_text() {
        let day = date!(2026 - 10 - 01);
        let asks = Asks::of(vec![
            ask("000000000001", "s3://b/it's", Some((date!(2026 - 09 - 09), "s3://b/p"))),
            ask("000000000002", "s3://b/z", None),
        ])
        .unwrap();
        let statement = changes(&"d".parse().unwrap(), &"t".parse().unwrap(), day, &asks);
        assert!(statement.sql.contains("from \"d\".\"t\" t"));
        assert!(statement.sql.contains("t.account in ('000000000001', '000000000002')"));
        assert_eq!(
            statement.parameters,
            [
                "'2026/10/1'",
                "'eu-central-1'",
                "'2026/10/1'",
                "'2026/9/9'",
                "'s3://b/it''s'",
                "'s3://b/p'",
                "'s3://b/z'"
            ]
        );
        let marks = statement.sql.lines().filter(|line| !line.trim_start().starts_with("--"));
        assert_eq!(marks.map(|line| line.matches('?').count()).sum::<usize>(), statement.parameters.len());
    }

    #[test]
    fn the_smallest_question_names_an_account_a_region_a_day_and_an_object() {
        assert_eq!(Asks::of(vec![]), None, "there is no question without them");
        let asks = Asks::of(vec![ask("000000000001", "s3://b/p", None)]).unwrap();
        let statement = changes(&"d".parse().unwrap(), &"t".parse().unwrap(), date!(2026 - 10 - 01), &asks);
        assert!(statement.sql.contains("t.account in ('000000000001')"));
        assert_eq!(statement.parameters, ["'2026/10/1'", "'eu-central-1'", "'2026/10/1'", "'s3://b/p'"]);
        assert!(!statement.sql.contains("in ()"));
    }

    #[test]
    fn the_table_is_projected_from_the_keys() {
        let (database, table) = ("d".parse().unwrap(), "t".parse().unwrap());
        let day = date!(2024 - 01 - 02);
        let regions = ["eu-central-1".to_owned(), "us-east-1".to_owned()];
        let text = create_table(&database, &table, "s3://b/o-abc/AWSLogs/", &regions, day).unwrap();
        for part in [
            "create external table if not exists `d`.`t`",
            "'projection.region.values' = 'eu-central-1,us-east-1'",
            "'projection.dt.range' = '2024/1/2,NOW+1DAYS'",
            "'s3://b/o-abc/AWSLogs/${account}/Config/${region}/${dt}/ConfigSnapshot/'",
        ] {
            assert!(text.contains(part), "{part}");
        }
        assert!(create_table(&database, &table, "s3://b/o'abc/", &regions, day).is_err());
        assert!(create_table(&database, &table, "s3://b/", &["x'".to_owned()], day).is_err());
    }
}
