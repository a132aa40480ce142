//! The record of acts that matter: one writer, in the same transaction as the act. Each entry has a link in a chain of hashes,
//! so that one that is altered, removed or put in is found.

pub mod acts;
pub mod chain;
mod chain_db;
pub mod check;
pub mod command;
mod db;
pub mod in_force;
pub mod page;
mod page_db;

pub use chain::Checkpoint;
pub use chain_db::checkpoint;
pub use db::{record, record_alone};

/// How far the actor's name can be trusted. The words are those of column `audit_log.actor_kind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ActorKind {
    /// A demo identity, not authenticated.
    Demo,
    /// Somebody with the command line: the name is that of their account on the machine.
    #[default]
    Operator,
    /// A job of the program itself.
    System,
    /// Somebody whom an identity provider authenticated: the name ends with `person.person_id`.
    Person,
}

impl ActorKind {
    /// The word in column `audit_log.actor_kind`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Demo => "demo",
            Self::Operator => "operator",
            Self::System => "system",
            Self::Person => "person",
        }
    }
}

/// One act.
#[derive(Debug, Clone)]
pub struct Entry {
    pub actor: String,
    pub actor_kind: ActorKind,
    /// A verb phrase, e.g. `download pack`.
    pub act: &'static str,
    /// What was acted on, e.g. a pack's id; empty where the act says it all.
    pub object: String,
    /// Facts worth keeping, as a JSON object. Never a secret.
    pub detail: serde_json::Value,
    /// The caller's address, for acts over the network.
    pub remote: Option<String>,
    pub request_id: Option<String>,
}

impl Entry {
    /// An act from the command line.
    pub fn by_operator(act: &'static str, object: impl Into<String>) -> Self {
        Self::new(operator(), ActorKind::Operator, act, object)
    }

    /// An act of the program itself, e.g. of its job worker.
    pub fn by_system(act: &'static str, object: impl Into<String>) -> Self {
        Self::new("auditfolio".to_owned(), ActorKind::System, act, object)
    }

    /// An act of a demo identity.
    pub fn by_demo(identity: impl Into<String>, act: &'static str, object: impl Into<String>) -> Self {
        Self::new(identity.into(), ActorKind::Demo, act, object)
    }

    fn new(actor: String, actor_kind: ActorKind, act: &'static str, object: impl Into<String>) -> Self {
        let detail = serde_json::Value::Object(serde_json::Map::new());
        Self { actor, actor_kind, act, object: object.into(), detail, remote: None, request_id: None }
    }

    /// The same with facts worth keeping.
    #[must_use]
    pub fn detail(self, detail: serde_json::Value) -> Self {
        Self { detail, ..self }
    }
}

/// Who runs the command line, as the system calls them.
pub fn operator() -> String {
    crate::database::name_of_this_user().unwrap_or_else(|_| "unknown".to_owned())
}
