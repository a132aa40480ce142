//! Content to pages: wrapping with the font's own widths, page breaks, repeated header rows, contents and folios.
//!
//! Pure, and one pass: pages are handed on as they are full, so a pack of any length needs memory for one page at a
//! time. What the last page alone knows comes at the end: the contents page, and the folios, which name the number of
//! pages.

mod engine;
pub mod font;
pub mod page;
pub mod table;
pub mod text;

use page::{Mark, Page};
use table::Table;

/// What is set one under the other.
#[derive(Debug, Clone)]
pub enum Block<'a> {
    /// The pack's title on the cover.
    Title(String),
    /// A section: bookmarked and in the contents; starts a page where `new_page` says so or little room is left.
    Heading {
        text: String,
        new_page: bool,
    },
    Subheading(String),
    Paragraph(String),
    /// A sentence that must be seen: bold, between rules.
    Notice(String),
    List(Vec<String>),
    /// Names and values in two columns.
    Facts(Vec<(String, String)>),
    /// A line above the table, and the table.
    Table {
        caption: String,
        table: &'a Table,
    },
    /// Lines to be typed elsewhere, each copied whole however it wraps.
    Code(Vec<String>),
    /// Empty height in points.
    Space(f32),
    /// The contents page, filled with the headings that follow. One at most.
    Contents,
}

/// A whole pack's content.
#[derive(Debug, Clone)]
pub struct Document<'a> {
    pub blocks: Vec<Block<'a>>,
    /// In the foot of every page, before "page x of y".
    pub foot: String,
    /// Under it on every page; what is too long for it is cut with "…".
    pub below: String,
    /// At the head of every page, above its content.
    pub mark: Option<String>,
}

impl Document<'_> {
    /// Rows of all tables.
    pub fn rows(&self) -> usize {
        self.blocks.iter().map(|block| if let Block::Table { table, .. } = block { table.len() } else { 0 }).sum()
    }
}

/// What setting found out.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    pub pages: usize,
    /// The headings, in their order.
    pub marks: Vec<Mark>,
}

/// Sets the document and hands each page with its index to `sink`: in order, but the contents page last.
pub fn set(document: &Document, mut sink: impl FnMut(usize, Page)) -> Plan {
    engine::run(document, &mut sink)
}

/// "page 3 of 12", to be laid over the page of index `at`.
pub fn folio(at: usize, plan: &Plan) -> Page {
    engine::folio(at, plan.pages)
}

#[cfg(test)]
mod tests;
