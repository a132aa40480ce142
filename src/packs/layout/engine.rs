//! The setting of blocks into pages.

mod tables;

use super::font::{Weight, faithful, metrics};
use super::page::{HEIGHT, Ink, Item, Link, Mark, Page, Size, WIDTH};
use super::text::{Wrapped, shown, wrap};
use super::{Block, Document, Plan};

const LEFT: f32 = 54.0;
const RIGHT: f32 = WIDTH - 54.0;
const BODY: f32 = RIGHT - LEFT;
const TOP: f32 = HEIGHT - 60.0;
const BOTTOM: f32 = 66.0;
const FOOT: f32 = 40.0;
/// Lines under the foot at most.
const BELOW: usize = 3;
/// What stands above every page's content.
const HEAD: f32 = HEIGHT - 40.0;
/// The measure of running text, so that lines stay readable.
const MEASURE: f32 = 400.0;
/// White around the text of a table's cell.
const PAD_X: f32 = 3.0;
const PAD_Y: f32 = 2.0;
/// Names of facts.
const NAMES: f32 = 128.0;
/// A heading this near to the foot goes to the next page.
const ROOM: f32 = 150.0;

/// Sets the document; see [`super::set`].
pub(super) fn run(document: &Document, sink: &mut dyn FnMut(usize, Page)) -> Plan {
    let mut setter =
        Setter { document, sink, page: Page::default(), number: 0, y: TOP, marks: Vec::new(), contents: None };
    for block in &document.blocks {
        setter.block(block);
    }
    setter.turn();
    setter.fill_contents();
    Plan { pages: setter.number, marks: setter.marks }
}

/// See [`super::folio`].
pub(super) fn folio(at: usize, pages: usize) -> Page {
    let mut page = Page::default();
    let folio = format!("page {} of {pages}", at + 1);
    let width = metrics(Weight::Regular).width(&folio, Size::Small.points());
    put(&mut page, &folio, Size::Small, Weight::Regular, (RIGHT - width, FOOT));
    page
}

/// One text in black whose glyphs say what it is.
fn put(page: &mut Page, text: &str, size: Size, weight: Weight, (x, y): (f32, f32)) {
    let text = page.keep(text);
    page.items.push(Item::Text { x, y, size, weight, ink: Ink::Black, text, original: None });
}

struct Setter<'a, 'b> {
    document: &'a Document<'b>,
    sink: &'a mut dyn FnMut(usize, Page),
    page: Page,
    /// Index of the page in hand.
    number: usize,
    /// The lower edge of what is set so far.
    y: f32,
    marks: Vec<Mark>,
    /// The contents page with its index and where its lines begin: it waits for the headings.
    contents: Option<(usize, Page, f32)>,
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
                    put(&mut self.page, "–", Size::Text, Weight::Regular, (LEFT, self.y - 10.5));
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
        if let Some(page) = self.finished() {
            (self.sink)(self.number, page);
            self.number += 1;
        }
    }

    /// Takes the page in hand with its foot, if anything is on it.
    fn finished(&mut self) -> Option<Page> {
        if self.page.items.is_empty() {
            return None;
        }
        self.page.items.push(Item::Rule { x: LEFT, y: FOOT + 12.0, length: BODY, ink: Ink::Black });
        let text = shown(&self.document.foot);
        put(&mut self.page, &text, Size::Small, Weight::Regular, (LEFT, FOOT));
        self.below();
        if let Some(mark) = &self.document.mark {
            put(&mut self.page, &shown(mark), Size::Text, Weight::Bold, (LEFT, HEAD));
        }
        self.y = TOP;
        // The next page is likely to be as full.
        let (items, letters) = (self.page.items.len() + 32, self.page.letters.len() + 512);
        let (items, letters) = (Vec::with_capacity(items), String::with_capacity(letters));
        let next = Page { items, letters, ..Page::default() };
        Some(std::mem::replace(&mut self.page, next))
    }

    /// The text under the foot, in as many lines as there is room for.
    fn below(&mut self) {
        let text = &self.document.below;
        if text.is_empty() {
            return;
        }
        let wrapped = wrap(text, Weight::Regular, Size::Small.points(), BODY - 12.0);
        let plain = wrapped.lines.len() == 1 && copies_as(&wrapped, text);
        let mut y = FOOT;
        for at in 0..wrapped.lines.len().min(BELOW) {
            y -= Size::Small.leading();
            self.line(&wrapped, at, (!plain).then_some(text.as_str()), Size::Small, Weight::Regular, LEFT, y);
        }
        if wrapped.lines.len() > BELOW {
            put(&mut self.page, "…", Size::Small, Weight::Regular, (RIGHT - 10.0, y));
        }
    }

    /// Turns the page unless `height` is left on it.
    fn room(&mut self, height: f32) {
        if self.y - height < BOTTOM {
            self.turn();
        }
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
        let original = original.map(|whole| self.page.keep(if at == 0 { whole } else { "" }));
        let text = self.page.keep(text);
        self.page.items.push(Item::Text { x, y, size, weight, ink: Ink::Black, text, original });
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

    /// Leaves the rest of this page to the contents.
    fn contents(&mut self) {
        let top = self.y;
        if let Some(page) = self.finished() {
            self.contents = Some((self.number, page, top));
            self.number += 1;
        }
    }

    fn fill_contents(&mut self) {
        let Some((number, mut page, mut y)) = self.contents.take() else { return };
        let marks: Vec<&Mark> = self.marks.iter().filter(|mark| mark.page > number).collect();
        // However many there are: none may be cut off.
        let lines = f32::from(u16::try_from(marks.len()).unwrap_or(u16::MAX)).max(1.0);
        let step = ((y - BOTTOM) / lines).min(20.0);
        for mark in marks {
            let folio = (mark.page + 1).to_string();
            let width = metrics(Weight::Regular).width(&folio, Size::Text.points());
            put(&mut page, &shown(&mark.title), Size::Text, Weight::Regular, (LEFT, y - 10.5));
            put(&mut page, &folio, Size::Text, Weight::Regular, (RIGHT - width, y - 10.5));
            page.items.push(Item::Rule { x: LEFT, y: y - 16.0, length: BODY, ink: Ink::Light });
            let link = Link { x: LEFT, y: y - 16.0, width: BODY, height: 18.0, page: mark.page, top: mark.top };
            page.links.push(link);
            y -= step;
        }
        (self.sink)(number, page);
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
