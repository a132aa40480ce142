//! How Artifact is read.

use std::time::Duration;

use anyhow::bail;

use crate::aws::AwsSettings;
use crate::settings::length;

const REGION: &str = "us-east-1";

/// Where Artifact is read.
#[derive(Debug, Clone, clap::Args)]
pub struct ArtifactSettings {
    /// AWS Region in which Artifact is asked.
    #[arg(long, env = "AUDITFOLIO_ARTIFACT_REGION", default_value = REGION)]
    pub artifact_region: String,
}

impl Default for ArtifactSettings {
    fn default() -> Self {
        Self { artifact_region: REGION.to_owned() }
    }
}

/// When Artifact is read by `serve`.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct ArtifactArgs {
    #[command(flatten)]
    pub settings: ArtifactSettings,
    /// How often `serve` reads AWS's reports and agreements from Artifact, e.g. 1d; an hour at least. Without it only
    /// `auditfolio artifact` brings them in.
    #[arg(long, env = "AUDITFOLIO_ARTIFACT_EVERY", value_parser = length)]
    pub artifact_every: Option<Duration>,
}

/// Reading Artifact as a duty of `serve`.
#[derive(Debug, Clone)]
pub struct Syncing {
    pub organization: String,
    pub settings: ArtifactSettings,
    pub aws: AwsSettings,
    pub every: Duration,
}

impl ArtifactArgs {
    /// What the settings ask for; `None` where Artifact is not read.
    pub fn syncing(&self, organization: &str, aws: &AwsSettings) -> anyhow::Result<Option<Syncing>> {
        let Some(every) = self.artifact_every else { return Ok(None) };
        if every < Duration::from_hours(1) {
            bail!("--artifact-every is shorter than an hour: AWS publishes reports a few times a year");
        }
        let (organization, settings, aws) = (organization.to_owned(), self.settings.clone(), aws.clone());
        Ok(Some(Syncing { organization, settings, aws, every }))
    }
}
