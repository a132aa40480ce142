//! What an uploaded file is, by its content and not by its name. Pure.

/// A file that is taken as evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    Pdf,
    Zip,
    Png,
    Jpeg,
    /// UTF-8, CSV among it.
    Text,
}

/// How a PNG begins: ISO/IEC 15948, 5.2; and ends, with its last chunk.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
const PNG_END: &[u8] = b"IEND\xaeB`\x82";
/// How a JPEG begins and ends: ITU-T T.81, B.1.1.3.
const JPEG: &[u8] = b"\xff\xd8\xff";
const JPEG_END: &[u8] = b"\xff\xd9";

impl Content {
    const ALL: [Self; 5] = [Self::Pdf, Self::Zip, Self::Png, Self::Jpeg, Self::Text];

    /// As the store and HTTP write it.
    pub(super) fn media_type(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Zip => "application/zip",
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Text => "text/plain",
        }
    }

    /// Reads [`Self::media_type`].
    pub(super) fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|content| content.media_type() == word)
    }

    /// Endings that files of it have; the first where a name has none of them.
    fn endings(self) -> &'static [&'static str] {
        match self {
            Self::Pdf => &["pdf"],
            // Documents of office programs are ZIPs.
            Self::Zip => &["zip", "xlsx", "docx", "pptx", "ods", "odt"],
            Self::Png => &["png"],
            Self::Jpeg => &["jpg", "jpeg"],
            Self::Text => &["txt", "csv", "json", "jsonl", "log", "md"],
        }
    }

    /// What these bytes are.
    ///
    /// # Errors
    ///
    /// They are nothing that is taken, in words.
    pub(super) fn of(bytes: &[u8]) -> Result<Self, String> {
        if bytes.is_empty() {
            return Err("it is empty".to_owned());
        }
        if bytes.starts_with(PNG) {
            return whole(bytes.ends_with(PNG_END), Self::Png, "PNG");
        }
        if bytes.starts_with(JPEG) {
            return whole(bytes.ends_with(JPEG_END), Self::Jpeg, "JPEG");
        }
        if bytes.starts_with(b"%PDF-") || bytes.starts_with(b"PK") {
            return match crate::artifact::media_type(bytes)? {
                "application/pdf" => Ok(Self::Pdf),
                _ => Ok(Self::Zip),
            };
        }
        match std::str::from_utf8(bytes) {
            Ok(text) if text.chars().all(is_of_text) => Ok(Self::Text),
            _ => Err("it is no PDF, ZIP (or office document), PNG, JPEG or text in UTF-8".to_owned()),
        }
    }

    /// The name that it is kept and handed out under: what the sender called it, without what a name cannot have, with an
    /// ending that fits what it is.
    pub(super) fn name(self, sent: &str) -> String {
        let last = sent.rsplit(['/', '\\']).next().unwrap_or_default();
        let name = crate::web::download::safe_name(last);
        let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
        if ending.is_some_and(|ending| self.endings().contains(&ending.as_str())) {
            name
        } else {
            format!("{name}.{}", self.endings().first().copied().unwrap_or_default())
        }
    }
}

/// Programs are full of other control characters, and a text has none.
fn is_of_text(letter: char) -> bool {
    !letter.is_control() || matches!(letter, '\t' | '\n' | '\r' | '\u{c}')
}

fn whole(is_whole: bool, content: Content, what: &str) -> Result<Content, String> {
    if is_whole { Ok(content) } else { Err(format!("it begins as a {what} and has no {what}’s end: it was cut off")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png() -> Vec<u8> {
        [PNG, b"...", PNG_END].concat()
    }

    #[test]
    fn a_file_is_what_its_content_says() {
        assert_eq!(Content::of(&png()), Ok(Content::Png));
        assert_eq!(Content::of(&[JPEG, b"...", JPEG_END].concat()), Ok(Content::Jpeg));
        assert_eq!(Content::of("rule,failing\na,1\n".as_bytes()), Ok(Content::Text));
        assert_eq!(Content::of("שלום, 你好".as_bytes()), Ok(Content::Text));
        for refused in [&b""[..], b"\x7fELF\x02\x01", b"a\0b", b"\xff\xfe\x00a", b"MZ\x90\x00\xff"] {
            assert!(Content::of(refused).is_err(), "{refused:?}");
        }
        assert!(Content::of(&png()[..9]).is_err_and(|why| why.contains("cut off")));
        assert!(
            Content::of(b"%PDF-1.7 and no more, although it is long enough to be a document of some kind").is_err()
        );
    }

    #[test]
    fn its_name_is_safe_and_ends_as_it_is() {
        assert_eq!(Content::Png.name("screen.pdf"), "screen.pdf.png");
        assert_eq!(Content::Text.name("../../etc/pass wd.csv"), "pass-wd.csv");
        assert_eq!(Content::Text.name("a\r\nSet-Cookie: x=\"1\""), "a--Set-Cookie--x--1.txt");
        assert_eq!(Content::Pdf.name("C:\\evidence\\Report.PDF"), "Report.PDF");
        assert_eq!(Content::Pdf.name("\u{202e}fdp.exe"), "fdp.exe.pdf");
        assert_eq!(Content::Zip.name("book.xlsx"), "book.xlsx");
        assert_eq!(Content::Jpeg.name(""), "auditfolio.jpg");
    }

    #[test]
    fn media_types_are_read_as_they_are_written() {
        for content in Content::ALL {
            assert_eq!(Content::parse(content.media_type()), Some(content));
        }
    }
}
