//! Pages to content streams, by printpdf.

use std::collections::{BTreeMap, BTreeSet};

use printpdf::{
    Color, DictItem, FontId, Greyscale, Line, LinePoint, Mm, Op, PaintMode, ParsedFont, PdfDocument, PdfFont,
    PdfFontHandle, PdfPage, PdfSaveOptions, Point, Polygon, PolygonRing, Pt, TextItem, WindingOrder,
};

use super::{PdfError, subset::subset};
use crate::packs::layout::font::{Weight, metrics};
use crate::packs::layout::page::{Ink, Item, Page};

/// The characters that the pages of a pack use, by weight.
#[derive(Debug, Default)]
pub(super) struct Used {
    characters: [BTreeSet<char>; 2],
}

impl Used {
    /// Notes what a page uses.
    pub(super) fn see(&mut self, page: &Page) {
        for item in &page.items {
            if let Item::Text { text, weight, .. } = item {
                let [regular, bold] = &mut self.characters;
                let set = if *weight == Weight::Regular { regular } else { bold };
                for character in text.chars() {
                    if !set.contains(&character) {
                        set.insert(character);
                    }
                }
            }
        }
    }

    fn of(&self, weight: Weight) -> &BTreeSet<char> {
        let [regular, bold] = &self.characters;
        if weight == Weight::Regular { regular } else { bold }
    }
}

fn font_id(weight: Weight) -> FontId {
    FontId(match weight {
        Weight::Regular => "R".to_owned(),
        Weight::Bold => "B".to_owned(),
    })
}

/// Draws pages with fonts that keep their glyph numbers, so that streams of several runs share one font.
pub(super) struct Pen {
    fonts: BTreeMap<FontId, PdfFont>,
}

impl Pen {
    pub(super) fn new() -> Result<Self, PdfError> {
        let mut fonts = BTreeMap::new();
        for weight in Weight::ALL {
            let mut font = ParsedFont::from_bytes(weight.bytes(), 0, &mut Vec::new()).ok_or(PdfError::Font)?;
            font.font_name = Some(name(weight).to_owned());
            // printpdf would embed it anew with each run of pages.
            font.original_bytes = vec![0];
            fonts.insert(font_id(weight), PdfFont::new(font));
        }
        Ok(Self { fonts })
    }

    /// The content stream of each page, as printpdf writes it, not compressed.
    pub(super) fn streams(&self, pages: &[Page]) -> Result<Vec<Vec<u8>>, PdfError> {
        let pages = pages.iter().map(|page| sheet(operations(page))).collect();
        let document = self.document(pages, &self.fonts)?;
        document.get_pages().into_values().map(|page| content(&document, page)).collect()
    }

    /// A document with one page and both fonts, subset to what is used: the beginning of the pack.
    pub(super) fn fonts(&self, used: &Used) -> Result<lopdf::Document, PdfError> {
        let mut fonts = self.fonts.clone();
        let mut ops = vec![Op::StartTextSection];
        for weight in Weight::ALL {
            let glyphs =
                used.of(weight).iter().filter_map(|&c| metrics(weight).glyph(c)).map(|glyph| glyph.id).collect();
            let font = fonts.get_mut(&font_id(weight)).ok_or(PdfError::Font)?;
            let bytes = subset(weight.bytes(), &glyphs).ok_or(PdfError::Font)?;
            font.parsed_font.font_name = Some(format!("{}+{}", tag(&bytes), name(weight)));
            font.parsed_font.original_bytes = bytes;
            ops.push(Op::SetFont { font: PdfFontHandle::External(font_id(weight)), size: Pt(10.0) });
            // The lowest character comes last and so names a glyph that several share.
            let text = used.of(weight).iter().rev().collect();
            ops.push(Op::ShowText { items: vec![TextItem::Text(text)] });
        }
        ops.push(Op::EndTextSection);
        self.document(vec![sheet(ops)], &fonts)
    }

    fn document(&self, pages: Vec<PdfPage>, fonts: &BTreeMap<FontId, PdfFont>) -> Result<lopdf::Document, PdfError> {
        _ = self;
        let mut document = PdfDocument::new("");
        document.resources.fonts.map.clone_from(fonts);
        document.pages = pages;
        let options = PdfSaveOptions { optimize: false, subset_fonts: false, secure: true, image_optimization: None };
        let mut warnings = Vec::new();
        let document = document.to_lopdf_document(&options, &mut warnings);
        match warnings.iter().find(|warning| warning.severity != printpdf::PdfParseErrorSeverity::Info) {
            Some(warning) => Err(PdfError::Drawing(warning.msg.clone())),
            None => Ok(document),
        }
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

fn content(document: &lopdf::Document, page: lopdf::ObjectId) -> Result<Vec<u8>, PdfError> {
    let contents = document.get_dictionary(page)?.get(b"Contents")?.as_reference()?;
    Ok(document.get_object(contents)?.as_stream()?.content.clone())
}

fn sheet(ops: Vec<Op>) -> PdfPage {
    PdfPage::new(Mm(210.0), Mm(297.0), ops)
}

/// A coordinate in hundredths of a point is finer than any printer.
fn rounded(value: f32) -> f32 {
    (value * 100.0).round() / 100.0
}

fn point(x: f32, y: f32) -> Point {
    Point { x: Pt(rounded(x)), y: Pt(rounded(y)) }
}

fn grey(ink: Ink) -> Color {
    let percent = match ink {
        Ink::Black => 0.0,
        Ink::Grey => 0.35,
        Ink::Light => 0.7,
    };
    Color::Greyscale(Greyscale { percent, icc_profile: None })
}

/// What was last set on the page, so that it is not set again.
#[derive(Default)]
struct Set {
    in_text: bool,
    at: (f32, f32),
    font: Option<(Weight, f32)>,
    fill: Option<Ink>,
    stroke: Option<Ink>,
}

fn operations(page: &Page) -> Vec<Op> {
    let mut ops = Vec::with_capacity(page.items.len() * 3 + 8);
    let mut set = Set::default();
    ops.push(Op::SetOutlineThickness { pt: Pt(0.5) });
    // Rules and shapes first, then all text in one section.
    for item in &page.items {
        match item {
            Item::Rule { x, y, length, ink } => {
                if set.stroke != Some(*ink) {
                    ops.push(Op::SetOutlineColor { col: grey(*ink) });
                    set.stroke = Some(*ink);
                }
                let points = [point(*x, *y), point(x + length, *y)].map(|p| LinePoint { p, bezier: false }).to_vec();
                ops.push(Op::DrawLine { line: Line { points, is_closed: false } });
            }
            Item::Shape { x, y, radius, shape } => {
                if set.stroke != Some(Ink::Black) {
                    ops.push(Op::SetOutlineColor { col: grey(Ink::Black) });
                    set.stroke = Some(Ink::Black);
                }
                shape_ops(&mut ops, *shape, *x, *y, *radius);
            }
            Item::Text { .. } => {}
        }
    }
    for item in &page.items {
        if let Item::Text { x, y, size, weight, ink, text, original, closes } = item {
            text_ops(&mut ops, &mut set, (rounded(*x), rounded(*y)), (*weight, size.points()), *ink);
            if let Some(original) = original {
                ops.push(marked(original));
            }
            ops.push(Op::ShowText { items: vec![TextItem::Text(text.clone())] });
            if *closes {
                ops.push(Op::EndMarkedContent);
            }
        }
    }
    if set.in_text {
        ops.push(Op::EndTextSection);
    }
    ops
}

fn text_ops(ops: &mut Vec<Op>, set: &mut Set, at: (f32, f32), font: (Weight, f32), ink: Ink) {
    if set.fill != Some(ink) {
        ops.push(Op::SetFillColor { col: grey(ink) });
        set.fill = Some(ink);
    }
    if !set.in_text {
        ops.push(Op::StartTextSection);
        set.in_text = true;
    }
    if set.font != Some(font) {
        ops.push(Op::SetFont { font: PdfFontHandle::External(font_id(font.0)), size: Pt(font.1) });
        set.font = Some(font);
    }
    // The operator moves from the last line's start; what rounding leaves is carried, not lost.
    let pos = point(at.0 - set.at.0, at.1 - set.at.1);
    set.at = (set.at.0 + pos.x.0, set.at.1 + pos.y.0);
    ops.push(Op::SetTextCursor { pos });
}

/// Begins text that is copied out as `original` (ISO 32000-1, 14.9.4).
fn marked(original: &str) -> Op {
    let data = utf16(original);
    let map = BTreeMap::from([("ActualText".to_owned(), DictItem::String { data, literal: false })]);
    Op::BeginMarkedContentWithProperties { tag: "Span".to_owned(), properties: DictItem::Dict { map } }
}

/// A PDF text string in UTF-16 with its mark.
pub(super) fn utf16(text: &str) -> Vec<u8> {
    [0xfe, 0xff].into_iter().chain(text.encode_utf16().flat_map(u16::to_be_bytes)).collect()
}

/// Draws the shape of a status or delivery word; see `compliance::{Status, DeliveryState}::shape`.
fn shape_ops(ops: &mut Vec<Op>, shape: char, x: f32, y: f32, r: f32) {
    let outline = |ops: &mut Vec<Op>| ops.push(polygon(circle(x, y, r * 0.9), PaintMode::Stroke));
    match shape {
        '●' => ops.push(polygon(circle(x, y, r), PaintMode::Fill)),
        '▲' => ops.push(polygon(straight(&[(x - r, y - r), (x + r, y - r), (x, y + r)]), PaintMode::Fill)),
        '◐' => {
            outline(ops);
            ops.push(polygon(pie(x, y, r * 0.9, 0, 2), PaintMode::Fill));
        }
        '◕' => {
            outline(ops);
            ops.push(polygon(pie(x, y, r * 0.9, 1, 4), PaintMode::Fill));
        }
        '◔' => {
            outline(ops);
            ops.push(polygon(pie(x, y, r * 0.9, 3, 4), PaintMode::Fill));
        }
        '○' => outline(ops),
        '□' => {
            let d = r * 0.85;
            ops.push(polygon(
                straight(&[(x - d, y - d), (x + d, y - d), (x + d, y + d), (x - d, y + d)]),
                PaintMode::Stroke,
            ));
        }
        '✕' => {
            let d = r * 0.8;
            stroke(ops, &[(x - d, y - d), (x + d, y + d)]);
            stroke(ops, &[(x - d, y + d), (x + d, y - d)]);
        }
        '⊘' => {
            outline(ops);
            let d = r * 0.62;
            stroke(ops, &[(x - d, y - d), (x + d, y + d)]);
        }
        '≈' => {
            for up in [-0.35, 0.35] {
                let y = y + up * r;
                stroke(
                    ops,
                    &[
                        (x - r, y - 0.2 * r),
                        (x - 0.4 * r, y + 0.2 * r),
                        (x + 0.4 * r, y - 0.2 * r),
                        (x + r, y + 0.2 * r),
                    ],
                );
            }
        }
        '–' => stroke(ops, &[(x - r, y), (x + r, y)]),
        '·' => ops.push(polygon(circle(x, y, r * 0.3), PaintMode::Fill)),
        // Unrecognised: a question mark of lines.
        _ => {
            stroke(
                ops,
                &[(x - 0.6 * r, y + 0.5 * r), (x, y + r), (x + 0.6 * r, y + 0.5 * r), (x, y), (x, y - 0.4 * r)],
            );
            ops.push(polygon(circle(x, y - 0.85 * r, r * 0.18), PaintMode::Fill));
        }
    }
}

fn stroke(ops: &mut Vec<Op>, points: &[(f32, f32)]) {
    ops.push(Op::DrawLine { line: Line { points: straight(points), is_closed: false } });
}

fn straight(points: &[(f32, f32)]) -> Vec<LinePoint> {
    points.iter().map(|&(x, y)| LinePoint { p: point(x, y), bezier: false }).collect()
}

fn polygon(points: Vec<LinePoint>, mode: PaintMode) -> Op {
    Op::DrawPolygon {
        polygon: Polygon { rings: vec![PolygonRing { points }], mode, winding_order: WindingOrder::NonZero },
    }
}

/// Length of the handles of a Bézier curve that draws a quarter of a circle.
const HANDLE: f32 = 0.552_285;
/// Top, left, bottom, right: counter-clockwise.
const QUARTERS: [(f32, f32); 5] = [(0.0, 1.0), (-1.0, 0.0), (0.0, -1.0), (1.0, 0.0), (0.0, 1.0)];

fn circle(x: f32, y: f32, r: f32) -> Vec<LinePoint> {
    arc(x, y, r, 0, 4)
}

/// A slice of a circle from its centre, of quarters `from..to`.
fn pie(x: f32, y: f32, r: f32, from: usize, to: usize) -> Vec<LinePoint> {
    let mut points = arc(x, y, r, from, to);
    points.push(LinePoint { p: point(x, y), bezier: false });
    points
}

fn arc(x: f32, y: f32, r: f32, from: usize, to: usize) -> Vec<LinePoint> {
    let at = |(dx, dy): (f32, f32), bezier| LinePoint { p: point(x + dx * r, y + dy * r), bezier };
    let mut points = Vec::new();
    for pair in QUARTERS.windows(2).take(to).skip(from) {
        let [start, end] = pair else { continue };
        if points.is_empty() {
            points.push(at(*start, false));
        }
        points.push(at((start.0 + end.0 * HANDLE, start.1 + end.1 * HANDLE), true));
        points.push(at((end.0 + start.0 * HANDLE, end.1 + start.1 * HANDLE), true));
        points.push(at(*end, false));
    }
    points
}
