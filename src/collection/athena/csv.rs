//! Reads the CSV that Athena writes to S3, piece by piece as it comes. Pure.
//!
//! Every value stands in quotes, a quote inside is doubled, NULL is nothing at all: `"a","",` is a text, an empty text and NULL.
//! Values may hold line ends.

/// One line's values.
pub(super) type Record = Vec<Option<String>>;

/// The longest value that is taken, in bytes: far more than any that our statements ask for.
const MOST_VALUE_BYTES: usize = 1 << 20;
/// The most values in a line.
const MOST_VALUES: usize = 1000;

/// Why the text is not Athena's CSV.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the result is not as Athena writes it: {what} (line {line})")]
pub(super) struct NotCsv {
    what: &'static str,
    line: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// Before a value.
    Start,
    /// Between a value's quotes.
    Inside,
    /// After a quote that ends a value, or is the first of two.
    Quote,
}

/// Takes bytes in any portions and gives lines as they are complete.
#[derive(Debug)]
pub(super) struct Reader {
    at: At,
    value: Vec<u8>,
    record: Record,
    line: u64,
}

impl Reader {
    pub(super) fn new() -> Self {
        Self { at: At::Start, value: Vec::new(), record: Vec::new(), line: 1 }
    }

    /// Takes more bytes and appends the lines that they complete to `records`.
    pub(super) fn push(&mut self, bytes: &[u8], records: &mut Vec<Record>) -> Result<(), NotCsv> {
        for &byte in bytes {
            match (self.at, byte) {
                (At::Start, b'"') => self.at = At::Inside,
                (At::Start, b',') => self.end_value(None)?,
                (At::Start, b'\n') => {
                    self.end_value(None)?;
                    self.end_line(records);
                }
                (At::Inside, b'"') => self.at = At::Quote,
                (At::Inside, _) => {
                    if self.value.len() == MOST_VALUE_BYTES {
                        return Err(self.wrong("a value has no end"));
                    }
                    self.value.push(byte);
                }
                (At::Quote, b'"') => {
                    self.value.push(b'"');
                    self.at = At::Inside;
                }
                (At::Quote, b',') => self.end_text()?,
                (At::Quote, b'\n') => {
                    self.end_text()?;
                    self.end_line(records);
                }
                (At::Start, _) => return Err(self.wrong("a value is not in quotes")),
                (At::Quote, _) => return Err(self.wrong("something follows a value's quotes")),
            }
        }
        Ok(())
    }

    /// An error where the text ended inside a line.
    pub(super) fn finish(self) -> Result<(), NotCsv> {
        if self.at == At::Start && self.record.is_empty() {
            return Ok(());
        }
        Err(self.wrong("it ends in the middle of a line"))
    }

    fn end_text(&mut self) -> Result<(), NotCsv> {
        let bytes = std::mem::take(&mut self.value);
        let text = String::from_utf8(bytes).map_err(|_not_utf8| self.wrong("a value is not UTF-8"))?;
        self.end_value(Some(text))
    }

    fn end_value(&mut self, value: Option<String>) -> Result<(), NotCsv> {
        self.at = At::Start;
        if self.record.len() == MOST_VALUES {
            return Err(self.wrong("a line has too many values"));
        }
        self.record.push(value);
        Ok(())
    }

    fn end_line(&mut self, records: &mut Vec<Record>) {
        self.at = At::Start;
        self.line += 1;
        records.push(std::mem::take(&mut self.record));
    }

    fn wrong(&self, what: &'static str) -> NotCsv {
        NotCsv { what, line: self.line }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

    use proptest::prelude::*;

    use super::*;

    fn read(bytes: &[u8], portion: usize) -> Result<Vec<Record>, NotCsv> {
        let mut reader = Reader::new();
        let mut records = Vec::new();
        for part in bytes.chunks(portion.max(1)) {
            reader.push(part, &mut records)?;
        }
        reader.finish()?;
        Ok(records)
    }

    fn record(values: &[Option<&str>]) -> Record {
        values.iter().map(|value| value.map(str::to_owned)).collect()
    }

    #[test]
    fn null_is_nothing_and_an_empty_text_is_two_quotes() {
        let records = read(b"\"a\",\"\",\n,\"b\"\n", 3).unwrap();
        assert_eq!(records, [record(&[Some("a"), Some(""), None]), record(&[None, Some("b")])]);
    }

    #[test]
    fn quotes_commas_and_line_ends_inside_of_a_value_belong_to_it() {
        let records = read(b"\"say \"\"hi\"\", you\",\"two\r\nlines\"\n", 1).unwrap();
        assert_eq!(records, [record(&[Some("say \"hi\", you"), Some("two\r\nlines")])]);
    }

    #[test]
    fn a_text_that_is_cut_inside_a_line_is_refused() {
        let whole = b"\"a\",\"b\"\n\"c\",\n";
        for end in 1..whole.len() {
            let cut = read(&whole[..end], 4);
            assert_eq!(cut.is_ok(), whole[end - 1] == b'\n', "{end}: {cut:?}");
        }
    }

    #[test]
    fn what_athena_would_not_write_is_refused_with_its_line() {
        for bad in ["a\n", "\"a\"b\n", "\"a\"\n\"b\" ,\n", "\"a\"\r\n"] {
            assert!(read(bad.as_bytes(), 2).is_err(), "{bad:?}");
        }
        assert_eq!(read(b"\"a\"\nb\n", 9).unwrap_err().to_string().split("(line ").nth(1), Some("2)"));
        assert!(read(b"\"\xff\"\n", 9).unwrap_err().to_string().contains("UTF-8"));
    }

    proptest! {
        #[test]
        fn what_was_written_is_read_whatever_the_portions(
            rows in prop::collection::vec(prop::collection::vec(prop::option::of(".{0,8}|[\"\n\r,]{0,4}"), 1..5), 0..8),
            portion in 1_usize..9,
        ) {
            let mut written = String::new();
            for row in &rows {
                let values: Vec<String> = row
                    .iter()
                    .map(|value| value.as_ref().map_or(String::new(), |it| format!("\"{}\"", it.replace('"', "\"\""))))
                    .collect();
                written.push_str(&values.join(","));
                written.push('\n');
            }
            prop_assert_eq!(read(written.as_bytes(), portion).unwrap(), rows);
        }
    }
}
