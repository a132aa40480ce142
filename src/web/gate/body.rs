//! What is sent with a request: how much of it is taken, and how long it may take to come.

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest};
use actix_web::http::header::{CONTENT_LENGTH, HeaderMap, TRANSFER_ENCODING};
use actix_web::web::Bytes;
use futures_util::Stream as _;

/// Forms are small; the largest is a scope's list of some ten thousand account ids.
pub(in crate::web) const FORM_BYTES: usize = 256 * 1024;
/// Who sends slower than this is not waited for.
const LEAST_BYTES_A_SECOND: u64 = 16 * 1024;
/// What may come before a body in bytes: names and values of all headers.
const HEADER_BYTES: usize = 32 * 1024;
/// The longest address: twice what browsers send.
const ADDRESS_BYTES: usize = 16 * 1024;

/// Whether the headers are larger than any browser's.
pub(super) fn has_large_headers(headers: &HeaderMap) -> bool {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum::<usize>() > HEADER_BYTES
}

pub(super) fn has_long_address(address: &str) -> bool {
    address.len() > ADDRESS_BYTES
}

/// How many bytes are announced; `None` where they come in chunks.
pub(super) fn announced(headers: &HeaderMap) -> Option<u64> {
    if headers.contains_key(TRANSFER_ENCODING) {
        return None;
    }
    let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    Some(length.unwrap_or_default())
}

/// How long a body may take to come; `most` is taken of it.
pub(super) fn time_for(announced: Option<u64>, most: u64) -> Duration {
    Duration::from_secs(announced.unwrap_or(most).min(most) / LEAST_BYTES_A_SECOND)
}

/// A body on its way.
#[derive(Clone)]
pub(in crate::web) struct Arrival {
    is_whole: Rc<Cell<bool>>,
    payload: Rc<RefCell<Payload>>,
}

impl Arrival {
    /// Watches the body of a request; `None` where it has none.
    pub(in crate::web) fn watch(request: &mut ServiceRequest) -> Option<Self> {
        if announced(request.headers()) == Some(0) {
            return None;
        }
        let payload = Rc::new(RefCell::new(request.parts_mut().1.take()));
        let arrival = Self { is_whole: Rc::default(), payload };
        let seen = arrival.clone();
        let stream = futures_util::stream::poll_fn(move |context| {
            let polled = Pin::new(&mut *seen.payload.borrow_mut()).poll_next(context);
            if let Poll::Ready(None) = polled {
                seen.is_whole.set(true);
            }
            polled
        });
        request.set_payload(Payload::Stream { payload: Box::pin(stream) });
        Some(arrival)
    }

    pub(in crate::web) fn is_whole(&self) -> bool {
        self.is_whole.get()
    }

    /// The body of an answer to a request of which the rest is not wanted. Actix reads what comes in chunks to its end,
    /// wherever that is, once nobody has it any more; while somebody has it, the connection ends after the answer.
    pub(in crate::web) fn holding<B: MessageBody + 'static>(self, body: B) -> BoxBody {
        BoxBody::new(Holding { body: Box::pin(body), _rest: self })
    }
}

struct Holding<B> {
    body: Pin<Box<B>>,
    _rest: Arrival,
}

impl<B: MessageBody> MessageBody for Holding<B> {
    type Error = B::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        self.body.as_mut().poll_next(context)
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    #[test]
    fn what_is_announced_is_a_length_or_chunks() {
        let mut headers = HeaderMap::new();
        assert_eq!(announced(&headers), Some(0));
        headers.insert(CONTENT_LENGTH, HeaderValue::from_static("70000"));
        assert_eq!(announced(&headers), Some(70_000));
        headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
        assert_eq!(announced(&headers), None);
    }

    #[test]
    fn a_body_has_the_time_that_a_slow_line_needs_and_no_more() {
        assert_eq!(time_for(Some(1_000), 256 * 1024), Duration::ZERO);
        assert_eq!(time_for(Some(u64::MAX), 256 * 1024), Duration::from_secs(16));
        assert_eq!(time_for(None, 32 << 20), Duration::from_secs(2_048));
    }

    #[test]
    fn headers_and_addresses_have_a_size() {
        let mut headers = HeaderMap::new();
        headers.insert(actix_web::http::header::COOKIE, HeaderValue::from_str(&"x".repeat(32_000)).expect("text"));
        assert!(!has_large_headers(&headers));
        headers.insert(actix_web::http::header::ACCEPT, HeaderValue::from_str(&"x".repeat(1_000)).expect("text"));
        assert!(has_large_headers(&headers));
        assert!(has_long_address(&"x".repeat(20_000)) && !has_long_address("/rules"));
    }
}
