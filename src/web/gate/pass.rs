//! The way of a request through the gate: refused before anything is done for it, or carried out within its time.

use std::sync::atomic::Ordering;
use std::time::Instant;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{CONTENT_DISPOSITION, HeaderMap};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;

use super::body::{self, Arrival, FORM_BYTES};
use super::metrics::Request;
use super::{Gate, LARGEST_UPLOAD_BYTES, health};
use crate::error::Error;
use crate::web::forwarded::Caller;

/// What a form with a document holds beside it.
const REST_OF_UPLOAD_BYTES: usize = 1 << 20;

/// Routes that take a document.
const UPLOADS: [&str; 2] = ["/artifact/agreements/recorded", "/engagements/{engagement_id}/requests/{number}/answers"];

/// How many bytes a route takes.
fn largest_body(route: Option<&str>) -> u64 {
    let is_upload = route.is_some_and(|route| UPLOADS.contains(&route));
    let bytes = if is_upload { LARGEST_UPLOAD_BYTES + REST_OF_UPLOAD_BYTES } else { FORM_BYTES };
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

/// Why a request is not let in; before any of its body is read.
pub(in crate::web) fn refusal(gate: &Gate, request: &ServiceRequest) -> Option<Error> {
    if body::has_large_headers(request.headers()) || body::has_long_address(&request.uri().to_string()) {
        return Some(Error::LargeHead);
    }
    let from = Caller::of(request.request()).address;
    if !health::is_asked(request.path())
        && let Err(error) = gate.limits.address(from, request.method(), request.path())
    {
        return Some(error);
    }
    let most = largest_body(request.match_pattern().as_deref());
    let is_large = body::announced(request.headers()).is_some_and(|announced| announced > most);
    is_large.then(|| {
        Error::TooLarge(format!(
            "This address takes {} at most.",
            crate::web::format::bytes(most.try_into().unwrap_or(i64::MAX))
        ))
    })
}

/// What came of a request.
pub(in crate::web) enum Passed<B> {
    Answered(Result<ServiceResponse<B>, actix_web::Error>),
    /// Its time is over; what was being done for it is given up.
    Late(Error),
}

/// Carries a request out, in the time that its route and its body have.
pub(in crate::web) async fn pass<B: MessageBody + 'static>(
    gate: &Gate,
    request: ServiceRequest,
    arrival: Option<&Arrival>,
    next: Next<B>,
) -> Passed<B> {
    let most = largest_body(request.match_pattern().as_deref());
    let time = match arrival {
        None => gate.page_time,
        Some(_) => gate.page_time + body::time_for(body::announced(request.headers()), most),
    };
    match tokio::time::timeout(time, next.call(request)).await {
        Ok(answered) => Passed::Answered(answered),
        Err(_elapsed) if arrival.is_some_and(|arrival| !arrival.is_whole()) => Passed::Late(Error::TooSlow),
        Err(_elapsed) => Passed::Late(Error::TookTooLong),
    }
}

/// Counts one request from its head to the head of its answer.
pub(in crate::web) struct Counted<'a> {
    gate: &'a Gate,
    begun: Instant,
    method: &'static str,
    route: String,
}

impl<'a> Counted<'a> {
    pub(in crate::web) fn begin(gate: &'a Gate, request: &ServiceRequest) -> Self {
        gate.metrics.under_way.fetch_add(1, Ordering::Relaxed);
        // A method that is not known could be any word.
        let method = match *request.method() {
            Method::GET => "GET",
            Method::HEAD => "HEAD",
            Method::POST => "POST",
            _ => "_OTHER",
        };
        Self { gate, begun: Instant::now(), method, route: request.match_pattern().unwrap_or_default() }
    }

    pub(in crate::web) fn end(&self, status: StatusCode, headers: &HeaderMap) {
        let request = Request { method: self.method, route: self.route.clone(), status: status.as_u16() };
        self.gate.metrics.answered(request, self.begun.elapsed());
        if status.is_success() && headers.contains_key(CONTENT_DISPOSITION) {
            self.gate.metrics.downloads.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.gate.metrics.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}
