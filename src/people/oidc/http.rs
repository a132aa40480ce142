//! How providers are asked: HTTPS (or this machine), no redirects, within a time limit, and never more than wanted.

use std::fmt;
use std::time::Duration;

use aws_sdk_s3::primitives::{ByteStream, SdkBody};
use aws_smithy_http_client::Connector;
use aws_smithy_runtime_api::client::http::HttpConnector as _;
use aws_smithy_runtime_api::http::Request;
use openidconnect::url::Url;
use openidconnect::{HttpRequest, HttpResponse, http};

use super::refusal::{Reason, Refusal};
use super::settings::is_safe;
use crate::aws;

/// Discovery, keys, tokens and userinfo are far smaller, with thousands of groups in them.
const MOST_BYTES: usize = 1024 * 1024;
/// For a whole question and answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// Asks providers.
pub(super) struct Http {
    connector: Connector,
    patience: Duration,
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").field("patience", &self.patience).finish_non_exhaustive()
    }
}

impl Http {
    pub(super) fn new(patience: Duration) -> Self {
        Self { connector: aws::plain_connector(), patience }
    }

    /// One question and its answer, whatever its status.
    pub(super) async fn call(&self, request: HttpRequest) -> Result<HttpResponse, Refusal> {
        let url = Url::parse(&request.uri().to_string());
        if !url.is_ok_and(|url| is_safe(&url)) {
            return Err(Refusal::with(Reason::Insecure, request.uri().host().unwrap_or_default()));
        }
        let answer = tokio::time::timeout(self.patience, self.ask(request));
        answer.await.unwrap_or_else(|_elapsed| Err(Reason::Slow.into()))
    }

    async fn ask(&self, request: HttpRequest) -> Result<HttpResponse, Refusal> {
        let request = Request::try_from(request.map(SdkBody::from));
        let request = request.map_err(|error| Refusal::with(Reason::Unreachable, error))?;
        let answer =
            self.connector.call(request).await.map_err(|error| Refusal::with(Reason::Unreachable, causes(&error)))?;
        let answer = answer.try_into_http1x().map_err(|error| Refusal::with(Reason::Unreachable, error))?;
        let (head, body) = answer.into_parts();
        let mut body = ByteStream::new(body);
        let mut bytes = Vec::new();
        while let Some(chunk) = body.next().await {
            let chunk = chunk.map_err(|error| Refusal::with(Reason::Unreachable, error))?;
            if bytes.len() + chunk.len() > MOST_BYTES {
                return Err(Refusal::with(Reason::AnswerTooLarge, format!("more than {MOST_BYTES} bytes")));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(http::Response::from_parts(head, bytes))
    }
}

/// An error with its causes: the first one alone says little.
fn causes(error: &dyn std::error::Error) -> String {
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        said = format!("{said}: {error}");
        cause = error.source();
    }
    said
}
