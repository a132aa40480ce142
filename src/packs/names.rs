//! Names of the files that a pack consists of. Safe on every file system and in every header.

/// The day's population: every delivered evaluation.
pub const POPULATION: &str = "population.csv";
/// The period's population with its deviations; in packs of a period.
pub const PERIOD: &str = "period.csv";
pub const DELIVERY: &str = "delivery.csv";
pub const OBJECTS: &str = "objects.csv";
/// What the rules ask for; in packs for which they were read.
pub const DEFINITIONS: &str = "definitions.csv";
pub const ACCOUNTS: &str = "accounts.csv";
/// Queries of Amazon Athena that read objects; in packs that rest on any.
pub const QUERIES: &str = "queries.csv";
/// AWS's reports with their reviews, and what Artifact lists for each account; in packs for which Artifact was read.
pub const REPORTS: &str = "aws-reports.csv";
pub const AGREEMENTS: &str = "agreements.csv";
/// How far the audit log had come.
pub const CHECKPOINT: &str = "audit-checkpoint.json";
/// The public key of the installation.
pub const KEY: &str = "auditfolio-key.pem";

/// The names of one pack's files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    pub pdf: String,
    pub signature: String,
    pub zip: String,
}

impl Names {
    /// Of a pack's id, which is of capitals, digits and hyphens.
    pub fn of(pack_id: &str) -> Self {
        let stem: String = pack_id.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
        Self { pdf: format!("{stem}.pdf"), signature: format!("{stem}.sig"), zip: format!("{stem}.zip") }
    }
}
