//! A page as layout leaves it: positioned text, rules and shapes, in points from the lower left corner.

use std::ops::Range;

use super::font::Weight;

/// A4, in points.
pub const WIDTH: f32 = 595.28;
pub const HEIGHT: f32 = 841.89;

/// The three sizes of a pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// Tables, captions, the running foot.
    Small,
    /// Text.
    Text,
    /// Titles and headings.
    Large,
}

impl Size {
    /// In points.
    pub fn points(self) -> f32 {
        match self {
            Self::Small => 7.5,
            Self::Text => 10.0,
            Self::Large => 19.0,
        }
    }

    /// From one line to the next, in points.
    pub fn leading(self) -> f32 {
        match self {
            Self::Small => 9.25,
            Self::Text => 14.5,
            Self::Large => 25.0,
        }
    }
}

/// Ink: everything is readable in black and white.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    Black,
    /// For the running foot and captions.
    Grey,
    /// For the rules between rows.
    Light,
}

/// Something on a page. Texts are ranges of the page's [`Page::letters`]: a page of a register has hundreds.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// A line of text, every character of which has a glyph.
    Text {
        x: f32,
        y: f32,
        size: Size,
        weight: Weight,
        ink: Ink,
        text: Range<usize>,
        /// The original string, where copying the glyphs would give another.
        original: Option<Range<usize>>,
    },
    /// A rule of 0.5 points.
    Rule { x: f32, y: f32, length: f32, ink: Ink },
    /// A status or delivery shape, by the character that stands for it on pages; `x`, `y` is its centre.
    Shape { x: f32, y: f32, radius: f32, shape: char },
}

/// A place that leads to another page.
#[derive(Debug, Clone, PartialEq)]
pub struct Link {
    pub x: f32,
    pub y: f32,
    pub width: f32,
    pub height: f32,
    /// Index of the page it leads to.
    pub page: usize,
    /// Top of the target there.
    pub top: f32,
}

/// One page.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Page {
    pub items: Vec<Item>,
    pub links: Vec<Link>,
    /// What the texts of `items` are ranges of.
    pub letters: String,
    /// Rows of tables that begin here.
    pub rows: usize,
}

impl Page {
    /// A text of this page.
    pub fn text(&self, range: &Range<usize>) -> &str {
        self.letters.get(range.clone()).unwrap_or_default()
    }

    /// Keeps a text and gives its range.
    pub(crate) fn keep(&mut self, text: &str) -> Range<usize> {
        let start = self.letters.len();
        self.letters.push_str(text);
        start..self.letters.len()
    }
}

/// A heading where it came to stand.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    pub title: String,
    /// Index of the page.
    pub page: usize,
    pub top: f32,
}
