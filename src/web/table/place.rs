//! Where in a table a page begins: after or before a key where rows are found by it, at a row's number where they are
//! counted.

use crate::error::Error;
use crate::web::Address;

/// Rows on a page of a table.
pub const PAGE_ROWS: i64 = 100;

/// The parameters that say where in a keyset-paged table a page begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlaceNames {
    pub after: &'static str,
    pub before: &'static str,
    pub row: &'static str,
}

/// Those of the main table of a page.
pub(super) const MAIN_PLACE: PlaceNames = PlaceNames { after: "after", before: "before", row: "row" };

/// Where in a keyset-paged table a page begins: the sort key of the row beside it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Place {
    #[default]
    First,
    /// The rows that follow this key.
    After(Vec<String>),
    /// The rows that come before this key: ask for them in reverse order and turn them round.
    Before(Vec<String>),
}

impl Place {
    /// From `?after=` or `?before=`; keys have so many parts.
    pub fn of(address: &Address, parts: usize) -> Result<Self, Error> {
        Self::under(address, MAIN_PLACE, parts)
    }

    /// Likewise, of one of several tables of a page.
    pub fn under(address: &Address, names: PlaceNames, parts: usize) -> Result<Self, Error> {
        let key = |name| -> Result<Option<Vec<String>>, Error> {
            let Some(text) = address.get(name) else {
                return Ok(None);
            };
            let key: Vec<String> = serde_json::from_str(text).unwrap_or_default();
            if key.len() == parts {
                Ok(Some(key))
            } else {
                Err(Error::Invalid(
                    "The place in the table is not one of its own links. Start from its first page.".to_owned(),
                ))
            }
        };
        Ok(match (key(names.after)?, key(names.before)?) {
            (Some(key), _) => Self::After(key),
            (None, Some(key)) => Self::Before(key),
            (None, None) => Self::First,
        })
    }
}

/// Brings rows that were asked for at a place (one more than [`PAGE_ROWS`], in reverse order before a key) into the
/// order of the table, and says whether more follow in the direction that was asked.
pub fn cut<T>(rows: &mut Vec<T>, place: &Place) -> bool {
    let most = usize::try_from(PAGE_ROWS).unwrap_or(usize::MAX);
    let more = rows.len() > most;
    rows.truncate(most);
    if matches!(place, Place::Before(_)) {
        rows.reverse();
    }
    more
}

/// A key as it stands in the address.
pub fn key<T: ToString>(parts: &[T]) -> String {
    let parts: Vec<String> = parts.iter().map(ToString::to_string).collect();
    serde_json::Value::from(parts).to_string()
}

/// The rows of a list that a page of its table shows, where rows are found by their number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    pub(super) key: &'static str,
    pub(super) size: usize,
    pub(super) total: usize,
    pub from: usize,
    /// The row after the last.
    pub to: usize,
}

impl Window {
    /// At most `size` rows from the one that `?key=` names, counted from 1. A number past the end means the last page:
    /// the list may have become shorter since the link was made.
    pub fn of(address: &Address, key: &'static str, size: usize, total: usize) -> Result<Self, Error> {
        let first = match address.get(key) {
            None => 1,
            Some(text) => text.parse::<usize>().ok().filter(|row| *row >= 1).ok_or_else(|| {
                Error::Invalid(
                    "The place in the table is not one of its own links. Start from its first page.".to_owned(),
                )
            })?,
        };
        let last_page = total.saturating_sub(1) / size * size;
        let from = if first > total { last_page } else { first - 1 };
        Ok(Self { key, size, total, from, to: from.saturating_add(size).min(total) })
    }

    pub fn rows<'a, T>(&self, all: &'a [T]) -> &'a [T] {
        all.get(self.from..self.to).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::web::table::{Column, Table, number, text};

    const COLUMNS: [Column; 2] = [text("Rule").by("rule"), number("Failing").by("failing")];

    #[test]
    fn a_window_past_the_end_is_the_last_page() {
        let of = |query: &str, total| Window::of(&Address::parse("/delivery", query), "gaps", 50, total);
        let range = |query: &str, total| of(query, total).map(|window| (window.from, window.to)).unwrap();
        assert_eq!(range("", 120), (0, 50));
        assert_eq!(range("gaps=101", 120), (100, 120));
        assert_eq!(range("gaps=51", 7), (0, 7));
        assert_eq!(range("gaps=400", 100), (50, 100));
        assert_eq!(range("gaps=51", 0), (0, 0));
        assert!(of("gaps=0", 120).is_err() && of("gaps=x", 120).is_err());
        let address = Address::parse("/delivery", "gaps=51&places=101&state=missing");
        let table = Table::whole("gaps", "Gaps", &COLUMNS, &address, 0);
        let table = table.windowed(&Window::of(&address, "gaps", 50, 120).unwrap());
        assert_eq!(table.rows(), "Rows 51 to 100 of 120");
        assert_eq!(table.next.unwrap().to_string(), "/delivery?gaps=101&places=101&state=missing");
        assert_eq!(table.previous.unwrap().get("gaps"), Some("1"));
    }

    #[test]
    fn a_place_that_is_no_link_of_the_table_is_refused() {
        let address = Address::parse("/rules", "after=%5B%22a%22%5D");
        assert!(Place::of(&address, 1).is_ok());
        assert!(matches!(Place::of(&address, 2), Err(Error::Invalid(_))));
        assert!(matches!(Place::of(&Address::parse("/rules", "after=x"), 1), Err(Error::Invalid(_))));
    }
}
