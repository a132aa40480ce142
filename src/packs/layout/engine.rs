//! The setting of blocks into pages.

use super::font::{Weight, faithful, metrics};
use super::page::{HEIGHT, Ink, Item, Link, Mark, Page, Size, WIDTH};
use super::table::{Column, Kind, Table, Width};
use super::text::{Wrapped, shown, wrap};
use super::{Block, Document, Plan};

const LEFT: f32 = 54.0;
const RIGHT: f32 = WIDTH - 54.0;
const BODY: f32 = RIGHT - LEFT;
const TOP: f32 = HEIGHT - 60.0;
const BOTTOM: f32 = 66.0;
const FOOT: f32 = 40.0;
/// The measure of running text, so that lines stay readable.
const MEASURE: f32 = 400.0;
/// White around the text of a table's cell.
const PAD_X: f32 = 3.5;
const PAD_Y: f32 = 2.6;
/// Names of facts.
const NAMES: f32 = 128.0;
/// A heading this near to the foot goes to the next page.
const ROOM: f32 = 150.0;

/// Sets the document. `plan` is what an earlier run found; empty on the first. Returns the headings' places.
pub(super) fn run(document: &Document, plan: &Plan, sink: &mut dyn FnMut(Page)) -> Vec<Mark> {
    let mut setter = Setter { document, plan, sink, page: Page::default(), number: 0, y: TOP, marks: Vec::new() };
    for block in &document.blocks {
        setter.block(block);
    }
    setter.turn();
    setter.marks
}

struct Setter<'a, 'b> {
    document: &'a Document<'b>,
    plan: &'a Plan,
    sink: &'a mut dyn FnMut(Page),
    page: Page,
    /// Index of the page in hand.
    number: usize,
    /// The lower edge of what is set so far.
    y: f32,
    marks: Vec<Mark>,
}

impl Setter<'_, '_> {
    fn block(&mut self, block: &Block) {
        match block {
            Block::Title(text) => self.lines(text, Size::Large, Weight::Bold, LEFT, BODY),
            Block::Heading { text, new_page } => self.heading(text, *new_page),
            Block::Subheading(text) => {
                self.room(60.0);
                self.y -= 12.0;
                self.lines(text, Size::Text, Weight::Bold, LEFT, BODY);
                self.y -= 2.0;
            }
            Block::Paragraph(text) => {
                self.lines(text, Size::Text, Weight::Regular, LEFT, MEASURE);
                self.y -= 6.0;
            }
            Block::Notice(text) => self.notice(text),
            Block::List(entries) => {
                for entry in entries {
                    self.room(Size::Text.leading());
                    self.put("–", Size::Text, Weight::Regular, Ink::Black, LEFT, self.y - 10.5);
                    self.lines(entry, Size::Text, Weight::Regular, LEFT + 14.0, MEASURE - 14.0);
                    self.y -= 3.0;
                }
                self.y -= 3.0;
            }
            Block::Facts(facts) => self.facts(facts),
            Block::Table { caption, table } => self.table(caption, table),
            Block::Code(lines) => {
                for line in lines {
                    self.cell_lines(line, Size::Text, LEFT + 14.0, BODY - 14.0);
                    self.y -= 3.0;
                }
                self.y -= 3.0;
            }
            Block::Space(height) => self.y -= height,
            Block::Contents => self.contents(),
        }
    }

    /// Ends the page in hand, if anything is on it.
    fn turn(&mut self) {
        if self.page.items.is_empty() {
            return;
        }
        let foot = FOOT;
        self.page.items.push(Item::Rule { x: LEFT, y: foot + 12.0, length: BODY, ink: Ink::Black });
        let folio = format!("page {} of {}", self.number + 1, self.plan.pages);
        let width = metrics(Weight::Regular).width(&folio, Size::Small.points());
        let text = shown(&self.document.foot).into_owned();
        self.put(&text, Size::Small, Weight::Regular, Ink::Black, LEFT, foot);
        self.put(&folio, Size::Small, Weight::Regular, Ink::Black, RIGHT - width, foot);
        (self.sink)(std::mem::take(&mut self.page));
        self.number += 1;
        self.y = TOP;
    }

    /// Turns the page unless `height` is left on it.
    fn room(&mut self, height: f32) {
        if self.y - height < BOTTOM {
            self.turn();
        }
    }

    fn put(&mut self, text: &str, size: Size, weight: Weight, ink: Ink, x: f32, y: f32) {
        self.page.items.push(Item::Text {
            x,
            y,
            size,
            weight,
            ink,
            text: text.to_owned(),
            original: None,
            closes: false,
        });
    }

    /// Running text: what is copied out is the original but for the spaces at which it wraps.
    fn lines(&mut self, text: &str, size: Size, weight: Weight, x: f32, width: f32) {
        let wrapped = wrap(text, weight, size.points(), width);
        let plain = copies_as(&wrapped, text) && breaks_at_spaces(&wrapped);
        for at in 0..wrapped.lines.len() {
            self.room(size.leading());
            let baseline = self.y - size.points() * 1.05;
            self.line(&wrapped, at, (!plain).then_some(text), size, weight, x, baseline);
            self.y -= size.leading();
        }
    }

    /// A string that is copied out whole.
    fn cell_lines(&mut self, text: &str, size: Size, x: f32, width: f32) {
        let wrapped = wrap(text, Weight::Regular, size.points(), width);
        let plain = wrapped.lines.len() == 1 && copies_as(&wrapped, text);
        for at in 0..wrapped.lines.len() {
            self.room(size.leading());
            let baseline = self.y - size.points() * 1.05;
            self.line(&wrapped, at, (!plain).then_some(text), size, Weight::Regular, x, baseline);
            self.y -= size.leading();
        }
    }

    /// One line of wrapped text.
    #[expect(clippy::too_many_arguments, reason = "one call sets one line; a struct of these would be used once")]
    fn line(
        &mut self,
        wrapped: &Wrapped,
        at: usize,
        original: Option<&str>,
        size: Size,
        weight: Weight,
        x: f32,
        y: f32,
    ) {
        let text = wrapped.line(at);
        // The first line carries the whole original, the others nothing: readers that put a marked string at the
        // place of its first glyph then keep columns apart.
        let original = original.map(|whole| if at == 0 { whole.to_owned() } else { String::new() });
        let closes = original.is_some();
        self.page.items.push(Item::Text {
            x,
            y,
            size,
            weight,
            ink: Ink::Black,
            text: text.to_owned(),
            original,
            closes,
        });
    }

    fn heading(&mut self, text: &str, new_page: bool) {
        if new_page && self.y < TOP {
            self.turn();
        }
        if self.y < TOP {
            self.y -= 22.0;
        }
        self.room(ROOM);
        self.marks.push(Mark { title: text.to_owned(), page: self.number, top: self.y });
        self.lines(text, Size::Large, Weight::Bold, LEFT, BODY);
        self.y -= 8.0;
    }

    fn notice(&mut self, text: &str) {
        let wrapped = wrap(text, Weight::Bold, Size::Text.points(), BODY);
        let height = line_count(&wrapped) * Size::Text.leading() + 14.0;
        self.room(height);
        self.page.items.push(Item::Rule { x: LEFT, y: self.y, length: BODY, ink: Ink::Black });
        self.y -= 6.0;
        self.lines(text, Size::Text, Weight::Bold, LEFT, BODY);
        self.y -= 3.0;
        self.page.items.push(Item::Rule { x: LEFT, y: self.y, length: BODY, ink: Ink::Black });
        self.y -= 10.0;
    }

    fn facts(&mut self, facts: &[(String, String)]) {
        for (name, value) in facts {
            let names = wrap(name, Weight::Bold, Size::Text.points(), NAMES - 10.0);
            let values = wrap(value, Weight::Regular, Size::Text.points(), BODY - NAMES);
            let rows = names.lines.len().max(values.lines.len());
            self.room(
                Size::Text.leading()
                    * line_count(if names.lines.len() > values.lines.len() { &names } else { &values }).min(8.0),
            );
            let plain = copies_as(&values, value) && breaks_at_spaces(&values);
            for at in 0..rows {
                self.room(Size::Text.leading());
                let baseline = self.y - Size::Text.points() * 1.05;
                if at < names.lines.len() {
                    self.line(&names, at, None, Size::Text, Weight::Bold, LEFT, baseline);
                }
                if at < values.lines.len() {
                    let original = (!plain).then_some(value.as_str());
                    self.line(&values, at, original, Size::Text, Weight::Regular, LEFT + NAMES, baseline);
                }
                self.y -= Size::Text.leading();
            }
            self.y -= 2.0;
        }
        self.y -= 4.0;
    }

    fn contents(&mut self) {
        let marks = self.plan.marks.clone();
        let here = self.number;
        for mark in marks.iter().filter(|mark| mark.page > here) {
            self.room(20.0);
            let folio = format!("{}", mark.page + 1);
            let width = metrics(Weight::Regular).width(&folio, Size::Text.points());
            let baseline = self.y - 10.5;
            let title = shown(&mark.title).into_owned();
            self.put(&title, Size::Text, Weight::Regular, Ink::Black, LEFT, baseline);
            self.put(&folio, Size::Text, Weight::Regular, Ink::Black, RIGHT - width, baseline);
            self.page.items.push(Item::Rule { x: LEFT, y: self.y - 16.0, length: BODY, ink: Ink::Light });
            let link = Link { x: LEFT, y: self.y - 16.0, width: BODY, height: 18.0, page: mark.page, top: mark.top };
            self.page.links.push(link);
            self.y -= 20.0;
        }
        // The first run does not know the headings yet and must leave the page they will fill.
        self.turn();
    }
}

/// Whether the glyphs alone give the original back.
fn copies_as(wrapped: &Wrapped, original: &str) -> bool {
    wrapped.text == original && (original.is_ascii() || original.chars().all(faithful))
}

/// Whether every break falls at a space, so that copying gives the text back but for its line ends.
fn breaks_at_spaces(wrapped: &Wrapped) -> bool {
    let inner = wrapped.lines.iter().skip(1).map(|line| line.start);
    inner.map(|start| wrapped.text.get(..start).unwrap_or_default()).all(|before| before.ends_with(' '))
}

/// The number of lines, as a factor of heights.
fn line_count(wrapped: &Wrapped) -> f32 {
    f32::from(u16::try_from(wrapped.lines.len()).unwrap_or(u16::MAX))
}

/// A table's columns on the page: where each starts and how wide it is.
fn columns(columns: &[Column]) -> Vec<(f32, f32)> {
    let (mut fixed, mut shares) = (0.0, 0.0);
    for column in columns {
        match column.width {
            Width::Points(points) => fixed += points,
            Width::Share(share) => shares += share,
        }
    }
    let mut x = LEFT;
    columns
        .iter()
        .map(|column| {
            let width = match column.width {
                Width::Points(points) => points,
                Width::Share(share) => (BODY - fixed) * share / shares,
            };
            let place = (x, width);
            x += width;
            place
        })
        .collect()
}

/// Room that a shape takes before its word.
const SHAPE: f32 = 9.0;

impl Setter<'_, '_> {
    fn table(&mut self, caption: &str, table: &Table) {
        let places = columns(&table.columns);
        self.room(70.0);
        if !caption.is_empty() {
            let wrapped = wrap(caption, Weight::Regular, Size::Small.points(), BODY);
            for at in 0..wrapped.lines.len() {
                let baseline = self.y - Size::Small.points() * 1.05;
                self.line(&wrapped, at, None, Size::Small, Weight::Regular, LEFT, baseline);
                self.y -= Size::Small.leading();
            }
            self.y -= 3.0;
        }
        self.header(table, &places);
        for at in 0..table.len() {
            self.row(table, &places, at);
        }
        self.y -= 12.0;
    }

    fn header(&mut self, table: &Table, places: &[(f32, f32)]) {
        let size = Size::Small;
        let titles: Vec<_> = table
            .columns
            .iter()
            .zip(places)
            .map(|(column, &(_, width))| wrap(column.title, Weight::Bold, size.points(), width - 2.0 * PAD_X))
            .collect();
        let deepest = titles.iter().map(line_count).fold(1.0, f32::max);
        self.page.items.push(Item::Rule { x: LEFT, y: self.y, length: BODY, ink: Ink::Black });
        let top = self.y - PAD_Y;
        for ((title, column), &(x, width)) in titles.iter().zip(&table.columns).zip(places) {
            let mut baseline = top - size.points() * 1.05;
            for at in 0..title.lines.len() {
                let x = x + set_off(column.kind, Weight::Bold, title.line(at), width);
                let original = (title.lines.len() > 1).then_some(column.title);
                self.line(title, at, original, size, Weight::Bold, x, baseline);
                baseline -= size.leading();
            }
        }
        self.y = top - deepest * size.leading() - PAD_Y;
        self.page.items.push(Item::Rule { x: LEFT, y: self.y, length: BODY, ink: Ink::Black });
    }

    /// One row; a row taller than a page goes on over as many as it needs.
    fn row(&mut self, table: &Table, places: &[(f32, f32)], at: usize) {
        let size = Size::Small;
        let cells: Vec<_> = table
            .row(at)
            .zip(&table.columns)
            .zip(places)
            .map(|((cell, column), &(_, width))| {
                let inset = if column.kind == Kind::Marked { SHAPE } else { 0.0 };
                (cell, wrap(cell, Weight::Regular, size.points(), width - 2.0 * PAD_X - inset))
            })
            .collect();
        let deepest = cells.iter().map(|(_, wrapped)| wrapped.lines.len()).max().unwrap_or(1);
        let height =
            cells.iter().map(|(_, wrapped)| line_count(wrapped)).fold(1.0, f32::max) * size.leading() + 2.0 * PAD_Y;
        if self.y - height < BOTTOM {
            self.turn();
            self.header(table, places);
        }
        let mut first = 0;
        while first < deepest {
            let last = first + lines_that_fit(self.y - 2.0 * PAD_Y - BOTTOM, size.leading()).min(deepest - first);
            self.row_part(table, places, &cells, first..last);
            first = last;
            if first < deepest {
                self.turn();
                self.header(table, places);
            }
        }
    }

    fn row_part(
        &mut self,
        table: &Table,
        places: &[(f32, f32)],
        cells: &[(&str, Wrapped)],
        part: std::ops::Range<usize>,
    ) {
        let size = Size::Small;
        let top = self.y - PAD_Y;
        let mut lowest = top - size.leading();
        for (((cell, wrapped), column), &(x, width)) in cells.iter().zip(&table.columns).zip(places) {
            let mut baseline = top - size.points() * 1.05;
            let plain = wrapped.lines.len() == 1 && copies_as(wrapped, cell);
            for at in part.start..part.end.min(wrapped.lines.len()) {
                let mut x = x + set_off(column.kind, Weight::Regular, wrapped.line(at), width);
                if column.kind == Kind::Marked {
                    if at == 0
                        && let Some(shape) = shape_of(cell)
                    {
                        self.page.items.push(Item::Shape { x: x + 2.6, y: baseline + 2.6, radius: 2.6, shape });
                    }
                    x += SHAPE;
                }
                self.line(wrapped, at, (!plain).then_some(cell), size, Weight::Regular, x, baseline);
                baseline -= size.leading();
            }
            lowest = lowest.min(baseline + size.points() * 1.05);
        }
        self.y = lowest - PAD_Y;
        self.page.items.push(Item::Rule { x: LEFT, y: self.y, length: BODY, ink: Ink::Light });
    }
}

/// How far from the column's edge a line starts.
fn set_off(kind: Kind, weight: Weight, line: &str, width: f32) -> f32 {
    match kind {
        Kind::Number => width - PAD_X - metrics(weight).width(line, Size::Small.points()),
        Kind::Text | Kind::Marked => PAD_X,
    }
}

/// How many lines go into a height; one at least, so that setting always ends.
fn lines_that_fit(height: f32, leading: f32) -> usize {
    let mut lines = 1;
    let mut used = 2.0 * leading;
    while used <= height {
        lines += 1;
        used += leading;
    }
    lines
}

/// The shape of a status or delivery word; `None` for words of neither list that are no status either.
fn shape_of(word: &str) -> Option<char> {
    use crate::compliance::{DeliveryState, Status};
    match DeliveryState::parse(word) {
        Some(state) => Some(state.shape()),
        None if word.is_empty() => None,
        None => Some(Status::parse(word).shape()),
    }
}
