//! `auditfolio aws policy`, `cloudformation` and `check`.

use std::process::ExitCode;

use anyhow::Context as _;

use super::check::{self, Outcome, Row};
use super::cloudformation;
use super::permissions::Holder;
use super::policy;
use super::setup::{Names, Setup};
use crate::secret::Secret;
use crate::settings::StoreSettings;

/// Arguments of `aws policy` and `aws cloudformation`.
#[derive(Debug, Clone, clap::Args)]
pub struct PrintArgs {
    /// Whose policy, or which role's template.
    #[arg(value_enum, default_value_t = Holder::Portal)]
    pub holder: Holder,
    #[command(flatten)]
    pub of: SetupArgs,
}

/// Arguments of `aws check`.
///
/// Exit status: 0 all that these settings need works; 1 something does not.
#[derive(Debug, Clone, clap::Args)]
pub struct CheckArgs {
    /// Member account to try the member role in [default: the first that is found].
    #[arg(long)]
    pub account: Option<String>,
    #[command(flatten)]
    pub of: SetupArgs,
}

/// The settings that use AWS.
#[derive(Debug, Clone, clap::Args)]
pub struct SetupArgs {
    #[command(flatten)]
    pub setup: Setup,
    /// As `serve --smtp-url`: whether it refers to a secret.
    #[arg(long, env = "AUDITFOLIO_SMTP_URL", hide_env_values = true)]
    pub smtp_url: Option<Secret>,
}

impl SetupArgs {
    fn setup(&self, store: &StoreSettings) -> Setup {
        let secrets = [store.secrets(), vec![("--smtp-url", self.smtp_url.as_ref())]].concat();
        self.setup.clone().with_secrets(&secrets)
    }
}

/// Prints a policy.
pub fn print_policy(args: &PrintArgs, store: &StoreSettings) -> anyhow::Result<()> {
    let setup = args.of.setup(store);
    setup.check().map_err(anyhow::Error::msg)?;
    let policy = policy::policy(&setup, &Names::known(&setup), args.holder)
        .with_context(|| format!("with these settings there is nothing to allow for “{}”", args.holder.word()))?;
    println!("{}", pretty(&policy));
    Ok(())
}

/// Prints a template.
pub fn print_template(args: &PrintArgs, store: &StoreSettings) -> anyhow::Result<()> {
    let template = cloudformation::template(&args.of.setup(store), args.holder).map_err(anyhow::Error::msg)?;
    println!("{}", pretty(&template));
    Ok(())
}

/// JSON for people, with a line for each entry.
pub(super) fn pretty(value: &serde_json::Value) -> String {
    serde_json::to_string_pretty(value).expect("JSON can be written")
}

/// Tries every permission and prints what came of it.
pub async fn check(args: &CheckArgs, store: &StoreSettings) -> anyhow::Result<ExitCode> {
    let setup = args.of.setup(store);
    let rows = Box::pin(check::run(&setup, args.account.as_deref(), |_, _| {})).await;
    for row in &rows {
        println!("{}", line(row));
    }
    println!("{}", check::summary(&rows));
    Ok(if check::works(&rows) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn line(row: &Row) -> String {
    match row.outcome {
        Outcome::NotNeeded => format!("{:<12} {}: {}", row.outcome.words(), row.action, row.words),
        _ => format!("{:<12} {} on {} ({}): {}", row.outcome.words(), row.action, row.resource, row.holder, row.words),
    }
}
