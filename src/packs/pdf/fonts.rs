//! The typeface in the file, by printpdf: its program, subset to what the pages use, widths, and text behind glyphs.

use std::collections::BTreeSet;

use printpdf::{
    FontId, Mm, Op, ParsedFont, PdfDocument, PdfFont, PdfFontHandle, PdfPage, PdfSaveOptions, Pt, TextItem,
};

use super::{PdfError, subset::subset};
use crate::packs::layout::font::{Weight, metrics};
use crate::packs::layout::page::{Item, Page};

/// The characters that the pages of a pack use, by weight.
#[derive(Debug)]
pub(super) struct Used {
    ascii: [[bool; 128]; 2],
    other: [BTreeSet<char>; 2],
}

impl Default for Used {
    fn default() -> Self {
        Self { ascii: [[false; 128]; 2], other: Default::default() }
    }
}

impl Used {
    /// Notes what a page uses.
    pub(super) fn see(&mut self, page: &Page) {
        let Self { ascii: [ascii_regular, ascii_bold], other: [other_regular, other_bold] } = self;
        for item in &page.items {
            if let Item::Text { text, weight, .. } = item {
                let (ascii, other) = match weight {
                    Weight::Regular => (&mut *ascii_regular, &mut *other_regular),
                    Weight::Bold => (&mut *ascii_bold, &mut *other_bold),
                };
                let text = page.text(text);
                for byte in text.bytes() {
                    if let Some(used) = ascii.get_mut(usize::from(byte)) {
                        *used = true;
                    }
                }
                if !text.is_ascii() {
                    other.extend(text.chars().filter(|character| !character.is_ascii()));
                }
            }
        }
    }

    fn of(&self, weight: Weight) -> BTreeSet<char> {
        let [ascii_regular, ascii_bold] = &self.ascii;
        let [other_regular, other_bold] = &self.other;
        let (ascii, other) = match weight {
            Weight::Regular => (ascii_regular, other_regular),
            Weight::Bold => (ascii_bold, other_bold),
        };
        let ascii = ('\0'..='\u{7f}').zip(ascii).filter(|(_, used)| **used).map(|(character, _)| character);
        ascii.chain(other.iter().copied()).collect()
    }
}

/// The name of a weight in pages' resources.
pub(super) fn resource(weight: Weight) -> &'static str {
    match weight {
        Weight::Regular => "R",
        Weight::Bold => "B",
    }
}

fn font_id(weight: Weight) -> FontId {
    FontId(resource(weight).to_owned())
}

/// A document with one page that has both fonts, subset to what is used. Glyphs keep their numbers.
pub(super) fn fonts(used: &Used) -> Result<lopdf::Document, PdfError> {
    let mut document = PdfDocument::new("");
    let mut ops = vec![Op::StartTextSection];
    for weight in Weight::ALL {
        let used = used.of(weight);
        let glyphs = used.iter().filter_map(|&c| metrics(weight).glyph(c)).map(|glyph| glyph.id).collect();
        let bytes = subset(weight.bytes(), &glyphs).ok_or(PdfError::Font)?;
        let mut font = ParsedFont::from_bytes(weight.bytes(), 0, &mut Vec::new()).ok_or(PdfError::Font)?;
        font.font_name = Some(format!("{}+{}", tag(&bytes), name(weight)));
        font.original_bytes = bytes;
        document.resources.fonts.map.insert(font_id(weight), PdfFont::new(font));
        ops.push(Op::SetFont { font: PdfFontHandle::External(font_id(weight)), size: Pt(10.0) });
        // The lowest character comes last and so names a glyph that several share.
        ops.push(Op::ShowText { items: vec![TextItem::Text(used.iter().rev().collect())] });
    }
    ops.push(Op::EndTextSection);
    document.pages = vec![PdfPage::new(Mm(210.0), Mm(297.0), ops)];
    let options = PdfSaveOptions { optimize: false, subset_fonts: false, secure: true, image_optimization: None };
    let mut warnings = Vec::new();
    let document = document.to_lopdf_document(&options, &mut warnings);
    match warnings.iter().find(|warning| warning.severity != printpdf::PdfParseErrorSeverity::Info) {
        Some(warning) => Err(PdfError::Drawing(warning.msg.clone())),
        None => Ok(document),
    }
}

/// The font's PostScript name.
fn name(weight: Weight) -> &'static str {
    match weight {
        Weight::Regular => "NotoSans-Regular",
        Weight::Bold => "NotoSans-Bold",
    }
}

/// Six capitals that name a subset (ISO 32000-1, 9.6.4), from its bytes so that they are always the same.
fn tag(font: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, font);
    digest.as_ref().iter().take(6).map(|byte| char::from(b'A' + byte % 26)).collect()
}
