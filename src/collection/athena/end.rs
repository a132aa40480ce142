//! The early end of a collection by Athena: it is told to end, or a worker has failed.

use std::sync::{Arc, OnceLock};

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::collection::progress::Progress;
use crate::collection::run::Cancelled;

/// Reached once nothing more is to be asked. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct End {
    token: CancellationToken,
    /// Cancelled where the program ends too, so that nothing needs to be left in order.
    program: CancellationToken,
    why: Arc<OnceLock<Why>>,
}

#[derive(Debug, Clone, Copy)]
enum Why {
    Signal(&'static str),
    Cancelled,
}

impl End {
    /// One that whoever may stop the collection brings about. Where nobody may, SIGTERM and SIGINT do, and a second signal
    /// ends the program at once. Nothing is waited for any more once the tasks are dropped.
    ///
    /// # Errors
    ///
    /// Signals cannot be waited for.
    pub(super) fn of(progress: &Progress) -> anyhow::Result<(Self, JoinSet<()>)> {
        let end = Self::default();
        let mut tasks = JoinSet::new();
        let told = end.clone();
        if let Some(stop) = progress.stopper().cloned() {
            tasks.spawn(async move {
                stop.cancelled().await;
                told.because(Why::Cancelled);
            });
        } else {
            let mut terminate = signal(SignalKind::terminate()).context("cannot wait for SIGTERM")?;
            let mut interrupt = signal(SignalKind::interrupt()).context("cannot wait for SIGINT")?;
            tasks.spawn(async move {
                let name = tokio::select! { _ = terminate.recv() => "SIGTERM", _ = interrupt.recv() => "SIGINT" };
                // The reason stands before anybody wakes and asks for it.
                told.because(Why::Signal(name));
                told.program.cancel();
                tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
                std::process::exit(130);
            });
        }
        Ok((end, tasks))
    }

    fn because(&self, why: Why) {
        self.why.get_or_init(|| why);
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

    /// Waits for what is safe to cut off only where the program ends: cut off in the middle of a COPY, a connection is of
    /// no more use to anybody.
    ///
    /// # Errors
    ///
    /// The program was told to end.
    pub(super) async fn unless_program_ends<T>(&self, work: impl Future<Output = T>) -> anyhow::Result<T> {
        tokio::select! {
            biased;
            () = self.program.cancelled() => Err(self.error()),
            done = work => Ok(done),
        }
    }

    /// Why a collection failed: that it was told to end, where it was, and not what went wrong as it ended.
    pub(super) fn or(&self, error: anyhow::Error) -> anyhow::Error {
        if self.why.get().is_some() { self.error() } else { error }
    }

    fn error(&self) -> anyhow::Error {
        match self.why.get() {
            Some(Why::Signal(name)) => anyhow::anyhow!("the program was told to end by {name}"),
            Some(Why::Cancelled) => Cancelled.into(),
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
        end.because(Why::Signal("SIGTERM"));
        let cut = end.unless(std::future::pending::<()>()).await.unwrap_err();
        assert_eq!(cut.to_string(), "the program was told to end by SIGTERM");
        assert!(end.go_on().is_err());
    }

    #[tokio::test]
    async fn a_stopped_collection_asks_nothing_more_and_is_cut_off_nowhere() {
        let stop = CancellationToken::new();
        let (end, _tasks) = End::of(&Progress::stopped_by(stop.clone())).unwrap();
        assert!(end.go_on().is_ok());
        stop.cancel();
        end.reached().await;
        assert!(end.go_on().unwrap_err().is::<Cancelled>());
        assert_eq!(end.unless_program_ends(async { 5 }).await.unwrap(), 5);
        assert!(end.or(anyhow::anyhow!("reading was cut off")).is::<Cancelled>());
    }

    #[tokio::test]
    async fn a_failure_stays_what_it_is_where_nobody_told_the_collection_to_end() {
        let end = End::default();
        end.others();
        assert_eq!(end.or(anyhow::anyhow!("access was denied")).to_string(), "access was denied");
    }
}
