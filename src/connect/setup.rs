//! What an installation is set up to use of AWS, and what follows for the names in policies.

use crate::artifact::ArtifactArgs;
use crate::aws::AwsSettings;
use crate::aws::role::partition;
use crate::collection::{AthenaSettings, Engine, Location};
use crate::reconcile::AggregatorSettings;
use crate::secret::{Reference, Secret};

/// What an installation uses of AWS: the settings of `collect` and `serve`.
#[derive(Debug, Clone, clap::Args)]
pub struct Setup {
    /// The delivery bucket, as `collect --from`, e.g. `s3://acme-config/o-abc123`.
    #[arg(long, env = "AUDITFOLIO_COLLECT_FROM")]
    pub from: Location,
    /// Accounts are read from AWS Organizations: as `collect --organizations`.
    #[arg(long, env = "AUDITFOLIO_ORGANIZATIONS")]
    pub organizations: bool,
    /// Accounts are asked what their rules ask for: as `collect --rule-definitions`.
    #[arg(long, env = "AUDITFOLIO_RULE_DEFINITIONS")]
    pub rule_definitions: bool,
    /// Who reads the objects: as `collect --engine`.
    #[arg(long, env = "AUDITFOLIO_ENGINE", value_enum, default_value_t)]
    pub engine: Engine,
    #[command(flatten, next_help_heading = "Aggregator")]
    pub aggregator: AggregatorSettings,
    #[command(flatten, next_help_heading = "Athena")]
    pub athena: AthenaSettings,
    #[command(flatten, next_help_heading = "AWS Artifact")]
    pub artifact: ArtifactArgs,
    #[command(flatten, next_help_heading = "Reaching AWS")]
    pub aws: AwsSettings,
    /// Regions that should deliver, where a list of them is set.
    #[arg(skip)]
    pub regions: Vec<String>,
    /// Secrets that other settings refer to, each with the setting that does.
    #[arg(skip)]
    pub secrets: Vec<(&'static str, Reference)>,
}

impl Setup {
    /// With the secrets that these settings refer to.
    #[must_use]
    pub fn with_secrets(mut self, settings: &[(&'static str, Option<&Secret>)]) -> Self {
        let referred =
            settings.iter().filter_map(|(name, secret)| Some((*name, secret.as_ref()?.reference()?.clone())));
        self.secrets.extend(referred);
        self
    }

    /// Every secret that is referred to, each with the setting that does.
    pub fn all_secrets(&self) -> Vec<(&'static str, Reference)> {
        let external_id = self.aws.external_id.as_ref().and_then(Secret::reference);
        self.secrets.iter().cloned().chain(external_id.map(|it| ("--aws-external-id", it.clone()))).collect()
    }

    /// The delivery bucket's name and prefix; `None` where evidence is read from a folder.
    pub fn bucket(&self) -> Option<(&str, &str)> {
        match &self.from {
            Location::Bucket { name, prefix } => Some((name, prefix)),
            Location::Folder(_) => None,
        }
    }

    /// Whether Artifact is read.
    pub fn reads_artifact(&self) -> bool {
        self.artifact.artifact_every.is_some()
    }

    /// Whether Athena is asked.
    pub fn athena_asked(&self) -> bool {
        self.engine == Engine::Athena && self.bucket().is_some()
    }

    /// The settings in force, as pairs of a name and a value; never a secret.
    pub(super) fn words(&self) -> Vec<(String, String)> {
        let aws = &self.aws;
        let or = |value: Option<String>, otherwise: &str| value.unwrap_or_else(|| otherwise.to_owned());
        let yes = |yes: bool| if yes { "yes" } else { "no" }.to_owned();
        let mut words = vec![
            ("Evidence", self.from.to_string()),
            ("Region", or(aws.region.clone(), "that of AWS’s own settings")),
            ("Log-archive role", or(aws.role.as_ref().map(ToString::to_string), "none: the portal’s own credentials")),
            ("KMS keys", or(joined(&aws.kms_keys), "none")),
            ("Reads Organizations", yes(self.organizations)),
            ("Organizations role", or(aws.organization_role.as_ref().map(ToString::to_string), "none")),
            ("Reads rule definitions", yes(self.rule_definitions)),
            ("Member role", or(aws.member_role.as_ref().map(ToString::to_string), "none")),
            ("External id", if aws.external_id.is_some() { "set" } else { "none" }.to_owned()),
            ("Aggregator", or(self.aggregator.aggregator.clone(), "none")),
            ("Engine", self.engine.word().to_owned()),
            ("Reads Artifact", yes(self.reads_artifact())),
        ];
        if let Some(role) = &self.aggregator.aggregator_role {
            words.push(("Aggregator role", role.to_string()));
        }
        if self.athena_asked() {
            let athena = &self.athena;
            words.push(("Workgroup", athena.workgroup.to_string()));
            words.push(("Table", format!("{}.{}", athena.database, athena.table)));
            words.push(("Results", or(athena.output.clone(), "where the workgroup puts them")));
        }
        let secrets = self.all_secrets();
        let secrets = secrets.iter().map(|(setting, secret)| ("Secret", format!("{secret}, for {setting}")));
        words.into_iter().chain(secrets).map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// # Errors
    ///
    /// A name cannot stand in a policy: `*`, `?` and `$` mean something else there.
    pub fn check(&self) -> Result<(), String> {
        let output = self.athena.output.as_deref().unwrap_or_default();
        let texts = [self.bucket().map_or("", |(_, prefix)| prefix), output];
        match texts.iter().find(|text| text.contains(['*', '?', '$'])) {
            Some(text) => Err(format!("{text:?} cannot stand in a policy: *, ? and $ mean something else there")),
            None => Ok(()),
        }
    }
}

fn joined(values: &[impl ToString]) -> Option<String> {
    let texts: Vec<String> = values.iter().map(ToString::to_string).collect();
    (!texts.is_empty()).then(|| texts.join(", "))
}

/// What ARNs need beside the settings: known here, or left to a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    pub partition: String,
    pub region: String,
    /// The account in which Athena is asked.
    pub account: String,
    /// The account in which the secrets are.
    pub own_account: String,
    /// Bucket and prefix of Athena's results; `None`: nobody has said where they go.
    pub results: Option<(String, String)>,
}

impl Names {
    /// As far as the settings tell; a star stands for a Region or account that they do not.
    pub fn known(setup: &Setup) -> Self {
        let region = setup.aws.region.as_deref();
        let star = || "*".to_owned();
        Self {
            partition: region.map_or("aws", partition).to_owned(),
            region: region.map_or_else(star, str::to_owned),
            account: setup.aws.role.as_ref().map_or_else(star, |role| role.account_id().to_owned()),
            own_account: star(),
            results: setup.athena.output.as_deref().map(bucket_and_prefix),
        }
    }

    /// As a template of `CloudFormation` fills them in; it makes a bucket for the results where none is set.
    pub fn in_template(setup: &Setup) -> Self {
        let made = || (format!("${{{}}}", super::cloudformation::RESULTS), String::new());
        Self {
            partition: "${AWS::Partition}".to_owned(),
            region: setup.aws.region.clone().unwrap_or_else(|| "${AWS::Region}".to_owned()),
            account: "${AWS::AccountId}".to_owned(),
            own_account: "${AWS::AccountId}".to_owned(),
            results: Some(setup.athena.output.as_deref().map_or_else(made, bucket_and_prefix)),
        }
    }
}

/// Of `s3://BUCKET/PREFIX`.
fn bucket_and_prefix(address: &str) -> (String, String) {
    let rest = address.trim_start_matches("s3://");
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    (bucket.to_owned(), prefix.to_owned())
}

/// Prefixes of the delivery bucket that a collection lists, as patterns of a policy. Pure.
pub fn listed(prefix: &str) -> Vec<String> {
    if inside(prefix).is_some() {
        return vec![format!("{prefix}*")];
    }
    // Below a folder such as the organisation's id, and to find that folder.
    vec![prefix.to_owned(), format!("{prefix}AWSLogs/*"), format!("{prefix}*/AWSLogs/*")]
}

/// Keys of the delivery bucket that a collection reads, as patterns of a policy. Pure.
pub fn read(prefix: &str) -> Vec<String> {
    match inside(prefix) {
        None => vec![format!("{prefix}AWSLogs/*/Config/*"), format!("{prefix}*/AWSLogs/*/Config/*")],
        Some(0) => vec![format!("{prefix}*/Config/*")],
        Some(1) => vec![format!("{prefix}Config/*")],
        Some(_) => vec![format!("{prefix}*")],
    }
}

/// How many folders of the layout, the organisation's id not counted, a prefix has below `AWSLogs/`; `None` where it ends
/// above.
pub fn inside(prefix: &str) -> Option<usize> {
    let segments: Vec<&str> = prefix.split_terminator('/').collect();
    let at = segments.iter().rposition(|segment| *segment == "AWSLogs")?;
    let below = segments.get(at + 1..).unwrap_or_default();
    Some(below.iter().skip(usize::from(below.first().is_some_and(|first| first.starts_with("o-")))).count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_above_the_layout_is_searched_and_one_inside_is_not_left() {
        let cases = [
            ("", vec!["", "AWSLogs/*", "*/AWSLogs/*"], vec!["AWSLogs/*/Config/*", "*/AWSLogs/*/Config/*"]),
            (
                "o-abc/",
                vec!["o-abc/", "o-abc/AWSLogs/*", "o-abc/*/AWSLogs/*"],
                vec!["o-abc/AWSLogs/*/Config/*", "o-abc/*/AWSLogs/*/Config/*"],
            ),
            ("AWSLogs/", vec!["AWSLogs/*"], vec!["AWSLogs/*/Config/*"]),
            ("AWSLogs/o-abc/", vec!["AWSLogs/o-abc/*"], vec!["AWSLogs/o-abc/*/Config/*"]),
            ("x/AWSLogs/123456789012/", vec!["x/AWSLogs/123456789012/*"], vec!["x/AWSLogs/123456789012/Config/*"]),
            (
                "AWSLogs/123456789012/Config/eu-central-1/",
                vec!["AWSLogs/123456789012/Config/eu-central-1/*"],
                vec!["AWSLogs/123456789012/Config/eu-central-1/*"],
            ),
        ];
        for (prefix, lists, reads) in cases {
            assert_eq!(
                (listed(prefix), read(prefix)),
                (lists.into_iter().map(str::to_owned).collect(), reads.into_iter().map(str::to_owned).collect()),
                "{prefix:?}"
            );
        }
    }
}
