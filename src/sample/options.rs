//! What a sample is made from.

use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use time::Date;
use time::macros::format_description;

/// Regions in the order in which a number takes them.
const REGIONS: [&str; 17] = [
    "eu-central-1",
    "eu-west-1",
    "us-east-1",
    "us-west-2",
    "ap-southeast-1",
    "ap-northeast-1",
    "eu-north-1",
    "ca-central-1",
    "us-east-2",
    "eu-west-2",
    "eu-west-3",
    "ap-southeast-2",
    "ap-south-1",
    "sa-east-1",
    "us-west-1",
    "ap-northeast-2",
    "ap-northeast-3",
];

/// Raised when the same options give other bytes than before.
const FORMAT: u32 = 1;

/// Options of `auditfolio sample`.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Folder to write to. It must be empty, absent, or an earlier sample of the same options, which then stands.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// What stands before `AWSLogs/` in every key, e.g. o-a1b2c3d4e5 as AWS Control Tower does it; may hold slashes.
    #[arg(long)]
    pub prefix: Option<String>,
    /// Accounts; from 10 on every special account is among them.
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=5_000))]
    pub accounts: u32,
    /// A number of Regions, or their names with commas between.
    #[arg(long, default_value = "3")]
    pub regions: Regions,
    /// Days of delivery; from 10 on no two of the told events share a day.
    #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=3_660))]
    pub days: u32,
    /// Last day, e.g. 2026-10-31. Without it yesterday (UTC), or that of the earlier sample in the folder.
    #[arg(long, value_parser = parse_day)]
    pub until: Option<Date>,
    /// Resources with rule results in each account and Region.
    #[arg(long, default_value_t = 25, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub resources: u32,
    /// How many of the known AWS rules are in use; 0 is all.
    #[arg(long, default_value_t = 0)]
    pub rules: u32,
    /// Another seed gives another organisation of the same kind.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Of 10,000 complying evaluations how many stop complying on an ordinary day.
    #[arg(long, default_value_t = 25, value_parser = clap::value_parser!(u32).range(0..=10_000))]
    pub drift: u32,
    /// Make one snapshot of the last day 300 MB large (unpacked).
    #[arg(long)]
    pub huge: bool,
}

impl Options {
    /// The command line's defaults.
    pub fn new(out: impl Into<PathBuf>) -> Self {
        Self {
            out: out.into(),
            prefix: None,
            accounts: 24,
            regions: Regions::first(3),
            days: 90,
            until: None,
            resources: 25,
            rules: 0,
            seed: 1,
            drift: 25,
            huge: false,
        }
    }

    /// Everything that decides the bytes, with the last day settled.
    pub(super) fn choice(&self, yesterday: Date) -> Choice {
        Choice {
            format: FORMAT,
            prefix: self.prefix.as_deref().unwrap_or("").trim_matches('/').to_owned(),
            accounts: self.accounts,
            regions: self.regions.0.clone(),
            days: self.days,
            until: self.until.unwrap_or(yesterday),
            resources: self.resources,
            rules: self.rules,
            seed: self.seed,
            drift: self.drift,
            huge: self.huge,
        }
    }
}

/// Everything that decides a sample's bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    pub format: u32,
    pub prefix: String,
    pub accounts: u32,
    pub regions: Vec<String>,
    pub days: u32,
    #[serde(with = "super::expected::day")]
    pub until: Date,
    pub resources: u32,
    pub rules: u32,
    pub seed: u64,
    pub drift: u32,
    pub huge: bool,
}

/// Names of Regions, at least one, none twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Regions(pub Vec<String>);

impl Regions {
    /// The first `number` Regions of a fixed list (of 17).
    pub fn first(number: usize) -> Self {
        Self(REGIONS.iter().take(number).map(|&name| name.to_owned()).collect())
    }
}

impl FromStr for Regions {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(number) = text.parse::<usize>() {
            return match number {
                1..=17 => Ok(Self::first(number)),
                _ => Err("a number of Regions is from 1 to 17".to_owned()),
            };
        }
        let mut names: Vec<String> = Vec::new();
        for name in text.split(',').map(str::trim) {
            let known_letters = name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
            if name.is_empty() || !known_letters {
                return Err(format!("{name:?} is not the name of a Region"));
            }
            if names.iter().any(|earlier| earlier == name) {
                return Err(format!("{name} is named twice"));
            }
            names.push(name.to_owned());
        }
        Ok(Self(names))
    }
}

fn parse_day(text: &str) -> Result<Date, String> {
    Date::parse(text, format_description!("[year]-[month]-[day]"))
        .map_err(|error| format!("{error}; a day is written like 2026-10-31"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_a_number_or_names() {
        assert_eq!("2".parse(), Ok(Regions(vec!["eu-central-1".into(), "eu-west-1".into()])));
        assert_eq!("us-east-1, eu-west-1".parse(), Ok(Regions(vec!["us-east-1".into(), "eu-west-1".into()])));
        assert!("0".parse::<Regions>().is_err());
        assert!("18".parse::<Regions>().is_err());
        assert!("eu-west-1,eu-west-1".parse::<Regions>().is_err());
        assert!("../etc".parse::<Regions>().is_err());
        assert!("".parse::<Regions>().is_err());
    }
}
