//! Lists that are wholly in memory: sorted by any column, a window of their rows shown, all of them as CSV, JSON and
//! JSON lines. One definition says what a column is called, what its exact value is and how it is ordered.
//!
//! A list with the id `never` is turned to its 51st row by `?never=51`, sorted by `?never-sort=-region` (the key is
//! given, so that the page can name what it knows) and downloaded by `?rows=never&format=csv`.

use std::borrow::Borrow;
use std::cmp::Ordering;

use actix_web::HttpResponse;

use super::address::Address;
use super::download::{Cell, Format, download};
use super::table::{Column, Sort, Table, Window, number, text};
use crate::error::Error;

/// One value of each row.
#[derive(Debug)]
pub struct Field<T: ?Sized> {
    /// In downloads and in the address.
    name: &'static str,
    /// `None` is in downloads alone.
    head: Option<Column>,
    cell: fn(&T) -> Cell,
    /// Where rows are not in the order of their exact values: a severity, a state.
    order: fn(&T) -> Cell,
}

impl<T: ?Sized> Field<T> {
    /// A column of words.
    pub fn text(title: &'static str, name: &'static str, cell: fn(&T) -> Cell) -> Self {
        Self { name, head: Some(text(title).by(name)), cell, order: cell }
    }

    /// A column of figures.
    pub fn number(title: &'static str, name: &'static str, cell: fn(&T) -> Cell) -> Self {
        Self { name, head: Some(number(title).by(name)), cell, order: cell }
    }

    /// What downloads have and the page has not, or shows in another column.
    pub fn unseen(name: &'static str, cell: fn(&T) -> Cell) -> Self {
        Self { name, head: None, cell, order: cell }
    }

    /// In the order of another value than the one that is written.
    #[must_use]
    pub fn ordered(mut self, order: fn(&T) -> Cell) -> Self {
        self.order = order;
        self
    }

    /// Whose own order, turned round, is mostly wanted first.
    #[must_use]
    pub fn most_first(mut self) -> Self {
        self.head = self.head.map(Column::most_first);
        self
    }
}

/// What a list is, apart from its rows.
#[derive(Debug)]
pub struct List<T: ?Sized> {
    /// Of the table on the page, and in the address: the first row that is shown, and which rows are wanted.
    id: &'static str,
    sort: &'static str,
    size: usize,
    fields: Vec<Field<T>>,
}

impl<T: ?Sized> List<T> {
    /// `sort` is the parameter that orders it, `size` the most rows on a page. A page whose addresses are checked
    /// knows `id`, `sort`, `rows` and `format`.
    pub fn new(id: &'static str, sort: &'static str, size: usize, fields: Vec<Field<T>>) -> Self {
        Self { id, sort, size, fields }
    }

    /// Whether the address asks for these rows as a file.
    pub fn is_asked_for(&self, address: &Address) -> bool {
        address.get("rows") == Some(self.id)
    }

    /// The rows in the order of the address (else as they came) and of those the ones to show, with their table.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the address names no row.
    pub fn table<R: Borrow<T>>(
        &self,
        address: &Address,
        caption: impl Into<String>,
        mut rows: Vec<R>,
    ) -> Result<(Vec<R>, Table), Error> {
        let sort = self.sort(address, &mut rows);
        let window = Window::of(address, self.id, self.size, rows.len())?;
        let shown: Vec<R> = rows.drain(window.from..window.to).collect();
        let columns: Vec<Column> = self.fields.iter().filter_map(|field| field.head).collect();
        let table = Table::whole(self.id, caption, &columns, address, shown.len())
            .sorted_by(self.sort, sort)
            .windowed(&window)
            .with_formats_of(self.id);
        Ok((shown, table))
    }

    /// Every row in the order of the address.
    pub fn all<R: Borrow<T>>(&self, address: &Address, mut rows: Vec<R>) -> Vec<R> {
        self.sort(address, &mut rows);
        rows
    }

    /// The same as a file.
    pub fn download<R: Borrow<T>>(
        &self,
        format: Format,
        stem: &str,
        address: &Address,
        mut rows: Vec<R>,
    ) -> HttpResponse {
        self.sort(address, &mut rows);
        let names: Vec<&'static str> = self.fields.iter().map(|field| field.name).collect();
        let cells: Vec<Vec<Cell>> =
            rows.iter().map(|row| self.fields.iter().map(|field| (field.cell)(row.borrow())).collect()).collect();
        download(format, stem, names, |mut rows| async move {
            for row in cells {
                rows.push(row).await?;
            }
            Ok(rows)
        })
    }

    fn sort<R: Borrow<T>>(&self, address: &Address, rows: &mut Vec<R>) -> Option<Sort> {
        let columns: Vec<Column> = self.fields.iter().filter_map(|field| field.head).collect();
        let sort = Sort::asked(address, self.sort, &columns)?;
        let order = self.fields.iter().find(|field| field.name == sort.by)?.order;
        let mut keyed: Vec<(Cell, R)> = rows.drain(..).map(|row| (order(row.borrow()), row)).collect();
        keyed.sort_by(|(a, _), (b, _)| compare(a, b, sort.descending));
        rows.extend(keyed.into_iter().map(|(_, row)| row));
        Some(sort)
    }
}

/// The order of two values of a column. What is not there stands last in either direction.
fn compare(a: &Cell, b: &Cell, descending: bool) -> Ordering {
    let order = match (a, b) {
        (Cell::Nothing, Cell::Nothing) => Ordering::Equal,
        (Cell::Nothing, _) => return Ordering::Greater,
        (_, Cell::Nothing) => return Ordering::Less,
        (Cell::Number(a), Cell::Number(b)) => a.cmp(b),
        (Cell::Day(a), Cell::Day(b)) => a.cmp(b),
        (Cell::Moment(a), Cell::Moment(b)) => a.cmp(b),
        (Cell::Flag(a), Cell::Flag(b)) => a.cmp(b),
        (Cell::Text(a) | Cell::Json(a), Cell::Text(b) | Cell::Json(b)) => a.cmp(b),
        // A column has one kind of value.
        _ => Ordering::Equal,
    };
    if descending { order.reverse() } else { order }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    struct Row {
        region: &'static str,
        days: Option<i64>,
    }

    fn list() -> List<Row> {
        let fields = vec![
            Field::text("Region", "region", |row: &Row| row.region.into()),
            Field::number("Days", "days", |row| row.days.into()),
            Field::unseen("twice", |row| row.days.map(|days| days * 2).into()),
        ];
        List::new("never", "never-sort", 2, fields)
    }

    const ROWS: [Row; 3] = [
        Row { region: "us-east-1", days: Some(3) },
        Row { region: "eu-west-1", days: None },
        Row { region: "eu-north-1", days: Some(20) },
    ];

    fn shown(query: &str) -> (Vec<&'static str>, Table) {
        let address = Address::parse("/delivery", query);
        let (rows, table) = list().table(&address, "Never", Vec::from(ROWS)).unwrap();
        (rows.iter().map(|row| row.region).collect(), table)
    }

    #[test]
    fn rows_stay_as_they_came_until_a_column_is_asked_for() {
        assert_eq!(shown("").0, ["us-east-1", "eu-west-1"]);
        assert_eq!(shown("never-sort=region").0, ["eu-north-1", "eu-west-1"]);
        assert_eq!(shown("never-sort=-region&never=3").0, ["eu-north-1"]);
        assert_eq!(shown("sort=region").0, ["us-east-1", "eu-west-1"], "another table's order");
        assert_eq!(shown("never-sort=twice").0, ["us-east-1", "eu-west-1"], "no column of the page");
    }

    #[test]
    fn what_is_not_there_stands_last_in_either_direction() {
        assert_eq!(shown("never-sort=days").0, ["us-east-1", "eu-north-1"]);
        assert_eq!(shown("never-sort=-days").0, ["eu-north-1", "us-east-1"]);
        assert_eq!(shown("never-sort=-days&never=3").0, ["eu-west-1"]);
    }

    #[test]
    fn a_second_stands_before_its_own_fractions() {
        use time::macros::datetime;
        let (whole, half) = (datetime!(2026-11-10 05:00:10 UTC), datetime!(2026-11-10 05:00:10.5 UTC));
        assert_eq!(compare(&whole.into(), &half.into(), false), Ordering::Less);
        assert_eq!(compare(&whole.into(), &half.into(), true), Ordering::Greater);
        assert_eq!(compare(&Cell::Nothing, &half.into(), true), Ordering::Greater);
    }

    #[test]
    fn links_of_the_table_keep_what_the_others_show() {
        let (_, table) = shown("never=3&gaps=51&never-sort=days&after=%5B%22x%22%5D&row=101");
        assert_eq!(table.rows(), "Rows 3 to 3 of 3");
        let beside = "gaps=51&never-sort=days&after=%5B%22x%22%5D&row=101";
        assert_eq!(table.previous.clone().unwrap().to_string(), format!("/delivery?never=1&{beside}"));
        let beside = beside.replace("=days", "=-days");
        assert_eq!(table.sort_href("days"), format!("/delivery?{beside}#never"), "only this list begins anew");
        let html = table.open().to_string();
        assert!(html.contains("aria-sort=\"ascending\""), "{html}");
        assert!(!html.contains("Twice"));
        let html = table.close().to_string();
        assert!(html.contains("rows=never&#38;format=csv") || html.contains("rows=never&amp;format=csv"), "{html}");
    }
}
