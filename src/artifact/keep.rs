//! Keeping readings as history, whoever read them.

use std::collections::BTreeSet;

use sqlx::PgConnection;

use super::db::{self, NewReading};
use super::history::news;
use super::told::{Agreements, Reports};
use crate::web::format;

/// A reading that is older than one which is kept: history is told forwards, and it would change what was known then.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Overtaken(String);

/// Of what was not read or not understood, so many stand with a reading; the number of all stands with them.
const NAMED_PROBLEMS: usize = 100;

/// The first of what was not read or not understood, and how many more there are.
pub(super) fn named(problems: &[String]) -> Vec<String> {
    let mut named: Vec<String> = problems.iter().take(NAMED_PROBLEMS).cloned().collect();
    if problems.len() > named.len() {
        named.push(format!("and {} more", problems.len() - named.len()));
    }
    named
}

/// Keeps that a reading failed: what was known stands.
pub(super) async fn keep_failure(db: &mut PgConnection, new: &NewReading<'_>, failure: &str) -> anyhow::Result<()> {
    in_order(db, new).await?;
    db::add_reading(db, &NewReading { failure: Some(failure), ..new.clone() }).await?;
    Ok(())
}

/// Keeps a reading of reports; gives how many versions are new or changed.
pub(super) async fn keep_reports(
    db: &mut PgConnection,
    new: &NewReading<'_>,
    reports: &Reports,
) -> anyhow::Result<usize> {
    in_order(db, new).await?;
    let reading = db::add_reading(db, new).await?;
    let held = db::held_versions(db, new.organization_id).await?;
    let told_reports: BTreeSet<&String> = reports.versions.keys().map(|(id, _)| id).collect();
    let news = news(&held, &reports.versions, |(report_id, _)| {
        // Silence says something where the versions were listed, or where the whole report is gone from the list of all.
        reports.versions_of.contains(report_id) || (reports.all_listed && !told_reports.contains(report_id))
    });
    db::write_versions(db, new.organization_id, reading, &news).await?;
    Ok(news.len())
}

/// Keeps a reading of an account's agreements, or that it failed; gives how many are new or changed.
pub(super) async fn keep_agreements(
    db: &mut PgConnection,
    new: &NewReading<'_>,
    read: &Agreements,
) -> anyhow::Result<usize> {
    let account_id = new.account_id.unwrap_or_default();
    let agreements = match read {
        Ok(agreements) => agreements,
        Err(failure) => return keep_failure(db, new, failure).await.map(|()| 0),
    };
    in_order(db, new).await?;
    let reading = db::add_reading(db, new).await?;
    let held = db::held_agreements(db, new.organization_id, account_id).await?;
    let news = news(&held, agreements, |_| true);
    db::write_agreements(db, new.organization_id, account_id, reading, &news).await?;
    Ok(news.len())
}

async fn in_order(db: &mut PgConnection, new: &NewReading<'_>) -> anyhow::Result<()> {
    let last = db::last_read_at(db, new.organization_id, new.account_id).await?;
    let what = new.account_id.map_or_else(|| "reports".to_owned(), |id| format!("agreements of account {id}"));
    match last.filter(|last| *last > new.read_at) {
        None => Ok(()),
        Some(last) => Err(Overtaken(format!(
            "{what} of {} are already kept: what was read before, on {}, can no longer be added",
            format::at(last),
            format::at(new.read_at)
        ))
        .into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_problems_the_first_are_named_and_the_rest_counted() {
        let problems: Vec<String> = (0..102).map(|number| number.to_string()).collect();
        let named = named(&problems);
        assert_eq!((named.len(), named[99].as_str(), named[100].as_str()), (101, "99", "and 2 more"));
        assert_eq!(super::named(&problems[..100]).len(), 100);
    }
}
