//! Rows in and out by Postgres's binary COPY: <https://www.postgresql.org/docs/15/sql-copy.html>, "Binary Format".

use futures_util::StreamExt as _;
use sqlx::PgConnection;

const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
const SEND_BYTES: usize = 1 << 20;

/// Microseconds between 1970, where we count from, and 2000, where Postgres does.
pub(super) const EPOCH_MICROSECONDS: i64 = 946_684_800_000_000;

/// Rows to send, in the binary form.
#[derive(Debug)]
pub(super) struct Rows {
    bytes: Vec<u8>,
    columns: i16,
}

impl Rows {
    pub(super) fn new(columns: i16) -> Self {
        Self { bytes: HEADER.to_vec(), columns }
    }

    /// Begins a row: as many fields as there are columns must follow.
    pub(super) fn row(&mut self) -> &mut Self {
        self.bytes.extend(self.columns.to_be_bytes());
        self
    }

    pub(super) fn int2(&mut self, value: i16) -> &mut Self {
        self.field(&value.to_be_bytes())
    }

    pub(super) fn int4(&mut self, value: i32) -> &mut Self {
        self.field(&value.to_be_bytes())
    }

    pub(super) fn int8(&mut self, value: i64) -> &mut Self {
        self.field(&value.to_be_bytes())
    }

    pub(super) fn null(&mut self) -> &mut Self {
        self.bytes.extend((-1_i32).to_be_bytes());
        self
    }

    pub(super) fn optional_int2(&mut self, value: Option<i16>) -> &mut Self {
        match value {
            Some(value) => self.int2(value),
            None => self.null(),
        }
    }

    /// A time given in microseconds since 1970.
    pub(super) fn timestamp(&mut self, microseconds: Option<i64>) -> &mut Self {
        match microseconds {
            Some(value) => self.int8(value.saturating_sub(EPOCH_MICROSECONDS)),
            None => self.null(),
        }
    }

    pub(super) fn boolean(&mut self, value: bool) -> &mut Self {
        self.field(&[u8::from(value)])
    }

    pub(super) fn int4_array(&mut self, values: impl ExactSizeIterator<Item = i32>) -> &mut Self {
        self.array(23, values.map(i32::to_be_bytes))
    }

    pub(super) fn int2_array(&mut self, values: impl ExactSizeIterator<Item = i16>) -> &mut Self {
        self.array(21, values.map(i16::to_be_bytes))
    }

    /// An array without nulls, as `array_recv` reads it: dimensions, whether there are nulls, the elements' type; then
    /// length and lower bound; then the elements.
    fn array<const N: usize>(&mut self, type_oid: i32, values: impl ExactSizeIterator<Item = [u8; N]>) -> &mut Self {
        let length = i32::try_from(values.len()).expect("lists of rules are short");
        let mut bytes = Vec::with_capacity(20 + values.len() * (4 + N));
        for word in [i32::from(length > 0), 0, type_oid] {
            bytes.extend(word.to_be_bytes());
        }
        if length > 0 {
            bytes.extend(length.to_be_bytes());
            bytes.extend(1_i32.to_be_bytes());
        }
        let size = i32::try_from(N).expect("a few bytes");
        for value in values {
            bytes.extend(size.to_be_bytes());
            bytes.extend(value);
        }
        self.field(&bytes)
    }

    fn field(&mut self, bytes: &[u8]) -> &mut Self {
        let length = i32::try_from(bytes.len()).expect("fields are far below 2 GiB");
        self.bytes.extend(length.to_be_bytes());
        self.bytes.extend(bytes);
        self
    }
}

/// Sends rows by `copy … from stdin (format binary)`; returns how many were stored.
pub(super) async fn send(db: &mut PgConnection, statement: &str, mut rows: Rows) -> sqlx::Result<u64> {
    rows.bytes.extend((-1_i16).to_be_bytes());
    let mut copy = db.copy_in_raw(statement).await?;
    for chunk in rows.bytes.chunks(SEND_BYTES) {
        if let Err(error) = copy.send(chunk).await {
            copy.abort("sending failed").await?;
            return Err(error);
        }
    }
    copy.finish().await
}

/// One received row: its fields in order.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    bytes: &'a [u8],
}

impl<'a> Fields<'a> {
    fn take(&mut self) -> sqlx::Result<Option<&'a [u8]>> {
        let (length, rest) = self.bytes.split_first_chunk::<4>().ok_or_else(cut)?;
        let length = i32::from_be_bytes(*length);
        let Ok(length) = usize::try_from(length) else {
            self.bytes = rest;
            return Ok(None);
        };
        let (field, rest) = rest.split_at_checked(length).ok_or_else(cut)?;
        self.bytes = rest;
        Ok(Some(field))
    }

    fn fixed<const N: usize>(&mut self) -> sqlx::Result<[u8; N]> {
        self.take()?.and_then(|field| field.try_into().ok()).ok_or_else(cut)
    }

    pub(super) fn int2(&mut self) -> sqlx::Result<i16> {
        self.fixed().map(i16::from_be_bytes)
    }

    pub(super) fn int4(&mut self) -> sqlx::Result<i32> {
        self.fixed().map(i32::from_be_bytes)
    }

    /// A time in microseconds since 1970.
    pub(super) fn timestamp(&mut self) -> sqlx::Result<Option<i64>> {
        let Some(field) = self.take()? else { return Ok(None) };
        let field = *field.first_chunk().ok_or_else(cut)?;
        Ok(Some(i64::from_be_bytes(field).saturating_add(EPOCH_MICROSECONDS)))
    }
}

fn cut() -> sqlx::Error {
    sqlx::Error::Protocol("COPY: a row is not as its statement says".to_owned())
}

/// Receives rows by `copy (…) to stdout (format binary)`.
pub(super) async fn receive<T>(
    db: &mut PgConnection,
    statement: &str,
    mut row: impl FnMut(&mut Fields<'_>) -> sqlx::Result<T>,
) -> sqlx::Result<Vec<T>> {
    let mut rows = Vec::new();
    let mut first = true;
    let mut stream = db.copy_out_raw(statement).await?;
    // Postgres sends one message a row, the header with the first.
    while let Some(message) = stream.next().await {
        let message = message?;
        let mut bytes = message.as_ref();
        if first {
            bytes = bytes.strip_prefix(HEADER).ok_or_else(cut)?;
            first = false;
        }
        let Some((count, rest)) = bytes.split_first_chunk::<2>() else { continue };
        // The trailer: the stream must still be read to its end.
        if i16::from_be_bytes(*count) < 0 {
            continue;
        }
        rows.push(row(&mut Fields { bytes: rest })?);
    }
    Ok(rows)
}
