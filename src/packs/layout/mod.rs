//! Content to pages: wrapping with the font's own widths, page breaks, repeated header rows, contents and folios.
//!
//! Pure, and run twice: once to count the pages and find where headings stand, once to hand the pages on. So a
//! pack of any length needs memory for one page at a time.

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
    /// The contents page, filled with the headings that follow.
    Contents,
}

/// A whole pack's content.
#[derive(Debug, Clone)]
pub struct Document<'a> {
    pub blocks: Vec<Block<'a>>,
    /// In the foot of every page, before "page x of y".
    pub foot: String,
}

/// What the first run found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    pub pages: usize,
    pub marks: Vec<Mark>,
}

/// Counts the pages and finds the headings; `seen` gets every page, for what can be learned from their text.
pub fn plan(document: &Document, mut seen: impl FnMut(&Page)) -> Plan {
    let mut pages = 0;
    let marks = engine::run(document, &Plan::default(), &mut |page| {
        pages += 1;
        seen(&page);
    });
    Plan { pages, marks }
}

/// Hands the pages of a planned document to `sink`, in order.
pub fn pages(document: &Document, plan: &Plan, mut sink: impl FnMut(Page)) {
    engine::run(document, plan, &mut sink);
}

#[cfg(test)]
mod tests;
