//! The part of a font that a pack uses.
//!
//! Glyph numbers stay as they are, so that pages can be drawn before it is known which glyphs the last of them
//! needs: outlines of unused glyphs become empty, tables that a PDF reader does not need are left out.

use std::collections::BTreeSet;

use ttf_parser::{RawFace, Tag};

/// Tables that a PDF reader uses of a TrueType font, in the order the directory wants them.
const KEPT: [&[u8; 4]; 9] = [b"cvt ", b"fpgm", b"glyf", b"head", b"hhea", b"hmtx", b"loca", b"maxp", b"prep"];

/// The font with the outlines of `used` (and of what they are composed of) and of .notdef only.
/// `None` if the font is not a TrueType font with long offsets, as those in the binary are.
pub(crate) fn subset(font: &[u8], used: &BTreeSet<u16>) -> Option<Vec<u8>> {
    let face = RawFace::parse(font, 0).ok()?;
    let table = |tag: &[u8; 4]| face.table(Tag::from_bytes(tag));
    let (glyf, loca) = (table(b"glyf")?, table(b"loca")?);
    if table(b"head")?.get(50..52)? != [0, 1] {
        return None;
    }
    let mut kept = BTreeSet::from([0]);
    let mut open: Vec<u16> = used.iter().copied().collect();
    while let Some(id) = open.pop() {
        if kept.insert(id) {
            open.extend(components(outline(glyf, loca, id)?));
        }
    }
    let count = u16::try_from(loca.len() / 4 - 1).ok()?;
    let mut outlines = Vec::new();
    let mut offsets = Vec::with_capacity(loca.len());
    for id in 0..count {
        offsets.extend(u32::try_from(outlines.len()).ok()?.to_be_bytes());
        if kept.contains(&id) {
            outlines.extend(outline(glyf, loca, id)?);
            outlines.resize(outlines.len().next_multiple_of(4), 0);
        }
    }
    offsets.extend(u32::try_from(outlines.len()).ok()?.to_be_bytes());
    let tables: Vec<(&[u8; 4], &[u8])> = KEPT
        .into_iter()
        .filter_map(|tag| match tag {
            b"glyf" => Some((tag, outlines.as_slice())),
            b"loca" => Some((tag, offsets.as_slice())),
            _ => Some((tag, table(tag)?)),
        })
        .collect();
    assemble(&tables)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<usize> {
    usize::try_from(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?)).ok()
}

fn outline<'a>(glyf: &'a [u8], loca: &[u8], id: u16) -> Option<&'a [u8]> {
    let at = usize::from(id) * 4;
    glyf.get(u32_at(loca, at)?..u32_at(loca, at + 4)?)
}

/// The glyphs that a composite glyph is made of (OpenType, table glyf, "Composite Glyph Description").
fn components(outline: &[u8]) -> Vec<u16> {
    const WORDS: u16 = 0x1;
    const SCALE: u16 = 0x8;
    const MORE: u16 = 0x20;
    const TWO_SCALES: u16 = 0x40;
    const MATRIX: u16 = 0x80;
    let mut found = Vec::new();
    if outline.first().is_none_or(|high| high & 0x80 == 0) {
        return found;
    }
    let mut at = 10;
    while let (Some(flags), Some(id)) = (u16_at(outline, at), u16_at(outline, at + 2)) {
        found.push(id);
        at += if flags & WORDS == 0 { 6 } else { 8 };
        at += if flags & SCALE != 0 {
            2
        } else if flags & TWO_SCALES != 0 {
            4
        } else if flags & MATRIX != 0 {
            8
        } else {
            0
        };
        if flags & MORE == 0 {
            break;
        }
    }
    found
}

/// A font file of tables (OpenType, "Organization of an OpenType Font").
fn assemble(tables: &[(&[u8; 4], &[u8])]) -> Option<Vec<u8>> {
    let count = u16::try_from(tables.len()).ok()?;
    let power = count.ilog2();
    let range = 16 << power;
    let mut font = vec![0, 1, 0, 0];
    for word in [count, range, u16::try_from(power).ok()?, count * 16 - range] {
        font.extend(word.to_be_bytes());
    }
    let mut offset = 12 + 16 * tables.len();
    for (tag, bytes) in tables {
        font.extend(*tag);
        for word in [checksum(bytes), u32::try_from(offset).ok()?, u32::try_from(bytes.len()).ok()?] {
            font.extend(word.to_be_bytes());
        }
        offset += bytes.len().next_multiple_of(4);
    }
    let mut head = 0;
    for (tag, bytes) in tables {
        if *tag == b"head" {
            head = font.len();
        }
        font.extend(*bytes);
        font.resize(font.len().next_multiple_of(4), 0);
    }
    // The adjustment is computed with its own field empty.
    font.get_mut(head + 8..head + 12)?.fill(0);
    let adjustment = 0xb1b0_afba_u32.wrapping_sub(checksum(&font));
    font.get_mut(head + 8..head + 12)?.copy_from_slice(&adjustment.to_be_bytes());
    Some(font)
}

fn checksum(bytes: &[u8]) -> u32 {
    bytes
        .chunks(4)
        .map(|chunk| {
            let mut word = [0; 4];
            word.iter_mut().zip(chunk).for_each(|(to, from)| *to = *from);
            u32::from_be_bytes(word)
        })
        .fold(0, u32::wrapping_add)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use crate::packs::layout::font::{REGULAR, Weight, metrics};
    use ttf_parser::{Face, GlyphId, OutlineBuilder};

    #[derive(Default, PartialEq, Debug)]
    struct Pen(Vec<(char, [f32; 4])>);
    impl OutlineBuilder for Pen {
        fn move_to(&mut self, x: f32, y: f32) {
            self.0.push(('m', [x, y, 0.0, 0.0]));
        }
        fn line_to(&mut self, x: f32, y: f32) {
            self.0.push(('l', [x, y, 0.0, 0.0]));
        }
        fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
            self.0.push(('q', [x1, y1, x, y]));
        }
        fn curve_to(&mut self, _: f32, _: f32, x2: f32, y2: f32, x: f32, y: f32) {
            self.0.push(('c', [x2, y2, x, y]));
        }
        fn close(&mut self) {
            self.0.push(('z', [0.0; 4]));
        }
    }

    #[test]
    fn used_glyphs_keep_their_numbers_and_outlines_and_others_are_empty() {
        let used: BTreeSet<u16> =
            "AéẞΏЙ".chars().map(|c| metrics(Weight::Regular).glyph(c).expect("in the font").id).collect();
        let bytes = subset(REGULAR, &used).expect("the font can be subset");
        assert!(bytes.len() < 60_000, "{}", bytes.len());
        let (whole, part) = (Face::parse(REGULAR, 0).unwrap(), Face::parse(&bytes, 0).unwrap());
        assert_eq!(whole.number_of_glyphs(), part.number_of_glyphs());
        let draw = |face: &Face, id| {
            let mut pen = Pen::default();
            face.outline_glyph(GlyphId(id), &mut pen);
            pen
        };
        for &id in &used {
            assert!(!draw(&part, id).0.is_empty());
            assert_eq!(draw(&whole, id), draw(&part, id));
            assert_eq!(whole.glyph_hor_advance(GlyphId(id)), part.glyph_hor_advance(GlyphId(id)));
        }
        let other = metrics(Weight::Regular).glyph('Q').expect("in the font").id;
        assert!(draw(&part, other).0.is_empty());
    }
}
