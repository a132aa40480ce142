//! The typeface of packs: which characters it can write, and how wide they are.
//!
//! Both weights of Noto Sans are in the binary. Scripts that need shaping (the font also holds Devanagari) are
//! left out on purpose: unshaped they would be wrong without looking wrong.

use std::sync::LazyLock;

use rustc_hash::{FxHashMap, FxHashSet};
use ttf_parser::Face;

/// The font files, whole.
pub(crate) const REGULAR: &[u8] = include_bytes!("../../../static/fonts/NotoSans-Regular.ttf");
pub(crate) const BOLD: &[u8] = include_bytes!("../../../static/fonts/NotoSans-Bold.ttf");

/// The two weights of the one typeface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Weight {
    Regular,
    Bold,
}

impl Weight {
    pub const ALL: [Self; 2] = [Self::Regular, Self::Bold];

    /// The font file.
    pub(crate) fn bytes(self) -> &'static [u8] {
        match self {
            Self::Regular => REGULAR,
            Self::Bold => BOLD,
        }
    }
}

/// A character's place in the font: its glyph and its advance in thousandths of the size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Glyph {
    pub(crate) id: u16,
    pub(crate) advance: f32,
}

/// What layout asks of one weight.
pub(crate) struct Metrics {
    ascii: [Option<Glyph>; 128],
    /// The advances of `ascii`, nothing for what cannot be written.
    ascii_advances: [f32; 128],
    other: FxHashMap<char, Glyph>,
    /// Characters drawn by the glyph of a lower one, e.g. the Kelvin sign by that of K.
    borrowed: FxHashSet<char>,
}

impl Metrics {
    fn read(bytes: &'static [u8]) -> Self {
        let face = Face::parse(bytes, 0).expect("the fonts in the binary are sound: a test parses them");
        let scale = 1000.0 / f32::from(face.units_per_em());
        let mut metrics = Self {
            ascii: [None; 128],
            ascii_advances: [0.0; 128],
            other: FxHashMap::default(),
            borrowed: FxHashSet::default(),
        };
        let mut owned = FxHashSet::default();
        let characters = RANGES.iter().flat_map(|&(first, last)| first..=last).filter(|&c| !hidden(c));
        for character in characters {
            let Some(id) = face.glyph_index(character) else {
                continue;
            };
            if !owned.insert(id) {
                metrics.borrowed.insert(character);
            }
            let advance = f32::from(face.glyph_hor_advance(id).unwrap_or(0)) * scale;
            let glyph = Glyph { id: id.0, advance };
            match metrics.ascii.get_mut(usize::try_from(u32::from(character)).unwrap_or(usize::MAX)) {
                Some(slot) => *slot = Some(glyph),
                None => _ = metrics.other.insert(character, glyph),
            }
        }
        for (advance, glyph) in metrics.ascii_advances.iter_mut().zip(metrics.ascii) {
            *advance = glyph.map_or(0.0, |glyph| glyph.advance);
        }
        metrics
    }

    /// The character's glyph, if it can be written.
    pub(crate) fn glyph(&self, character: char) -> Option<Glyph> {
        match usize::try_from(u32::from(character)).ok().and_then(|at| self.ascii.get(at)) {
            Some(glyph) => *glyph,
            None => self.other.get(&character).copied(),
        }
    }

    /// Width of text at a size, both in points; characters that cannot be written count nothing.
    pub(crate) fn width(&self, text: &str, size: f32) -> f32 {
        let advances = |byte: u8| self.ascii_advances.get(usize::from(byte)).copied().unwrap_or(0.0);
        let sum: f32 = if text.is_ascii() {
            text.bytes().map(advances).sum()
        } else {
            text.chars().filter_map(|c| self.glyph(c)).map(|glyph| glyph.advance).sum()
        };
        sum * size / 1000.0
    }
}

/// The metrics of a weight, read once.
pub(crate) fn metrics(weight: Weight) -> &'static Metrics {
    static REGULAR_METRICS: LazyLock<Metrics> = LazyLock::new(|| Metrics::read(REGULAR));
    static BOLD_METRICS: LazyLock<Metrics> = LazyLock::new(|| Metrics::read(BOLD));
    match weight {
        Weight::Regular => &REGULAR_METRICS,
        Weight::Bold => &BOLD_METRICS,
    }
}

/// Whether a character is written as itself in both weights.
pub(crate) fn writable(character: char) -> bool {
    Weight::ALL.into_iter().all(|weight| metrics(weight).glyph(character).is_some())
}

/// Whether copying the character's glyph gives the character back: no lower character has the same glyph.
pub(crate) fn faithful(character: char) -> bool {
    Weight::ALL.into_iter().all(|weight| !metrics(weight).borrowed.contains(&character))
}

/// Latin, Greek, Cyrillic, and the punctuation and signs that go with them.
const RANGES: [(char, char); 18] = [
    ('\u{20}', '\u{7e}'),
    ('\u{a1}', '\u{52f}'),
    ('\u{1c80}', '\u{1c8f}'),
    ('\u{1d00}', '\u{1fff}'),
    ('\u{2010}', '\u{2027}'),
    ('\u{2030}', '\u{205e}'),
    ('\u{2070}', '\u{20c0}'),
    ('\u{2100}', '\u{218f}'),
    ('\u{2190}', '\u{22ff}'),
    ('\u{25a0}', '\u{25ff}'),
    ('\u{2c60}', '\u{2c7f}'),
    ('\u{2de0}', '\u{2e52}'),
    ('\u{a640}', '\u{a69f}'),
    ('\u{a700}', '\u{a7ff}'),
    ('\u{ab30}', '\u{ab6f}'),
    ('\u{fb00}', '\u{fb06}'),
    ('\u{fe20}', '\u{fe2f}'),
    ('\u{fffd}', '\u{fffd}'),
];

/// Characters that would act on the text or not be seen: they are shown as their code points.
fn hidden(character: char) -> bool {
    matches!(character,
        '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{a0}' | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}'
        | '\u{180e}' | '\u{2000}'..='\u{200f}' | '\u{2028}'..='\u{202f}' | '\u{205f}'..='\u{206f}' | '\u{3000}'
        | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff0}'..='\u{fffc}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_weights_write_the_same_characters() {
        for character in RANGES.iter().flat_map(|&(first, last)| first..=last) {
            let regular = metrics(Weight::Regular).glyph(character).is_some();
            let bold = metrics(Weight::Bold).glyph(character).is_some();
            assert_eq!(regular, bold, "U+{:04X}", u32::from(character));
        }
    }

    #[test]
    fn latin_greek_and_cyrillic_are_writable_and_other_scripts_are_not() {
        for character in "Aé ßŁőΑωЖъѣẞ€–—“”…№".chars() {
            assert!(writable(character), "{character}");
        }
        for character in "אاक中😀\u{202e}\u{0}\u{a0}\u{200b}\n".chars() {
            assert!(!writable(character), "U+{:04X}", u32::from(character));
        }
    }

    #[test]
    fn width_is_the_sum_of_advances() {
        let metrics = metrics(Weight::Regular);
        let one = metrics.width("a", 10.0);
        assert!(one > 4.0 && one < 7.0, "{one}");
        assert!((metrics.width("aaaa", 10.0) - 4.0 * one).abs() < 1e-3);
    }
}
