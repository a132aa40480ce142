//! Tables of text, kept compactly: a register of 200,000 rows must not cost more than its letters.

/// How a column is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    /// A figure, set to the right.
    Number,
    /// A status or delivery word, with its shape before it.
    Marked,
}

/// One column of a table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Column {
    pub title: &'static str,
    pub kind: Kind,
    pub width: Width,
}

/// How wide a column is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Width {
    /// For what is always as long: days, account ids, figures.
    Points(f32),
    /// Of what the others leave, relative to each other.
    Share(f32),
}

/// A column of text.
pub const fn text(title: &'static str, share: f32) -> Column {
    Column { title, kind: Kind::Text, width: Width::Share(share) }
}

/// A column of figures.
pub const fn number(title: &'static str, share: f32) -> Column {
    Column { title, kind: Kind::Number, width: Width::Share(share) }
}

/// A column of status or delivery words.
pub const fn marked(title: &'static str, share: f32) -> Column {
    Column { title, kind: Kind::Marked, width: Width::Share(share) }
}

/// Points of a column that holds a day.
pub const DAY: f32 = 47.0;
/// Points of a column that holds an account id.
pub const ACCOUNT: f32 = 60.0;
/// Points of a column that holds a severity.
pub const SEVERITY: f32 = 68.0;

impl Column {
    /// The same, so many points wide.
    #[must_use]
    pub const fn wide(self, points: f32) -> Self {
        Self { width: Width::Points(points), ..self }
    }
}

/// Rows of text cells under columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    pub columns: Vec<Column>,
    cells: String,
    ends: Vec<usize>,
    /// Lines above rows that belong together, by the first of them, ascending.
    groups: Vec<(usize, String)>,
}

impl Table {
    pub fn new(columns: Vec<Column>) -> Self {
        Self { columns, cells: String::new(), ends: Vec::new(), groups: Vec::new() }
    }

    /// Adds a row. Cells beyond the columns are refused by a panic: a table is made by this crate alone.
    pub fn push<I: IntoIterator>(&mut self, row: I)
    where
        I::Item: AsRef<str>,
    {
        let before = self.ends.len();
        for cell in row {
            self.cells.push_str(cell.as_ref());
            self.ends.push(self.cells.len());
        }
        assert_eq!(self.ends.len() - before, self.columns.len(), "a row has a cell for each column");
    }

    /// Begins a group: the rows that follow stand under this line, which is said again on each page they reach.
    pub fn group(&mut self, title: impl Into<String>) {
        self.groups.push((self.len(), title.into()));
    }

    /// The group that a row is in, and whether it is the first of it.
    pub fn group_of(&self, row: usize) -> Option<(&str, bool)> {
        let at = self.groups.partition_point(|(first, _)| *first <= row).checked_sub(1)?;
        self.groups.get(at).map(|(first, title)| (title.as_str(), *first == row))
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.ends.len() / self.columns.len().max(1)
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The cells of a row.
    pub fn row(&self, at: usize) -> impl Iterator<Item = &str> {
        let first = at * self.columns.len();
        (first..first + self.columns.len()).map(|cell| {
            let start = cell.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
            let end = self.ends.get(cell).copied().unwrap_or(start);
            self.cells.get(start..end).unwrap_or_default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_come_back_as_they_were_put_in() {
        let mut table = Table::new(vec![text("a", 1.0), number("b", 1.0)]);
        table.push(["one", ""]);
        table.push([String::new(), "Ω".to_owned()]);
        assert_eq!(table.len(), 2);
        assert_eq!(table.row(0).collect::<Vec<_>>(), ["one", ""]);
        assert_eq!(table.row(1).collect::<Vec<_>>(), ["", "Ω"]);
    }

    #[test]
    fn a_row_knows_its_group() {
        let mut table = Table::new(vec![text("a", 1.0)]);
        table.push(["before"]);
        table.group("one");
        table.push(["x"]);
        table.push(["y"]);
        table.group("two");
        table.push(["z"]);
        let groups: Vec<_> = (0..4).map(|row| table.group_of(row)).collect();
        assert_eq!(groups, [None, Some(("one", true)), Some(("one", false)), Some(("two", true))]);
    }
}
