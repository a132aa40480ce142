//! Keyset paging in Postgres of a list that can be sorted on several columns: where a page begins is what the row beside
//! it holds in the sorted column, and its id. No row is skipped by counting, so the last page costs what the first does.

use sqlx::{AssertSqlSafe, FromRow};

use super::table::{self, Place, Sort};
use crate::error::Error;

/// How a column is ordered, and how its value stands in the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// By code point.
    Text,
    /// `bigint`.
    Number,
    /// `timestamptz`, in the address as microseconds since 1970.
    Moment,
}

/// A column that a list can be sorted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    /// The word in `?sort=`.
    pub name: &'static str,
    /// SQL over the list's tables, never null: where the order is to say nothing, null becomes what stands first.
    pub expression: &'static str,
    pub kind: Kind,
}

/// A row of a sorted list.
#[derive(Debug, Clone, FromRow)]
pub struct Keyed<T> {
    #[sqlx(flatten)]
    pub row: T,
    /// What it holds in the sorted column.
    pub sort_key: String,
}

impl<T> Keyed<T> {
    /// Its place in the list as it stands in the address; `id` is the row's.
    pub fn key(&self, id: &impl ToString) -> String {
        table::key(&[self.sort_key.clone(), id.to_string()])
    }
}

/// A page's place in a sorted list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keyset {
    order: Order,
    descending: bool,
    backwards: bool,
    /// What the row beside the page holds in the sorted column, and its id.
    beside: Option<(String, String)>,
}

impl Keyset {
    /// The first page.
    pub const fn first(order: Order, descending: bool) -> Self {
        Self { order, descending, backwards: false, beside: None }
    }

    /// The page that an address asks for, of a list whose ids are whole numbers or, `words`, anything.
    pub fn of(orders: &[Order], sort: Sort, place: &Place, words: bool) -> Result<Self, Error> {
        let order = orders.iter().find(|order| order.name == sort.by).ok_or_else(strange)?;
        let first = Self::first(*order, sort.descending);
        let (Place::After(parts) | Place::Before(parts)) = place else { return Ok(first) };
        let [value, id] = parts.as_slice() else { return Err(strange()) };
        let number = |text: &str| text.parse::<i64>().is_ok();
        let fits = (order.kind == Kind::Text || number(value)) && (words || number(id));
        if !fits || value.contains('\0') || id.contains('\0') {
            return Err(strange());
        }
        let beside = Some((value.clone(), id.clone()));
        Ok(Self { backwards: matches!(place, Place::Before(_)), beside, ..first })
    }

    /// The same list, after a row.
    #[must_use]
    pub fn after(mut self, value: String, id: String) -> Self {
        self.beside = Some((value, id));
        self
    }

    /// Value and id that the statement of [`Keyset::select`] is bound to as `$1` and `$2`; both null at the first page.
    pub fn bounds(&self) -> (Option<&str>, Option<&str>) {
        self.beside.as_ref().map_or((None, None), |(value, id)| (Some(value), Some(id)))
    }

    /// The statement that reads the page: `select` and its columns, `from` with a `where`, the id's column and its
    /// type. Each row has its value in the sorted column as `sort_key` besides. `$1` and `$2` are [`Keyset::bounds`],
    /// `$3` the most rows.
    pub fn select(&self, columns: &str, from: &str, id: &str, id_type: &str) -> AssertSqlSafe<String> {
        let expression = self.order.expression;
        let (key, bound, collate) = match self.order.kind {
            Kind::Text => (format!("({expression})"), "$1::text".to_owned(), " collate \"C\""),
            Kind::Number => (format!("({expression})::text"), "$1::text::bigint".to_owned(), ""),
            // Microseconds are exact: seconds as a floating-point number would not find the row again.
            Kind::Moment => (
                format!("(extract(epoch from {expression}) * 1000000)::bigint::text"),
                "timestamptz 'epoch' + $1::text::bigint * interval '1 microsecond'".to_owned(),
                "",
            ),
        };
        let down = self.descending != self.backwards;
        let (sign, way) = if down { ("<", " desc") } else { (">", "") };
        // Without a bound a row is never beside it; the planner sees only one of the two.
        let beyond = match self.beside {
            Some(_) => format!("(({expression}){collate}, {id}) {sign} ({bound}, $2::text::{id_type})"),
            None => "$1::text is null and $2::text is null".to_owned(),
        };
        AssertSqlSafe(format!(
            "select {columns}, {key} as sort_key from {from} and {beyond}
             order by ({expression}){collate}{way}, {id}{way} limit $3"
        ))
    }
}

fn strange() -> Error {
    Error::Invalid("The place in the table is not one of its own links. Start from its first page.".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDERS: [Order; 2] = [
        Order { name: "title", expression: "title", kind: Kind::Text },
        Order { name: "rows", expression: "rows", kind: Kind::Number },
    ];

    fn of(sort: Sort, place: &Place) -> Result<Keyset, Error> {
        Keyset::of(&ORDERS, sort, place, false)
    }

    #[test]
    fn a_place_that_no_row_can_have_is_refused() {
        let after = |value: &str, id: &str| Place::After(vec![value.to_owned(), id.to_owned()]);
        assert!(of(Sort::up("title"), &after("=1", "7")).is_ok());
        assert!(of(Sort::up("rows"), &after("12", "7")).is_ok());
        for (sort, value, id) in
            [("rows", "twelve", "7"), ("title", "x", "seven"), ("title", "x\0", "7"), ("id); drop", "1", "7")]
        {
            assert!(of(Sort { by: sort, descending: false }, &after(value, id)).is_err(), "{sort} {value} {id}");
        }
    }

    #[test]
    fn the_page_before_is_read_against_the_order() {
        let before = Place::Before(vec!["12".to_owned(), "7".to_owned()]);
        let keyset = of(Sort::down("rows"), &before).expect("it is a place");
        let statement = keyset.select("title", "list where true", "id", "bigint").0;
        assert!(statement.contains("((rows), id) > ($1::text::bigint, $2::text::bigint)"), "{statement}");
        assert!(statement.contains("order by (rows), id limit"), "{statement}");
        assert_eq!(keyset.bounds(), (Some("12"), Some("7")));
    }
}
