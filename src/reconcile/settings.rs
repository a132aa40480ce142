//! Which aggregator is asked.

use crate::aws::role::RoleArn;
use crate::collection;

/// Which aggregator is asked; without a name none is.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct AggregatorSettings {
    /// Name of AWS Config's aggregator to compare with after each collection.
    #[arg(long, env = "AUDITFOLIO_AGGREGATOR", value_parser = name)]
    pub aggregator: Option<String>,
    /// ARN of a role to assume in the aggregator's account [default: the program's own credentials].
    #[arg(long, env = "AUDITFOLIO_AGGREGATOR_ROLE")]
    pub aggregator_role: Option<RoleArn>,
    /// The aggregator's Region [default: that of --aws-region].
    #[arg(long, env = "AUDITFOLIO_AGGREGATOR_REGION", value_parser = collection::region)]
    pub aggregator_region: Option<String>,
}

/// Reads an aggregator's name: 1 to 256 letters, digits, `_` and `-`.
///
/// <https://docs.aws.amazon.com/config/latest/APIReference/API_ConfigurationAggregator.html>
fn name(text: &str) -> Result<String, String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if (1..=256).contains(&text.len()) && text.chars().all(allowed) {
        Ok(text.to_owned())
    } else {
        Err("is not the name of an aggregator: up to 256 letters, digits, _ and -".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_letters_digits_and_hyphens() {
        assert_eq!(name("organization_1-a").as_deref(), Ok("organization_1-a"));
        for wrong in ["", "two words", "arn:aws:config", "ü", &"a".repeat(257)] {
            assert!(name(wrong).is_err(), "{wrong}");
        }
    }
}
