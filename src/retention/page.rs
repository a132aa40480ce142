//! What the page of collections says of retention.

use askama::Template;
use time::OffsetDateTime;

use super::db::{self, Removal};
use crate::State;
use crate::error::Error;
use crate::web::parts::html_safe;
use crate::web::{Visit, filters, format};

/// Removals on the page.
const SHOWN: i64 = 10;

/// Where retention stands, for the page of collections.
#[derive(Debug, Clone, Template)]
#[template(path = "retention/standing.html")]
pub struct Standing {
    /// The setting of the program that shows the page; `None`: never.
    setting: Option<String>,
    removals: Vec<Removal>,
}

html_safe!(Standing);

impl Standing {
    /// Asks the store.
    pub async fn load(state: &State, visit: &mut Visit) -> Result<Self, Error> {
        let setting = state.duties.retention.as_ref().map(|duty| duty.span.to_string());
        // Where nothing was ever removed there is nothing to ask for.
        let removals = match (&visit.organization, &visit.standing.floor) {
            (Some(organization), Some(_)) => db::removals(&mut *visit.read, organization.id, SHOWN).await?,
            _ => Vec::new(),
        };
        Ok(Self { setting, removals })
    }
}

impl Removal {
    /// Rows that were removed, by table.
    fn words(&self) -> String {
        let mut tables: Vec<String> =
            self.removed.iter().map(|(table, rows)| format!("{table} {}", format::count(*rows))).collect();
        if tables.is_empty() {
            tables.push("none yet".to_owned());
        }
        tables.join(", ")
    }

    fn ended(&self) -> Option<OffsetDateTime> {
        self.finished_at
    }
}
