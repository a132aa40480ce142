//! The setting of tables: columns, repeated header rows, groups, rows taller than a page.

use super::{BODY, BOTTOM, LEFT, PAD_X, PAD_Y, Setter, copies_as, line_count};
use crate::packs::layout::font::{Weight, metrics};
use crate::packs::layout::page::{Ink, Item, Size};
use crate::packs::layout::table::{Column, Kind, Table, Width};
use crate::packs::layout::text::{Wrapped, wrap};

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
    pub(super) fn table(&mut self, caption: &str, table: &Table) {
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
        let group = table.group_of(at);
        let title = group.map(|(title, _)| group_lines(title));
        let above = title.as_ref().filter(|_| group.is_some_and(|(_, first)| first)).map_or(0.0, group_height);
        if self.y - height - above < BOTTOM {
            self.turn();
            self.header(table, places);
            self.group(group, title.as_ref());
        } else if above > 0.0 {
            self.group(group, title.as_ref());
        }
        self.page.rows += 1;
        let mut first = 0;
        while first < deepest {
            let last = first + lines_that_fit(self.y - 2.0 * PAD_Y - BOTTOM, size.leading()).min(deepest - first);
            self.row_part(table, places, &cells, first..last);
            first = last;
            if first < deepest {
                self.turn();
                self.header(table, places);
                self.group(group, title.as_ref());
            }
        }
    }

    /// The line above rows that belong together; said again at the top of each page that they reach.
    fn group(&mut self, group: Option<(&str, bool)>, lines: Option<&Wrapped>) {
        let (Some((title, _)), Some(lines)) = (group, lines) else { return };
        let size = Size::Small;
        self.y -= PAD_Y + GROUP;
        let original = (lines.lines.len() > 1 || !copies_as(lines, title)).then_some(title);
        for at in 0..lines.lines.len() {
            let baseline = self.y - size.points() * 1.05;
            self.line(lines, at, original, size, Weight::Bold, LEFT + PAD_X, baseline);
            self.y -= size.leading();
        }
        self.y -= PAD_Y;
        self.page.items.push(Item::Rule { x: LEFT, y: self.y, length: BODY, ink: Ink::Grey });
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

/// White above a group's line, beside the padding.
const GROUP: f32 = 4.0;

fn group_lines(title: &str) -> Wrapped<'_> {
    wrap(title, Weight::Bold, Size::Small.points(), BODY - 2.0 * PAD_X)
}

fn group_height(lines: &Wrapped) -> f32 {
    line_count(lines) * Size::Small.leading() + 2.0 * PAD_Y + GROUP
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
