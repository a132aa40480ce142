//! The bytes of one object as a thread reads them: a cut answer is continued where it broke off.

use std::io::{self, Read};

use tokio::runtime::Handle;
use tokio_util::bytes::{Buf as _, Bytes};

use super::super::source::Object;
use crate::aws::Failure;
use crate::aws::s3::{Body, Bucket};

/// Answers of one object that may break off before it counts as not reached.
const CUTS: u32 = 8;

/// An object of a bucket. Memory is one piece of the answer, whatever the object's size.
#[derive(Debug)]
pub(in crate::collection) struct Remote<'a> {
    bucket: &'a Bucket,
    runtime: &'a Handle,
    object: &'a Object,
    body: Option<Body>,
    piece: Bytes,
    /// Bytes that came so far, those in `piece` included.
    received: u64,
    cuts: u32,
    /// `VersionId` of what is read, once an answer named it.
    version_id: Option<String>,
    failure: Option<Failure>,
}

impl<'a> Remote<'a> {
    pub(super) fn new(bucket: &'a Bucket, runtime: &'a Handle, object: &'a Object) -> Self {
        Self {
            bucket,
            runtime,
            object,
            body: None,
            piece: Bytes::new(),
            received: 0,
            cuts: 0,
            version_id: None,
            failure: None,
        }
    }

    /// Opens the object, so that one that cannot be had is known before anything is read.
    pub(in crate::collection) fn open(&mut self) -> Result<(), Failure> {
        let body = self.runtime.block_on(self.answer())?;
        self.version_id.clone_from(&body.version_id);
        self.body = Some(body);
        Ok(())
    }

    pub(in crate::collection) fn version_id(&self) -> Option<&str> {
        self.version_id.as_deref()
    }

    /// Why reading ended early; `None` where all bytes came.
    pub(in crate::collection) fn failure(&self) -> Option<&Failure> {
        self.failure.as_ref()
    }

    async fn answer(&self) -> Result<Body, Failure> {
        self.bucket.open(&self.object.name, self.object.etag.as_deref(), self.received).await
    }

    /// The next piece; it stays empty at the object's end.
    async fn next_piece(&mut self) -> Result<(), Failure> {
        while self.received < self.object.size_bytes {
            if self.body.is_none() {
                self.body = Some(self.answer().await?);
            }
            let Some(body) = &mut self.body else { continue };
            let why = match body.next().await {
                Ok(Some(piece)) if piece.is_empty() => continue,
                Ok(Some(piece)) => return self.take(piece),
                Ok(None) => "the answer ended early".to_owned(),
                Err(why) => why,
            };
            self.body = None;
            self.cuts += 1;
            if self.cuts >= CUTS {
                let message = format!("{} of {} bytes came: {why}", self.received, self.object.size_bytes);
                return Err(self.failed(&message));
            }
        }
        Ok(())
    }

    fn take(&mut self, piece: Bytes) -> Result<(), Failure> {
        self.received += u64::try_from(piece.len()).unwrap_or(u64::MAX);
        if self.received > self.object.size_bytes {
            return Err(self.failed("more bytes came than the listing says"));
        }
        self.piece = piece;
        Ok(())
    }

    fn failed(&self, message: &str) -> Failure {
        let address = self.bucket.address(&self.object.name);
        Failure::transient(self.bucket.reading(&address), message)
    }
}

impl Read for Remote<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(failure) = &self.failure {
            return Err(io::Error::other(failure.to_string()));
        }
        if self.piece.is_empty() {
            let runtime = self.runtime.clone();
            if let Err(failure) = runtime.block_on(self.next_piece()) {
                let error = io::Error::other(failure.to_string());
                self.failure = Some(failure);
                return Err(error);
            }
        }
        let count = self.piece.len().min(buffer.len());
        self.piece.copy_to_slice(&mut buffer[..count]);
        Ok(count)
    }
}
