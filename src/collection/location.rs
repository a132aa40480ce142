//! Where evidence lies, as a person writes it. Pure.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// A folder, or (part of) an S3 bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    Folder(PathBuf),
    Bucket {
        name: String,
        /// Empty, or ending in `/`.
        prefix: String,
    },
}

impl Default for Location {
    fn default() -> Self {
        Self::Folder(PathBuf::new())
    }
}

// Not from strings: the command line's parser would take that for the whole of it.
impl From<PathBuf> for Location {
    fn from(path: PathBuf) -> Self {
        Self::Folder(path)
    }
}

impl From<&Path> for Location {
    fn from(path: &Path) -> Self {
        Self::Folder(path.to_owned())
    }
}

impl FromStr for Location {
    type Err = String;

    /// `s3://BUCKET[/PREFIX]`, or else the path of a folder.
    fn from_str(text: &str) -> Result<Self, String> {
        let Some(address) = text.strip_prefix("s3://") else {
            return match text.split_once("://") {
                Some((scheme, _)) => Err(format!("evidence is read from a folder or s3://, not {scheme}://")),
                None if text.is_empty() => Err("it is empty".to_owned()),
                None => Ok(Self::Folder(text.into())),
            };
        };
        let (name, prefix) = address.split_once('/').unwrap_or((address, ""));
        check_name(name)?;
        let prefix = prefix.trim_end_matches('/');
        if prefix.starts_with('/') || prefix.contains("//") {
            return Err(format!("the prefix {prefix:?} has an empty folder in it"));
        }
        let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        Ok(Self::Bucket { name: name.to_owned(), prefix })
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path) => write!(f, "{}", path.display()),
            Self::Bucket { name, prefix } => write!(f, "s3://{name}/{prefix}"),
        }
    }
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>
fn check_name(name: &str) -> Result<(), String> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'.';
    let edge = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let whole = (3..=63).contains(&name.len())
        && name.bytes().all(allowed)
        && edge(name.bytes().next())
        && edge(name.bytes().last())
        && !name.contains("..");
    if whole { Ok(()) } else { Err(format!("{name:?} is not the name of a bucket")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_bucket_with_a_prefix_that_ends_in_a_slash() {
        let bucket = |name: &str, prefix: &str| Location::Bucket { name: name.to_owned(), prefix: prefix.to_owned() };
        let cases = [
            ("s3://acme-config", bucket("acme-config", "")),
            ("s3://acme-config/", bucket("acme-config", "")),
            ("s3://acme.config/o-abc", bucket("acme.config", "o-abc/")),
            ("s3://acme-config/a/b c/AWSLogs/", bucket("acme-config", "a/b c/AWSLogs/")),
            ("s3/acme", Location::Folder("s3/acme".into())),
            ("/evidence", Location::Folder("/evidence".into())),
        ];
        for (text, location) in cases {
            assert_eq!(text.parse::<Location>(), Ok(location.clone()), "{text}");
            assert_eq!(location.to_string().parse::<Location>(), Ok(location), "{text}");
        }
    }

    #[test]
    fn what_is_no_bucket_is_refused() {
        for text in
            ["", "s3://", "s3:///key", "s3://UPPER", "s3://ab", "s3://-ab", "s3://a..b", "s3://abc//x", "gs://abc"]
        {
            assert!(text.parse::<Location>().is_err(), "{text}");
        }
    }
}
