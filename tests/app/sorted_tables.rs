//! Walks a table in each order that its heads offer: the page, its JSON and its CSV have the same rows in the same order.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use auditfolio::web::Address;
use serde_json::Value;

use crate::portal::{Reader, links, texts};

/// A table of a page.
pub(crate) struct Shown<'a> {
    pub(crate) address: &'a str,
    /// Its id.
    pub(crate) table: &'a str,
    /// What tells a row on the page: a selector below the table's body.
    pub(crate) cell: &'a str,
    /// The same in the rows as JSON.
    pub(crate) key: fn(&Value) -> String,
    /// Columns whose order is not that of what is written.
    pub(crate) own_order: &'a [&'a str],
}

fn with(address: &str, pairs: &[(&str, &str)]) -> String {
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    pairs.iter().fold(Address::parse(path, query), |address, (key, value)| address.with(key, value)).to_string()
}

/// A name as a page shows it: white space is one blank.
pub(crate) fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A value of a row, as text.
pub(crate) fn text(row: &Value, name: &str) -> String {
    match &row[name] {
        Value::String(text) => words(text),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

impl Shown<'_> {
    /// Every row's cell, page after page.
    async fn cells(&self, reader: &Reader, address: &str) -> Vec<String> {
        let mut address = address.to_owned();
        let mut cells = Vec::new();
        loop {
            let html = reader.page(&address).await;
            cells.extend(texts(&html, &format!("#{} tbody {}", self.table, self.cell)));
            let next = links(&html, &format!("nav a[rel=next][href$='#{}']", self.table));
            let Some(next) = next.first() else { return cells };
            next.split('#').next().unwrap().clone_into(&mut address);
        }
    }

    /// Checks every order in both directions and gives the columns that it can be sorted on.
    pub(crate) async fn check(&self, reader: &Reader) -> BTreeSet<String> {
        let heads = links(&reader.page(self.address).await, &format!("#{} thead a", self.table));
        assert!(!heads.is_empty(), "{} #{} cannot be sorted", self.address, self.table);
        let mut columns = BTreeSet::new();
        let usual = self.cells(reader, self.address).await;
        assert!(!usual.is_empty(), "{} #{} has no rows: this shows nothing", self.address, self.table);
        for head in heads {
            let (path, query) = head.split('#').next().unwrap().split_once('?').unwrap();
            let head = Address::parse(path, query);
            let (sort, column) = head.pairs().iter().find(|(key, _)| key.ends_with("sort")).unwrap();
            let column = column.trim_start_matches('-');
            for (sign, turned) in [("", false), ("-", true)] {
                let sorted = with(self.address, &[(sort, &format!("{sign}{column}"))]);
                let cells = self.cells(reader, &sorted).await;
                let rows = reader.json(&with(&sorted, &[("rows", self.table), ("format", "json")])).await;
                let keys: Vec<String> = rows.iter().map(self.key).collect();
                assert_eq!(cells, keys, "{sorted}: the page and its JSON");
                let (mut all, mut same) = (cells.clone(), usual.clone());
                all.sort();
                same.sort();
                assert_eq!(all, same, "{sorted}: each row once, whatever the order");
                if !self.own_order.contains(&column) {
                    let values: Vec<&Value> = rows.iter().map(|row| &row[column]).collect();
                    let in_order = values.windows(2).all(|pair| order(pair[0], pair[1], turned).is_le());
                    assert!(in_order, "{sorted}: {values:?}");
                }
                self.check_csv(reader, &sorted, &rows).await;
            }
            columns.insert(column.to_owned());
        }
        columns
    }

    /// The same values, where a spreadsheet would not take them for a formula.
    async fn check_csv(&self, reader: &Reader, sorted: &str, rows: &[Value]) {
        let (status, csv) = reader.ask(&with(sorted, &[("rows", self.table), ("format", "csv")])).await;
        assert_eq!(status.as_u16(), 200, "{sorted}");
        let mut csv = csv::Reader::from_reader(csv.as_bytes());
        let columns = csv.headers().unwrap().clone();
        let records: Vec<csv::StringRecord> = csv.records().map(Result::unwrap).collect();
        assert_eq!(records.len(), rows.len(), "{sorted}");
        for (record, row) in records.iter().zip(rows) {
            for (column, cell) in columns.iter().zip(record) {
                let exact = match &row[column] {
                    Value::String(text) => text.clone(),
                    Value::Null => String::new(),
                    other => other.to_string(),
                };
                let safe = if exact.starts_with(['=', '+', '-', '@']) && row[column].is_string() {
                    format!("'{exact}")
                } else {
                    exact
                };
                assert_eq!(cell, safe, "{sorted}: {column}");
            }
        }
    }
}

/// What is not there stands last in either direction.
fn order(one: &Value, other: &Value, turned: bool) -> Ordering {
    let order = match (one, other) {
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::Null, _) => return Ordering::Greater,
        (_, Value::Null) => return Ordering::Less,
        (Value::Number(one), Value::Number(other)) => one.as_i64().cmp(&other.as_i64()),
        (Value::Bool(one), Value::Bool(other)) => one.cmp(other),
        (one, other) => one.as_str().cmp(&other.as_str()),
    };
    if turned { order.reverse() } else { order }
}
