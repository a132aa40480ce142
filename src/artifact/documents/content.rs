//! Whether what was fetched is a document. Pure.

/// What a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::artifact) enum MediaType {
    Pdf,
    Zip,
}

/// Larger ones are no report: AWS's are a few megabytes.
pub(in crate::artifact) const LARGEST_BYTES: usize = 128 << 20;
/// Shorter ones are no document of either kind.
const LEAST_BYTES: usize = 64;
/// A PDF's header is within its first 1,024 bytes and its end mark within its last: ISO 32000-1, annex H.3.
const PDF_EDGE: usize = 1024;
/// A ZIP's end record is within its last 65,557 bytes: APPNOTE 4.3.16, with the longest comment.
const ZIP_TAIL: usize = 65_557;

impl MediaType {
    /// As the store and HTTP write it.
    pub(in crate::artifact) fn word(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Zip => "application/zip",
        }
    }

    /// How the file's name ends.
    pub(in crate::artifact) fn ending(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Zip => "zip",
        }
    }

    /// Reads [`Self::word`].
    pub(in crate::artifact) fn parse(word: &str) -> Option<Self> {
        [Self::Pdf, Self::Zip].into_iter().find(|kind| kind.word() == word)
    }

    /// What these bytes are.
    ///
    /// # Errors
    ///
    /// They are neither a whole PDF nor a whole ZIP, or of a size that no report has, in words.
    pub(in crate::artifact) fn of(bytes: &[u8]) -> Result<Self, String> {
        let size = bytes.len();
        if size < LEAST_BYTES {
            return Err(format!("{size} bytes are too few for a document"));
        }
        if size > LARGEST_BYTES {
            return Err(format!("it is larger than {LARGEST_BYTES} bytes"));
        }
        let has = |part: &[u8], mark: &[u8]| memchr::memmem::find(part, mark).is_some();
        if has(&bytes[..size.min(PDF_EDGE)], b"%PDF-") {
            return if has(&bytes[size.saturating_sub(PDF_EDGE)..], b"%%EOF") {
                Ok(Self::Pdf)
            } else {
                Err("it begins as a PDF and has no PDF’s end: it was cut off".to_owned())
            };
        }
        if bytes.starts_with(b"PK\x03\x04") {
            return if has(&bytes[size.saturating_sub(ZIP_TAIL)..], b"PK\x05\x06") {
                Ok(Self::Zip)
            } else {
                Err("it begins as a ZIP and has no ZIP’s end: it was cut off".to_owned())
            };
        }
        Err("it is neither a PDF nor a ZIP".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_documents_are_told_from_what_is_cut_off_and_from_anything_else() {
        let pdf = [b"%PDF-1.7\n".as_slice(), &[b'x'; 5000], b"\nstartxref\n1\n%%EOF\n"].concat();
        assert_eq!(MediaType::of(&pdf), Ok(MediaType::Pdf));
        assert!(MediaType::of(&pdf[..4000]).is_err());
        let zip = [b"PK\x03\x04".as_slice(), &[b'x'; 5000], b"PK\x05\x06", &[0; 18]].concat();
        assert_eq!(MediaType::of(&zip), Ok(MediaType::Zip));
        assert!(MediaType::of(&zip[..4000]).is_err());
        for other in [&b"<html>"[..], &[b'x'; 100], b"%PDF-1.7 %%EOF", b""] {
            assert!(MediaType::of(other).is_err(), "{other:?}");
        }
        for kind in [MediaType::Pdf, MediaType::Zip] {
            assert_eq!(MediaType::parse(kind.word()), Some(kind));
        }
    }
}
