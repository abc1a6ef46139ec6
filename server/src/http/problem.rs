use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use safescan_core::protocol::{Problem, codes};

use crate::{auth, error};

/// A request that is refused as a whole.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    code: &'static str,
    detail: &'static str,
    retry_after_ms: Option<u32>,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: &'static str) -> Self {
        Self { status, code, detail, retry_after_ms: None }
    }

    pub(crate) fn malformed(detail: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, codes::MALFORMED, detail)
    }

    pub(crate) fn limited(wait_ms: u32) -> Self {
        let refusal = Self::new(StatusCode::TOO_MANY_REQUESTS, codes::RATE_LIMITED, "too many requests");
        Self { retry_after_ms: Some(wait_ms), ..refusal }
    }

    pub(crate) fn draining() -> Self {
        let refusal = Self::new(StatusCode::SERVICE_UNAVAILABLE, codes::DRAINING, "the server is about to stop");
        // As long as another one takes to start.
        Self { retry_after_ms: Some(5_000), ..refusal }
    }
}

impl From<auth::Refused> for Refusal {
    fn from(_: auth::Refused) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, codes::AUTH, "the token is missing, unknown or expired")
    }
}

impl From<error::Error> for Refusal {
    fn from(error: error::Error) -> Self {
        tracing::error!(%error, "the storage failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, codes::INTERNAL, "the server failed")
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let retryable = self.status.is_server_error()
            || [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS].contains(&self.status);
        let problem = Problem {
            kind: "about:blank".into(),
            title: self.status.canonical_reason().unwrap_or_default().into(),
            status: self.status.as_u16(),
            code: self.code.into(),
            detail: self.detail.into(),
            retryable,
        };
        let body = serde_json::to_string(&problem).expect("texts and numbers are JSON");
        let mut response = (self.status, [(header::CONTENT_TYPE, "application/problem+json")], body).into_response();
        if let Some(wait_ms) = self.retry_after_ms {
            // Whole seconds, never early; "never" is a day, for clients that count.
            let seconds = wait_ms.div_ceil(1000).clamp(1, 86_400);
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
