//! Files that are stored in pieces and handed out as they were stored.

use std::sync::atomic::{AtomicU64, Ordering};

use actix_web::HttpResponse;
use actix_web::body::SizedStream;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_TYPE, ETAG};
use actix_web::web::Bytes;
use futures_util::{Stream, TryStreamExt as _};
use tokio::sync::Semaphore;

use super::{download, format};
use crate::error::Error;

/// Stored files that are being handed out.
pub(super) static UNDER_WAY: AtomicU64 = AtomicU64::new(0);

/// Pieces are fetched by so many at a time, in turn: many downloads at once are slower, and pages keep their connections.
static FETCHES: Semaphore = Semaphore::const_new(6);

/// One that is being handed out, for as long as it is kept.
struct UnderWay;

impl UnderWay {
    fn begin() -> Self {
        UNDER_WAY.fetch_add(1, Ordering::Relaxed);
        Self
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        UNDER_WAY.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The same pieces, each fetched in its turn.
fn in_turn<T: 'static>(pieces: impl Stream<Item = sqlx::Result<T>> + 'static) -> impl Stream<Item = sqlx::Result<T>> {
    let begun = (Box::pin(pieces), UnderWay::begin());
    futures_util::stream::try_unfold(begun, |(mut pieces, under_way)| async move {
        let _turn = FETCHES.acquire().await.map_err(|_closed| sqlx::Error::PoolClosed)?;
        let piece = pieces.try_next().await?;
        Ok(piece.map(|piece| (piece, (pieces, under_way))))
    })
}

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
        .insert_header((CACHE_CONTROL, "no-store"))
        // As stored: compressing would hide the length.
        .insert_header((CONTENT_ENCODING, "identity"))
        .body(SizedStream::new(bytes, Box::pin(in_turn(pieces).map_ok(Bytes::from)))))
}

/// The entity tag of a stored file.
pub fn tag(sha256: &[u8]) -> String {
    format!("\"{}\"", format::hex(sha256))
}

/// Lets a browser save a file under a name.
pub fn attachment(name: &str) -> String {
    format!("attachment; filename=\"{}\"", download::safe_name(name))
}
