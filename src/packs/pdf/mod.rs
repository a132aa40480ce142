//! Pages to a PDF file: printpdf draws, lopdf puts together. Nothing outside this module knows either.
//!
//! Same pages, same bytes: no random ids, no clock but the one given, compression by one library at one level.

mod draw;
mod finish;
mod subset;

use time::OffsetDateTime;

use super::layout::page::Page;
use super::layout::{self, Document};

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
    #[error("writing the file")]
    Write(#[from] std::io::Error),
    #[error("a page that was not planned")]
    Page,
    #[error("more than the file can count")]
    TooMany(#[from] std::num::TryFromIntError),
}

/// How many pages are drawn at a time.
const RUN: usize = 48;

/// Sets, draws and puts together. `progress` hears the pages done and their number.
pub fn render(
    document: &Document,
    information: &Information,
    attachments: Vec<Attachment>,
    mut progress: impl FnMut(usize, usize),
) -> Result<Rendered, PdfError> {
    let mut used = draw::Used::default();
    let plan = layout::plan(document, |page| used.see(page));
    // The folios of the second run are not seen by the first in full.
    used.see(&folios());
    let pen = draw::Pen::new()?;
    let mut file = finish::File::begin(&pen.fonts(&used)?, plan.pages)?;
    let mut run: Vec<Page> = Vec::with_capacity(RUN);
    let mut failure = None;
    let mut done = 0;
    layout::pages(document, &plan, |page| {
        run.push(page);
        if run.len() == RUN && failure.is_none() {
            done += run.len();
            failure = add(&pen, &mut file, &run).err();
            run.clear();
            progress(done, plan.pages);
        }
    });
    if let Some(failure) = failure {
        return Err(failure);
    }
    add(&pen, &mut file, &run)?;
    progress(plan.pages, plan.pages);
    let bytes = file.finish(&plan, information, attachments)?;
    Ok(Rendered { bytes, pages: plan.pages })
}

fn add(pen: &draw::Pen, file: &mut finish::File, pages: &[Page]) -> Result<(), PdfError> {
    let streams = pen.streams(pages)?;
    for (page, stream) in pages.iter().zip(streams) {
        file.page(page, &stream)?;
    }
    Ok(())
}

/// A page with every character that a folio can need.
fn folios() -> Page {
    use super::layout::font::Weight;
    use super::layout::page::{Ink, Item, Size};
    let text = "page of 0123456789".to_owned();
    let item = Item::Text {
        x: 0.0,
        y: 0.0,
        size: Size::Small,
        weight: Weight::Regular,
        ink: Ink::Black,
        text,
        original: None,
        closes: false,
    };
    Page { items: vec![item], links: Vec::new() }
}

/// A zlib stream of bytes, always the same for the same bytes.
pub(crate) fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut compressor = libdeflater::Compressor::new(libdeflater::CompressionLvl::default());
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
