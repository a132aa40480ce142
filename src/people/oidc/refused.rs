//! What becomes of a refusal: one line in the log, one row in the audit log, one page.

use actix_web::HttpRequest;

use super::refusal::{Refusal, Turn};
use crate::State;
use crate::audit_log::{self, Entry};
use crate::error::Error;
use crate::people::remote;
use crate::web::RequestId;

impl Turn {
    /// For the page: a title, what happened, what to do.
    pub fn said(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Again => (
                "Not signed in",
                "The sign-in was interrupted, took too long, or was begun in another browser.",
                "Start again. If it happens each time, allow this site to keep cookies.",
            ),
            Self::Settings => (
                "Not signed in",
                "The identity provider and this installation are not set up to fit together.",
                "You can do nothing about it: tell whoever runs this installation the request id.",
            ),
            Self::Provider => (
                "Not signed in",
                "The identity provider’s answer cannot be trusted, so it was not used.",
                "Start again. If it happens each time, tell whoever runs this installation the request id.",
            ),
            Self::Down => (
                "The identity provider does not answer",
                "Nobody can sign in through it now. Who is signed in already can go on.",
                "Try again in a few minutes. If it stays so, tell whoever runs this installation the request id.",
            ),
            Self::Denied => (
                "Not let in",
                "This sign-in was refused.",
                "If you should have access, ask an administrator of this installation, with the request id.",
            ),
        }
    }
}

/// Writes a refusal down, and gives the error that becomes its page.
pub(in crate::people) async fn refused(
    request: &HttpRequest,
    state: &State,
    act: &'static str,
    provider: &str,
    refusal: &Refusal,
) -> Error {
    let (reason, found) = (refusal.reason.word(), &refusal.found);
    tracing::warn!(reason, provider, found, meaning = refusal.reason.meaning(), "{act}");
    let detail = serde_json::json!({ "reason": reason, "found": found });
    let (remote, request_id) = (remote(request), RequestId::of(request));
    let entry = Entry { remote, request_id, ..Entry::by_system(act, provider).detail(detail) };
    match audit_log::record_alone(&state.db, &entry).await {
        Ok(()) => Error::SignInRefused(refusal.reason),
        Err(error) => error.into(),
    }
}
