//! The early end of a collection by Athena: the program is told to end, or a worker has failed.

use std::sync::{Arc, OnceLock};

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::collection::progress::Progress;
use crate::collection::run::Cancelled;

const CANCELLED: &str = "cancelled";

/// Reached once nothing more is to be asked. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct End {
    token: CancellationToken,
    why: Arc<OnceLock<&'static str>>,
}

impl End {
    /// One that SIGTERM and SIGINT bring about, or whoever stops the collection; a second signal ends the program at once.
    ///
    /// # Errors
    ///
    /// Signals cannot be waited for.
    pub(super) fn of(progress: Progress) -> anyhow::Result<Self> {
        let mut terminate = signal(SignalKind::terminate()).context("cannot wait for SIGTERM")?;
        let mut interrupt = signal(SignalKind::interrupt()).context("cannot wait for SIGINT")?;
        let end = Self::default();
        let stopped = end.clone();
        tokio::spawn(async move {
            progress.stopped().await;
            stopped.because(CANCELLED);
        });
        let told = end.clone();
        tokio::spawn(async move {
            let name = tokio::select! { _ = terminate.recv() => "SIGTERM", _ = interrupt.recv() => "SIGINT" };
            told.because(name);
            tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
            std::process::exit(130);
        });
        Ok(end)
    }

    fn because(&self, name: &'static str) {
        self.why.get_or_init(|| name);
        self.token.cancel();
    }

    /// Ends the other workers.
    pub(super) fn others(&self) {
        self.token.cancel();
    }

    pub(super) async fn reached(&self) {
        self.token.cancelled().await;
    }

    /// An error once it is reached.
    pub(super) fn go_on(&self) -> anyhow::Result<()> {
        if self.token.is_cancelled() { Err(self.error()) } else { Ok(()) }
    }

    /// Waits for what is safe to cut off.
    ///
    /// # Errors
    ///
    /// The end came first.
    pub(super) async fn unless<T>(&self, work: impl Future<Output = T>) -> anyhow::Result<T> {
        tokio::select! {
            biased;
            () = self.reached() => Err(self.error()),
            done = work => Ok(done),
        }
    }

    fn error(&self) -> anyhow::Error {
        match self.why.get() {
            Some(&CANCELLED) => Cancelled.into(),
            Some(name) => anyhow::anyhow!("the program was told to end by {name}"),
            None => anyhow::anyhow!("the collection failed elsewhere"),
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[tokio::test]
    async fn what_waits_is_cut_off_and_says_why() {
        let end = End::default();
        assert_eq!(end.unless(async { 5 }).await.unwrap(), 5);
        assert!(end.go_on().is_ok());
        end.because("SIGTERM");
        let cut = end.unless(std::future::pending::<()>()).await.unwrap_err();
        assert_eq!(cut.to_string(), "the program was told to end by SIGTERM");
        assert!(end.go_on().is_err());
    }
}
