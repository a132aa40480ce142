//! Tables: sort links, keyset paging, "rows 1 to 100 of 48,211", the same rows as CSV and JSON.
//!
//! A template writes `{{ table.open() }}`, its `<tr>` rows, `{{ table.close() }}`. A cell of figures has the
//! class `number`; the first cell of a row is `<th scope="row">`.

mod place;

use askama::Template;
use time::Date;

use self::place::MAIN_PLACE;
pub use self::place::{PAGE_ROWS, Place, PlaceNames, Window, cut, key};
use super::address::Address;
use super::format;
use super::parts::html_safe;

/// What a page with one sorted, paged table knows beside its filters.
pub const PLACE_KEYS: [&str; 5] = ["sort", "after", "before", "row", "format"];

/// What orders the main table of a page.
const MAIN_SORT: &str = "sort";

/// A column's head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    pub title: &'static str,
    /// Right-aligned with tabular figures.
    pub number: bool,
    /// The word in `?sort=`, where the column can be sorted on.
    pub sort: Option<&'static str>,
    /// Whether its own order, turned round, is mostly wanted first: the largest figure, the worst.
    pub most_first: bool,
}

/// A column of words.
pub const fn text(title: &'static str) -> Column {
    Column { title, number: false, sort: None, most_first: false }
}

/// A column of figures.
pub const fn number(title: &'static str) -> Column {
    Column { title, number: true, sort: None, most_first: true }
}

impl Column {
    /// That can be sorted on.
    #[must_use]
    pub const fn by(mut self, sort: &'static str) -> Self {
        self.sort = Some(sort);
        self
    }

    #[must_use]
    pub const fn most_first(mut self) -> Self {
        self.most_first = true;
        self
    }
}

/// What a table is sorted on: `?sort=name` or `?sort=-name`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort {
    pub by: &'static str,
    pub descending: bool,
}

impl Sort {
    pub const fn up(by: &'static str) -> Self {
        Self { by, descending: false }
    }

    pub const fn down(by: &'static str) -> Self {
        Self { by, descending: true }
    }

    /// The sort in the address, if one of the columns has it, else the given one.
    pub fn of(address: &Address, columns: &[Column], otherwise: Self) -> Self {
        Self::asked(address, MAIN_SORT, columns).unwrap_or(otherwise)
    }

    /// The sort in the address under a key of its own, for one of several tables of a page.
    pub fn asked(address: &Address, key: &str, columns: &[Column]) -> Option<Self> {
        let asked = address.get(key)?;
        let (name, descending) = asked.strip_prefix('-').map_or((asked, false), |name| (name, true));
        let by = columns.iter().filter_map(|column| column.sort).find(|sort| *sort == name)?;
        Some(Self { by, descending })
    }

    fn word(self) -> String {
        format!("{}{}", if self.descending { "-" } else { "" }, self.by)
    }
}

/// A table around its rows.
#[derive(Debug, Clone)]
pub struct Table {
    /// An id for links to it, unique on the page.
    pub id: &'static str,
    pub caption: String,
    pub columns: Vec<Column>,
    pub sort: Option<Sort>,
    /// The parameter that orders it.
    sort_key: &'static str,
    /// Those that page it by keys; `None` while it is not.
    place_names: Option<PlaceNames>,
    /// The page's address; sort and paging links change only their own parameters.
    pub address: Address,
    /// Number of the first row shown, from 1.
    pub first_row: i64,
    /// Rows shown.
    pub shown: i64,
    /// Rows that the filters leave.
    pub total: i64,
    /// Where no more rows than these were counted: a larger total only says that there are more.
    counted_to: i64,
    /// The day the rows are as of, where they are.
    pub as_of: Option<Date>,
    /// The table's first page.
    pub first: Address,
    pub previous: Option<Address>,
    pub next: Option<Address>,
    /// Where the same rows are offered as CSV, JSON and JSON lines: this address, with a format.
    pub formats: Option<Address>,
    /// Whether the page says how its figures are known.
    pub provenance: bool,
}

impl Table {
    /// A table whose rows are all on the page.
    pub fn whole(
        id: &'static str,
        caption: impl Into<String>,
        columns: &[Column],
        address: &Address,
        rows: usize,
    ) -> Self {
        let rows = i64::try_from(rows).unwrap_or(i64::MAX);
        Self {
            id,
            caption: caption.into(),
            columns: columns.to_vec(),
            sort: None,
            sort_key: MAIN_SORT,
            place_names: None,
            address: address.clone(),
            first_row: 1,
            shown: rows,
            total: rows,
            as_of: None,
            first: address.clone(),
            counted_to: i64::MAX,
            previous: None,
            next: None,
            formats: None,
            provenance: true,
        }
    }

    #[must_use]
    pub fn sorted(mut self, sort: Sort) -> Self {
        self.sort = Some(sort);
        self
    }

    /// One of several tables of a page, ordered by a parameter of its own.
    #[must_use]
    pub fn sorted_by(mut self, key: &'static str, sort: Option<Sort>) -> Self {
        self.sort_key = key;
        self.sort = sort;
        self
    }

    /// Paged by parameters of its own; then [`Table::paged`].
    #[must_use]
    pub fn placed_by(mut self, names: PlaceNames) -> Self {
        self.place_names = Some(names);
        self
    }

    #[must_use]
    pub fn as_of(mut self, day: Date) -> Self {
        self.as_of = Some(day);
        self
    }

    /// With links to the same rows as CSV, JSON and JSON lines.
    #[must_use]
    pub fn with_formats(mut self) -> Self {
        self.formats = Some(self.address.start());
        self
    }

    /// The same for one of several tables of a page, which `?rows=` names.
    #[must_use]
    pub fn with_formats_of(mut self, rows: &str) -> Self {
        self.formats = Some(self.address.start().with("rows", rows));
        self
    }

    /// A page of rows that are counted: those from the one that `?key=` names.
    #[must_use]
    pub fn windowed(mut self, window: &Window) -> Self {
        let rows = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        self.first_row = rows(window.from) + 1;
        self.shown = rows(window.to - window.from);
        self.total = rows(window.total);
        let base = self.address.without(&["format", "rows"]);
        self.previous = (window.from > 0).then(|| base.with(window.key, window.from.saturating_sub(window.size) + 1));
        self.next = (window.to < window.total).then(|| base.with(window.key, window.to + 1));
        self.first = base.without(&[window.key]);
        self
    }

    /// Rows were counted up to so many; before [`Table::paged`], whose total is larger where there are more.
    #[must_use]
    pub fn counted_to(mut self, most: i64) -> Self {
        self.counted_to = most;
        self
    }

    /// With paging. `first` and `last` are the keys of the first and last row shown; `more` says whether rows
    /// follow in the direction that was asked (ask for one row more than [`PAGE_ROWS`] to know).
    #[must_use]
    pub fn paged(mut self, place: &Place, first: Option<String>, last: Option<String>, more: bool, total: i64) -> Self {
        let PlaceNames { after, before, row } = *self.place_names.get_or_insert(MAIN_PLACE);
        let asked = self.address.get(row).and_then(|row| row.parse::<i64>().ok()).unwrap_or(1);
        self.first_row = if *place == Place::First {
            1
        } else {
            asked.clamp(1, if total > self.counted_to { i64::MAX - PAGE_ROWS } else { total.max(1) })
        };
        self.total = total;
        let (earlier, later) = match place {
            Place::First => (false, more),
            Place::After(_) => (true, more),
            Place::Before(_) => (more, true),
        };
        let base = self.unplaced();
        self.first = base.clone();
        self.previous =
            first.filter(|_| earlier).map(|key| base.with(before, key).with(row, (self.first_row - PAGE_ROWS).max(1)));
        self.next = last.filter(|_| later).map(|key| base.with(after, key).with(row, self.first_row + self.shown));
        self
    }

    /// The head of one column, by its number from 0: for tables with heads that are no words.
    pub fn head(&self, column: usize) -> TableHead<'_> {
        self.head_of(&self.columns[column])
    }

    fn head_of<'a>(&'a self, column: &'a Column) -> TableHead<'a> {
        TableHead { table: self, column }
    }

    /// The page's address with this table at its beginning: where it is one of several, the others stay where they are.
    fn unplaced(&self) -> Address {
        if self.sort_key == MAIN_SORT {
            return self.address.start();
        }
        let base = self.address.without(&["format", "rows", self.id]);
        match self.place_names {
            Some(PlaceNames { after, before, row }) => base.without(&[after, before, row]),
            None => base,
        }
    }

    pub fn open(&self) -> TableOpen<'_> {
        TableOpen { table: self }
    }

    pub fn close(&self) -> TableClose<'_> {
        TableClose { table: self }
    }

    /// "Rows 1 to 100 of 48,211 as of 22 Nov 2026 (UTC)".
    pub fn rows(&self) -> String {
        let as_of = self.as_of.map(|day| format!(" as of {} (UTC)", format::day(day))).unwrap_or_default();
        if self.shown == 0 {
            return format!("No rows{as_of}");
        }
        if self.shown == self.total {
            return format!(
                "{}{as_of}",
                if self.total == 1 { "1 row".to_owned() } else { format!("All {} rows", format::count(self.total)) }
            );
        }
        let last = self.first_row + self.shown - 1;
        let more = if self.total > self.counted_to { "more than " } else { "" };
        format!(
            "Rows {} to {} of {more}{}{as_of}",
            format::count(self.first_row),
            format::count(last),
            format::count(self.total.min(self.counted_to))
        )
    }

    fn aria_sort(&self, column: &Column) -> Option<&'static str> {
        let sort = self.sort?;
        (column.sort == Some(sort.by)).then_some(if sort.descending { "descending" } else { "ascending" })
    }

    fn descending(&self) -> bool {
        self.sort.is_some_and(|sort| sort.descending)
    }

    pub(super) fn sort_href(&self, by: &'static str) -> String {
        let descending = match self.sort {
            Some(sort) if sort.by == by => !sort.descending,
            _ => self.columns.iter().any(|column| column.sort == Some(by) && column.most_first),
        };
        let address = self.unplaced().with(self.sort_key, Sort { by, descending }.word());
        // Where the page has several, the reader stays at this one.
        if self.sort_key == MAIN_SORT { address.to_string() } else { format!("{address}#{}", self.id) }
    }
}

/// Everything of a table before its rows.
#[derive(Debug, Template)]
#[template(path = "parts/table_open.html")]
pub struct TableOpen<'a> {
    table: &'a Table,
}

/// The head of a column, with what sorts the table by it.
#[derive(Debug, Template)]
#[template(path = "parts/table_head.html")]
pub struct TableHead<'a> {
    table: &'a Table,
    column: &'a Column,
}

/// Everything of a table after its rows.
#[derive(Debug, Template)]
#[template(path = "parts/table_close.html")]
pub struct TableClose<'a> {
    table: &'a Table,
}

html_safe!(TableOpen<'_>, TableHead<'_>, TableClose<'_>);

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    const COLUMNS: [Column; 2] = [text("Rule").by("rule"), number("Failing").by("failing")];

    #[test]
    fn only_a_column_that_can_be_sorted_on_is_taken_from_the_address() {
        let of = |query| Sort::of(&Address::parse("/rules", query), &COLUMNS, Sort::up("rule"));
        assert_eq!(of("sort=-failing"), Sort::down("failing"));
        assert_eq!(of("sort=failing"), Sort::up("failing"));
        assert_eq!(of("sort=name;drop"), Sort::up("rule"));
        assert_eq!(of(""), Sort::up("rule"));
    }

    #[test]
    fn paging_keeps_filters_and_counts_rows() {
        let address = Address::parse("/rules", "q=s3&as_of=2026-11-22");
        let mut table = Table::whole("rules", "Rules", &COLUMNS, &address, 100);
        table = table.paged(&Place::First, Some(key(&["a"])), Some(key(&["b"])), true, 250);
        assert_eq!(table.rows(), "Rows 1 to 100 of 250");
        assert_eq!(table.previous, None);
        let next = table.next.expect("more rows follow");
        assert_eq!(next.get("q"), Some("s3"));
        assert_eq!(Place::of(&next, 1).unwrap(), Place::After(vec!["b".to_owned()]));

        let mut second = Table::whole("rules", "Rules", &COLUMNS, &next, 100);
        second = second.paged(&Place::of(&next, 1).unwrap(), Some(key(&["c"])), Some(key(&["d"])), true, 250);
        assert_eq!(second.rows(), "Rows 101 to 200 of 250");
        let back = second.previous.expect("rows come before");
        assert_eq!(Place::of(&back, 1).unwrap(), Place::Before(vec!["c".to_owned()]));
        assert_eq!(back.get("row"), Some("1"));
    }

    #[test]
    fn what_was_not_counted_to_its_end_is_said_to_be_more() {
        let address = Address::parse("/audit-log", "after=[\"b\"]&row=20001");
        let table = Table::whole("log", "Log", &COLUMNS, &address, 100).counted_to(10_000);
        let paged = |total| table.clone().paged(&Place::of(&address, 1).unwrap(), None, None, true, total).rows();
        assert_eq!(paged(10_001), "Rows 20,001 to 20,100 of more than 10,000");
        assert_eq!(paged(10_000), "Rows 10,000 to 10,099 of 10,000", "as ever");
    }

    #[test]
    fn one_of_several_tables_is_paged_by_parameters_of_its_own() {
        let names = PlaceNames { after: "packs-after", before: "packs-before", row: "packs-row" };
        let address = Address::parse("/rules", "after=[\"x\"]&row=101&packs-sort=rule");
        let table = |address: &Address| {
            let sort = Some(Sort::up("rule"));
            Table::whole("packs", "Packs", &COLUMNS, address, 100).sorted_by("packs-sort", sort).placed_by(names)
        };
        let first =
            table(&address).paged(&Place::under(&address, names, 1).unwrap(), None, Some(key(&["b"])), true, 250);
        let next = first.next.clone().unwrap();
        assert_eq!(Place::under(&next, names, 1).unwrap(), Place::After(vec!["b".to_owned()]));
        assert_eq!(Place::of(&next, 1).unwrap(), Place::After(vec!["x".to_owned()]), "the other table stays");
        assert_eq!((next.get("row"), next.get("packs-row")), (Some("101"), Some("101")));
        let html = table(&next).open().to_string();
        assert!(html.contains("packs-sort=-rule#packs") && !html.contains("packs-after"), "{html}");
    }
}
