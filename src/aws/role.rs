//! Names of the roles that are assumed, and of keys. Pure.

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

/// The ARN of a key of AWS KMS; an alias will not do, as no policy takes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyArn(String);

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

impl RoleArn {
    /// The account that the role is in.
    pub fn account_id(&self) -> &str {
        self.0.split(':').nth(4).unwrap_or_default()
    }

    /// The role's path, from slash to slash, and its name.
    pub fn path_and_name(&self) -> (&str, &str) {
        path_and_name(&self.0)
    }
}

impl FromStr for KeyArn {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let whole = match parts.as_slice() {
            ["arn", partition, "kms", region, account_id, resource] => {
                partition.starts_with("aws")
                    && !region.is_empty()
                    && is_account_id(account_id)
                    && resource.strip_prefix("key/").is_some_and(|id| {
                        !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                    })
            }
            _ => false,
        };
        if whole {
            Ok(Self(text.to_owned()))
        } else {
            Err("it is not a key's ARN, like arn:aws:kms:eu-central-1:123456789012:key/0a1b2c3d-…".to_owned())
        }
    }
}

impl fmt::Display for KeyArn {
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
        if !is_account_id(account_id) {
            return Err(format!("{account_id:?} is not the id of an account"));
        }
        Ok(RoleArn(self.written(account_id, partition(region))))
    }

    /// The roles' path, from slash to slash, and their name, with another text for the account's id.
    pub fn path_and_name(&self, account_id: &str) -> (String, String) {
        let (path, name) = path_and_name(&self.0);
        (path.replace(ACCOUNT, account_id), name.replace(ACCOUNT, account_id))
    }

    /// The ARN with other texts for the account's id and the partition, e.g. a star.
    pub fn written(&self, account_id: &str, partition: &str) -> String {
        self.0.replace(ACCOUNT, account_id).replace(PARTITION, partition)
    }
}

impl fmt::Display for RolePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `/PATH/` and `NAME` of a role's ARN.
fn path_and_name(arn: &str) -> (&str, &str) {
    let full = arn.split_once(":role").map_or("/", |(_, full)| full);
    full.rsplit_once('/').map_or(("/", full), |(path, name)| (full.get(..=path.len()).unwrap_or("/"), name))
}

/// Whether a text is the id of an AWS account: twelve digits.
pub fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
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
    if !is_account_id(account_id) {
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
    fn a_role_has_an_account_a_path_and_a_name() {
        let role: RoleArn = "arn:aws:iam::000000000042:role/audit/eu/Reader".parse().unwrap();
        assert_eq!((role.account_id(), role.path_and_name()), ("000000000042", ("/audit/eu/", "Reader")));
        let plain: RolePattern = "Member-{account}".parse().unwrap();
        assert_eq!(plain.path_and_name("7"), ("/".to_owned(), "Member-7".to_owned()));
        assert_eq!(plain.written("*", "aws"), "arn:aws:iam::*:role/Member-*");
    }

    #[test]
    fn an_alias_is_no_key() {
        let key = |resource: &str| format!("arn:aws:kms:eu-central-1:123456789012:{resource}").parse::<KeyArn>();
        assert!(key("key/0a1b-2c").is_ok());
        for wrong in ["alias/config", "key/", "key/*"] {
            assert!(key(wrong).is_err(), "{wrong}");
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
