//! Who signs in and what they may do.

mod account_page;
mod db;
mod enter;
pub mod link;
mod link_db;
mod oidc;
mod on_record;
pub mod page;
mod people_page;
mod person_db;
mod session;
mod settings;
mod token;

use actix_web::HttpRequest;

pub use db::SessionRow;
pub use oidc::{
    Grants, GroupsFrom, Provider, ProviderSettings, PublicUrl, Reason, Refusal, SignInArgs, Turn, is_back_channel,
};
pub use on_record::{put_on_record, viewed};
pub use session::{Administrator, Kind, Maker, Ticket, User, admit, let_in};
pub use settings::SignIn;
pub use token::{AsOf, Bearer, Dead, Gives, Scope as TokenScope, check, is_shown, what as token_reads};

use crate::audit_log::Entry;
use crate::web::RequestId;
use crate::web::forwarded::Caller;

/// What somebody is, and so may do. The words are those of column `session.role`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Sees an engagement's room alone.
    Auditor,
    Viewer,
    ComplianceManager,
    Administrator,
}

impl Role {
    pub const ALL: [Self; 4] = [Self::Auditor, Self::Viewer, Self::ComplianceManager, Self::Administrator];

    /// The word in column `session.role` and in forms.
    pub fn word(self) -> &'static str {
        match self {
            Self::Auditor => "auditor",
            Self::Viewer => "viewer",
            Self::ComplianceManager => "compliance-manager",
            Self::Administrator => "administrator",
        }
    }

    /// Reads [`Self::word`].
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.word() == word)
    }

    /// The words on pages.
    pub fn title(self) -> &'static str {
        match self {
            Self::Auditor => "Auditor",
            Self::Viewer => "Viewer",
            Self::ComplianceManager => "Compliance manager",
            Self::Administrator => "Administrator",
        }
    }

    /// What the role may do, in one sentence.
    pub fn describes(self) -> &'static str {
        match self {
            Self::Auditor => {
                "Reads the rooms of engagements that the auditor was invited to: their scope, their period, while they are open."
            }
            Self::Viewer => "Reads every page, downloads tables and packs.",
            Self::ComplianceManager => {
                "Reads and downloads, makes packs, defines scopes, starts collections and acknowledges notices."
            }
            Self::Administrator => "As the compliance manager, and runs the installation.",
        }
    }

    /// Whether packs may be made, scopes defined, collections started, jobs ended and notices acknowledged.
    pub fn makes_packs(self) -> bool {
        matches!(self, Self::ComplianceManager | Self::Administrator)
    }
}

/// An act of somebody who is signed in, for the audit log.
pub fn acted(user: &User, request: &HttpRequest, act: &'static str, object: impl Into<String>) -> Entry {
    Entry {
        actor_kind: user.kind.actor_kind(),
        remote: remote(request),
        request_id: RequestId::of(request),
        ..Entry::by_demo(&user.identity, act, object)
    }
}

/// The address that a request comes from, as far as it can be told.
fn remote(request: &HttpRequest) -> Option<String> {
    Caller::of(request).address.map(|address| address.to_string())
}
