//! How e-mail is sent: the settings, and one message by SMTP.

use std::time::Duration;

use anyhow::{Context as _, bail};
use lettre::message::header::ContentType;
use lettre::message::{Mailbox, Message};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};
use ring::rand::SecureRandom as _;
use secrecy::{ExposeSecret as _, SecretString};

use crate::jobs::Ending;
use crate::secret::Secret;

/// Settings of e-mail.
#[derive(Debug, Clone, clap::Args)]
pub struct MailArgs {
    /// SMTP server that digests of notices go through: `smtps://user:password@host` (TLS), `smtp://host?tls=required`
    /// (STARTTLS) or `smtp://host` (plain, without a password); may be `secretsmanager:NAME-OR-ARN#json-key`. Nothing is
    /// sent without it.
    #[arg(long, env = "AUDITFOLIO_SMTP_URL", hide_env_values = true)]
    pub smtp_url: Option<Secret>,
    /// Sender of digests, e.g. `Auditfolio <auditfolio@example.com>`.
    #[arg(long, env = "AUDITFOLIO_MAIL_FROM")]
    pub mail_from: Option<Mailbox>,
    /// Recipients of digests, separated by commas.
    #[arg(long, env = "AUDITFOLIO_MAIL_TO", value_delimiter = ',')]
    pub mail_to: Vec<Mailbox>,
    /// Address of the portal as recipients reach it, for the links of digests, e.g. `https://audit.example.com`.
    #[arg(long, env = "AUDITFOLIO_MAIL_PORTAL")]
    pub mail_portal: Option<String>,
}

impl MailArgs {
    /// What the settings ask for; `None` where no server is set. `url` is what `smtp_url` is or refers to.
    pub fn mail(&self, url: Option<SecretString>) -> anyhow::Result<Option<Mail>> {
        let Some(url) = url else {
            if self.mail_from.is_some() || !self.mail_to.is_empty() {
                bail!("--mail-from and --mail-to need a server: add --smtp-url");
            }
            return Ok(None);
        };
        check_url(url.expose_secret())?;
        let from = self.mail_from.clone().context("--smtp-url needs a sender: add --mail-from")?;
        if self.mail_to.is_empty() {
            bail!("--smtp-url needs recipients: add --mail-to");
        }
        let portal = self.mail_portal.as_ref().map(|portal| portal.trim_end_matches('/').to_owned());
        if let Some(portal) = &portal
            && !(portal.starts_with("https://") || portal.starts_with("http://"))
        {
            bail!("--mail-portal is the portal's address with https:// before it");
        }
        let mail = Mail { url, from, to: self.mail_to.clone(), portal };
        mail.transport().context("--smtp-url is not understood")?;
        Ok(Some(mail))
    }
}

/// Refuses an address that would send a password in the clear to another machine, or is of no known kind. Never says
/// what it holds.
fn check_url(url: &str) -> anyhow::Result<()> {
    let (scheme, rest) = url.split_once("://").context("--smtp-url begins with smtp:// or smtps://")?;
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let authority = place.split('/').next().unwrap_or_default();
    let (user, host) = authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
    let here = ["127.0.0.1", "localhost", "[::1]"]
        .iter()
        .any(|name| host.strip_prefix(name).is_some_and(|port| port.is_empty() || port.starts_with(':')));
    match scheme {
        "smtp" if user.is_some() && !query.split('&').any(|pair| pair == "tls=required") && !here => {
            bail!("--smtp-url would send the password in the clear: use smtps://, or add ?tls=required")
        }
        "smtp" | "smtps" => Ok(()),
        _ => bail!("--smtp-url begins with smtp:// or smtps://"),
    }
}

/// How long the server may take for each step.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server, a sender and recipients.
#[derive(Debug, Clone)]
pub struct Mail {
    url: SecretString,
    from: Mailbox,
    to: Vec<Mailbox>,
    /// Without a slash at its end.
    portal: Option<String>,
}

impl Mail {
    pub(super) fn portal(&self) -> Option<&str> {
        self.portal.as_deref()
    }

    pub(super) fn recipients(&self) -> usize {
        self.to.len()
    }

    fn transport(&self) -> Result<AsyncSmtpTransport<Tokio1Executor>, lettre::transport::smtp::Error> {
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(self.url.expose_secret())?;
        Ok(builder.timeout(Some(PATIENCE)).build())
    }

    /// A Message-ID that no other message has.
    pub(super) fn new_message_id(&self) -> anyhow::Result<String> {
        let mut bytes = [0_u8; 16];
        ring::rand::SystemRandom::new()
            .fill(&mut bytes)
            .map_err(|error| anyhow::anyhow!("the system's random source failed: {error}"))?;
        Ok(format!("<{}@{}>", crate::web::format::hex(&bytes), self.from.email.domain()))
    }

    /// Sends one message to all recipients. What the server may take later is [`Ending::Later`]; what it refuses for
    /// good is another error.
    pub(super) async fn send(&self, message_id: &str, subject: &str, text: String) -> anyhow::Result<()> {
        let mut message = Message::builder()
            .message_id(Some(message_id.to_owned()))
            .from(self.from.clone())
            .subject(subject)
            // RFC 3834: nobody's holiday notice should answer this.
            .raw_header(auto_submitted());
        for to in &self.to {
            message = message.to(to.clone());
        }
        let message = message.header(ContentType::TEXT_PLAIN).body(text).context("writing the e-mail")?;
        match self.transport()?.send(message).await {
            Ok(_accepted) => Ok(()),
            Err(error) if error.is_permanent() => {
                Err(anyhow::Error::new(error).context("the mail server refuses the message"))
            }
            Err(error) => {
                let error = anyhow::Error::new(error).context("the mail server did not take the message");
                Err(Ending::Later(format!("{error:#}")).into())
            }
        }
    }
}

fn auto_submitted() -> lettre::message::header::HeaderValue {
    use lettre::message::header::{HeaderName, HeaderValue};
    HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_not_sent_in_the_clear_to_another_machine() {
        for fine in [
            "smtps://me:geheim@mail.example.com",
            "smtp://me:geheim@mail.example.com?tls=required",
            "smtp://mail.example.com",
            "smtp://mail.example.com:25/auditfolio?tls=opportunistic",
            "smtp://me:geheim@127.0.0.1:2525",
            "smtp://me:ge@heim@localhost",
        ] {
            assert!(check_url(fine).is_ok(), "{fine}");
        }
        for wrong in [
            "smtp://me:geheim@mail.example.com",
            "smtp://me:geheim@mail.example.com?tls=opportunistic",
            "smtp://me:geheim@localhost.example.com",
            "smtp://me:geheim@127.0.0.1.example.com",
            "http://me:geheim@mail.example.com",
            "geheim",
        ] {
            let error = check_url(wrong).expect_err(wrong).to_string();
            assert!(!error.contains("geheim"), "{error}");
        }
    }
}
