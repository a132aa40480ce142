//! The ZIP beside a pack: the same files, since browsers hide a PDF's attachments. Same files, same bytes.

use std::io::{Cursor, Read as _, Write as _};

use flate2::read::ZlibDecoder;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// A file of the ZIP.
#[derive(Debug)]
pub(super) enum Entry<'a> {
    /// As it is.
    Plain(&'a str, &'a [u8]),
    /// A zlib stream of the content.
    Zlib(&'a str, &'a [u8]),
}

/// Puts the files together, in their order, without times.
pub(super) fn zip(entries: &[Entry]) -> anyhow::Result<Vec<u8>> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(6))
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644);
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for entry in entries {
        match entry {
            Entry::Plain(name, bytes) => {
                writer.start_file(*name, options)?;
                writer.write_all(bytes)?;
            }
            Entry::Zlib(name, bytes) => {
                writer.start_file(*name, options.large_file(true))?;
                let mut content = ZlibDecoder::new(*bytes);
                let mut piece = vec![0; 64 * 1024];
                loop {
                    let length = content.read(&mut piece)?;
                    if length == 0 {
                        break;
                    }
                    writer.write_all(piece.get(..length).unwrap_or_default())?;
                }
            }
        }
    }
    Ok(writer.finish()?.into_inner())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use crate::packs::pdf::zlib;

    #[test]
    fn files_come_back_and_bytes_are_the_same_each_time() {
        let packed = zlib(b"a,b\r\n1,2\r\n");
        let make = || zip(&[Entry::Plain("README.txt", b"read me"), Entry::Zlib("a.csv", &packed)]).unwrap();
        assert_eq!(make(), make());
        let mut archive = zip::ZipArchive::new(Cursor::new(make())).unwrap();
        let mut text = String::new();
        archive.by_name("a.csv").unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "a,b\r\n1,2\r\n");
        assert_eq!(archive.len(), 2);
    }
}
