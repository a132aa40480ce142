//! The address of a page: path and query, so that every state of a page is a link.

use std::fmt::{self, Write as _};

use actix_web::web::Query;

use crate::error::Error;

/// Parameters that say where in a table a page begins and in which form it is wanted. Another day, other filters or
/// another order begin anew: they drop these.
pub const PLACE: [&str; 39] = [
    "after",
    "before",
    "row",
    "format",
    "rows",
    "gaps",
    "places",
    "never",
    "unexpected",
    "restated",
    "bands",
    "dates",
    "scopes",
    "definitions",
    "in",
    "out",
    "sources",
    "rules",
    "stopped",
    "unread",
    "changed",
    "lost",
    "accounts",
    "packs",
    "files",
    "absent",
    "history",
    "variants",
    "controls",
    "kinds",
    "versions",
    "changes",
    "agreements",
    "parameters",
    "packs-after",
    "packs-before",
    "packs-row",
    "elsewhere",
    "queries",
];

/// What every page knows and every link to another one keeps: the day, and the scope that is read.
pub const KEPT: [&str; 2] = ["as_of", "scope"];

/// A path with its query parameters in order. Displays as it stands in `href`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Address {
    path: String,
    pairs: Vec<(String, String)>,
}

impl Address {
    pub fn new(path: impl Into<String>) -> Self {
        Self { path: path.into(), pairs: Vec::new() }
    }

    /// From a request's path and query; what cannot be decoded is left out, and so are empty values.
    pub fn parse(path: &str, query: &str) -> Self {
        let pairs = Query::<Vec<(String, String)>>::from_query(query).map(Query::into_inner).unwrap_or_default();
        Self { path: path.to_owned(), pairs: pairs.into_iter().filter(|(_, value)| !value.is_empty()).collect() }
    }

    pub fn path(&self) -> &str {
        &self.path
    }

    pub fn pairs(&self) -> &[(String, String)] {
        &self.pairs
    }

    /// The first value of a parameter; `None` where absent or empty.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.pairs.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// All values of a parameter.
    pub fn all<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.pairs.iter().filter(move |(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// With the parameter set to one value, at its old place or the end.
    #[must_use]
    pub fn with(&self, key: &str, value: impl fmt::Display) -> Self {
        let value = value.to_string();
        let mut address = self.clone();
        match address.pairs.iter_mut().find(|(name, _)| name == key) {
            Some(pair) => pair.1 = value,
            None => address.pairs.push((key.to_owned(), value)),
        }
        address
    }

    #[must_use]
    pub fn without(&self, keys: &[&str]) -> Self {
        let mut address = self.clone();
        address.pairs.retain(|(name, _)| !keys.contains(&name.as_str()));
        address
    }

    /// The first page of every table: without [`PLACE`].
    #[must_use]
    pub fn start(&self) -> Self {
        self.without(&PLACE)
    }

    /// Refuses what a page does not know, beside [`KEPT`]: a filter that is ignored would show rows that nobody
    /// asked for.
    pub fn only(&self, known: &[&[&str]]) -> Result<(), Error> {
        let is_known = |key: &str| KEPT.contains(&key) || known.iter().any(|keys| keys.contains(&key));
        match self.pairs.iter().find(|(key, _)| !is_known(key)) {
            None => Ok(()),
            Some((key, _)) => Err(Error::Invalid(format!("This page cannot be asked for “{key}”: leave it out."))),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        for (index, (key, value)) in self.pairs.iter().enumerate() {
            f.write_char(if index == 0 { '?' } else { '&' })?;
            write!(f, "{}={}", Encoded(key), Encoded(value))?;
        }
        Ok(())
    }
}

/// Percent-encoded for one path segment or one query value: only RFC 3986's unreserved characters stay,
/// and the `:` of AWS's ids, which is allowed in both places and keeps addresses readable.
#[derive(Debug, Clone, Copy)]
pub struct Encoded<'a>(pub &'a str);

impl fmt::Display for Encoded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0.bytes() {
            if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b':') {
                f.write_char(char::from(byte))?;
            } else {
                write!(f, "%{byte:02X}")?;
            }
        }
        Ok(())
    }
}

/// The page of an account.
pub fn account_path(account_id: &str) -> String {
    format!("/accounts/{}", Encoded(account_id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_comes_back_from_the_address_as_it_was() {
        for value in ["a b", "arn:aws:s3:::x/y?z=1&w#f", "Ünïcödé", "100%", "<b>", "+", "a\nb"] {
            let address = Address::new("/rules").with("q", value).with("as_of", "2026-11-22");
            let text = address.to_string();
            let (path, query) = text.split_once('?').expect("there is a query");
            assert_eq!(Address::parse(path, query), address, "{text}");
        }
    }

    #[test]
    fn setting_a_parameter_replaces_it_in_place() {
        let address = Address::parse("/a", "x=1&y=2&empty=");
        assert_eq!(address.with("x", 3).to_string(), "/a?x=3&y=2");
        assert_eq!(address.without(&["x", "y"]).to_string(), "/a");
        assert_eq!(address.get("empty"), None);
    }

    #[test]
    fn another_day_begins_at_the_first_page_of_every_table() {
        let address = Address::parse("/delivery", "gaps=51&places=51&after=x&before=y&row=7&format=csv&state=missing");
        assert_eq!(address.start().to_string(), "/delivery?state=missing");
    }

    #[test]
    fn what_a_page_does_not_know_is_refused() {
        let address = Address::parse("/rules", "as_of=2026-11-02&account=1&severity=high");
        assert!(address.only(&[&["account"], &["severity"]]).is_ok());
        assert!(matches!(address.only(&[&["account"]]), Err(Error::Invalid(what)) if what.contains("“severity”")));
    }
}
