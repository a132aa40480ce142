//! Files that are stored in pieces and handed out as they were stored.

use actix_web::HttpResponse;
use actix_web::body::SizedStream;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_TYPE, ETAG};
use actix_web::web::Bytes;
use futures_util::{Stream, TryStreamExt as _};

use super::{download, format};
use crate::error::Error;

/// A stored file as an answer: its name as a reader saves it, media type, size in bytes, SHA-256, and its pieces in order.
pub fn stored(
    name: &str,
    media_type: &'static str,
    size_bytes: i64,
    sha256: &[u8],
    pieces: impl Stream<Item = sqlx::Result<Vec<u8>>> + 'static,
) -> Result<HttpResponse, Error> {
    let bytes = u64::try_from(size_bytes).map_err(anyhow::Error::from)?;
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, media_type))
        .insert_header((CONTENT_DISPOSITION, attachment(name)))
        .insert_header((ETAG, tag(sha256)))
        .insert_header((CACHE_CONTROL, "private, no-cache"))
        // As stored: compressing would hide the length.
        .insert_header((CONTENT_ENCODING, "identity"))
        .body(SizedStream::new(bytes, Box::pin(pieces.map_ok(Bytes::from)))))
}

/// The entity tag of a stored file.
pub fn tag(sha256: &[u8]) -> String {
    format!("\"{}\"", format::hex(sha256))
}

/// Lets a browser save a file under a name.
pub fn attachment(name: &str) -> String {
    format!("attachment; filename=\"{}\"", download::safe_name(name))
}
