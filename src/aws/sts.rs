//! AWS STS: who the credentials are.

use super::failure::{Asked, Failure};
use super::role::RoleArn;

/// STS as some credentials see it.
#[derive(Debug, Clone)]
pub struct Sts {
    client: aws_sdk_sts::Client,
    role: Option<RoleArn>,
}

/// Who some credentials are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    pub arn: String,
    pub account_id: String,
}

impl Sts {
    pub(super) fn new(client: aws_sdk_sts::Client, role: Option<&RoleArn>) -> Self {
        Self { client, role: role.cloned() }
    }

    /// Who the credentials are; nobody needs a permission to ask:
    /// <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html>.
    pub async fn who(&self) -> Result<Identity, Failure> {
        let asked = Asked { action: "sts:GetCallerIdentity", subject: "the credentials", role: self.role.as_ref() };
        let answer = self.client.get_caller_identity().send().await;
        let answer = answer.map_err(|error| Failure::of_sdk(&error, asked))?;
        match (answer.arn, answer.account) {
            (Some(arn), Some(account_id)) => Ok(Identity { arn, account_id }),
            _ => Err(Failure::transient(asked, "the answer does not say whose the credentials are")),
        }
    }
}
