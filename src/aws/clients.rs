//! Clients with the right credentials: the program's own, those of the log-archive role, those of a member account's role.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::config::{
    IdentityCache, ResponseChecksumValidation, RuntimeComponents, SharedAsyncSleep, SharedCredentialsProvider,
    SharedHttpClient,
};
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::HttpConnectorSettings;
use secrecy::{ExposeSecret as _, SecretString};

use super::artifact::Artifact;
use super::athena::Athena;
use super::config_aggregator::Aggregator;
use super::config_rules::ConfigRules;
use super::failure::{Asked, Failure};
use super::fetch::fetch;
use super::organizations::Organizations;
use super::role::RoleArn;
use super::s3::Bucket;
use super::secrets::Secrets;
use super::settings::AwsSettings;
use super::sts::Sts;

/// What an assumed role's session is called: account owners see it in `CloudTrail`.
const SESSION: &str = "auditfolio";
/// How long assuming a role may take, with its attempts.
const LOAD_TIMEOUT: Duration = Duration::from_mins(1);

/// Makes clients. Cheap to clone; clones share connections and credentials.
#[derive(Debug, Clone)]
pub struct Clients {
    settings: AwsSettings,
    config: SdkConfig,
    external_id: Option<SecretString>,
    /// The role that the credentials are of; `None` for the program's own.
    role: Option<RoleArn>,
}

impl Clients {
    /// With the program's own credentials, by the default chain: environment, shared config and credentials files (with
    /// `role_arn` and `source_profile`), web identity token, container, EC2 instance. They are looked for when first used.
    ///
    /// # Errors
    ///
    /// No Region is set anywhere, or the external id cannot be read, in words for a person.
    pub async fn load(settings: &AwsSettings) -> Result<Self, String> {
        let external_id = match &settings.external_id {
            // Read by clients that assume no role.
            Some(secret) => {
                Some(Box::pin(secret.read("--aws-external-id", settings)).await.map_err(|error| format!("{error:#}"))?)
            }
            None => None,
        };
        Ok(Self { external_id, ..Self::own(settings).await? })
    }

    /// [`Self::load`] for calls with the program's own credentials only: roles that ask for an external id do not get it.
    ///
    /// # Errors
    ///
    /// No Region is set anywhere, in words for a person.
    pub async fn own(settings: &AwsSettings) -> Result<Self, String> {
        let seconds = Duration::from_secs;
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(seconds(settings.connect_seconds))
            .read_timeout(seconds(settings.read_seconds))
            .operation_attempt_timeout(seconds(settings.attempt_seconds))
            .operation_timeout(seconds(settings.operation_seconds))
            .build();
        let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .http_client(http_client())
            .timeout_config(timeouts)
            .retry_config(RetryConfig::adaptive().with_max_attempts(settings.attempts));
        if let Some(region) = &settings.region {
            loader = loader.region(Region::new(region.clone()));
        }
        let config = loader.load().await;
        if config.region().is_none() {
            return Err("no AWS Region is set: give --aws-region, or set AWS_REGION".to_owned());
        }
        Ok(Self { settings: settings.clone(), config, external_id: None, role: None })
    }

    /// The Region that calls go to.
    pub fn region(&self) -> &str {
        self.config.region().map_or("", Region::as_ref)
    }

    /// The role whose credentials are used; `None` for the program's own.
    pub fn role(&self) -> Option<&RoleArn> {
        self.role.as_ref()
    }

    /// With the credentials of the log-archive role, where one is set.
    pub async fn archive(&self) -> Self {
        match &self.settings.role {
            Some(role) => self.assume(role.clone()).await,
            None => self.clone(),
        }
    }

    /// With the credentials of the role that may read Organizations, where one is set.
    pub async fn organization(&self) -> Self {
        match &self.settings.organization_role {
            Some(role) => self.assume(role.clone()).await,
            None => self.clone(),
        }
    }

    /// With the credentials of a member account's role; `None` where no role is set: the program's own credentials are
    /// not that account's, and what they read must not pass for its.
    ///
    /// # Errors
    ///
    /// The account's id is not one.
    pub async fn member(&self, account_id: &str) -> Result<Option<Self>, String> {
        match &self.settings.member_role {
            Some(pattern) => Ok(Some(self.assume(pattern.role(account_id, self.region())?).await)),
            None => Ok(None),
        }
    }

    /// The same credentials for calls to another Region.
    #[must_use]
    pub fn in_region(&self, region: &str) -> Self {
        let config = self.config.to_builder().region(Region::new(region.to_owned())).build();
        Self { config, ..self.clone() }
    }

    /// The organisation as these credentials see it.
    pub fn organizations(&self) -> Organizations {
        Organizations::new(aws_sdk_organizations::Client::new(&self.config), self.role.as_ref())
    }

    /// AWS Config's rules in the Region as these credentials see them.
    pub fn config_rules(&self) -> ConfigRules {
        ConfigRules::new(aws_sdk_config::Client::new(&self.config), self.role.as_ref())
    }

    /// Of an aggregator's account, that of a role, else that of the program's own credentials, in the aggregator's Region.
    pub async fn of_aggregator(&self, role: Option<&RoleArn>, region: &str) -> Self {
        let clients = match role {
            Some(role) => self.assume(role.clone()).await,
            None => self.clone(),
        };
        clients.in_region(region)
    }

    /// An aggregator of the account and Region.
    pub fn aggregator(&self, name: &str) -> Aggregator {
        Aggregator::new(aws_sdk_config::Client::new(&self.config), self.role.as_ref(), name, self.region())
    }

    /// Calls STS when the credentials are first needed, and again before they expire.
    async fn assume(&self, role: RoleArn) -> Self {
        let mut builder =
            AssumeRoleProvider::builder(role.to_string()).configure(&self.config).session_name(SESSION.to_owned());
        if let Some(external_id) = &self.external_id {
            builder = builder.external_id(external_id.expose_secret());
        }
        let provider = SharedCredentialsProvider::new(builder.build().await);
        let config = self
            .config
            .to_builder()
            .credentials_provider(provider)
            .identity_cache(IdentityCache::lazy().load_timeout(LOAD_TIMEOUT).build())
            .build();
        Self { config, role: Some(role), ..self.clone() }
    }

    /// Who these credentials are.
    pub fn sts(&self) -> Sts {
        Sts::new(aws_sdk_sts::Client::new(&self.config), self.role.as_ref())
    }

    /// Secrets Manager in the clients' Region.
    pub fn secrets(&self) -> Secrets {
        Secrets::new(aws_sdk_secretsmanager::Client::new(&self.config), self.role.as_ref())
    }

    /// AWS Artifact in the clients' Region.
    pub fn artifact(&self) -> Artifact {
        Artifact::new(aws_sdk_artifact::Client::new(&self.config), self.role.as_ref())
    }

    /// Athena in the clients' Region.
    pub fn athena(&self) -> Athena {
        Athena::new(aws_sdk_athena::Client::new(&self.config), self.role.as_ref())
    }

    /// Fetches what is behind an address that AWS gave out, whole and of at most so many bytes. `subject` names it in
    /// messages, and `action` is the call that gave the address.
    ///
    /// # Errors
    ///
    /// The address has ended, the document broke off or is too large.
    pub async fn fetch(
        &self,
        address: &str,
        most_bytes: usize,
        (action, subject): (&'static str, &str),
    ) -> Result<Vec<u8>, Failure> {
        let seconds = Duration::from_secs(self.settings.connect_seconds);
        let settings = HttpConnectorSettings::builder().connect_timeout(seconds).build();
        let connector = connector(Some(settings), self.config.sleep_impl());
        let asked = Asked { action, subject, role: self.role.as_ref() };
        fetch(&connector, address, most_bytes, (asked, self.settings.read_timeout())).await
    }

    /// A bucket as these credentials see it.
    pub fn bucket(&self, name: &str) -> Bucket {
        let config = aws_sdk_s3::config::Builder::from(&self.config)
            .force_path_style(self.settings.s3_path_style)
            // What is read is hashed, and gzip carries a sum of its own.
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
            .build();
        let client = aws_sdk_s3::Client::from_conf(config);
        Bucket::new(client, name, self.role.as_ref(), self.settings.read_timeout())
    }
}

/// HTTPS by rustls with ring and the machine's own certificates; `HTTPS_PROXY` and `NO_PROXY` are heeded.
fn http_client() -> SharedHttpClient {
    Builder::new().build_with_connector_fn(|settings, components| {
        connector(settings.cloned(), components.and_then(RuntimeComponents::sleep_impl))
    })
}

/// A connector for what is none of AWS's services.
pub(crate) fn plain_connector() -> Connector {
    connector(None, None)
}

fn connector(settings: Option<HttpConnectorSettings>, sleep: Option<SharedAsyncSleep>) -> Connector {
    let mut builder = Connector::builder();
    builder.set_connector_settings(settings);
    builder.set_sleep_impl(sleep);
    builder.set_proxy_config(Some(ProxyConfig::from_env()));
    builder.tls_provider(Provider::Rustls(CryptoMode::Ring)).build()
}
