//! Shows how far a collection is: a bar on a terminal, plain lines otherwise.

use std::io::IsTerminal as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use tokio_util::sync::CancellationToken;

/// Between two plain lines.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// Shared by all workers; cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    bar: Option<ProgressBar>,
    lines: Option<Arc<Lines>>,
    done: Arc<AtomicU64>,
    total: Arc<AtomicU64>,
    step: Arc<Mutex<&'static str>>,
    collection_id: Arc<OnceLock<i64>>,
    /// `None`: nobody but the program's end stops the collection.
    stop: Option<CancellationToken>,
}

#[derive(Debug)]
struct Lines {
    begun: Instant,
    total: AtomicU64,
    /// Milliseconds since `begun` of the last line.
    last: AtomicU64,
}

impl Progress {
    /// Shows nothing.
    pub fn silent() -> Self {
        Self::default()
    }

    /// Shows progress on standard error.
    pub fn shown() -> Self {
        let lines = Lines { begun: Instant::now(), total: AtomicU64::new(0), last: AtomicU64::new(0) };
        let terminal = std::io::stderr().is_terminal();
        Self {
            bar: terminal.then(|| ProgressBar::new(0)),
            lines: (!terminal).then(|| Arc::new(lines)),
            ..Self::default()
        }
    }

    /// Shows nothing, and stops the collection between two places when `stop` is cancelled.
    pub fn stopped_by(stop: CancellationToken) -> Self {
        Self { stop: Some(stop), ..Self::default() }
    }

    /// New objects that are done.
    pub fn done(&self) -> usize {
        usize::try_from(self.done.load(Ordering::Relaxed)).unwrap_or(usize::MAX)
    }

    /// New objects in all; 0 until they are listed.
    pub fn total(&self) -> usize {
        usize::try_from(self.total.load(Ordering::Relaxed)).unwrap_or(usize::MAX)
    }

    /// What is being done, where it is not reading objects: empty before anything is.
    pub fn step_words(&self) -> &'static str {
        *self.step.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The collection's number, once it has one.
    pub fn collection_id(&self) -> Option<i64> {
        self.collection_id.get().copied()
    }

    pub(super) fn begun(&self, collection_id: i64) {
        let _said_before = self.collection_id.set(collection_id);
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stop.as_ref().is_some_and(CancellationToken::is_cancelled)
    }

    /// Ends when somebody asks for the collection's end.
    pub(super) async fn stopped(&self) {
        match &self.stop {
            Some(stop) => stop.cancelled().await,
            None => std::future::pending().await,
        }
    }

    /// Who may ask for it.
    pub(super) fn stopper(&self) -> Option<&CancellationToken> {
        self.stop.as_ref()
    }

    pub(super) fn step(&self, name: &'static str) {
        *self.step.lock().unwrap_or_else(PoisonError::into_inner) = name;
        if let Some(bar) = &self.bar {
            bar.set_style(ProgressStyle::default_spinner());
            bar.set_message(name);
            bar.tick();
        }
        if self.lines.is_some() {
            eprintln!("{name} ...");
        }
    }

    pub(super) fn begin(&self, total: usize) {
        let total = u64::try_from(total).unwrap_or(u64::MAX);
        self.total.store(total, Ordering::Relaxed);
        if let Some(bar) = &self.bar {
            let style = ProgressStyle::with_template("{bar:32} {pos} of {len} objects, {per_sec}, {eta} left");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.set_length(total);
        }
        if let Some(lines) = &self.lines {
            lines.total.store(total, Ordering::Relaxed);
            eprintln!("{total} new objects");
        }
    }

    /// Counts objects as done; returns how many are by now.
    pub(super) fn add(&self, objects: usize) -> u64 {
        let objects = u64::try_from(objects).unwrap_or(u64::MAX);
        let done = self.done.fetch_add(objects, Ordering::Relaxed) + objects;
        if let Some(bar) = &self.bar {
            bar.set_position(done);
        }
        if let Some(lines) = &self.lines {
            lines.tell(done);
        }
        done
    }

    /// Takes the bar away.
    pub fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Lines {
    fn tell(&self, done: u64) {
        let now = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let last = self.last.load(Ordering::Relaxed);
        let due = now.saturating_sub(last) >= u64::try_from(LINE_EVERY.as_millis()).unwrap_or(u64::MAX);
        if due && self.last.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            let total = self.total.load(Ordering::Relaxed);
            let left = now.checked_div(done).unwrap_or_default().saturating_mul(total.saturating_sub(done)) / 1000;
            eprintln!("{done} of {total} objects, about {left} s left");
        }
    }
}
