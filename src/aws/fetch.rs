//! Fetching what is behind an address that AWS gave out for a short time.

use std::time::Duration;

use aws_sdk_s3::config::http::HttpRequest;
use aws_sdk_s3::primitives::{ByteStream, SdkBody};
use aws_smithy_runtime_api::client::http::HttpConnector;

use super::failure::{Asked, Facts, Failure, Way};

/// Fetches an address whole, at most so many bytes. The address itself is a key and is in no message.
pub(super) async fn fetch(
    connector: &impl HttpConnector,
    address: &str,
    most_bytes: usize,
    (asked, patience): (Asked<'_>, Duration),
) -> Result<Vec<u8>, Failure> {
    let broken = |message: &str| Failure::transient(asked, message);
    if !is_safe(address) {
        return Err(broken("the address that AWS gave is not one of HTTPS"));
    }
    let mut request = HttpRequest::new(SdkBody::empty());
    request.set_uri(address).map_err(|_invalid| broken("the address that AWS gave is none"))?;
    let answer = tokio::time::timeout(patience, connector.call(request)).await;
    let answer = answer.map_err(|_elapsed| broken("nothing answered at the address that AWS gave"))?;
    let answer = answer.map_err(|error| broken(&format!("the document could not be fetched: {error}")))?;
    let status = answer.status().as_u16();
    let mut body = ByteStream::new(answer.into_body());
    let mut bytes = Vec::new();
    loop {
        match tokio::time::timeout(patience, body.next()).await {
            Err(_elapsed) => return Err(broken(&format!("nothing came for {} s", patience.as_secs()))),
            Ok(None) => break,
            Ok(Some(Err(error))) => return Err(broken(&format!("the document broke off: {error}"))),
            Ok(Some(Ok(chunk))) if bytes.len() + chunk.len() <= most_bytes => bytes.extend_from_slice(&chunk),
            Ok(Some(Ok(_))) => return Err(broken(&format!("the document has more than {most_bytes} bytes"))),
        }
    }
    if status == 200 {
        return Ok(bytes);
    }
    let said = String::from_utf8_lossy(&bytes);
    let within = |name: &str| {
        let rest = said.split_once(&format!("<{name}>"))?.1;
        Some(rest.split_once(&format!("</{name}>"))?.0.to_owned())
    };
    let facts = Facts {
        way: Way::Answered,
        status: Some(status),
        code: within("Code"),
        message: within("Message").or_else(|| Some(format!("HTTP {status}"))),
        region: None,
        assuming: false,
    };
    Err(Failure::of(&facts, asked))
}

/// Over HTTPS, or from this machine.
fn is_safe(address: &str) -> bool {
    address.starts_with("https://") || address.starts_with("http://127.0.0.1:")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_and_this_machine_are_asked() {
        assert!(is_safe("https://bucket.s3.amazonaws.com/a?b") && is_safe("http://127.0.0.1:8080/a"));
        for other in ["http://bucket.s3.amazonaws.com/a", "http://127.0.0.1.example.com/", "file:///etc/passwd", ""] {
            assert!(!is_safe(other), "{other}");
        }
    }
}
