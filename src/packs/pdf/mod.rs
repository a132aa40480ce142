//! Pages to a PDF file: the typeface comes from printpdf, objects are lopdf's. Nothing outside this module knows either.
//!
//! Pages are set and drawn on one thread, compressed and written on another, each once. Same pages, same bytes: no
//! random ids, no clock but the one given, compression by one library at one level, and the order is that of setting.

mod draw;
mod finish;
mod fonts;
mod subset;
mod write;

use std::sync::mpsc::sync_channel;

use libdeflater::{CompressionLvl, Compressor};
use time::OffsetDateTime;

use super::layout::page::Link;
use super::layout::{self, Document, Plan};

/// A file inside the PDF.
#[derive(Debug, Clone)]
pub struct Attachment {
    pub name: String,
    pub media_type: &'static str,
    /// One line for the reader's list of attachments.
    pub description: String,
    /// The content as a zlib stream.
    pub zlib: Vec<u8>,
    /// Length of the content, not compressed.
    pub bytes: u64,
}

/// What the file says of itself.
#[derive(Debug, Clone)]
pub struct Information {
    pub title: String,
    pub subject: String,
    pub author: String,
    /// Program and version.
    pub producer: String,
    /// The printed clock.
    pub at: OffsetDateTime,
    /// The pack's id.
    pub id: String,
}

/// A finished PDF.
#[derive(Debug)]
pub struct Rendered {
    pub bytes: Vec<u8>,
    pub pages: usize,
}

/// Why no PDF came to be.
#[derive(Debug, thiserror::Error)]
pub enum PdfError {
    #[error("the font in the program cannot be read")]
    Font,
    #[error("drawing a page: {0}")]
    Drawing(String),
    #[error("putting the file together")]
    File(#[from] lopdf::Error),
    #[error("object {0} of the file was written twice or not at all")]
    Object(u32),
    #[error("the writing of pages ended early")]
    Page,
    #[error("more than the file can count")]
    TooMany(#[from] std::num::TryFromIntError),
}

/// Drawn pages that may wait to be written.
const AHEAD: usize = 32;

/// A page on its way to the file.
struct Drawn {
    at: usize,
    content: Vec<u8>,
    links: Vec<Link>,
}

/// Sets, draws and puts together. `progress` hears the table rows that are set and their number.
pub fn render(
    document: &Document,
    information: &Information,
    attachments: Vec<Attachment>,
    progress: impl FnMut(usize, usize),
) -> Result<Rendered, PdfError> {
    let mut used = fonts::Used::default();
    let (plan, file) = pages(document, &mut used, progress)?;
    let folios: Vec<Vec<u8>> = (0..plan.pages)
        .map(|at| {
            let folio = layout::folio(at, &plan);
            used.see(&folio);
            let mut content = Vec::new();
            draw::draw(&folio, &mut content);
            content
        })
        .collect();
    let bytes = file.finish(&plan, &folios, &fonts::fonts(&used)?, information, attachments)?;
    Ok(Rendered { bytes, pages: plan.pages })
}

/// Sets and draws here, writes beside.
fn pages(
    document: &Document,
    used: &mut fonts::Used,
    mut progress: impl FnMut(usize, usize),
) -> Result<(Plan, finish::File), PdfError> {
    let (send, receive) = sync_channel::<Drawn>(AHEAD);
    let (rows, mut done) = (document.rows(), 0);
    std::thread::scope(|scope| {
        let writer = scope.spawn(move || -> Result<finish::File, PdfError> {
            let mut file = finish::File::begin();
            for Drawn { at, content, links } in receive {
                file.page(at, &content, links)?;
            }
            Ok(file)
        });
        let plan = layout::set(document, |at, page| {
            used.see(&page);
            let mut content = Vec::with_capacity(page.letters.len() * 3 + page.items.len() * 24);
            draw::draw(&page, &mut content);
            done += page.rows;
            // Nobody receives where the writer has failed: its error is told below.
            let _received = send.send(Drawn { at, content, links: page.links });
            progress(done, rows);
        });
        drop(send);
        let file = writer.join().map_err(|_panicked| PdfError::Page)??;
        Ok((plan, file))
    })
}

fn compressor() -> Compressor {
    Compressor::new(CompressionLvl::default())
}

/// A zlib stream of bytes, always the same for the same bytes.
pub(crate) fn zlib(bytes: &[u8]) -> Vec<u8> {
    zlib_by(&mut compressor(), bytes)
}

fn zlib_by(compressor: &mut Compressor, bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![0; compressor.zlib_compress_bound(bytes.len())];
    let length = compressor.zlib_compress(bytes, &mut out).expect("the bound leaves room for any input");
    out.truncate(length);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packs::layout::Block;
    use crate::packs::layout::table::{Table, marked, number, text};

    fn information() -> Information {
        Information {
            title: "Tïtle & <more>".to_owned(),
            subject: "s".to_owned(),
            author: "a".to_owned(),
            producer: "p".to_owned(),
            at: time::macros::datetime!(2026-11-22 10:11:12 UTC),
            id: "id".to_owned(),
        }
    }

    fn sample(table: &Table) -> Document<'_> {
        Document {
            blocks: vec![
                Block::Title("Quarterly evidence".to_owned()),
                Block::Facts(vec![("Organisation".to_owned(), "Straße \u{5d0} Ωμέγα".to_owned())]),
                Block::Heading { text: "Contents".to_owned(), new_page: true },
                Block::Contents,
                Block::Heading { text: "Register".to_owned(), new_page: true },
                Block::Table { caption: "All rows.".to_owned(), table },
            ],
            foot: "pack id".to_owned(),
            below: "Confidential".to_owned(),
            mark: None,
        }
    }

    fn table() -> Table {
        let mut table = Table::new(vec![marked("Status", 1.2), text("Resource", 2.0), number("Days", 0.5)]);
        for word in crate::compliance::DeliveryState::ALL.map(crate::compliance::DeliveryState::word) {
            table.push([
                word,
                "arn:aws:s3:::a-bucket-with-a-rather-long-name-that-must-wrap-in-its-column/and-a-key",
                "12",
            ]);
        }
        for word in ["COMPLIANT", "NON_COMPLIANT", "INSUFFICIENT_DATA", "NOT_APPLICABLE", "NEW_WORD"] {
            table.push([word, "K\u{212a} \u{202e}x", "1"]);
        }
        table
    }

    fn file() -> Vec<u8> {
        let content = b"a,b\r\n1,2\r\n";
        let attachment = Attachment {
            name: "rows.csv".to_owned(),
            media_type: "text/csv",
            description: "rows".to_owned(),
            zlib: zlib(content),
            bytes: 10,
        };
        render(&sample(&table()), &information(), vec![attachment], |_, _| {}).expect("it renders").bytes
    }

    #[test]
    fn the_same_document_gives_the_same_bytes() {
        assert_eq!(file(), file());
    }

    #[test]
    fn the_file_can_be_read_again_with_its_pages_and_attachment() {
        let bytes = file();
        if let Ok(to) = std::env::var("AUDITFOLIO_TEST_PDF") {
            std::fs::write(to, &bytes).expect("the folder is there");
        }
        let document = lopdf::Document::load_mem(&bytes).expect("it is a PDF");
        assert_eq!(document.get_pages().len(), 3);
        assert!(document.catalog().expect("it has one").has(b"AF"));
    }
}
