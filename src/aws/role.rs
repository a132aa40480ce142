//! Names of the roles that are assumed. Pure.

use std::fmt;
use std::str::FromStr;

/// What stands for the account's id in a pattern.
const ACCOUNT: &str = "{account}";
/// What stands for the partition's name in a pattern.
const PARTITION: &str = "{partition}";

/// The ARN of a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleArn(String);

/// The same role in every member account: `AuditfolioMember`, or `arn:aws:iam::{account}:role/path/AuditfolioMember`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RolePattern(String);

/// The partition of a Region, as its ARNs name it:
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html>.
pub fn partition(region: &str) -> &'static str {
    let of_prefix = [
        ("cn-", "aws-cn"),
        ("us-gov-", "aws-us-gov"),
        ("us-isob-", "aws-iso-b"),
        ("us-isof-", "aws-iso-f"),
        ("eu-isoe-", "aws-iso-e"),
        ("us-iso-", "aws-iso"),
        ("eusc-", "aws-eusc"),
    ];
    of_prefix.iter().find(|(prefix, _)| region.starts_with(prefix)).map_or("aws", |(_, partition)| partition)
}

impl FromStr for RoleArn {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        check(text)?;
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for RoleArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for RolePattern {
    type Err = String;

    /// A bare name or path is completed to an ARN.
    fn from_str(text: &str) -> Result<Self, String> {
        let pattern = if text.starts_with("arn:") {
            text.to_owned()
        } else {
            format!("arn:{PARTITION}:iam::{ACCOUNT}:role/{}", text.trim_start_matches('/'))
        };
        if !pattern.contains(ACCOUNT) {
            return Err(format!("it names one account's role: the account's id is written {ACCOUNT}"));
        }
        let pattern = Self(pattern);
        check(&pattern.written("123456789012", "aws"))?;
        Ok(pattern)
    }
}

impl RolePattern {
    /// The role in an account, in the partition of a Region.
    ///
    /// # Errors
    ///
    /// The account's id is not 12 digits.
    pub fn role(&self, account_id: &str, region: &str) -> Result<RoleArn, String> {
        if account_id.len() != 12 || !account_id.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(format!("{account_id:?} is not the id of an account"));
        }
        Ok(RoleArn(self.written(account_id, partition(region))))
    }

    fn written(&self, account_id: &str, partition: &str) -> String {
        self.0.replace(ACCOUNT, account_id).replace(PARTITION, partition)
    }
}

impl fmt::Display for RolePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a text is a role's ARN: `arn:PARTITION:iam::ACCOUNT:role/[PATH/]NAME`. Names hold letters, digits and `_+=,.@-`:
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>.
fn check(arn: &str) -> Result<(), String> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let &["arn", partition, "iam", "", account_id, resource] = parts.as_slice() else {
        return Err("it is not a role's ARN, like arn:aws:iam::123456789012:role/Auditfolio".to_owned());
    };
    if partition != "aws" && !partition.starts_with("aws-") {
        return Err(format!("there is no partition {partition:?}"));
    }
    if account_id.len() != 12 || !account_id.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!("{account_id:?} is not the id of an account"));
    }
    let Some(path) = resource.strip_prefix("role/") else {
        return Err("it is the ARN of something else than a role".to_owned());
    };
    let name = path.rsplit('/').next().unwrap_or_default();
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    if name.is_empty() || name.len() > 64 || !path.chars().all(|c| c == '/' || allowed(c)) {
        return Err(format!("{path:?} is not the name of a role"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

    use super::*;

    #[test]
    fn a_pattern_names_the_role_of_each_account_in_its_partition() {
        let cases = [
            ("AuditfolioMember", "eu-central-1", "arn:aws:iam::000000000042:role/AuditfolioMember"),
            ("/audit/Reader", "cn-north-1", "arn:aws-cn:iam::000000000042:role/audit/Reader"),
            ("arn:aws:iam::{account}:role/R", "us-east-1", "arn:aws:iam::000000000042:role/R"),
            ("arn:aws-us-gov:iam::{account}:role/R", "us-gov-west-1", "arn:aws-us-gov:iam::000000000042:role/R"),
            ("arn:{partition}:iam::{account}:role/R", "us-gov-west-1", "arn:aws-us-gov:iam::000000000042:role/R"),
        ];
        for (pattern, region, arn) in cases {
            let role = pattern.parse::<RolePattern>().unwrap().role("000000000042", region).unwrap();
            assert_eq!(role.to_string(), arn);
        }
    }

    #[test]
    fn what_is_no_role_is_refused() {
        let patterns = [
            "",
            "two words",
            "arn:aws:iam::123456789012:role/R",
            "arn:aws:iam::{account}:user/R",
            "arn:aws:s3:::{account}",
            "arn:other:iam::{account}:role/R",
            "arn:aws:iam::{account}:role/",
        ];
        for pattern in patterns {
            assert!(pattern.parse::<RolePattern>().is_err(), "{pattern:?}");
        }
        assert!("arn:aws:iam::12345:role/R".parse::<RoleArn>().is_err());
        assert!("AuditfolioMember".parse::<RolePattern>().unwrap().role("42", "eu-central-1").is_err());
    }
}
