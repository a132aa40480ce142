//! How people sign in to this program, as its settings have it.

use secrecy::SecretString;

use super::oidc::{Provider, PublicUrl, SignInArgs};
use crate::aws::AwsSettings;
use crate::web::forwarded::Network;

/// How people sign in, and through which proxies they come.
#[derive(Debug, Default)]
pub struct SignIn {
    pub providers: Vec<Provider>,
    /// Where browsers reach the portal; set wherever there are providers.
    pub public_url: Option<PublicUrl>,
    pub trusted_proxies: Vec<Network>,
}

impl SignIn {
    /// Reads the file of providers and their secrets.
    pub async fn of(args: &SignInArgs, aws: &AwsSettings) -> anyhow::Result<Self> {
        let mut providers = Vec::new();
        for settings in args.providers()? {
            let name = format!("client_secret of the identity provider {}", settings.name);
            let secret: Option<SecretString> = match &settings.client_secret {
                Some(secret) => Some(secret.read(&name, aws).await?),
                None => None,
            };
            providers.push(Provider::new(settings, secret));
        }
        Ok(Self { providers, public_url: args.public_url.clone(), trusted_proxies: args.trusted_proxies.clone() })
    }

    pub fn provider(&self, name: &str) -> Option<&Provider> {
        self.providers.iter().find(|provider| provider.settings.name == name)
    }
}
