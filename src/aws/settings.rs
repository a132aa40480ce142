//! How AWS is reached.

use std::time::Duration;

use super::role::{KeyArn, RoleArn, RolePattern};
use crate::secret::Secret;

const CONNECT_SECONDS: u64 = 5;
const READ_SECONDS: u64 = 30;
const ATTEMPT_SECONDS: u64 = 60;
const OPERATION_SECONDS: u64 = 300;
const ATTEMPTS: u32 = 6;
const LISTS: u8 = 16;
const READS: u8 = 8;
const ACCOUNTS_AT_A_TIME: u8 = 8;

/// How AWS is reached. Credentials and endpoints come from AWS's own settings: `AWS_PROFILE`, `AWS_ACCESS_KEY_ID`,
/// `AWS_WEB_IDENTITY_TOKEN_FILE`, `AWS_ENDPOINT_URL_S3` …
#[derive(Debug, Clone, clap::Args)]
pub struct AwsSettings {
    /// AWS Region of the delivery bucket [default: the Region of AWS's own settings].
    #[arg(long = "aws-region", env = "AUDITFOLIO_AWS_REGION")]
    pub region: Option<String>,
    /// ARN of a role to assume in the log-archive account, to read the delivery bucket.
    #[arg(long = "aws-role", env = "AUDITFOLIO_AWS_ROLE")]
    pub role: Option<RoleArn>,
    /// ARN of a role to assume to read Organizations, in the management account or a delegated administrator's.
    #[arg(long = "aws-organization-role", env = "AUDITFOLIO_AWS_ORGANIZATION_ROLE")]
    pub organization_role: Option<RoleArn>,
    /// Role to assume in each member account: a name, or an ARN with `{account}` in it.
    #[arg(long = "aws-member-role", env = "AUDITFOLIO_AWS_MEMBER_ROLE")]
    pub member_role: Option<RolePattern>,
    /// External id that the roles ask for; may be `secretsmanager:NAME-OR-ARN#json-key`.
    #[arg(long = "aws-external-id", env = "AUDITFOLIO_AWS_EXTERNAL_ID", hide_env_values = true)]
    pub external_id: Option<Secret>,
    /// ARNs of the KMS keys that the delivery bucket is encrypted with, separated by commas: `auditfolio aws` allows and
    /// tests their use.
    #[arg(long = "aws-kms-keys", env = "AUDITFOLIO_AWS_KMS_KEYS", value_delimiter = ',')]
    pub kms_keys: Vec<KeyArn>,
    /// Put the bucket's name into the path instead of the host's name, as stores that only resemble S3 need it.
    #[arg(long = "aws-s3-path-style", env = "AUDITFOLIO_AWS_S3_PATH_STYLE")]
    pub s3_path_style: bool,
    /// Seconds to wait for a connection.
    #[arg(long = "aws-connect-timeout", env = "AUDITFOLIO_AWS_CONNECT_TIMEOUT", default_value_t = CONNECT_SECONDS)]
    pub connect_seconds: u64,
    /// Seconds to wait for the next bytes of an answer.
    #[arg(long = "aws-read-timeout", env = "AUDITFOLIO_AWS_READ_TIMEOUT", default_value_t = READ_SECONDS)]
    pub read_seconds: u64,
    /// Seconds that one attempt of a call may take (an object's body excepted).
    #[arg(long = "aws-attempt-timeout", env = "AUDITFOLIO_AWS_ATTEMPT_TIMEOUT", default_value_t = ATTEMPT_SECONDS)]
    pub attempt_seconds: u64,
    /// Seconds that a call may take with all its attempts (an object's body excepted).
    #[arg(long = "aws-operation-timeout", env = "AUDITFOLIO_AWS_OPERATION_TIMEOUT", default_value_t = OPERATION_SECONDS)]
    pub operation_seconds: u64,
    /// Attempts of a call that is throttled or breaks off, the first one counted.
    #[arg(long = "aws-attempts", env = "AUDITFOLIO_AWS_ATTEMPTS", default_value_t = ATTEMPTS,
        value_parser = clap::value_parser!(u32).range(1..=50))]
    pub attempts: u32,
    /// Prefixes of the bucket listed at a time.
    #[arg(long = "aws-lists", env = "AUDITFOLIO_AWS_LISTS", default_value_t = LISTS,
        value_parser = clap::value_parser!(u8).range(1..=200))]
    pub lists: u8,
    /// Account-Regions of the bucket read at a time; each holds a connection to the store.
    #[arg(long = "aws-reads", env = "AUDITFOLIO_AWS_READS", default_value_t = READS,
        value_parser = clap::value_parser!(u8).range(1..=12))]
    pub reads: u8,
    /// Accounts asked at a time for their rules, or for their tags.
    #[arg(long = "aws-accounts", env = "AUDITFOLIO_AWS_ACCOUNTS", default_value_t = ACCOUNTS_AT_A_TIME,
        value_parser = clap::value_parser!(u8).range(1..=50))]
    pub accounts_at_a_time: u8,
}

impl Default for AwsSettings {
    fn default() -> Self {
        Self {
            region: None,
            role: None,
            organization_role: None,
            member_role: None,
            external_id: None,
            kms_keys: Vec::new(),
            s3_path_style: false,
            connect_seconds: CONNECT_SECONDS,
            read_seconds: READ_SECONDS,
            attempt_seconds: ATTEMPT_SECONDS,
            operation_seconds: OPERATION_SECONDS,
            attempts: ATTEMPTS,
            lists: LISTS,
            reads: READS,
            accounts_at_a_time: ACCOUNTS_AT_A_TIME,
        }
    }
}

impl AwsSettings {
    /// How long to wait for the next bytes of an answer.
    pub fn read_timeout(&self) -> Duration {
        Duration::from_secs(self.read_seconds)
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(Debug, clap::Parser)]
    struct Alone {
        #[command(flatten)]
        aws: AwsSettings,
    }

    #[test]
    fn what_is_said_without_a_setting_is_the_default() {
        let parsed = Alone::parse_from(["auditfolio"]).aws;
        assert_eq!(format!("{parsed:?}"), format!("{:?}", AwsSettings::default()));
    }

    #[test]
    fn an_external_id_is_not_shown() {
        let parsed = Alone::parse_from(["auditfolio", "--aws-external-id", "open-sesame"]).aws;
        assert!(!format!("{parsed:?}").contains("open-sesame"));
    }
}
