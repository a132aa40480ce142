//! What a string looks like in a pack, and where its lines break.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::ops::Range;

use super::font::{Metrics, Weight, metrics, writable};

/// The string as it is written: a character without a glyph, or one that would act on the text or not be seen,
/// stands as its code point, e.g. `<U+05D0>`.
pub fn shown(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) || text.chars().all(writable) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if writable(character) {
            shown.push(character);
        } else {
            write!(shown, "<U+{:04X}>", u32::from(character)).expect("a String takes any text");
        }
    }
    Cow::Owned(shown)
}

/// A string set into lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrapped<'a> {
    /// As written; see [`shown`].
    pub text: Cow<'a, str>,
    /// Lines as ranges of `text`: they follow each other without a gap, so no text is lost.
    pub lines: Vec<Range<usize>>,
}

impl Wrapped<'_> {
    /// The text of a line, without the spaces that its break swallows.
    pub fn line(&self, at: usize) -> &str {
        let range = self.lines.get(at).cloned().unwrap_or_default();
        let line = self.text.get(range).unwrap_or_default();
        if at + 1 < self.lines.len() { line.trim_end_matches(' ') } else { line }
    }
}

/// Sets text into lines of at most `width` points. Breaks at spaces, else after punctuation of names and before
/// capitals within them, else anywhere. One line at least.
pub fn wrap(text: &str, weight: Weight, size: f32, width: f32) -> Wrapped<'_> {
    let text = shown(text);
    let metrics = metrics(weight);
    let limit = (width * 1000.0 / size).max(1.0);
    let lines = if fits(metrics, &text, limit) {
        std::iter::once(0..text.len()).collect()
    } else {
        broken(metrics, &text, limit)
    };
    Wrapped { text, lines }
}

fn fits(metrics: &Metrics, text: &str, limit: f32) -> bool {
    metrics.width(text, 1000.0) <= limit
}

/// How good a place is to break after a character.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Space,
    Name,
}

fn broken(metrics: &Metrics, text: &str, limit: f32) -> Vec<Range<usize>> {
    let mut lines = Vec::new();
    let mut start = 0;
    let mut width = 0.0;
    // The last good place to break of this line: where the next line would start, and the width up to there.
    let mut place: Option<(Place, usize, f32)> = None;
    let mut previous = ' ';
    for (at, character) in text.char_indices() {
        if at > start
            && let Some(kind) = breakable(previous, character)
        {
            let kept = matches!(place, Some((Place::Space, _, up_to)) if kind == Place::Name && up_to > limit * 0.5);
            if !kept {
                place = Some((kind, at, width));
            }
        }
        let advance = metrics.glyph(character).map_or(0.0, |glyph| glyph.advance);
        // A space may hang over the edge: it is not seen there.
        while width + advance > limit && at > start && character != ' ' {
            let (next, up_to) = match place {
                Some((kind, next, up_to)) if kind == Place::Space || up_to > limit * 0.25 => (next, up_to),
                _ => (at, width),
            };
            lines.push(start..next);
            start = next;
            width -= up_to;
            place = None;
        }
        width += advance;
        previous = character;
    }
    lines.push(start..text.len());
    lines
}

fn breakable(previous: char, next: char) -> Option<Place> {
    if previous == ' ' && next != ' ' {
        return Some(Place::Space);
    }
    let after_mark =
        matches!(previous, '-' | '/' | ':' | '_' | '.' | ',' | ';' | '=' | '@' | '|' | '&' | '?' | ')' | '>')
            && next.is_alphanumeric();
    let camel = previous.is_lowercase() && next.is_uppercase();
    (after_mark || camel || next == '<' || next == '(').then_some(Place::Name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lines(text: &str, width: f32) -> Vec<String> {
        let wrapped = wrap(text, Weight::Regular, 10.0, width);
        (0..wrapped.lines.len()).map(|at| wrapped.line(at).to_owned()).collect()
    }

    #[test]
    fn prose_breaks_at_spaces() {
        assert_eq!(lines("the quick brown fox", 60.0), ["the quick", "brown fox"]);
    }

    #[test]
    fn long_names_break_after_their_marks_and_before_capitals() {
        assert_eq!(lines("securityhub-s3-bucket-public-read", 80.0), ["securityhub-s3-", "bucket-public-", "read"]);
        assert_eq!(lines("AWSControlTowerBucketPolicy", 70.0), ["AWSControl", "TowerBucket", "Policy"]);
    }

    #[test]
    fn a_word_longer_than_a_line_breaks_anywhere() {
        let lines = lines(&"0123456789".repeat(5), 60.0);
        assert!(lines.len() > 3);
        assert_eq!(lines.concat(), "0123456789".repeat(5));
    }

    #[test]
    fn an_empty_string_is_one_empty_line() {
        assert_eq!(lines("", 60.0), [""]);
    }

    #[test]
    fn missing_glyphs_controls_and_overrides_are_shown_as_code_points() {
        assert_eq!(shown("a\u{5d0}b"), "a<U+05D0>b");
        assert_eq!(shown("safe\u{202e}fdp"), "safe<U+202E>fdp");
        assert_eq!(shown("a\tb\nc\u{0}"), "a<U+0009>b<U+000A>c<U+0000>");
        assert_eq!(shown("😀"), "<U+1F600>");
        assert_eq!(shown("Straße Ωμέγα Ещё"), "Straße Ωμέγα Ещё");
    }

    proptest! {
        #[test]
        fn no_text_is_lost_in_wrapping(text in "\\PC{0,120}|[a-z/:-]{0,200}|.{0,40}", width in 5.0f32..300.0) {
            let wrapped = wrap(&text, Weight::Bold, 7.5, width);
            let joined: String = wrapped.lines.iter().map(|line| &wrapped.text[line.clone()]).collect();
            prop_assert_eq!(&joined, &shown(&text));
            prop_assert!(!wrapped.lines.is_empty());
        }

        #[test]
        fn no_line_is_wider_than_its_column(text in "[ -~]{0,200}", width in 20.0f32..300.0) {
            let wrapped = wrap(&text, Weight::Regular, 7.5, width);
            for at in 0..wrapped.lines.len().saturating_sub(1) {
                let line = wrapped.line(at);
                prop_assert!(metrics(Weight::Regular).width(line, 7.5) <= width + 0.01 || line.chars().count() == 1);
            }
        }
    }
}
