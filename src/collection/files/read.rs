//! Reads one delivered object: small ones whole from a buffer, large ones as a stream whose memory one item bounds.

use std::cell::RefCell;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use libdeflater::Decompressor;

use super::document::{self, Window};
use super::gzip::{self, Gzip};
use crate::collection::source::{Limits, Reading, Sink, Unreadable};

/// Files and texts up to these sizes are read whole.
const LOCAL_WHOLE: Most = Most { packed_bytes: 32 << 20, text_bytes: 32 << 20 };
/// Objects and texts that come over a network are read whole up to these sizes: many are read at a time.
const REMOTE_WHOLE: Most = Most { packed_bytes: 4 << 20, text_bytes: 16 << 20 };
/// The least that a window grows to.
const WINDOW_BYTES: usize = 512 << 10;

/// Reads the object at `path`, which its key says is `account_id`'s, and hands its compliance items to `sink` one by one.
///
/// Each thread keeps its buffers, up to 32 MiB of packed and of unpacked bytes.
///
/// # Errors
///
/// The object is refused whole where any part that is used cannot be trusted. `sink` may have taken items by then.
pub fn read(path: &Path, account_id: &str, limits: &Limits, sink: &mut impl Sink) -> Result<Reading, Unreadable> {
    let mut file = File::open(path).map_err(|error| not_read(&error))?;
    let length = file.metadata().map_err(|error| not_read(&error))?.len();
    with_buffers(|buffers| read_with(buffers, &mut file, length, LOCAL_WHOLE, account_id, limits, sink))
}

/// Reads an object of `length` bytes from wherever it comes, like [`read()`].
///
/// # Errors
///
/// As [`read()`]; a source that fails makes the object unreadable: its caller knows better why.
pub fn read_from(
    source: &mut impl Read,
    length: u64,
    account_id: &str,
    limits: &Limits,
    sink: &mut impl Sink,
) -> Result<Reading, Unreadable> {
    with_buffers(|buffers| read_with(buffers, source, length, REMOTE_WHOLE, account_id, limits, sink))
}

fn with_buffers<T>(read: impl FnOnce(&mut Buffers) -> T) -> T {
    thread_local! {
        static BUFFERS: RefCell<Buffers> = RefCell::default();
    }
    // Taken out, so that a sink which reads another object finds the cell free.
    let mut buffers = BUFFERS.take();
    let outcome = read(&mut buffers);
    BUFFERS.set(buffers);
    outcome
}

fn not_read(error: &std::io::Error) -> Unreadable {
    Unreadable {
        reason: format!("the file could not be read: {error}"),
        position: 0,
        unpacked: false,
        sha256: None,
        retry_above: Some(0),
    }
}

/// Up to which sizes an object is read whole.
#[derive(Debug, Clone, Copy)]
struct Most {
    packed_bytes: usize,
    text_bytes: usize,
}

#[derive(Default)]
struct Buffers {
    packed: Vec<u8>,
    text: Vec<u8>,
    decompressor: Option<Decompressor>,
}

fn read_with(
    buffers: &mut Buffers,
    source: &mut impl Read,
    length: u64,
    most: Most,
    account_id: &str,
    limits: &Limits,
    sink: &mut impl Sink,
) -> Result<Reading, Unreadable> {
    if usize::try_from(length).is_ok_and(|length| length <= most.packed_bytes) {
        buffers.packed.clear();
        let limit = u64::try_from(most.packed_bytes).expect("a few MiB fit in 64 bits");
        (&mut *source).take(limit).read_to_end(&mut buffers.packed).map_err(|error| not_read(&error))?;
        if let Some(outcome) = read_whole(buffers, most, account_id, limits, sink) {
            return outcome;
        }
        // The file may have grown since: what is behind the buffer belongs to it.
        return read_stream(buffers.packed.as_slice().chain(source), account_id, limits, WINDOW_BYTES, sink);
    }
    read_stream(source, account_id, limits, WINDOW_BYTES, sink)
}

/// `None`: this way is not good enough, and nothing was handed on.
fn read_whole(
    buffers: &mut Buffers,
    most: Most,
    account_id: &str,
    limits: &Limits,
    sink: &mut impl Sink,
) -> Option<Result<Reading, Unreadable>> {
    let Buffers { packed, text, decompressor } = buffers;
    if packed.len() == most.packed_bytes {
        return None;
    }
    let most_bytes = usize::try_from(limits.unpacked_bytes).map_or(most.text_bytes, |limit| limit.min(most.text_bytes));
    let length = gzip::unpack_whole(packed, text, most_bytes, decompressor.get_or_insert_with(Decompressor::new))?;
    let sha256 = gzip::sha256(packed);
    let mut reading = Reading { sha256, size_bytes: length_of(packed), ..Reading::default() };
    let mut window = Whole { text: text.get(..length)?, at: 0 };
    Some(match document::read(&mut window, account_id, limits, &mut reading, sink) {
        Ok(()) => Ok(reading),
        Err(unreadable) => Err(Unreadable { sha256: Some(sha256), ..unreadable }),
    })
}

fn read_stream(
    source: impl Read,
    account_id: &str,
    limits: &Limits,
    least_window: usize,
    sink: &mut impl Sink,
) -> Result<Reading, Unreadable> {
    let most_window = usize::try_from(limits.item_bytes).unwrap_or(usize::MAX).saturating_add(least_window);
    let gzip = Gzip::new(source, limits.unpacked_bytes);
    let mut window = Stream { gzip, text: Vec::new(), at: 0, passed: 0, least_window, most_window };
    let mut reading = Reading::default();
    let outcome = document::read(&mut window, account_id, limits, &mut reading, sink);
    let delivered = window.gzip.finish();
    match (outcome, delivered) {
        (Ok(()), Some((sha256, size_bytes))) => Ok(Reading { sha256, size_bytes, ..reading }),
        (Ok(()), None) => Err(Unreadable {
            reason: "the file could not be read to its end".to_owned(),
            position: reading.unpacked_bytes,
            unpacked: true,
            sha256: None,
            retry_above: Some(0),
        }),
        (Err(unreadable), delivered) => Err(Unreadable { sha256: delivered.map(|(sha256, _)| sha256), ..unreadable }),
    }
}

struct Whole<'t> {
    text: &'t [u8],
    at: usize,
}

impl Window for Whole<'_> {
    fn bytes(&self) -> &[u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn pass(&mut self, count: usize) {
        self.at += count;
    }

    fn position(&self) -> u64 {
        u64::try_from(self.at).expect("a length fits in 64 bits")
    }

    fn grow(&mut self) -> Result<bool, Unreadable> {
        Ok(false)
    }
}

struct Stream<R> {
    gzip: Gzip<R>,
    text: Vec<u8>,
    /// Where in `text` the window begins.
    at: usize,
    /// Bytes of the whole text before `text`.
    passed: u64,
    least_window: usize,
    most_window: usize,
}

impl<R: Read> Window for Stream<R> {
    fn bytes(&self) -> &[u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn pass(&mut self, count: usize) {
        self.at += count;
    }

    fn position(&self) -> u64 {
        self.passed + u64::try_from(self.at).expect("a length fits in 64 bits")
    }

    fn grow(&mut self) -> Result<bool, Unreadable> {
        let left = self.text.len() - self.at;
        self.text.copy_within(self.at.., 0);
        self.text.truncate(left);
        self.passed = self.position();
        self.at = 0;
        // Doubled, so that an item which is begun again each time costs no more than twice its length.
        let wanted = left.saturating_mul(2).clamp(self.least_window, self.most_window);
        self.gzip.fill(&mut self.text, wanted)?;
        Ok(self.text.len() > left)
    }
}

fn length_of(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).expect("a length fits in 64 bits")
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
