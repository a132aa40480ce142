//! Makes the calls. All of them read; Athena's is a DESCRIBE, which costs nothing and, as each query does, leaves a small
//! result where results go.

use std::time::Duration;

use super::super::permissions::{Holder, permissions};
use super::super::setup::{Names, Setup, inside};
use super::artifact::artifact;
use super::config::{aggregator, member};
use super::report::{Missing, Report, Row};
use crate::aws::athena::{Athena, Execution, Question, State};
use crate::aws::organizations::Organizations;
use crate::aws::role::is_account_id;
use crate::aws::s3::Bucket;
use crate::aws::{Clients, Failure};
use crate::secret::Unread;

/// Folders that may be accounts, looked into until one has something of AWS Config's.
const MOST_FOLDERS: usize = 20;
/// Keys of an account that are looked at for an object to read.
const MOST_KEYS: i32 = 200;
/// Looks at a query, half a second apart, before it is given up.
const MOST_LOOKS: u32 = 120;

/// Tries every permission that the settings need. `account` is the member account to try; `told` hears how far it is.
pub async fn run(setup: &Setup, account: Option<&str>, told: impl Fn(usize, usize)) -> Vec<Row> {
    let mut report = Report::new(permissions(setup, &Names::known(setup)));
    let step = |number| told(number, 8);
    step(0);
    if let Some(own) = own(setup, &mut report).await {
        step(1);
        secrets(setup, &mut report).await;
        step(2);
        let clients = with_roles(setup, own, &mut report).await;
        let mut seen = account.map(str::to_owned);
        let archive = clients.archive().await;
        if becomes(&archive, "AssumeArchiveRole", Holder::Archive, &mut report).await {
            let found = delivery(setup, &archive, &mut report).await;
            seen = seen.or(found);
            step(3);
            athena(setup, &archive, &mut report).await;
        }
        step(4);
        let found = organization(&clients, &mut report).await;
        seen = seen.or(found);
        step(5);
        member(setup, &clients, seen.as_deref(), &mut report).await;
        step(6);
        aggregator(setup, &clients, &mut report).await;
        step(7);
        artifact(setup, &clients, &mut report).await;
    }
    step(8);
    report.rows()
}

const OF_ROLES: [&str; 4] = ["AssumeArchiveRole", "AssumeOrganizationRole", "AssumeMemberRole", "AssumeAggregatorRole"];

/// Clients that can assume roles; without the external id none is tried.
async fn with_roles(setup: &Setup, own: Clients, report: &mut Report) -> Clients {
    match Clients::load(&setup.aws).await {
        Ok(clients) => clients,
        Err(why) => {
            report.block_all(&OF_ROLES, &why);
            for holder in [Holder::Archive, Holder::Organization, Holder::Member, Holder::Aggregator] {
                report.block_holder(holder, &why);
            }
            own
        }
    }
}

/// The program's own clients, if there are credentials.
async fn own(setup: &Setup, report: &mut Report) -> Option<Clients> {
    const WHO: &str = "sts:GetCallerIdentity";
    let clients = match Clients::own(&setup.aws).await {
        Ok(clients) => clients,
        Err(why) => {
            report.no_clients(WHO, &why);
            report.block_everybody(&why);
            return None;
        }
    };
    match clients.sts().who().await {
        Ok(who) => {
            report.say(Holder::Portal, WHO, Ok(format!("They are {}.", who.arn)));
            Some(clients)
        }
        Err(failure) => {
            report.say(Holder::Portal, WHO, Err(&failure));
            let why = format!("there are no credentials that AWS accepts ({})", failure.kind.words());
            report.block_everybody(&why);
            None
        }
    }
}

async fn secrets(setup: &Setup, report: &mut Report) {
    const SID: &str = "ReadSecrets";
    const ACTION: &str = "secretsmanager:GetSecretValue";
    let all = setup.all_secrets();
    for (setting, secret) in &all {
        match secret.read(&setup.aws).await {
            Ok(_secret) => {}
            Err(Unread::Aws(failure)) => return report.failed(SID, ACTION, &failure),
            Err(Unread::Unusable(why)) => return report.broken(SID, ACTION, format!("{setting}: {why}.")),
        }
    }
    if all.is_empty() {
        return;
    }
    let names: Vec<&str> = all.iter().map(|(setting, _)| *setting).collect();
    report.works(SID, ACTION, format!("Read what is kept for {}.", names.join(", ")));
}

/// Whether these credentials may be used: a role, if they are one's, can be assumed.
pub(super) async fn becomes(clients: &Clients, sid: &'static str, holder: Holder, report: &mut Report) -> bool {
    const ACTION: &str = "sts:AssumeRole";
    if clients.role().is_none() {
        return true;
    }
    if report.is_blocked(sid) {
        return false;
    }
    match clients.sts().who().await {
        Ok(who) => {
            report.works(sid, ACTION, format!("They become {}.", who.arn));
            true
        }
        Err(failure) => {
            report.failed(sid, ACTION, &failure);
            report.block_holder(holder, "its role could not be assumed");
            false
        }
    }
}

/// Lists and reads the delivery bucket. Gives an account that it has something of.
async fn delivery(setup: &Setup, clients: &Clients, report: &mut Report) -> Option<String> {
    const LIST: (&str, &str) = ("ListDeliveries", "s3:ListBucket");
    const READ: (&str, &str) = ("ReadDeliveries", "s3:GetObject");
    const DECRYPT: (&str, &str) = ("DecryptDeliveries", "kms:Decrypt");
    let (name, prefix) = setup.bucket()?;
    let bucket = clients.bucket(name);
    let found = match find(&bucket, prefix).await {
        Ok(found) => found,
        Err(failure) => {
            report.failed(LIST.0, LIST.1, &failure);
            report.block_all(&[READ.0, DECRYPT.0], "the bucket could not be listed");
            return None;
        }
    };
    let Some(Delivered { key, account_id }) = found else {
        let why = format!("no object of AWS Config was found below {}", bucket.address(prefix));
        report.broken(LIST.0, LIST.1, format!("The bucket can be listed, but {why}."));
        report.block_all(&[READ.0, DECRYPT.0], &why);
        return None;
    };
    report.works(LIST.0, LIST.1, format!("Found {}.", bucket.address(&key)));
    match bucket.first_byte(&key).await {
        Ok(kms_key) => {
            report.works(READ.0, READ.1, format!("Read the first byte of {}.", bucket.address(&key)));
            match kms_key {
                Some(used) if setup.aws.kms_keys.iter().any(|known| known.to_string() == used) => {
                    report.works(DECRYPT.0, DECRYPT.1, format!("The object is encrypted with {used}."));
                }
                Some(used) => report.block(DECRYPT.0, &format!("the object that was read is encrypted with {used}")),
                None => report.block(DECRYPT.0, "the object that was read is encrypted with no KMS key"),
            }
        }
        Err(failure) => {
            report.failed(READ.0, READ.1, &failure);
            report.block(DECRYPT.0, "no object could be read");
        }
    }
    account_id
}

/// An object of AWS Config.
struct Delivered {
    key: String,
    account_id: Option<String>,
}

/// Looks for one, where a collection would.
async fn find(bucket: &Bucket, prefix: &str) -> Result<Option<Delivered>, Failure> {
    let begin = match inside(prefix) {
        Some(0) => vec![prefix.to_owned()],
        // An account's own folder, or one below it.
        Some(_) => return first_below(bucket, prefix).await,
        None => logs_below(bucket, prefix).await?,
    };
    for logs in begin {
        for folder in bucket.list(&logs, true).await?.folders.into_iter().take(MOST_FOLDERS) {
            if let Some(found) = first_below(bucket, &format!("{folder}Config/")).await? {
                return Ok(Some(found));
            }
        }
    }
    Ok(None)
}

/// `AWSLogs/` right below a prefix, or else in the folders below it.
async fn logs_below(bucket: &Bucket, prefix: &str) -> Result<Vec<String>, Failure> {
    let right_here = format!("{prefix}AWSLogs/");
    if !bucket.list(&right_here, true).await?.folders.is_empty() {
        return Ok(vec![right_here]);
    }
    let folders = bucket.list(prefix, true).await?.folders;
    Ok(folders.into_iter().take(MOST_FOLDERS).map(|folder| format!("{folder}AWSLogs/")).collect())
}

async fn first_below(bucket: &Bucket, prefix: &str) -> Result<Option<Delivered>, Failure> {
    let keys = bucket.first_keys(prefix, MOST_KEYS).await?;
    let delivered = keys.into_iter().find(|key| key.contains("/Config/") && key.ends_with(".json.gz"));
    Ok(delivered.map(|key| Delivered { account_id: account_in(&key).map(str::to_owned), key }))
}

/// The account's id in a key: what stands before `/Config/`.
fn account_in(key: &str) -> Option<&str> {
    let (before, _) = key.split_once("/Config/")?;
    before.rsplit('/').next().filter(|id| is_account_id(id))
}

const ATHENA: &str = "AskAthena";
const RESULTS: &str = "KeepResults";
const OF_ATHENA: [&str; 4] = [ATHENA, "SeeTable", "FindResults", RESULTS];

async fn athena(setup: &Setup, clients: &Clients, report: &mut Report) {
    if !report.needs(ATHENA) {
        return;
    }
    let client = clients.athena();
    let sql = format!("DESCRIBE `{}`.`{}`", setup.athena.database, setup.athena.table);
    let question = Question {
        sql: &sql,
        parameters: &[],
        token: None,
        database: setup.athena.database.as_ref(),
        workgroup: setup.athena.workgroup.as_ref(),
        output: setup.athena.output.as_deref(),
    };
    let execution_id = match client.start(question).await {
        Ok(id) => id,
        Err(failure) => {
            report.failed(ATHENA, "athena:StartQueryExecution", &failure);
            report.block_all(&OF_ATHENA, "no query could be started");
            return;
        }
    };
    report.works(ATHENA, "athena:StartQueryExecution", format!("Started “{sql}”, which costs nothing."));
    match ended(&client, &execution_id).await {
        Ok(Some(execution)) => {
            report.works(ATHENA, "athena:GetQueryExecution", format!("The query {}.", execution.state.word()));
            outcome(clients, &client, &execution_id, &execution, report).await;
        }
        Ok(None) => {
            report.works(ATHENA, "athena:GetQueryExecution", "The query still runs.");
            report.block_all(&OF_ATHENA, "the query did not end within a minute");
        }
        Err(failure) => {
            report.failed(ATHENA, "athena:GetQueryExecution", &failure);
            report.block_all(&OF_ATHENA, "it could not be seen how the query stands");
        }
    }
    // A query that has ended stays as it is.
    match client.stop(&execution_id).await {
        Ok(()) => report.works(ATHENA, "athena:StopQueryExecution", "The query was asked to stop."),
        Err(failure) => report.failed(ATHENA, "athena:StopQueryExecution", &failure),
    }
}

/// What the query's end says of the table and of the place for results.
async fn outcome(clients: &Clients, client: &Athena, execution_id: &str, execution: &Execution, report: &mut Report) {
    if execution.state != State::Succeeded {
        let reason = &execution.why.reason;
        match Missing::in_message(reason) {
            Some(missing) => report.lacks(missing),
            None => report.broken(
                "SeeTable",
                "glue:GetTable",
                format!("The query failed: {reason}. “auditfolio aws ddl” says how the table is made."),
            ),
        }
        report.block_all(&OF_ATHENA, &format!("the query failed: {reason}"));
        return;
    }
    for action in ["glue:GetDatabase", "glue:GetTable"] {
        report.works("SeeTable", action, "Athena described the table.");
    }
    report.works("FindResults", "s3:GetBucketLocation", "Athena found the bucket.");
    match client.page(execution_id, None).await {
        Ok(_) => report.works(ATHENA, "athena:GetQueryResults", "Read the query’s result."),
        Err(failure) => report.failed(ATHENA, "athena:GetQueryResults", &failure),
    }
    let Some((bucket, key)) =
        execution.result.as_deref().and_then(|address| address.strip_prefix("s3://")?.split_once('/'))
    else {
        return report.block(RESULTS, "the workgroup keeps its results itself: leave out --athena-output");
    };
    report.works(RESULTS, "s3:PutObject", format!("Athena wrote s3://{bucket}/{key}."));
    match clients.bucket(bucket).open(key, None, 0).await {
        Ok(_body) => report.works(RESULTS, "s3:GetObject", format!("Read s3://{bucket}/{key}.")),
        Err(failure) => report.failed(RESULTS, "s3:GetObject", &failure),
    }
}

async fn ended(client: &Athena, execution_id: &str) -> Result<Option<Execution>, Failure> {
    for _ in 0..MOST_LOOKS {
        let execution = client.look(execution_id).await?;
        if execution.state.ended() {
            return Ok(Some(execution));
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    Ok(None)
}

/// Reads a little of the organisation. Gives one of its accounts.
async fn organization(clients: &Clients, report: &mut Report) -> Option<String> {
    const SID: &str = "ReadOrganization";
    const NOBODY: &str = "AWS named no account, or no root, to try it on";
    if !report.needs(SID) {
        return None;
    }
    let clients = clients.organization().await;
    if !becomes(&clients, "AssumeOrganizationRole", Holder::Organization, report).await {
        return None;
    }
    let aws: Organizations = clients.organizations();
    let account = noted(report, SID, "organizations:ListAccounts", aws.first_account().await).flatten();
    match &account {
        Some(id) => {
            noted(report, SID, "organizations:ListParents", aws.parent(id).await);
            noted(report, SID, "organizations:ListTagsForResource", aws.tags(id).await);
        }
        None => report.block(SID, NOBODY),
    }
    let roots = noted(report, SID, "organizations:ListRoots", aws.roots().await);
    match roots.unwrap_or_default().first() {
        Some(root) => {
            noted(report, SID, "organizations:ListOrganizationalUnitsForParent", aws.units(&root.id).await);
            noted(report, SID, "organizations:ListAccountsForParent", aws.accounts_in(&root.id).await);
        }
        None => report.block(SID, NOBODY),
    }
    account
}

/// Notes what came of an action. Gives what it gave.
pub(super) fn noted<T>(
    report: &mut Report,
    sid: &'static str,
    action: &'static str,
    result: Result<T, Failure>,
) -> Option<T> {
    match result {
        Ok(found) => {
            report.works(sid, action, "AWS answered.");
            Some(found)
        }
        Err(failure) => {
            report.failed(sid, action, &failure);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_stands_before_config() {
        let key = "o-abc/AWSLogs/111122223333/Config/eu-central-1/2026/11/6/ConfigSnapshot/x.json.gz";
        assert_eq!(account_in(key), Some("111122223333"));
        assert_eq!(account_in("AWSLogs/x/Config/y"), None);
        assert_eq!(account_in("AWSLogs/111122223333/CloudTrail/y"), None);
    }
}
