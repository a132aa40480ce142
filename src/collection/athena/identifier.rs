//! Names that become part of a statement's text, checked against AWS's grammar. Pure.

use std::fmt;
use std::str::FromStr;

/// The name of a database or a table: lower-case letters, digits and `_`, at most 255 of them.
///
/// <https://docs.aws.amazon.com/athena/latest/ug/tables-databases-columns-names.html>
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name(String);

impl FromStr for Name {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if text.is_empty() || text.len() > 255 || !text.bytes().all(allowed) {
            return Err(format!("{text:?} is no name for Athena: 1 to 255 lower-case letters, digits and _"));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for Name {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// The name of a workgroup: letters, digits, `.`, `_` and `-`, at most 128 of them.
///
/// <https://docs.aws.amazon.com/athena/latest/APIReference/API_CreateWorkGroup.html>
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workgroup(String);

impl FromStr for Workgroup {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        if text.is_empty() || text.len() > 128 || !text.bytes().all(allowed) {
            return Err(format!("{text:?} is no name of a workgroup: 1 to 128 letters, digits, '.', '_' and '-'"));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Workgroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for Workgroup {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_could_end_its_quotes_is_refused() {
        for bad in ["", "Config", "a-b", "a\"b", "a`b", "a b", "a.b", "ä", &"a".repeat(256)] {
            assert!(bad.parse::<Name>().is_err(), "{bad:?}");
        }
        for good in ["config_snapshots", "_a", "2026", &"a".repeat(255)] {
            assert!(good.parse::<Name>().is_ok(), "{good:?}");
        }
    }

    #[test]
    fn a_workgroup_has_the_letters_that_aws_takes() {
        for bad in ["", "a b", "a/b", &"a".repeat(129)] {
            assert!(bad.parse::<Workgroup>().is_err(), "{bad:?}");
        }
        assert!("primary-2.X_y".parse::<Workgroup>().is_ok());
    }
}
