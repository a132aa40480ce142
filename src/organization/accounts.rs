//! Organizations' account list as `aws organizations list-accounts` writes it:
//! <https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccounts.html>.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use serde::Deserialize;
use time::{Date, OffsetDateTime, format_description::well_known::Rfc3339};

use super::core::{AccountList, Listing, Origin};
use crate::aws::role::is_account_id;

/// A list that was read, with what proves which one it was.
#[derive(Debug, Clone)]
pub struct AccountFile {
    pub list: AccountList,
    /// The file's name, or as whom Organizations was read.
    pub source: String,
    /// Of the file's bytes, or of what Organizations said, in one order.
    pub sha256: [u8; 32],
    pub origin: Origin,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct File {
    accounts: Vec<FileAccount>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct FileAccount {
    id: String,
    arn: Option<String>,
    email: Option<String>,
    name: Option<String>,
    state: Option<String>,
    /// The older word for the state; AWS retires it in September 2026.
    status: Option<String>,
    joined_method: Option<String>,
    joined_timestamp: Option<JoinedTimestamp>,
}

/// The AWS CLI writes ISO 8601, or seconds since 1970 with `cli_timestamp_format = wire` (version 1: by default).
#[derive(Deserialize)]
#[serde(untagged)]
enum JoinedTimestamp {
    Text(String),
    Seconds(f64),
}

/// Reads a list. Its day is the date in the file's name (`accounts-2026-11-22.json`), else the day on which the file was
/// last modified, UTC.
pub fn read(path: &Path) -> anyhow::Result<AccountFile> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read the account list {}", path.display()))?;
    let source = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    let modified = std::fs::metadata(path)?.modified().map(OffsetDateTime::from)?;
    let listed_on = day_in_name(&source).unwrap_or(modified.date());
    let list = parse(&bytes, listed_on).with_context(|| format!("the account list {}", path.display()))?;
    let mut sha256 = [0; 32];
    sha256.copy_from_slice(ring::digest::digest(&ring::digest::SHA256, &bytes).as_ref());
    Ok(AccountFile { list, source, sha256, origin: Origin::File })
}

fn day_in_name(name: &str) -> Option<Date> {
    let format = time::macros::format_description!("[year]-[month]-[day]");
    (0..name.len()).find_map(|at| Date::parse(name.get(at..at + 10)?, format).ok())
}

fn parse(bytes: &[u8], listed_on: Date) -> anyhow::Result<AccountList> {
    let file: File = serde_json::from_slice(bytes)
        .context("is not what `aws organizations list-accounts` writes: {\"Accounts\": [...]}")?;
    ensure!(file.next_token.is_none(), "is one page of several (it has a NextToken): let the AWS CLI fetch all pages");
    ensure!(!file.accounts.is_empty(), "names no account");
    let mut ids = BTreeSet::new();
    let mut accounts = Vec::with_capacity(file.accounts.len());
    for (index, account) in file.accounts.into_iter().enumerate() {
        let id = account.id;
        if !is_account_id(&id) {
            bail!("entry {index}: the Id {id:?} is not twelve digits");
        }
        ensure!(ids.insert(id.clone()), "entry {index}: account {id} stands twice");
        let joined_at = account
            .joined_timestamp
            .map(joined)
            .transpose()
            .with_context(|| format!("entry {index}, account {id}: JoinedTimestamp"))?;
        accounts.push(Listing {
            name: account.name.unwrap_or_else(|| id.clone()),
            account_id: id,
            email: account.email,
            arn: account.arn,
            status: account.state.or(account.status).unwrap_or_else(|| "ACTIVE".to_owned()),
            joined_at,
            joined_method: account.joined_method,
            placement: None,
            tags: None,
        });
    }
    Ok(AccountList { listed_on, accounts })
}

fn joined(timestamp: JoinedTimestamp) -> anyhow::Result<OffsetDateTime> {
    match timestamp {
        JoinedTimestamp::Text(text) => {
            OffsetDateTime::parse(&text, &Rfc3339).with_context(|| format!("{text:?} is not an ISO 8601 time"))
        }
        JoinedTimestamp::Seconds(seconds) => {
            let duration = time::Duration::checked_seconds_f64(seconds);
            duration
                .and_then(|duration| OffsetDateTime::UNIX_EPOCH.checked_add(duration))
                .with_context(|| format!("{seconds} seconds since 1970 is not a time"))
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use time::macros::date;

    use super::*;

    #[test]
    fn both_time_forms_of_the_cli_are_read() {
        let text = br#"{"Accounts": [
            {"Id": "012345678901", "Name": "prod", "Status": "ACTIVE", "JoinedTimestamp": "2024-02-01T10:00:00.123000+01:00"},
            {"Id": "111122223333", "Status": "SUSPENDED", "JoinedTimestamp": 1706778000.5}]}"#;
        let list = parse(text, date!(2026 - 01 - 01)).unwrap();
        let days: Vec<_> = list.accounts.iter().map(|account| account.joined_at.map(OffsetDateTime::date)).collect();
        assert_eq!(days, [Some(date!(2024 - 02 - 01)), Some(date!(2024 - 02 - 01))]);
        assert_eq!(list.accounts[0].account_id, "012345678901");
        assert_eq!(list.accounts[1].status, "SUSPENDED");
    }

    #[test]
    fn the_state_speaks_before_the_older_status() {
        let text = br#"{"Accounts": [{"Id": "012345678901", "Status": "SUSPENDED", "State": "PENDING_CLOSURE"},
                                     {"Id": "012345678902", "State": "ACTIVE"}]}"#;
        let list = parse(text, date!(2026 - 01 - 01)).unwrap();
        let words: Vec<&str> = list.accounts.iter().map(|account| account.status.as_str()).collect();
        assert_eq!(words, ["PENDING_CLOSURE", "ACTIVE"]);
    }

    #[test]
    fn a_list_that_is_not_whole_is_refused() {
        for (text, why) in [
            (r#"{"Accounts": [{"Id": "12"}]}"#, "entry 0: the Id \"12\" is not twelve digits"),
            (r#"{"Accounts": []}"#, "names no account"),
            (r#"{"Accounts": [{"Id": "111122223333"}], "NextToken": "x"}"#, "is one page of several"),
            (r#"{"Accounts": [{"Id": "111122223333"}, {"Id": "111122223333"}]}"#, "stands twice"),
            ("[]", "is not what"),
        ] {
            let error = parse(text.as_bytes(), date!(2026 - 01 - 01)).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn the_day_of_a_list_is_in_its_name() {
        assert_eq!(day_in_name("accounts-2026-11-22.json"), Some(date!(2026 - 11 - 22)));
        assert_eq!(day_in_name("accounts-2026-13-22.json"), None);
        assert_eq!(day_in_name("éaccounts.json"), None);
    }
}
