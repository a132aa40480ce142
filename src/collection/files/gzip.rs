//! Unpacks gzip: at once into a buffer where that is proven to be the whole, else as a stream with a hash of the delivered bytes.

use std::io::{ErrorKind, Read};

use flate2::{Crc, Decompress, FlushDecompress, Status};
use libdeflater::{Crc as FastCrc, Decompressor};
use ring::digest::{Context, SHA256, digest};

use crate::collection::source::Unreadable;

/// SHA-256 of some bytes.
pub(super) fn sha256(bytes: &[u8]) -> [u8; 32] {
    array(digest(&SHA256, bytes).as_ref())
}

/// Unpacks a file that is one gzip member and nothing else, into the start of `text`, which grows as needed and keeps its length.
///
/// `None` says only that this way is not good enough (more than `most_bytes`, several members, junk, damage): the stream finds out.
pub(super) fn unpack_whole(
    packed: &[u8],
    text: &mut Vec<u8>,
    most_bytes: usize,
    decompressor: &mut Decompressor,
) -> Option<usize> {
    let (rest, trailer) = packed.split_last_chunk::<8>()?;
    let [c0, c1, c2, c3, s0, s1, s2, s3] = *trailer;
    let size = usize::try_from(u32::from_le_bytes([s0, s1, s2, s3])).ok().filter(|size| *size <= most_bytes)?;
    if text.len() < size {
        text.resize(size, 0);
    }
    let room = text.get_mut(..size)?;
    let unpacked = decompressor.gzip_decompress(packed, room).ok()?;
    let mut crc = FastCrc::new();
    crc.update(room);
    // The library stops behind the first member and does not say where. Its trailer is the file's last eight bytes if those hold
    // the right sum and size and the same eight bytes are nowhere before.
    let whole = unpacked == size && crc.sum() == u32::from_le_bytes([c0, c1, c2, c3]);
    let only = memchr::memmem::find(packed.get(..packed.len() - 1)?, trailer).is_none();
    (whole && only && !rest.is_empty()).then_some(size)
}

const INPUT_BYTES: usize = 128 << 10;

/// Unpacks a stream of gzip members, and hashes what it reads.
pub(super) struct Gzip<R> {
    source: R,
    input: Vec<u8>,
    /// The part of `input` that has not been used.
    from: usize,
    to: usize,
    /// Bytes taken from the source.
    taken: u64,
    hash: Option<Context>,
    inflate: Decompress,
    part: Part,
    crc: Crc,
    member_bytes: u32,
    unpacked: u64,
    most_bytes: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    FirstHeader,
    Header,
    Body,
    Trailer,
    End,
}

impl<R: Read> Gzip<R> {
    /// Unpacks at most `most_bytes`; more is a fault.
    pub(super) fn new(source: R, most_bytes: u64) -> Self {
        Self {
            source,
            input: vec![0; INPUT_BYTES],
            from: 0,
            to: 0,
            taken: 0,
            hash: Some(Context::new(&SHA256)),
            inflate: Decompress::new(false),
            part: Part::FirstHeader,
            crc: Crc::new(),
            member_bytes: 0,
            unpacked: 0,
            most_bytes,
        }
    }

    /// Adds to `text` until it holds `wanted` bytes or the stream ends.
    pub(super) fn fill(&mut self, text: &mut Vec<u8>, wanted: usize) -> Result<(), Unreadable> {
        text.reserve_exact(wanted.saturating_sub(text.len()));
        while text.len() < wanted && self.part != Part::End {
            match self.part {
                Part::FirstHeader | Part::Header => self.header()?,
                Part::Body => self.body(text)?,
                Part::Trailer => self.trailer()?,
                Part::End => {}
            }
        }
        Ok(())
    }

    /// Reads the source to its end. The hash and the number of all delivered bytes; `None` where they could not be read.
    pub(super) fn finish(&mut self) -> Option<([u8; 32], u64)> {
        while self.refill().ok()? {}
        let hash = self.hash.take()?;
        Some((array(hash.finish().as_ref()), self.taken))
    }

    fn header(&mut self) -> Result<(), Unreadable> {
        let start = self.position();
        let first = self.part == Part::FirstHeader;
        let Some(magic) = self.next()? else {
            if first {
                return Err(fault("the file is empty", start));
            }
            self.part = Part::End;
            return Ok(());
        };
        if magic != 0x1f || self.next()? != Some(0x8b) {
            let reason =
                if first { "the file is not gzip" } else { "something that is not gzip follows the gzip data" };
            return Err(fault(reason, start));
        }
        if self.needed()? != 8 {
            return Err(fault("the gzip data name a compression that does not exist", start + 2));
        }
        let flags = self.needed()?;
        if flags & 0xe0 != 0 {
            return Err(fault("the gzip header has flags that do not exist", start + 3));
        }
        self.pass(6)?;
        if flags & 4 != 0 {
            let length = u16::from_le_bytes([self.needed()?, self.needed()?]);
            self.pass(length.into())?;
        }
        for flag in [8, 16] {
            if flags & flag != 0 {
                while self.needed()? != 0 {}
            }
        }
        if flags & 2 != 0 {
            self.pass(2)?;
        }
        self.inflate.reset(false);
        self.crc.reset();
        self.member_bytes = 0;
        self.part = Part::Body;
        Ok(())
    }

    fn body(&mut self, text: &mut Vec<u8>) -> Result<(), Unreadable> {
        if self.from == self.to && !self.refill()? {
            return Err(self.truncated());
        }
        let before = (text.len(), self.inflate.total_in());
        let input = self.input.get(self.from..self.to).unwrap_or_default();
        let status = self.inflate.decompress_vec(input, text, FlushDecompress::None);
        let used = self.inflate.total_in() - before.1;
        self.from += usize::try_from(used).expect("no more than the input's length");
        let status = status.map_err(|_zlib| fault("the gzip data are corrupt", self.position()))?;
        let new = text.get(before.0..).unwrap_or_default();
        self.crc.update(new);
        let new = u64::try_from(new.len()).expect("a length fits in 64 bits");
        self.member_bytes = self.member_bytes.wrapping_add(u32::try_from(new & 0xffff_ffff).expect("32 bits"));
        self.unpacked += new;
        if self.unpacked > self.most_bytes {
            let reason = format!("it unpacks to more than the limit of {} bytes", self.most_bytes);
            return Err(Unreadable { retry_above: Some(self.most_bytes), ..fault(reason, self.position()) });
        }
        match status {
            Status::StreamEnd => self.part = Part::Trailer,
            Status::Ok | Status::BufError if used == 0 && new == 0 => {
                return Err(fault("the gzip data are corrupt", self.position()));
            }
            Status::Ok | Status::BufError => {}
        }
        Ok(())
    }

    fn trailer(&mut self) -> Result<(), Unreadable> {
        let start = self.position();
        let mut words = [0_u32; 2];
        for word in &mut words {
            *word = u32::from_le_bytes([self.needed()?, self.needed()?, self.needed()?, self.needed()?]);
        }
        if words != [self.crc.sum(), self.member_bytes] {
            return Err(fault("the gzip data are corrupt: what they unpack to does not have their checksum", start));
        }
        self.part = Part::Header;
        Ok(())
    }

    fn pass(&mut self, count: u32) -> Result<(), Unreadable> {
        for _ in 0..count {
            self.needed()?;
        }
        Ok(())
    }

    fn needed(&mut self) -> Result<u8, Unreadable> {
        self.next()?.ok_or_else(|| self.truncated())
    }

    fn next(&mut self) -> Result<Option<u8>, Unreadable> {
        if self.from == self.to && !self.refill()? {
            return Ok(None);
        }
        let byte = self.input.get(self.from).copied();
        self.from += 1;
        Ok(byte)
    }

    /// Drops what is left of the input and takes more; false at the source's end.
    fn refill(&mut self) -> Result<bool, Unreadable> {
        loop {
            match self.source.read(&mut self.input) {
                Ok(count) => {
                    (self.from, self.to) = (0, count);
                    self.taken += u64::try_from(count).expect("a length fits in 64 bits");
                    if let Some(hash) = &mut self.hash {
                        hash.update(self.input.get(..count).unwrap_or_default());
                    }
                    return Ok(count > 0);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    self.hash = None;
                    let reason = format!("the file could not be read: {error}");
                    return Err(Unreadable { retry_above: Some(0), ..fault(reason, self.taken) });
                }
            }
        }
    }

    fn position(&self) -> u64 {
        self.taken - u64::try_from(self.to - self.from).expect("a length fits in 64 bits")
    }

    fn truncated(&self) -> Unreadable {
        fault("the gzip data end in the middle: the file is cut off", self.position())
    }
}

fn fault(reason: impl Into<String>, position: u64) -> Unreadable {
    Unreadable { reason: reason.into(), position, unpacked: false, sha256: None, retry_above: None }
}

fn array(hash: &[u8]) -> [u8; 32] {
    <[u8; 32]>::try_from(hash).expect("SHA-256 has 32 bytes")
}
