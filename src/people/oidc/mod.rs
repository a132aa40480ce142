//! Sign-in by identity providers (`OpenID` Connect): code flow with PKCE, and sign-out on both sides.
//!
//! What is decided is pure: [`token`] judges a token, [`groups`] gives a role, [`answer`] reads what a browser brings back.
//! [`provider`] asks the provider, [`page`] and [`logout`] are the routes.

mod answer;
mod db;
mod groups;
mod http;
mod logout;
pub(super) mod page;
mod provider;
mod refusal;
mod refused;
mod self_test;
mod settings;
mod token;

pub use groups::Grants;
pub use logout::is_back_channel;
pub use provider::Provider;
pub use refusal::{Reason, Refusal, Turn};
pub use settings::{GroupsFrom, ProviderSettings, PublicUrl, SignInArgs};

pub(super) use logout::leave;
pub(super) use provider::Told;
pub(super) use refused::refused;
