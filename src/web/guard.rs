//! What every request passes: request id, same-site check, limits, security headers.

use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue, ORIGIN, STRICT_TRANSPORT_SECURITY,
};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{HttpMessage as _, HttpRequest, web};
use tracing::Instrument as _;

use super::address::Address;
use super::download::Downloaded;
use super::error_page::{error_status, failed, late, pageless};
use super::format;
use super::forwarded::is_secure;
use super::gate::{self, Arrival, Counted, Passed};
use super::routes::{Access, access};
use crate::State;
use crate::error::Error;
use crate::people::{AsOf, User, check, is_back_channel, is_shown, put_on_record, viewed};

/// Names one request in the log, on its error page and in the audit log.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);

impl RequestId {
    /// Of a request that came through the guard.
    pub fn of(request: &HttpRequest) -> Option<String> {
        request.extensions().get::<Self>().map(|id| id.0.clone())
    }

    fn new() -> Self {
        use ring::rand::SecureRandom as _;
        let mut bytes = [0_u8; 8];
        // A request without a name is still answered: an all-zero id only makes its log line harder to find.
        let _ = ring::rand::SystemRandom::new().fill(&mut bytes);
        Self(format::hex(&bytes))
    }
}

const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; \
     frame-ancestors 'none'; base-uri 'none'";

/// A year and what is below the name too, where the portal is reached by HTTPS: RFC 6797.
const HTTPS_ONLY: HeaderValue = HeaderValue::from_static("max-age=31536000; includeSubDomains");

/// Marks an answer that stays as it is, although it is an error: probes read no pages.
#[derive(Debug, Clone, Copy)]
pub(super) struct AsItIs;

const HEADERS: [(&str, &str); 7] = [
    ("content-security-policy", CONTENT_SECURITY_POLICY),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    ("x-frame-options", "DENY"),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "same-origin"),
];

/// The outermost middleware.
pub(super) async fn guard<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B, BoxBody>>, actix_web::Error> {
    let id = RequestId::new();
    request.extensions_mut().insert(id.clone());
    let span = tracing::info_span!("request", request.id = %id.0, method = %request.method(), path = request.path());
    let state = request.app_data::<web::Data<State>>().expect("every app is built with its state").clone();
    let https = is_secure(request.request());
    let counted = Counted::begin(&state.gate, &request);
    let arrival = Arrival::watch(&mut request);

    let by_token = is_shown(request.request());
    // A provider's own server says who has signed out there; its token is the proof. No browser sends a program's token by
    // itself, and with one nothing is changed.
    let method = if by_token { &Method::GET } else { request.method() };
    let elsewhere = if is_back_channel(request.path()) { None } else { refusal(method, request.headers(), state.demo) };
    let mut refusal = elsewhere.or_else(|| gate::refusal(&state.gate, &request));
    if refusal.is_none() && by_token {
        refusal = check(request.request(), &state).instrument(span.clone()).await.err();
    }
    // No clone of the request may outlive this line: actix routes with the only one.
    let mut response = if let Some(error) = refusal {
        let page = span.in_scope(|| failed(request.request(), &id, Some(&error), error_status(&error)));
        request.into_response(page).map_into_right_body()
    } else {
        match gate::pass(&state.gate, request, arrival.as_ref(), next).instrument(span.clone()).await {
            Passed::Answered(response) => {
                let response = response?;
                match on_record(&response).instrument(span.clone()).await {
                    Ok(()) => span.in_scope(|| with_error_page(response, &id)),
                    // What cannot be recorded is not handed out.
                    Err(error) => {
                        let page =
                            span.in_scope(|| failed(response.request(), &id, Some(&error), error_status(&error)));
                        response.into_response(page).map_into_right_body()
                    }
                }
            }
            Passed::Late(error) => {
                span.in_scope(|| tracing::warn!("{error}"));
                let mut page = late(&error, state.demo, &id, by_token);
                if let Some(arrival) = arrival {
                    page = page.map_body(|_, body| arrival.holding(body));
                }
                harden(page.headers_mut(), &id, https);
                counted.end(page.status(), page.headers());
                return Err(InternalError::from_response(error, page).into());
            }
        }
    };
    if let Some(arrival) = arrival.filter(|arrival| !arrival.is_whole()) {
        response = response.map_body(|_, body| EitherBody::right(arrival.holding(body)));
    }
    harden(response.headers_mut(), &id, https);
    let as_of = response.request().extensions().get::<AsOf>().copied();
    if let Some(as_of) = as_of.filter(|_| response.status().is_success()) {
        tell(response.headers_mut(), as_of);
    }
    counted.end(response.status(), response.headers());
    Ok(response)
}

/// Gives an answer what every answer has.
fn harden(headers: &mut HeaderMap, id: &RequestId, https: bool) {
    for (name, value) in HEADERS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    if https {
        headers.insert(STRICT_TRANSPORT_SECURITY, HTTPS_ONLY);
    }
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    headers.insert(
        HeaderName::from_static("x-request-id"),
        HeaderValue::from_str(&id.0).expect("hexadecimal digits are a header value"),
    );
}

/// Tells a program what the figures of an answer are as of: on a page the bar and the provenance do.
fn tell(headers: &mut HeaderMap, as_of: AsOf) {
    let mut insert = |name, value: Option<String>| {
        if let Some(value) = value.and_then(|value| HeaderValue::try_from(value).ok()) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    insert("auditfolio-as-of", as_of.day.map(|day| day.to_string()));
    insert("auditfolio-collection", as_of.collection_id.map(|id| id.to_string()));
}

/// Writes rows that are handed out, what an auditor looks at in a room, and what somebody who is signed in was refused, to
/// the audit log.
///
/// What is refused to somebody who is not signed in is not: whoever reaches the address could fill the log.
async fn on_record<B>(response: &ServiceResponse<B>) -> Result<(), Error> {
    let request = response.request();
    let state = request.app_data::<web::Data<State>>().expect("every app is built with its state");
    let user = request.extensions().get::<User>().cloned();
    let address = || Address::parse(request.path(), request.query_string()).to_string();
    let downloaded = response.response().extensions().get::<Downloaded>().cloned();
    if let Some(Downloaded(file)) = downloaded {
        let detail = serde_json::json!({ "address": address() });
        let user = user.ok_or(Error::SignInNeeded)?;
        return put_on_record(state, &user, request, ("download rows", file), detail).await;
    }
    let refused = response.response().error().and_then(|error| error.as_error::<Error>());
    let is_evidence = *request.method() == Method::GET && access(request) == Some(Access::Rooms);
    let in_room = user.clone().filter(|user| is_evidence && user.engagement_id.is_some());
    let refused = refused.filter(|error| error_status(error) == StatusCode::FORBIDDEN);
    if let (Some(error), Some(user)) = (refused, user) {
        let object = format!("{} {}", request.method(), address());
        let detail = serde_json::json!({ "role": user.role.word(), "why": error.to_string() });
        return put_on_record(state, &user, request, ("refuse", object), detail).await;
    }
    // A file is a download, which its handler has recorded.
    let is_shown_page = is_page(response.headers()) && !is_shown(request) && response.status().is_success();
    if let Some(user) = in_room.filter(|_| is_shown_page) {
        return viewed(state, &user, request).await;
    }
    Ok(())
}

/// Why a request is refused before any handler.
fn refusal(method: &Method, headers: &HeaderMap, demo: bool) -> Option<Error> {
    // The demo trusts whoever reaches loopback; a name that somebody else's DNS points there must not.
    if demo
        && let Some(host) = text(headers, HOST)
        && !is_loopback(host)
    {
        return Some(Error::Forbidden("The demo answers only at 127.0.0.1, [::1] and localhost."));
    }
    if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) || is_same_site(headers) {
        return None;
    }
    Some(Error::Forbidden("This was sent from another site. Open the page here and send it again."))
}

/// Whether the browser says that a form was sent from a page of this portal.
fn is_same_site(headers: &HeaderMap) -> bool {
    if let Some(site) = text(headers, HeaderName::from_static("sec-fetch-site")) {
        return site == "same-origin";
    }
    match (text(headers, ORIGIN), text(headers, HOST)) {
        (Some(origin), Some(host)) => origin.split_once("://").is_some_and(|(_, rest)| rest == host),
        _ => false,
    }
}

fn is_loopback(host: &str) -> bool {
    let name = if host.starts_with('[') {
        host.split_inclusive(']').next().unwrap_or(host)
    } else {
        host.split(':').next().unwrap_or(host)
    };
    matches!(name, "127.0.0.1" | "localhost" | "[::1]")
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

fn is_page(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
}

/// Puts the error page where a handler or actix itself gave an error without a page.
fn with_error_page<B: MessageBody + 'static>(
    response: ServiceResponse<B>,
    id: &RequestId,
) -> ServiceResponse<EitherBody<B, BoxBody>> {
    let status = response.status();
    let error = response.response().error().and_then(|error| error.as_error::<Error>());
    if error.is_none() && is_shown(response.request()) && is_page(response.headers()) {
        let answer = pageless(id);
        return response.into_response(answer).map_into_right_body();
    }
    let stays = is_page(response.headers()) || response.response().extensions().get::<AsItIs>().is_some();
    if error.is_none() && (stays || !(status.is_client_error() || status.is_server_error())) {
        return response.map_into_left_body();
    }
    let page = failed(response.request(), id, error, status);
    response.into_response(page).map_into_right_body()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn an_unsafe_method_needs_a_browser_that_says_same_origin() {
        let refused = |pairs: &[(&'static str, &'static str)]| refusal(&Method::POST, &headers(pairs), false).is_some();
        assert!(!refused(&[("sec-fetch-site", "same-origin")]));
        assert!(refused(&[("sec-fetch-site", "same-site")]));
        assert!(refused(&[("sec-fetch-site", "cross-site")]));
        assert!(refused(&[("sec-fetch-site", "none")]));
        assert!(!refused(&[("origin", "http://127.0.0.1:8080"), ("host", "127.0.0.1:8080")]));
        assert!(refused(&[("origin", "http://evil.example"), ("host", "127.0.0.1:8080")]));
        assert!(refused(&[("origin", "null"), ("host", "127.0.0.1:8080")]));
        assert!(refused(&[("host", "127.0.0.1:8080")]));
        // What the browser says outright weighs more than an Origin that fits.
        assert!(refused(&[("sec-fetch-site", "cross-site"), ("origin", "http://a"), ("host", "a")]));
    }

    #[test]
    fn the_demo_answers_only_at_loopback_names() {
        let refused = |host| refusal(&Method::GET, &headers(&[("host", host)]), true).is_some();
        for host in ["127.0.0.1:8080", "localhost", "localhost:1", "[::1]:8080"] {
            assert!(!refused(host), "{host}");
        }
        for host in ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "[::2]"] {
            assert!(refused(host), "{host}");
        }
    }
}
