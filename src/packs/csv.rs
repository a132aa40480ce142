//! The CSV files inside a pack, written, hashed and compressed while they are read: memory for the compressed form only.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use ring::digest::{Context, SHA256};

use super::db::load::Query;
use super::model::AttachmentFact;
use super::pdf::Attachment;
use super::sign::hex;
use crate::compliance::evidence::export::moment;
use crate::compliance::evidence::{Account, Object, ObjectVersion, Place, PlaceDay};
use crate::web::download::{Cell, Format, Writer};

/// A CSV file in the making.
pub(super) struct CsvFile {
    name: &'static str,
    what: &'static str,
    writer: Writer,
    hash: Context,
    zlib: ZlibEncoder<Vec<u8>>,
    bytes: u64,
    pending: usize,
}

/// A finished CSV file.
#[derive(Debug, Clone)]
pub(super) struct Finished {
    pub(super) fact: AttachmentFact,
    /// The content as a zlib stream.
    pub(super) zlib: Vec<u8>,
}

/// Rows between two visits of hash and compressor.
const PIECE_ROWS: usize = 256;

impl CsvFile {
    pub(super) fn new(name: &'static str, what: &'static str, columns: &'static [&'static str]) -> Self {
        Self {
            name,
            what,
            writer: Writer::new(Format::Csv, columns),
            hash: Context::new(&SHA256),
            zlib: ZlibEncoder::new(Vec::new(), Compression::new(6)),
            bytes: 0,
            pending: 0,
        }
    }

    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = Cell>) -> std::io::Result<()> {
        self.writer.row(cells);
        self.pending += 1;
        if self.pending < PIECE_ROWS { Ok(()) } else { self.flush() }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        let text = self.writer.take();
        self.pending = 0;
        self.bytes += u64::try_from(text.len()).unwrap_or(u64::MAX);
        self.hash.update(&text);
        self.zlib.write_all(&text)
    }

    pub(super) fn finish(mut self) -> std::io::Result<Finished> {
        self.writer.end();
        self.flush()?;
        let fact = AttachmentFact {
            name: self.name.to_owned(),
            what: self.what,
            rows: self.writer.rows(),
            bytes: self.bytes,
            sha256: hex(self.hash.finish().as_ref()),
        };
        Ok(Finished { fact, zlib: self.zlib.finish()? })
    }
}

impl Finished {
    /// For the PDF.
    pub(super) fn attachment(&self) -> Attachment {
        let AttachmentFact { name, what, rows, bytes, .. } = &self.fact;
        let description = format!("{what}; {rows} rows");
        Attachment { name: name.clone(), media_type: "text/csv", description, zlib: self.zlib.clone(), bytes: *bytes }
    }
}

/// Columns of `delivery.csv`.
pub const DELIVERY_COLUMNS: [&str; 19] = [
    "day",
    "account_id",
    "region",
    "expected",
    "state",
    "gap",
    "snapshot_at",
    "object_key",
    "object_size_bytes",
    "object_sha256",
    "items",
    "compliance_items",
    "complying",
    "not_complying",
    "insufficient_data",
    "not_applicable",
    "unrecognised",
    "evaluations",
    "collection_id",
];

/// A row under [`DELIVERY_COLUMNS`].
pub fn delivery_cells(place: &Place, day: &PlaceDay) -> [Cell; 19] {
    let counts = day.evaluations;
    [
        day.day.into(),
        place.account_id.as_str().into(),
        place.region.as_str().into(),
        day.expected.into(),
        day.state.word().into(),
        day.is_gap().into(),
        day.snapshot_at.map(moment).into(),
        day.object.as_ref().map(|object| object.key.as_str()).into(),
        day.object.as_ref().map(|object| object.size_bytes).into(),
        day.object.as_ref().map(ObjectVersion::sha256_text).into(),
        day.items.into(),
        day.compliance_items.into(),
        counts.complying.into(),
        counts.not_complying.into(),
        counts.insufficient_data.into(),
        counts.not_applicable.into(),
        counts.unrecognised.into(),
        counts.sum().into(),
        day.collection_id.into(),
    ]
}

/// Columns of `objects.csv`.
pub const OBJECT_COLUMNS: [&str; 21] = [
    "account_id",
    "region",
    "day",
    "kind",
    "key",
    "size_bytes",
    "etag",
    "version_id",
    "sha256",
    "taken_at",
    "modified_at",
    "unpacked_bytes",
    "snapshot_id",
    "items",
    "compliance_items",
    "evaluations",
    "outcome",
    "reason",
    "position_bytes",
    "first_collection_id",
    "athena_execution_id",
];

/// A row under [`OBJECT_COLUMNS`].
pub fn object_cells(object: &Object) -> [Cell; 21] {
    [
        object.account_id.as_str().into(),
        object.region.as_str().into(),
        object.day.into(),
        object.kind.as_str().into(),
        object.version.key.as_str().into(),
        object.version.size_bytes.into(),
        object.version.etag.as_deref().into(),
        object.version_id.as_deref().into(),
        object.version.sha256_text().into(),
        object.taken_at.map(moment).into(),
        object.modified_at.map(moment).into(),
        object.unpacked_bytes.into(),
        object.snapshot_id.as_deref().into(),
        object.items.into(),
        object.compliance_items.into(),
        object.evaluations.into(),
        object.outcome.as_deref().into(),
        object.reason.as_deref().into(),
        object.position_bytes.into(),
        object.first_collection.into(),
        object.athena_execution_id.as_deref().into(),
    ]
}

/// Columns of `queries.csv`. The parameters are a JSON array, one entry a `?` of the text.
pub const QUERY_COLUMNS: [&str; 16] = [
    "execution_id",
    "collection_id",
    "question",
    "day",
    "engine_version",
    "workgroup",
    "database",
    "submitted_at",
    "completed_at",
    "bytes_scanned",
    "result_rows",
    "result_location",
    "objects_asked_of",
    "objects_of_this_pack",
    "sql",
    "parameters",
];

/// A row under [`QUERY_COLUMNS`].
pub(super) fn query_cells(query: Query) -> [Cell; 16] {
    [
        query.execution_id.into(),
        query.collection_id.into(),
        query.question.into(),
        query.day.into(),
        query.engine_version.into(),
        query.workgroup.into(),
        query.database_name.into(),
        query.submitted_at.map(moment).into(),
        query.completed_at.map(moment).into(),
        query.bytes_scanned.into(),
        query.result_rows.into(),
        query.result_location.into(),
        query.objects.into(),
        query.objects_read.into(),
        query.sql.into(),
        serde_json::Value::from(query.parameters).to_string().into(),
    ]
}

/// Columns of `accounts.csv`.
pub const ACCOUNT_COLUMNS: [&str; 10] = [
    "account_id",
    "name",
    "status",
    "listed_on",
    "expected_regions",
    "expected_from",
    "expected_until",
    "first_known_day",
    "last_known_day",
    "organizational_unit",
];

/// A row under [`ACCOUNT_COLUMNS`].
pub fn account_cells(account: &Account) -> [Cell; 10] {
    [
        account.account_id.as_str().into(),
        account.name.as_deref().into(),
        account.status.as_deref().into(),
        account.listed_on.into(),
        account.expected_regions.into(),
        account.expected_from.into(),
        account.expected_until.into(),
        account.first_known_day.into(),
        account.last_known_day.into(),
        account.unit_names.as_ref().map(|names| names.join(" / ")).into(),
    ]
}
