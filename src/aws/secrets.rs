//! AWS Secrets Manager: the current value of a secret.

use secrecy::SecretString;

use super::failure::{Asked, Failure};
use super::role::RoleArn;

/// Secrets Manager in one Region as some credentials see it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Secrets {
    client: aws_sdk_secretsmanager::Client,
    role: Option<RoleArn>,
}

/// What is kept under a secret's name.
#[derive(Debug, Clone)]
pub enum Kept {
    Text(SecretString),
    Binary,
}

impl Secrets {
    pub(super) fn new(client: aws_sdk_secretsmanager::Client, role: Option<&RoleArn>) -> Self {
        Self { client, role: role.cloned() }
    }

    /// The current value of the secret with this name or ARN.
    ///
    /// <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html>
    pub async fn get(&self, id: &str) -> Result<Kept, Failure> {
        let subject = format!("secret {id}");
        let asked = Asked { action: "secretsmanager:GetSecretValue", subject: &subject, role: self.role.as_ref() };
        let answer = self.client.get_secret_value().secret_id(id).send().await;
        let answer = answer.map_err(|error| Failure::of_sdk(&error, asked))?;
        Ok(answer.secret_string.map_or(Kept::Binary, |text| Kept::Text(text.into())))
    }
}
