//! Where the outside database is and with what it is entered, with what is kept in Secrets Manager read from there.

use std::str::FromStr as _;

use anyhow::{Context as _, bail};
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::postgres::PgConnectOptions;

use super::address;
use crate::aws::AwsSettings;
use crate::secret::Secret;
use crate::settings::StoreSettings;

/// The address of the outside database with its password; `None` where the private Postgres is used.
pub(super) async fn resolve(settings: &StoreSettings) -> anyhow::Result<Option<SecretString>> {
    // These settings know nothing of AWS: a secret's Region is in its ARN, else in AWS's own settings.
    let aws = AwsSettings::default();
    let Some(url) = &settings.database_url else {
        if settings.database_password.is_some() {
            bail!("--database-password needs to know the database: add --database-url");
        }
        return Ok(None);
    };
    let mut url = url.read("DATABASE_URL", &aws).await?;
    if url.expose_secret().trim_start().starts_with('{') {
        url = of_rds(url.expose_secret())?;
    }
    if let Some(password) = &settings.database_password {
        let password = password.read("--database-password", &aws).await?;
        url = with_password(url.expose_secret(), password.expose_secret())?;
    }
    Ok(Some(url))
}

/// Whether a new look at the settings can give another password.
pub(super) fn may_change(settings: &StoreSettings) -> bool {
    let kept = |secret: &Option<Secret>| secret.as_ref().is_some_and(|secret| secret.reference().is_some());
    kept(&settings.database_url) || kept(&settings.database_password)
}

/// How to connect. The error of a wrong address may quote it, with its password: it is not passed on.
pub(super) fn options(url: &SecretString) -> anyhow::Result<PgConnectOptions> {
    let options = PgConnectOptions::from_str(url.expose_secret()).map_err(|_secret| {
        anyhow::anyhow!("DATABASE_URL is not an address like postgres://user:password@host/database")
    })?;
    Ok(options.application_name("auditfolio"))
}

/// The address that a secret of RDS means:
/// <https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_secret_json_structure.html>. The connection is
/// encrypted; who wants the certificate checked writes the address. Never quotes anything of the secret.
fn of_rds(json: &str) -> anyhow::Result<SecretString> {
    let fields: serde_json::Value = serde_json::from_str(json)
        .map_err(|_secret| anyhow::anyhow!("the secret that DATABASE_URL names is neither an address nor JSON"))?;
    let text = |name: &str| match fields.get(name) {
        Some(serde_json::Value::String(value)) => Some(value.clone()),
        Some(serde_json::Value::Number(value)) => Some(value.to_string()),
        _ => None,
    };
    let wanted = |name: &'static str| {
        text(name).with_context(|| {
            format!(
                "the secret that DATABASE_URL names has no “{name}”: write the address, as \
                 postgres://user@host/database?sslmode=verify-full, and give --database-password \
                 secretsmanager:NAME-OR-ARN#password"
            )
        })
    };
    let host = wanted("host")?;
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    let port = text("port").unwrap_or_else(|| "5432".to_owned());
    let name = wanted("dbname")?;
    let (user, password) = (encoded(&wanted("username")?), encoded(&wanted("password")?));
    Ok(format!("postgres://{user}:{password}@{host}:{port}/{}?sslmode=require", encoded(&name)).into())
}

/// The address with a password. Never quotes either.
fn with_password(url: &str, password: &str) -> anyhow::Result<SecretString> {
    if address::take_apart(url)?.password.is_some() {
        bail!("DATABASE_URL has a password, and --database-password is set: leave out one of them");
    }
    let (scheme, rest) = url.split_once("://").context("DATABASE_URL has no ://")?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    let (user, host) = authority
        .rsplit_once('@')
        .context("--database-password needs a user in DATABASE_URL: postgres://user@host/database")?;
    Ok(format!("{scheme}://{}:{}@{host}{tail}", user.trim_end_matches(':'), encoded(password)).into())
}

/// As part of an address: everything but letters, digits and `-._~` is written in hexadecimal digits.
fn encoded(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "%{byte:02X}").expect("writing to a string does not fail");
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

    use super::*;

    #[test]
    fn what_rds_keeps_is_an_address() {
        let json = r#"{"engine":"postgres","host":"db.example.com","username":"me","password":"p@ss/w:rd?","dbname":"audit","port":5433}"#;
        let url = of_rds(json).unwrap();
        assert_eq!(url.expose_secret(), "postgres://me:p%40ss%2Fw%3Ard%3F@db.example.com:5433/audit?sslmode=require");
        let options = options(&url).unwrap();
        assert_eq!(
            (options.get_host(), options.get_port(), options.get_database()),
            ("db.example.com", 5433, Some("audit"))
        );
    }

    #[test]
    fn a_secret_without_a_host_says_how_to_write_it() {
        for (json, named) in [
            (r#"{"username":"me","password":"geheim"}"#, "“host”"),
            (r#"{"host":"h","username":"me","password":"geheim"}"#, "“dbname”"),
            (r#"{"password":"geheim""#, "neither an address nor JSON"),
        ] {
            let error = of_rds(json).unwrap_err().to_string();
            assert!(error.contains(named) && !error.contains("geheim"), "{error}");
        }
    }

    #[test]
    fn a_password_goes_into_an_address_without_one() {
        let with = |url: &str| with_password(url, "ge@im").map(|url| url.expose_secret().to_owned());
        assert_eq!(with("postgres://me@host/x?a=b").unwrap(), "postgres://me:ge%40im@host/x?a=b");
        for (url, why) in [
            ("postgres://me:other@host/x", "leave out one of them"),
            ("postgres://host/x", "needs a user"),
            ("host", "no ://"),
        ] {
            let error = with(url).unwrap_err().to_string();
            assert!(error.contains(why) && !error.contains("other") && !error.contains("im"), "{error}");
        }
    }
}
