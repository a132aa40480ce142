//! What a pack is asked for with. Pure.

use serde::{Deserialize, Serialize};
use time::{Date, OffsetDateTime};

use super::finalise::FinalOf;
use crate::engagement::Terms;

/// What is asked for; the payload of a job of kind pack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The organisation's name.
    pub organization: String,
    pub title: String,
    /// First day of the period; `None` for a pack of one day.
    pub from: Option<Date>,
    pub as_of: Date,
    /// Twelve-digit ids; `None` is every account.
    pub accounts: Option<Vec<String>>,
    /// The name of a scope, instead of accounts: those that it holds on the as-of day.
    #[serde(default)]
    pub scope: Option<String>,
    /// The number of a scope definition or end up to which the pack knows them; `None` is all.
    #[serde(default)]
    pub scopes_at: Option<i64>,
    /// The collection up to which the pack knows; `None` is the latest.
    pub known_at: Option<i64>,
    /// The printed clock, where the operator sets it.
    pub at: Option<OffsetDateTime>,
    pub created_by: String,
    /// Whether `created_by` is a demo identity.
    pub demo: bool,
    #[serde(default)]
    pub said: Said,
    /// Where a final pack is asked for: the draft that it is made of.
    #[serde(default)]
    pub final_of: Option<FinalOf>,
}

/// What a pack says of itself beside the evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Said {
    /// How confidential it is: 1 to [`CLASSIFICATION`] characters.
    pub classification: String,
    /// Whom it is for, up to [`RECIPIENT`] characters; empty where nobody is named.
    pub recipient: String,
    /// The engagement that it is for.
    pub engagement: Option<i64>,
    /// Whether pseudonyms stand for names of persons in ids of resources.
    pub pseudonyms: bool,
}

impl Default for Said {
    fn default() -> Self {
        Self {
            classification: DEFAULT_CLASSIFICATION.to_owned(),
            recipient: String::new(),
            engagement: None,
            pseudonyms: false,
        }
    }
}

/// The longest title that is taken, in characters.
pub const TITLE: usize = 200;
/// The longest classification.
pub const CLASSIFICATION: usize = 60;
/// The longest recipient.
pub const RECIPIENT: usize = 200;
/// What a pack is classified as where nobody says otherwise.
pub const DEFAULT_CLASSIFICATION: &str = "Confidential";

/// Reads a classification: 1 to [`CLASSIFICATION`] characters.
pub fn classification(text: &str) -> Result<String, String> {
    let text = text.trim();
    match text.chars().count() {
        1..=CLASSIFICATION if !text.contains('\0') => Ok(text.to_owned()),
        _ => Err(format!("a classification has 1 to {CLASSIFICATION} characters")),
    }
}

/// Whom a pack of an engagement is for, where nobody says otherwise.
pub fn recipient_of(terms: &Terms) -> String {
    format!("Auditors of “{}”", terms.title).chars().take(RECIPIENT).collect()
}
