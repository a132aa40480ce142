//! What of the portal a token may ask for: a table beside the one of all routes. A route that is not in it is for people. Pure.

/// A part of what can be read, given to a token by itself. The words are those of column `api_token.scopes`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// What AWS Config found, and what it was found in.
    Evidence,
    /// Packs, AWS's reports and agreements.
    Documents,
    /// What was done, and by whom.
    Log,
}

impl Scope {
    pub const ALL: [Self; 3] = [Self::Evidence, Self::Documents, Self::Log];

    /// The word in column `api_token.scopes` and in forms.
    pub fn word(self) -> &'static str {
        match self {
            Self::Evidence => "evidence",
            Self::Documents => "documents",
            Self::Log => "log",
        }
    }

    /// Reads [`Self::word`].
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.word() == word)
    }

    /// What it reads, in one sentence.
    pub fn describes(self) -> &'static str {
        match self {
            Self::Evidence => {
                "Figures, accounts, rules, evaluations, resources, changes, deliveries, collections, scopes and notices."
            }
            Self::Documents => "Packs with their files, and AWS’s reports and agreements.",
            Self::Log => "The audit log, engagements with their logs, and jobs.",
        }
    }
}

/// What a route gives to a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gives {
    /// Rows as JSON, JSON lines or CSV.
    Rows,
    /// A file as it is.
    File,
}

use Gives::{File, Rows};
use Scope::{Documents, Evidence, Log};

/// Each route that tokens may ask for, by GET or HEAD.
const READS: &[(&str, Scope, Gives)] = &[
    ("/", Evidence, Rows),
    ("/accounts", Evidence, Rows),
    ("/accounts/{account_id}", Evidence, Rows),
    ("/rules", Evidence, Rows),
    ("/rules/{core_name}", Evidence, Rows),
    ("/rules/{core_name}/names", Evidence, Rows),
    ("/rule-definitions", Evidence, Rows),
    ("/resources", Evidence, Rows),
    ("/changes", Evidence, Rows),
    ("/evaluations", Evidence, Rows),
    ("/objects", Evidence, Rows),
    ("/delivery", Evidence, Rows),
    ("/conformance-packs", Evidence, Rows),
    ("/conformance-packs/{name}", Evidence, Rows),
    ("/aggregator", Evidence, Rows),
    ("/results", Evidence, Rows),
    ("/collections", Evidence, Rows),
    ("/collections/{collection_id}", Evidence, Rows),
    ("/scopes", Evidence, Rows),
    ("/scopes/{name}", Evidence, Rows),
    ("/notices", Evidence, Rows),
    ("/room/samples/{sample_id}", Evidence, Rows),
    ("/room/samples/{sample_id}/population.jsonl", Evidence, File),
    ("/engagements/{engagement_id}/samples/{sample_id}", Evidence, Rows),
    ("/packs", Documents, Rows),
    ("/packs/{pack_id}", Documents, Rows),
    ("/packs/{pack_id}/pack.pdf", Documents, File),
    ("/packs/{pack_id}/pack.zip", Documents, File),
    ("/packs/{pack_id}/pack.sig", Documents, File),
    ("/installation-key.pem", Documents, File),
    ("/artifact", Documents, Rows),
    ("/artifact/agreements", Documents, Rows),
    ("/artifact/agreements/recorded/{id}/{name}", Documents, File),
    ("/artifact/reports/{report_id}", Documents, Rows),
    ("/artifact/files/{file_id}/{name}", Documents, File),
    ("/audit-log", Log, Rows),
    ("/engagements", Log, Rows),
    ("/engagements/{engagement_id}/log", Log, Rows),
    ("/room/log", Log, Rows),
    ("/jobs", Log, Rows),
];

/// The scope that a token needs for a route, and what it gets; `None` where the route is for people alone. Takes the pattern of
/// the routes table.
pub fn what(pattern: &str) -> Option<(Scope, Gives)> {
    READS.iter().find(|(path, ..)| *path == pattern).map(|(_, scope, gives)| (*scope, *gives))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use actix_web::http::Method;

    use super::*;
    use crate::web::{Access, endpoints};

    #[test]
    fn each_is_a_route_that_reads_and_that_asks_who_it_is_for() {
        let all = endpoints();
        let mut seen = BTreeSet::new();
        for (path, ..) in READS {
            assert!(seen.insert(path), "{path} is there twice");
            let route = all.iter().find(|one| one.path == *path && one.method == Method::GET);
            let access = route.unwrap_or_else(|| panic!("no route is called {path}")).access;
            assert_ne!(access, Access::Everybody, "{path}");
            assert_ne!(access, Access::Administrators, "{path}");
        }
    }

    #[test]
    fn a_scope_is_what_its_word_says() {
        for scope in Scope::ALL {
            assert_eq!(Scope::parse(scope.word()), Some(scope));
        }
        assert_eq!(Scope::parse("everything"), None);
        assert_eq!(what("/sign-in"), None);
    }
}
