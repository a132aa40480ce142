//! Logs: what happened, on standard error, for people or for machines. Never a secret, never a whole address with one.

use anyhow::Context as _;
use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines for people.
    Human,
    /// One JSON object a line.
    Json,
}

/// What is logged and how.
#[derive(Debug, Clone, clap::Args)]
pub struct LogSettings {
    /// Form of log lines on standard error.
    #[arg(long, global = true, env = "AUDITFOLIO_LOG_FORMAT", value_enum, default_value = "human")]
    pub log_format: LogFormat,
    /// What to log: a level (error, warn, info, debug, trace), or levels by part as in `warn,auditfolio::jobs=debug`
    /// [default: `warn,auditfolio=info` for serve, else `warn,sqlx::query=error`].
    #[arg(long, global = true, env = "AUDITFOLIO_LOG")]
    pub log: Option<String>,
}

/// Starts logging, at `default` where the settings say nothing. Call once, first.
pub fn start(settings: &LogSettings, default: &str) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(settings.log.as_deref().unwrap_or(default))
        .context("--log (AUDITFOLIO_LOG) is a level, or levels by part")?;
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
    let started = match settings.log_format {
        LogFormat::Human => subscriber.with_ansi(terminal).with_target(false).try_init(),
        LogFormat::Json => subscriber.json().flatten_event(true).with_current_span(false).try_init(),
    };
    started.map_err(|error| anyhow::anyhow!("cannot start logging: {error}"))
}
