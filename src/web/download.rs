//! The rows of a page as CSV, JSON or JSON lines, streamed while they are read.

use std::borrow::Cow;
use std::io::Write as _;
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use actix_web::web::Bytes;
use futures_util::StreamExt as _;
use time::format_description::well_known::Rfc3339;
use time::{Date, OffsetDateTime};
use tokio::sync::{Semaphore, mpsc};

use super::address::Address;
use crate::error::Error;

/// How rows are asked for: `?format=`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Csv,
    Json,
    JsonLines,
}

impl Format {
    /// `None` is the page itself.
    pub fn of(address: &Address) -> Result<Option<Self>, Error> {
        match address.get("format") {
            None | Some("html") => Ok(None),
            Some("csv") => Ok(Some(Self::Csv)),
            Some("json") => Ok(Some(Self::Json)),
            Some("jsonl") => Ok(Some(Self::JsonLines)),
            Some(_) => Err(Error::Invalid("The formats are csv, json and jsonl.".to_owned())),
        }
    }

    /// The file name's ending and the word in the address.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
            Self::JsonLines => "jsonl",
        }
    }

    fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Json => "application/json",
            Self::JsonLines => "application/jsonl; charset=utf-8",
        }
    }
}

/// One value of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    Text(String),
    Number(i64),
    Flag(bool),
    /// Written as YYYY-MM-DD.
    Day(Date),
    /// Written as RFC 3339 has it, which is no order: a second stands after its own fractions.
    Moment(OffsetDateTime),
    /// JSON made elsewhere: as text in CSV, as it is in JSON.
    Json(String),
    /// Empty in CSV, null in JSON.
    Nothing,
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Cell {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<i32> for Cell {
    fn from(number: i32) -> Self {
        Self::Number(number.into())
    }
}

impl From<usize> for Cell {
    fn from(number: usize) -> Self {
        Self::Number(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<bool> for Cell {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<Date> for Cell {
    fn from(day: Date) -> Self {
        Self::Day(day)
    }
}

impl From<OffsetDateTime> for Cell {
    fn from(at: OffsetDateTime) -> Self {
        Self::Moment(at)
    }
}

impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Nothing, Into::into)
    }
}

/// Turns rows into text; the text so far is taken out piece by piece.
#[derive(Debug)]
pub struct Writer {
    format: Format,
    columns: Cow<'static, [&'static str]>,
    rows: u64,
    text: Vec<u8>,
}

impl Writer {
    pub fn new(format: Format, columns: impl Into<Cow<'static, [&'static str]>>) -> Self {
        let columns = columns.into();
        let heads: Vec<Cell> = columns.iter().map(|column| Cell::from(*column)).collect();
        let mut writer = Self { format, columns, rows: 0, text: Vec::new() };
        match format {
            Format::Csv => writer.csv_line(heads),
            Format::Json => writer.text.extend_from_slice(b"["),
            Format::JsonLines => {}
        }
        writer
    }

    /// Writes one row: a cell for each column, in their order.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        match self.format {
            Format::Csv => self.csv_line(cells),
            Format::Json => {
                self.text.extend_from_slice(if self.rows == 0 { b"\n" } else { b",\n" });
                self.json_object(cells);
            }
            Format::JsonLines => {
                self.json_object(cells);
                self.text.push(b'\n');
            }
        }
        self.rows += 1;
    }

    /// Ends the text.
    pub fn end(&mut self) {
        if self.format == Format::Json {
            self.text.extend_from_slice(b"\n]\n");
        }
    }

    pub fn rows(&self) -> u64 {
        self.rows
    }

    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.text)
    }

    fn csv_line(&mut self, cells: impl IntoIterator<Item = Cell>) {
        for (index, cell) in cells.into_iter().enumerate() {
            if index > 0 {
                self.text.push(b',');
            }
            match cell {
                Cell::Text(text) | Cell::Json(text) => csv_text(&mut self.text, &text),
                Cell::Number(number) => {
                    let _ = write!(self.text, "{number}");
                }
                Cell::Flag(flag) => {
                    let _ = write!(self.text, "{flag}");
                }
                Cell::Day(day) => {
                    let _ = write!(self.text, "{day}");
                }
                Cell::Moment(at) => csv_text(&mut self.text, &moment(at).unwrap_or_default()),
                Cell::Nothing => {}
            }
        }
        self.text.extend_from_slice(b"\r\n");
    }

    fn json_object(&mut self, cells: impl IntoIterator<Item = Cell>) {
        for (index, (column, cell)) in self.columns.iter().zip(cells).enumerate() {
            self.text.push(if index == 0 { b'{' } else { b',' });
            json_text(&mut self.text, column);
            self.text.push(b':');
            match cell {
                Cell::Text(text) => json_text(&mut self.text, &text),
                Cell::Number(number) => {
                    let _ = write!(self.text, "{number}");
                }
                Cell::Flag(flag) => {
                    let _ = write!(self.text, "{flag}");
                }
                Cell::Day(day) => {
                    let _ = write!(self.text, "\"{day}\"");
                }
                Cell::Moment(at) => match moment(at) {
                    Some(text) => json_text(&mut self.text, &text),
                    None => self.text.extend_from_slice(b"null"),
                },
                Cell::Json(json) => self.text.extend_from_slice(json.as_bytes()),
                Cell::Nothing => self.text.extend_from_slice(b"null"),
            }
        }
        self.text.push(b'}');
    }
}

/// `None` for a year that RFC 3339 has no digits for.
fn moment(at: OffsetDateTime) -> Option<String> {
    at.format(&Rfc3339).ok()
}

/// A cell of RFC 4180. A spreadsheet takes text that begins with one of these for a formula, so a ' goes before it.
fn csv_text(out: &mut Vec<u8>, text: &str) {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let quoted = formula || text.contains(['"', ',', '\n', '\r']) || text.starts_with(' ') || text.ends_with(' ');
    if !quoted {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    out.push(b'"');
    if formula {
        out.push(b'\'');
    }
    for byte in text.bytes() {
        if byte == b'"' {
            out.push(b'"');
        }
        out.push(byte);
    }
    out.push(b'"');
}

fn json_text(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(&mut *out, text).expect("text is always JSON, and writing to memory cannot fail");
}

/// Text is handed on in pieces of about this size.
const PIECE_BYTES: usize = 64 * 1024;

/// A download holds a connection and a transaction for as long as it lasts. More than this many at once would leave
/// the pages of everybody else without one.
const MOST: usize = 8;
static DOWNLOADS: Semaphore = Semaphore::const_new(MOST);

/// Downloads of rows that are under way.
pub(super) fn under_way() -> usize {
    MOST - DOWNLOADS.available_permits()
}

/// A download of which nothing is taken for this long is cut, so that its connection comes back.
const PATIENCE: Duration = Duration::from_mins(1);

/// Takes rows from the one who reads them and hands them to the one who downloads them.
#[derive(Debug)]
pub struct Rows {
    writer: Writer,
    to: mpsc::Sender<Result<Bytes, Cut>>,
}

impl Rows {
    /// Writes one row; waits while the reader of the download is slower than the database.
    pub async fn push(&mut self, cells: impl IntoIterator<Item = Cell>) -> anyhow::Result<()> {
        self.writer.row(cells);
        if self.writer.text.len() >= PIECE_BYTES { self.send().await } else { Ok(()) }
    }

    async fn send(&mut self) -> anyhow::Result<()> {
        let piece = self.writer.take();
        match tokio::time::timeout(PATIENCE, self.to.send(Ok(piece.into()))).await {
            Ok(sent) => sent.map_err(|error| anyhow::anyhow!("the download was given up: {error}")),
            Err(_elapsed) => anyhow::bail!("nothing of the download was taken for {} seconds", PATIENCE.as_secs()),
        }
    }
}

/// Ends a download that cannot go on, so that the browser reports a broken one and never a short one.
#[derive(Debug, thiserror::Error)]
#[error("the rows could not be read to their end")]
pub struct Cut;

/// Answers with all rows that `work` pushes. `work` runs beside the answer and may own a transaction:
/// `download(format, "rules-2026-11-22", &COLUMNS, |mut rows| async move { …; Ok(rows) })`.
/// The answer is [`Error::Busy`] where too many are under way.
pub fn download<F, Fut>(
    format: Format,
    stem: &str,
    columns: impl Into<Cow<'static, [&'static str]>>,
    work: F,
) -> HttpResponse
where
    F: FnOnce(Rows) -> Fut,
    Fut: Future<Output = anyhow::Result<Rows>> + 'static,
{
    let Ok(permit) = DOWNLOADS.try_acquire() else { return HttpResponse::from_error(Error::Busy) };
    let (to, from) = mpsc::channel(4);
    let failed = to.clone();
    let work = work(Rows { writer: Writer::new(format, columns), to });
    actix_web::rt::spawn(async move {
        let ended = match work.await {
            Ok(mut rows) => {
                rows.writer.end();
                rows.send().await
            }
            Err(error) => Err(error),
        };
        // The connection is back already; whoever comes next need not wait for this one to hear of its end.
        drop(permit);
        if let Err(error) = ended {
            tracing::warn!(error = format!("{error:#}"), "a download was cut");
            let _ = failed.send(Err(Cut)).await;
        }
    });
    let file = format!("{}.{}", safe_name(stem), format.ending());
    let name = format!("attachment; filename=\"{file}\"");
    let mut response = HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, format.media_type()))
        .insert_header((CONTENT_DISPOSITION, name))
        .streaming(receiver(from).boxed_local());
    response.extensions_mut().insert(Downloaded(file));
    response
}

/// Marks an answer that hands rows out; the guard writes it to the audit log before it is sent.
#[derive(Debug, Clone)]
pub(super) struct Downloaded(pub(super) String);

/// A channel's other end as a stream.
pub(crate) fn receiver<T: 'static>(from: mpsc::Receiver<T>) -> impl futures_util::Stream<Item = T> {
    futures_util::stream::unfold(from, |mut from| async move { from.recv().await.map(|item| (item, from)) })
}

/// A file name that is safe on every system and in a header: other characters become `-`.
pub fn safe_name(text: &str) -> String {
    let name: String = text
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.') { letter } else { '-' })
        .take(100)
        .collect();
    let name = name.trim_matches(['-', '.']);
    if name.is_empty() { "auditfolio".to_owned() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [&str; 3] = ["rule", "failing", "since"];

    fn written(format: Format, rows: Vec<[Cell; 3]>) -> String {
        let mut writer = Writer::new(format, &COLUMNS);
        for row in rows {
            writer.row(row);
        }
        writer.end();
        String::from_utf8(writer.take()).expect("text")
    }

    #[test]
    fn a_cell_that_a_spreadsheet_would_run_is_marked_in_csv_and_exact_in_json_lines() {
        for evil in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"] {
            let row = || vec![[evil.into(), 3_i64.into(), Cell::Nothing]];
            assert_eq!(written(Format::Csv, row()), format!("rule,failing,since\r\n\"'{evil}\",3,\r\n"));
            let line: serde_json::Value = serde_json::from_str(&written(Format::JsonLines, row())).expect("JSON");
            assert_eq!(line["rule"], evil);
        }
    }

    #[test]
    fn csv_comes_back_as_it_was() {
        let values = ["plain", "a,b", "say \"x\"", "two\nlines", " space ", "", "Ünï"];
        let rows = values.iter().map(|value| [Cell::from(*value), Cell::Number(-5), Cell::Nothing]).collect();
        let text = written(Format::Csv, rows);
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let back: Vec<String> = reader.records().map(|record| record.expect("CSV")[0].to_owned()).collect();
        assert_eq!(back, values);
    }

    #[test]
    fn json_is_whole_with_no_one_and_many_rows() {
        for rows in 0..3_i64 {
            let text = written(
                Format::Json,
                (0..rows)
                    .map(|row| {
                        [Cell::from("\"<&\u{1}"), Cell::Number(row), Cell::Day(time::macros::date!(2026 - 11 - 02))]
                    })
                    .collect(),
            );
            let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
            assert_eq!(value.as_array().map(Vec::len), usize::try_from(rows).ok());
        }
    }

    #[test]
    fn a_file_name_holds_nothing_that_a_system_or_a_header_minds() {
        for evil in [
            "a\"; filename=b.exe",
            "a\r\nSet-Cookie: b=c",
            "pack\u{202e}fdp.exe",
            "../../etc/passwd",
            "..\\..\\a",
            "CON:|<>?*\0",
            "עברית-中文",
            "x".repeat(300).as_str(),
        ] {
            let name = safe_name(evil);
            assert!((1..=100).contains(&name.len()) && !name.starts_with('.'), "{evil:?}: {name}");
            let is_safe = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
            assert!(name.bytes().all(is_safe) && !name.contains('/'), "{evil:?}: {name}");
            // A quoted string of RFC 6266 that needs no escape.
            let header = format!("attachment; filename=\"{name}\"");
            assert!(actix_web::http::header::HeaderValue::from_str(&header).is_ok(), "{header}");
        }
        assert_eq!(safe_name("../a b/ü:\"x\"\r\n.pdf"), "a-b----x---.pdf");
        assert_eq!(safe_name("..."), "auditfolio");
    }

    #[test]
    fn one_download_too_many_is_asked_to_come_back() {
        let held = DOWNLOADS.try_acquire_many(8).expect("no other test downloads");
        let answer = download(Format::Csv, "rules", &COLUMNS, |rows| async { Ok(rows) });
        assert_eq!(answer.status(), actix_web::http::StatusCode::SERVICE_UNAVAILABLE);
        drop(held);
    }
}
