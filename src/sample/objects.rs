//! Keys of delivered objects and the files that hold them.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::Context as _;
use flate2::Compression;
use flate2::write::GzEncoder;
use libdeflater::{CompressionLvl, Compressor};
use time::macros::format_description;
use time::{Date, OffsetDateTime};

/// What every key of a place begins with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Root<'a> {
    /// Without slashes at its ends; may be empty.
    pub(super) prefix: &'a str,
    pub(super) account_id: &'a str,
    pub(super) region: &'a str,
}

impl Root<'_> {
    /// `[PREFIX/]AWSLogs/ACCOUNT`
    pub(super) fn logs(&self) -> String {
        let slash = if self.prefix.is_empty() { "" } else { "/" };
        format!("{}{slash}AWSLogs/{}", self.prefix, self.account_id)
    }

    /// The folder of a day; AWS writes month and day without leading zeros.
    pub(super) fn day(&self, day: Date) -> String {
        let (year, month, date) = (day.year(), u8::from(day.month()), day.day());
        format!("{}/Config/{}/{year}/{month}/{date}", self.logs(), self.region)
    }

    pub(super) fn snapshot(&self, taken: OffsetDateTime, id: &str) -> String {
        let name = format!("{}_Config_{}_ConfigSnapshot_{}_{id}.json.gz", self.account_id, self.region, stamp(taken));
        format!("{}/ConfigSnapshot/{name}", self.day(taken.date()))
    }

    pub(super) fn history(&self, resource_type: &str, start: OffsetDateTime, end: OffsetDateTime) -> String {
        let (from, to) = (stamp(start), stamp(end));
        let name =
            format!("{}_Config_{}_ConfigHistory_{resource_type}_{from}_{to}_1.json.gz", self.account_id, self.region);
        format!("{}/ConfigHistory/{name}", self.day(end.date()))
    }
}

/// `20261121T051233Z`
pub(super) fn stamp(at: OffsetDateTime) -> String {
    at.format(format_description!("[year][month][day]T[hour][minute][second]Z"))
        .expect("a time of this century can be written")
}

/// Writes objects below a folder.
pub(super) struct Folder {
    root: PathBuf,
    compressor: Compressor,
    /// Folders that this one has made, so that each is asked for once.
    made: Option<PathBuf>,
    pub(super) files: u64,
    pub(super) bytes: u64,
}

impl Folder {
    pub(super) fn new(root: &Path) -> Self {
        let level = CompressionLvl::new(6).expect("6 is a level of deflate");
        Self { root: root.to_owned(), compressor: Compressor::new(level), made: None, files: 0, bytes: 0 }
    }

    /// A text as one gzip member, always the same bytes.
    pub(super) fn pack(&mut self, text: &[u8]) -> Vec<u8> {
        let mut packed = vec![0; self.compressor.gzip_compress_bound(text.len())];
        let length = self.compressor.gzip_compress(text, &mut packed).expect("the bound holds every packed text");
        packed.truncate(length);
        packed
    }

    /// Writes a file whose modification time is the time of its delivery.
    pub(super) fn put(&mut self, key: &str, bytes: &[u8], delivered: OffsetDateTime) -> anyhow::Result<()> {
        let path = self.place(key)?;
        let failed = || format!("writing {}", path.display());
        let mut file = File::create(&path).with_context(failed)?;
        file.write_all(bytes).with_context(failed)?;
        self.finish(&file, delivered).with_context(failed)
    }

    /// Writes a gzip as a stream: `pieces` gives the next piece of text until it gives none.
    pub(super) fn put_stream(
        &mut self,
        key: &str,
        pieces: impl Iterator<Item = String>,
        delivered: OffsetDateTime,
    ) -> anyhow::Result<()> {
        let path = self.place(key)?;
        let failed = || format!("writing {}", path.display());
        let mut packed = GzEncoder::new(BufWriter::new(File::create(&path).with_context(failed)?), Compression::new(2));
        for piece in pieces {
            packed.write_all(piece.as_bytes()).with_context(failed)?;
        }
        let buffer = packed.finish().with_context(failed)?;
        let file = buffer.into_inner().map_err(std::io::IntoInnerError::into_error).with_context(failed)?;
        self.finish(&file, delivered).with_context(failed)
    }

    fn place(&mut self, key: &str) -> anyhow::Result<PathBuf> {
        let path = self.root.join(key);
        let folder = path.parent().unwrap_or(&self.root);
        if self.made.as_deref() != Some(folder) {
            std::fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
            self.made = Some(folder.to_owned());
        }
        Ok(path)
    }

    fn finish(&mut self, file: &File, delivered: OffsetDateTime) -> std::io::Result<()> {
        file.set_modified(SystemTime::from(delivered))?;
        self.files += 1;
        self.bytes += file.metadata()?.len();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn keys_are_as_aws_writes_them() {
        let root = Root { prefix: "o-a1/logs", account_id: "012345678901", region: "eu-west-1" };
        let taken = datetime!(2026-03-07 04:05:06 UTC);
        assert_eq!(
            root.snapshot(taken, "16da64e4-cb65-4846-b061-e6c3ba43cb96"),
            "o-a1/logs/AWSLogs/012345678901/Config/eu-west-1/2026/3/7/ConfigSnapshot/\
             012345678901_Config_eu-west-1_ConfigSnapshot_20260307T040506Z_16da64e4-cb65-4846-b061-e6c3ba43cb96.json.gz"
        );
        let bare = Root { prefix: "", ..root };
        assert_eq!(
            bare.history("AWS::S3::Bucket", datetime!(2026-03-06 22:00:00 UTC), taken),
            "AWSLogs/012345678901/Config/eu-west-1/2026/3/7/ConfigHistory/\
             012345678901_Config_eu-west-1_ConfigHistory_AWS::S3::Bucket_20260306T220000Z_20260307T040506Z_1.json.gz"
        );
    }
}
