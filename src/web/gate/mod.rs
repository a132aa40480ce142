//! What stands between the network and the handlers: limits, time, counters, and the way to an end.

mod body;
mod buckets;
mod db;
pub(super) mod health;
mod limits;
mod metrics;
mod pass;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use secrecy::ExposeSecret as _;
use tokio_util::sync::CancellationToken;

pub(super) use body::{Arrival, FORM_BYTES};
pub(super) use limits::LimitArgs;
pub(crate) use limits::Limits;
pub(super) use pass::{Counted, Passed, pass, refusal};

/// The largest document that can be sent.
pub const LARGEST_UPLOAD_BYTES: usize = 32 << 20;

use crate::aws::AwsSettings;
use crate::database::schema::Schema;
use crate::secret::Secret;
use crate::settings::length;

/// Settings of what stands before the pages.
#[derive(Debug, Clone, clap::Args)]
pub struct GateArgs {
    #[command(flatten)]
    pub limits: LimitArgs,
    /// How long a page may take. Downloads that have begun are not cut.
    #[arg(long, env = "AUDITFOLIO_PAGE_TIME", value_parser = length, default_value = "30s", value_name = "TIME")]
    pub page_time: Duration,
    /// Address and port of their own for /metrics, /healthz and /readyz, without any token: keep it inside.
    #[arg(long, env = "AUDITFOLIO_METRICS_BIND", value_name = "ADDRESS")]
    pub metrics_bind: Option<SocketAddr>,
    /// Bearer token for /metrics at the portal's own address, where it is asked for. May be secretsmanager:NAME-OR-ARN#key.
    #[arg(long, env = "AUDITFOLIO_METRICS_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub metrics_token: Option<Secret>,
    /// For how long /readyz says that the program stops before it takes no more requests.
    #[arg(long, env = "AUDITFOLIO_STOP_NOTICE", value_parser = length, default_value = "2s", value_name = "TIME")]
    pub stop_notice: Duration,
    /// How long downloads and pages that have begun may go on after that.
    #[arg(long, env = "AUDITFOLIO_STOP_TIME", value_parser = length, default_value = "30s", value_name = "TIME")]
    pub stop_time: Duration,
}

/// What every request passes, and what is known of all of them.
#[derive(Debug)]
pub struct Gate {
    pub(crate) limits: Limits,
    page_time: Duration,
    metrics: metrics::Metrics,
    metrics_token: Option<Token>,
    /// How the schema stood when somebody asked last whether the program is ready.
    seen: tokio::sync::Mutex<Option<(Instant, Option<Schema>)>>,
    /// Cancelled when the program has been told to stop.
    pub stopping: CancellationToken,
    pub stop_notice: Duration,
    pub stop_time: Duration,
}

impl Default for Gate {
    /// Without limits, for programs that nobody else reaches and for tests.
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            page_time: Duration::from_secs(30),
            metrics: metrics::Metrics::default(),
            metrics_token: None,
            seen: tokio::sync::Mutex::default(),
            stopping: CancellationToken::new(),
            stop_notice: Duration::ZERO,
            stop_time: Duration::from_secs(10),
        }
    }
}

impl Gate {
    /// As the settings have it.
    pub async fn new(args: &GateArgs, aws: &AwsSettings) -> anyhow::Result<Self> {
        let token = match &args.metrics_token {
            Some(secret) => Some(Box::pin(secret.read("--metrics-token", aws)).await?),
            None => None,
        };
        Ok(Self {
            limits: Limits::new(&args.limits),
            page_time: args.page_time,
            metrics_token: token.map(|token| Token::of(token.expose_secret())),
            stop_notice: args.stop_notice,
            stop_time: args.stop_time,
            ..Self::default()
        })
    }
}

/// A token's SHA-256: comparing it tells nothing of the token by how long it takes.
#[derive(Debug)]
struct Token([u8; 32]);

impl Token {
    fn of(token: &str) -> Self {
        let mut hash = [0; 32];
        hash.copy_from_slice(ring::digest::digest(&ring::digest::SHA256, token.as_bytes()).as_ref());
        Self(hash)
    }

    fn is(&self, given: &str) -> bool {
        Self::of(given).0 == self.0
    }
}
