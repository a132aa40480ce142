//! An opened source: a folder or a bucket, listed and read in the same words.

use std::io::Read;
use std::path::PathBuf;

use super::bucket::{self, Bucket, Meaning};
use super::files;
use super::location::Location;
use super::settled::Settled;
use super::source::{Days, Limits, Listing, Object, Reading, Sink, Unreachable, Unreadable};
use crate::aws::{AwsSettings, Failure, Kind};

/// Where a collection's objects come from.
#[derive(Debug)]
pub(super) enum Source {
    Folder(PathBuf),
    Bucket(Bucket),
}

/// An object whose bytes were there to be judged.
#[derive(Debug)]
pub(super) struct Taken<T> {
    pub(super) outcome: Result<T, Unreadable>,
    /// S3: which version was read.
    pub(super) version_id: Option<String>,
}

impl Source {
    pub(super) async fn open(location: &Location, aws: &AwsSettings) -> anyhow::Result<Self> {
        Ok(match location {
            Location::Folder(path) => Self::Folder(path.clone()),
            Location::Bucket { name, prefix } => Self::Bucket(Bucket::open(name, prefix, aws).await?),
        })
    }

    /// Lists the objects of the days asked for that are not settled; a folder lists all days.
    pub(super) async fn list(&self, days: Days, settled: &Settled) -> anyhow::Result<Listing> {
        match self {
            Self::Folder(path) => {
                let path = path.clone();
                tokio::task::spawn_blocking(move || files::list(&path)).await?
            }
            Self::Bucket(bucket) => bucket.list(days, settled).await,
        }
    }

    /// Places to read at a time: a disk keeps the processors busy, a network does not.
    pub(super) fn places_at_a_time(&self) -> usize {
        match self {
            Self::Folder(_) => from_disk(std::thread::available_parallelism().map_or(2, std::num::NonZero::get)),
            Self::Bucket(bucket) => bucket.reads,
        }
    }

    /// Reads an object, for a thread that may wait. `sink` may have taken items of one that turns out unreadable.
    pub(super) fn read(
        &self,
        object: &Object,
        account_id: &str,
        limits: &Limits,
        sink: &mut impl Sink,
    ) -> Result<Taken<Reading>, Unreachable> {
        match self {
            Self::Folder(root) => {
                let outcome = files::read(&root.join(&object.name), account_id, limits, sink);
                Ok(Taken { outcome, version_id: None })
            }
            Self::Bucket(bucket) => {
                remote(bucket, object, |source| files::read_from(source, object.size_bytes, account_id, limits, sink))
            }
        }
    }

    /// Whether an object can be had, or would be judged unreadable: for a thread that may wait.
    pub(super) fn reaches(&self, object: &Object) -> bool {
        match self {
            Self::Folder(_) => true,
            Self::Bucket(bucket) => match bucket.read(object).open() {
                Ok(()) => true,
                Err(failure) => matches!(bucket::meaning(&failure), Meaning::Unreadable(_)),
            },
        }
    }

    /// SHA-256 of an object's bytes, for a thread that may wait.
    pub(super) fn hash(&self, object: &Object) -> Result<Taken<Vec<u8>>, Unreachable> {
        match self {
            Self::Folder(root) => {
                let outcome =
                    std::fs::File::open(root.join(&object.name)).and_then(hash).map_err(|error| unreadable(&error));
                Ok(Taken { outcome, version_id: None })
            }
            Self::Bucket(bucket) => remote(bucket, object, |source| hash(source).map_err(|error| unreadable(&error))),
        }
    }
}

/// Places to read from a disk at a time.
pub(super) fn from_disk(cores: usize) -> usize {
    const MOST: usize = 8;
    (cores + 1).min(MOST)
}

/// Reads an object of a bucket; where its bytes did not come, that is the outcome.
fn remote<T>(
    bucket: &Bucket,
    object: &Object,
    read: impl FnOnce(&mut bucket::Remote<'_>) -> Result<T, Unreadable>,
) -> Result<Taken<T>, Unreachable> {
    let mut source = bucket.read(object);
    if let Err(failure) = source.open() {
        return not_read(&failure).map(|unreadable| Taken { outcome: Err(unreadable), version_id: None });
    }
    let outcome = read(&mut source);
    let version_id = source.version_id().map(str::to_owned);
    match source.failure() {
        Some(failure) => not_read(failure).map(|unreadable| Taken { outcome: Err(unreadable), version_id }),
        None => Ok(Taken { outcome, version_id }),
    }
}

fn not_read(failure: &Failure) -> Result<Unreadable, Unreachable> {
    match bucket::meaning(failure) {
        Meaning::Unreadable(reason) => {
            // An archived one has to be restored first: asking for it each time would not help.
            let retry_above = (failure.kind != Kind::Archived).then_some(0);
            Ok(Unreadable { reason, position: 0, unpacked: false, sha256: None, retry_above })
        }
        Meaning::Unreached(unreached) => Err(Unreachable::Now(unreached)),
        Meaning::Ends(reason) => Err(Unreachable::Ever(reason)),
    }
}

fn unreadable(error: &std::io::Error) -> Unreadable {
    Unreadable { reason: error.to_string(), position: 0, unpacked: false, sha256: None, retry_above: Some(0) }
}

fn hash(mut source: impl Read) -> std::io::Result<Vec<u8>> {
    let mut context = ring::digest::Context::new(&ring::digest::SHA256);
    let mut buffer = vec![0; 1 << 16];
    loop {
        match source.read(&mut buffer)? {
            0 => return Ok(context.finish().as_ref().to_vec()),
            read => context.update(&buffer[..read]),
        }
    }
}
