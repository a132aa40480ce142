//! Pages to content streams (ISO 32000-1, 8 and 9): operators straight into bytes, since a register has millions.

use super::fonts::resource;
use super::write::{hexadecimal, literal, utf16};
use crate::packs::layout::font::{Weight, metrics};
use crate::packs::layout::page::{Ink, Item, Page};

/// Appends what draws a page.
pub(super) fn draw(page: &Page, out: &mut Vec<u8>) {
    let mut pen = Pen { out, at: (0, 0), font: None, fill: None, stroke: None };
    pen.out.extend_from_slice(b"0.5 w\n");
    // Rules and shapes first, then all text in one section.
    for item in &page.items {
        match item {
            Item::Rule { x, y, length, ink } => {
                pen.stroke_in(*ink);
                pen.polyline(&[(*x, *y), (x + length, *y)]);
            }
            Item::Shape { x, y, radius, shape } => {
                pen.stroke_in(Ink::Black);
                pen.shape(*shape, *x, *y, *radius);
            }
            Item::Text { .. } => {}
        }
    }
    pen.out.extend_from_slice(b"BT\n");
    for item in &page.items {
        if let Item::Text { x, y, size, weight, ink, text, original } = item {
            pen.text_at((*x, *y), (*weight, size.points()), *ink);
            let original = original.as_ref().map(|original| page.text(original));
            pen.text(page.text(text), *weight, original);
        }
    }
    pen.out.extend_from_slice(b"ET\n");
}

/// A length in hundredths of a point, which is finer than any printer. The sum's lowest bits are the rounded value:
/// beyond 2^23 a float has no fraction.
fn hundredths(points: f32) -> i32 {
    const SHIFT: f32 = 12_582_912.0;
    let bits = (points * 100.0 + SHIFT).to_bits() & 0x007f_ffff;
    i32::try_from(bits).unwrap_or(0) - 0x0040_0000
}

struct Pen<'a> {
    out: &'a mut Vec<u8>,
    // What was last set on the page, so that it is not set again.
    at: (i32, i32),
    font: Option<(Weight, f32)>,
    fill: Option<Ink>,
    stroke: Option<Ink>,
}

impl Pen<'_> {
    /// A number of hundredths, and a space.
    fn number(&mut self, hundredths: i32) {
        let digit = |number: u32| b'0' + u8::try_from(number % 10).unwrap_or(0);
        if hundredths < 0 {
            self.out.push(b'-');
        }
        let (whole, part) = (hundredths.unsigned_abs() / 100, hundredths.unsigned_abs() % 100);
        let mut power = 1;
        while whole / power >= 10 {
            power *= 10;
        }
        while power > 0 {
            self.out.push(digit(whole / power));
            power /= 10;
        }
        if part > 0 {
            self.out.extend_from_slice(&[b'.', digit(part / 10)]);
            if part % 10 > 0 {
                self.out.push(digit(part));
            }
        }
        self.out.push(b' ');
    }

    fn point(&mut self, (x, y): (f32, f32)) {
        self.number(hundredths(x));
        self.number(hundredths(y));
    }

    fn operator(&mut self, operator: &str) {
        self.out.extend_from_slice(operator.as_bytes());
        self.out.push(b'\n');
    }

    fn grey(&mut self, ink: Ink) {
        self.number(match ink {
            Ink::Black => 0,
            Ink::Grey => 35,
            Ink::Light => 70,
        });
    }

    fn stroke_in(&mut self, ink: Ink) {
        if self.stroke != Some(ink) {
            self.grey(ink);
            self.operator("G");
            self.stroke = Some(ink);
        }
    }

    fn text_at(&mut self, (x, y): (f32, f32), font: (Weight, f32), ink: Ink) {
        if self.fill != Some(ink) {
            self.grey(ink);
            self.operator("g");
            self.fill = Some(ink);
        }
        if self.font != Some(font) {
            self.out.push(b'/');
            self.out.extend_from_slice(resource(font.0).as_bytes());
            self.out.push(b' ');
            self.number(hundredths(font.1));
            self.operator("Tf");
            self.font = Some(font);
        }
        // The operator moves from the last line's start.
        let at = (hundredths(x), hundredths(y));
        self.number(at.0 - self.at.0);
        self.number(at.1 - self.at.1);
        self.operator("Td");
        self.at = at;
    }

    /// Glyphs by their numbers; `original` is what is copied out instead (ISO 32000-1, 14.9.4).
    fn text(&mut self, text: &str, weight: Weight, original: Option<&str>) {
        if let Some(original) = original {
            self.out.extend_from_slice(b"/Span<</ActualText");
            if !original.is_empty() && original.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
                literal(self.out, original.as_bytes());
            } else {
                hexadecimal(self.out, &utf16(original));
            }
            self.operator(">>BDC");
        }
        let metrics = metrics(weight);
        self.out.push(b'(');
        for glyph in text.chars().filter_map(|character| metrics.glyph(character)) {
            for byte in glyph.id.to_be_bytes() {
                super::write::escaped(self.out, byte);
            }
        }
        self.operator(")Tj");
        if original.is_some() {
            self.operator("EMC");
        }
    }

    fn polyline(&mut self, points: &[(f32, f32)]) {
        self.path(points);
        self.operator("S");
    }

    fn path(&mut self, points: &[(f32, f32)]) {
        for (index, point) in points.iter().enumerate() {
            self.point(*point);
            self.operator(if index == 0 { "m" } else { "l" });
        }
    }

    /// Quarters `from..to` of a circle, counter-clockwise from the top, open.
    fn arc(&mut self, (x, y): (f32, f32), r: f32, from: usize, to: usize) {
        let at = |(dx, dy): (f32, f32)| (x + dx * r, y + dy * r);
        for (index, pair) in QUARTERS.windows(2).take(to).skip(from).enumerate() {
            let [start, end] = pair else { continue };
            if index == 0 {
                self.path(&[at(*start)]);
            }
            self.point(at((start.0 + end.0 * HANDLE, start.1 + end.1 * HANDLE)));
            self.point(at((end.0 + start.0 * HANDLE, end.1 + start.1 * HANDLE)));
            self.point(at(*end));
            self.operator("c");
        }
    }

    fn circle(&mut self, at: (f32, f32), r: f32, paint: &str) {
        self.arc(at, r, 0, 4);
        self.operator("h");
        self.operator(paint);
    }

    /// A filled slice of a circle from its centre.
    fn pie(&mut self, at: (f32, f32), r: f32, from: usize, to: usize) {
        self.arc(at, r, from, to);
        self.point(at);
        self.operator("l");
        self.operator("h");
        self.operator("f");
    }

    fn polygon(&mut self, points: &[(f32, f32)], paint: &str) {
        self.path(points);
        self.operator("h");
        self.operator(paint);
    }

    /// Draws the shape of a status or delivery word; see `compliance::{Status, DeliveryState}::shape`.
    fn shape(&mut self, shape: char, x: f32, y: f32, r: f32) {
        let at = (x, y);
        match shape {
            '●' => self.circle(at, r, "f"),
            '▲' => self.polygon(&[(x - r, y - r), (x + r, y - r), (x, y + r)], "f"),
            '◐' => {
                self.circle(at, r * 0.9, "S");
                self.pie(at, r * 0.9, 0, 2);
            }
            '◕' => {
                self.circle(at, r * 0.9, "S");
                self.pie(at, r * 0.9, 1, 4);
            }
            '◔' => {
                self.circle(at, r * 0.9, "S");
                self.pie(at, r * 0.9, 3, 4);
            }
            '○' => self.circle(at, r * 0.9, "S"),
            '□' => {
                let d = r * 0.85;
                self.polygon(&[(x - d, y - d), (x + d, y - d), (x + d, y + d), (x - d, y + d)], "S");
            }
            '◇' => self.polygon(&[(x, y - r), (x + r, y), (x, y + r), (x - r, y)], "S"),
            '✕' => {
                let d = r * 0.8;
                self.polyline(&[(x - d, y - d), (x + d, y + d)]);
                self.polyline(&[(x - d, y + d), (x + d, y - d)]);
            }
            '⊘' => {
                self.circle(at, r * 0.9, "S");
                let d = r * 0.62;
                self.polyline(&[(x - d, y - d), (x + d, y + d)]);
            }
            '≈' => {
                for up in [-0.35, 0.35] {
                    let y = y + up * r;
                    let (low, high) = (y - 0.2 * r, y + 0.2 * r);
                    self.polyline(&[(x - r, low), (x - 0.4 * r, high), (x + 0.4 * r, low), (x + r, high)]);
                }
            }
            '–' => self.polyline(&[(x - r, y), (x + r, y)]),
            '·' => self.circle(at, r * 0.3, "f"),
            // Unrecognised: a question mark of lines.
            _ => {
                let hook =
                    [(x - 0.6 * r, y + 0.5 * r), (x, y + r), (x + 0.6 * r, y + 0.5 * r), (x, y), (x, y - 0.4 * r)];
                self.polyline(&hook);
                self.circle((x, y - 0.85 * r), r * 0.18, "f");
            }
        }
    }
}

/// Length of the handles of a Bézier curve that draws a quarter of a circle.
const HANDLE: f32 = 0.552_285;
/// Top, left, bottom, right: counter-clockwise.
const QUARTERS: [(f32, f32); 5] = [(0.0, 1.0), (-1.0, 0.0), (0.0, -1.0), (1.0, 0.0), (0.0, 1.0)];

#[cfg(test)]
mod tests {
    use super::*;

    fn written(points: f32) -> String {
        let mut out = Vec::new();
        let mut pen = Pen { out: &mut out, at: (0, 0), font: None, fill: None, stroke: None };
        pen.number(hundredths(points));
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn lengths_are_written_in_hundredths_of_a_point() {
        let lengths = [0.0, 0.5, 7.5, 54.0, 541.28, 736.144, 0.05, -9.75, -435.283, 1000.0];
        let expected = ["0 ", "0.5 ", "7.5 ", "54 ", "541.28 ", "736.14 ", "0.05 ", "-9.75 ", "-435.28 ", "1000 "];
        assert_eq!(lengths.map(written), expected);
    }

    #[test]
    fn glyphs_that_look_like_syntax_are_escaped() {
        let mut page = Page::default();
        let text = page.keep("E\u{e}(");
        let size = crate::packs::layout::page::Size::Small;
        let (weight, ink) = (Weight::Regular, Ink::Black);
        page.items.push(Item::Text { x: 1.0, y: 2.0, size, weight, ink, text: text.clone(), original: Some(text) });
        let mut out = Vec::new();
        draw(&page, &mut out);
        let content = lopdf::content::Content::decode(&out).expect("operators that can be read again");
        let operators: Vec<&str> = content.operations.iter().map(|one| one.operator.as_str()).collect();
        assert_eq!(operators, ["w", "BT", "g", "Tf", "Td", "BDC", "Tj", "EMC", "ET"]);
        let glyphs: Vec<u8> =
            "E(".chars().filter_map(|c| metrics(weight).glyph(c)).flat_map(|glyph| glyph.id.to_be_bytes()).collect();
        assert_eq!(content.operations[6].operands[0].as_str().expect("a string"), glyphs);
    }
}
