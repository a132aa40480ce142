//! Settings that nobody may see: given as they are, or kept in AWS Secrets Manager and read from there when they are needed.

use std::fmt;
use std::str::FromStr;

use anyhow::Context as _;
use secrecy::{ExposeSecret as _, SecretString};

use crate::aws::role::is_account_id;
use crate::aws::secrets::Kept;
use crate::aws::{AwsSettings, Clients, Failure};

/// What a reference begins with.
const SCHEME: &str = "secretsmanager:";

/// A setting that nobody may see. Shown, it is `[REDACTED]` or its reference.
#[derive(Debug, Clone)]
pub enum Secret {
    Given(SecretString),
    Kept(Reference),
}

/// Why a secret could not be read. Nothing of it is in here.
#[derive(Debug, thiserror::Error)]
pub enum Unread {
    #[error("{}", .0.explained())]
    Aws(Failure),
    #[error("{0}")]
    Unusable(String),
}

/// Where a secret is kept: `secretsmanager:NAME-OR-ARN#json-key`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reference {
    /// Its name or ARN.
    pub id: String,
    /// The key of a secret that is a JSON object; without it, all of the secret is meant.
    pub key: Option<String>,
}

impl From<SecretString> for Secret {
    fn from(value: SecretString) -> Self {
        Self::Given(value)
    }
}

// Not from strings: the command line's parser would take that and never look for a reference.
impl FromStr for Secret {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.strip_prefix(SCHEME) {
            Some(reference) => reference.parse().map(Self::Kept),
            None => Ok(Self::Given(text.into())),
        }
    }
}

impl FromStr for Reference {
    type Err = String;

    /// `NAME-OR-ARN[#json-key]`. Names: <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html>.
    fn from_str(text: &str) -> Result<Self, String> {
        let (id, key) = text.split_once('#').map_or((text, None), |(id, key)| (id, Some(key)));
        if key == Some("") {
            return Err("a # is followed by the key of a JSON object".to_owned());
        }
        let name = if id.starts_with("arn:") {
            let wanted = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:name-AbCdEf";
            let parts = arn_parts(id).ok_or_else(|| format!("it is not the ARN of a secret, like {wanted}"))?;
            parts.1
        } else {
            id
        };
        let allowed = |c: char| c.is_ascii_alphanumeric() || "/_+=.@-".contains(c);
        if name.is_empty() || name.len() > 512 || !name.chars().all(allowed) {
            return Err(format!("{name:?} is not the name of a secret"));
        }
        Ok(Self { id: id.to_owned(), key: key.map(str::to_owned) })
    }
}

/// The Region and the name in a secret's ARN.
fn arn_parts(arn: &str) -> Option<(&str, &str)> {
    let parts: Vec<&str> = arn.splitn(7, ':').collect();
    let &["arn", _, "secretsmanager", region, account_id, "secret", name] = parts.as_slice() else { return None };
    let known = !region.is_empty() && is_account_id(account_id);
    known.then_some((region, name))
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.id)?;
        self.key.iter().try_for_each(|key| write!(f, "#{key}"))
    }
}

impl Secret {
    /// Where it is kept, if it is not given.
    pub fn reference(&self) -> Option<&Reference> {
        match self {
            Self::Given(_) => None,
            Self::Kept(reference) => Some(reference),
        }
    }

    /// The value. `setting` names it in errors; the value is in none.
    pub async fn read(&self, setting: &str, aws: &AwsSettings) -> anyhow::Result<SecretString> {
        match self {
            Self::Given(value) => Ok(value.clone()),
            Self::Kept(reference) => reference.read(aws).await.with_context(|| format!("{setting} could not be read")),
        }
    }
}

impl Reference {
    /// The Region that its ARN names.
    pub fn region(&self) -> Option<&str> {
        arn_parts(&self.id).map(|(region, _)| region)
    }

    /// Reads it with the program's own credentials, in the Region of its ARN.
    pub async fn read(&self, aws: &AwsSettings) -> Result<SecretString, Unread> {
        let aws =
            AwsSettings { region: self.region().map(str::to_owned).or_else(|| aws.region.clone()), ..aws.clone() };
        let secrets = Clients::own(&aws).await.map_err(Unread::Unusable)?.secrets();
        let kept = secrets.get(&self.id).await.map_err(Unread::Aws)?;
        self.value_in(&kept).map_err(Unread::Unusable)
    }

    /// What is meant in what is kept. Pure; the error never has any of it.
    pub fn value_in(&self, kept: &Kept) -> Result<SecretString, String> {
        let Kept::Text(text) = kept else {
            return Err(format!("the secret {} is binary, and a text is wanted", self.id));
        };
        let Some(key) = &self.key else { return Ok(text.clone()) };
        let fields: serde_json::Value = serde_json::from_str(text.expose_secret())
            .map_err(|_secret| format!("the secret {} is not JSON, so it has no key {key:?}", self.id))?;
        match fields.get(key) {
            Some(serde_json::Value::String(value)) => Ok(value.as_str().into()),
            Some(serde_json::Value::Number(value)) => Ok(value.to_string().into()),
            Some(_) => Err(format!("the key {key:?} of the secret {} is neither a text nor a number", self.id)),
            None => Err(format!("the secret {} has no key {key:?}", self.id)),
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

    use super::*;

    const ARN: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:auditfolio/db-AbCdEf";

    fn kept(text: &str) -> Kept {
        Kept::Text(text.into())
    }

    #[test]
    fn a_reference_names_a_secret_and_perhaps_a_key() {
        let of = |text: &str| text.parse::<Secret>().unwrap().reference().cloned();
        let reference =
            |id: &str, key: Option<&str>| Some(Reference { id: id.to_owned(), key: key.map(str::to_owned) });
        assert_eq!(of("secretsmanager:auditfolio/db"), reference("auditfolio/db", None));
        assert_eq!(of(&format!("secretsmanager:{ARN}#password")), reference(ARN, Some("password")));
        assert_eq!(of("postgres://me:geheim@host/x"), None);
        assert_eq!(of(&format!("secretsmanager:{ARN}")).unwrap().region(), Some("eu-west-1"));
        for wrong in ["", "a b", "x#", "arn:aws:s3:::bucket", "arn:aws:secretsmanager:eu-west-1:12:secret:x", "#k"] {
            assert!(format!("secretsmanager:{wrong}").parse::<Secret>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_given_secret_is_never_shown() {
        let secret: Secret = "geheim".parse().unwrap();
        assert!(!format!("{secret:?}").contains("geheim"));
    }

    #[test]
    fn a_key_picks_a_value_of_a_json_object() {
        let reference = |text: &str| text.parse::<Reference>().unwrap();
        let value = |text: &str, body: &str| {
            reference(text).value_in(&kept(body)).map(|value| value.expose_secret().to_owned())
        };
        let rds = r#"{"username":"me","password":"ge#h\"eim","port":5432,"more":{}}"#;
        assert_eq!(value("db#password", rds), Ok("ge#h\"eim".to_owned()));
        assert_eq!(value("db#port", rds), Ok("5432".to_owned()));
        assert_eq!(value("db", "plain"), Ok("plain".to_owned()));
        for (text, body, why) in [
            ("db#token", rds, "the secret db has no key \"token\""),
            ("db#more", rds, "the key \"more\" of the secret db is neither a text nor a number"),
            ("db#password", "geheim", "the secret db is not JSON, so it has no key \"password\""),
        ] {
            assert_eq!(value(text, body), Err(why.to_owned()));
        }
        let binary = reference("db").value_in(&Kept::Binary).map(|_| ());
        assert_eq!(binary, Err("the secret db is binary, and a text is wanted".to_owned()));
    }
}
