//! Requests. Each has one answer that is read to its end within the limits, or a reason why there is none.

use std::{future::Future, pin::Pin};

use reqwest::{
    Response,
    header::{
        ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue,
        RETRY_AFTER,
    },
};
use tokio::time::timeout;

use super::{Answer, Failure, Method, Request, SyncTransport, body::Body, failure, retry_after, server::Server};
use crate::model::Token;

impl SyncTransport for Server {
    fn send(&self, request: Request) -> Pin<Box<dyn Future<Output = Result<Answer, Failure>> + Send + '_>> {
        let patience = request.patience.min(self.limits.request);
        Box::pin(async move { timeout(patience, self.exchange(request)).await.unwrap_or(Err(Failure::TimedOut)) })
    }

    fn rest(&self) {
        self.lines.forget_client();
    }

    fn close(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(self.lines.close())
    }
}

impl Server {
    async fn exchange(&self, request: Request) -> Result<Answer, Failure> {
        let url = self.address.join(&request.path).ok_or(Failure::Refused(None))?;
        let line = self.line()?;
        let client = &line.client;
        let mut sending = match request.method {
            Method::Get => client.get(url),
            Method::Post => client.post(url).header(CONTENT_TYPE, HeaderValue::from_static(JSON)).body(request.body),
        };
        sending = sending
            .header(ACCEPT, HeaderValue::from_static(JSON))
            .header(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        if let Some(token) = &request.token {
            sending = sending.header(AUTHORIZATION, bearer(token)?);
        }
        // The head has the connection's time besides its own: from outside one cannot tell when the one ends.
        let head = timeout(self.limits.connect + self.limits.idle, line.run(sending.send())).await;
        let response = head.map_err(|_| Failure::TimedOut)??.map_err(|error| failure::of_request(&error))?;
        self.read(response).await
    }

    async fn read(&self, mut response: Response) -> Result<Answer, Failure> {
        let status = response.status().as_u16();
        let headers = response.headers();
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let retry_after_ms = text(RETRY_AFTER).and_then(|text| retry_after::read(text, self.clock.wall()));
        let is_json = text(CONTENT_TYPE).is_some_and(is_json);
        let Some(mut body) = Body::encoded(encoding(headers), self.limits.body) else {
            // What cannot be read is not the JSON that was asked for; the status counts all the same.
            return Ok(Answer { status, retry_after_ms, is_json: false, body: Vec::new() });
        };
        let announced = text(CONTENT_LENGTH).and_then(|text| text.parse::<u64>().ok());
        if announced.is_some_and(|bytes| bytes > self.limits.body as u64) {
            return Err(Failure::TooLarge);
        }
        loop {
            let part = timeout(self.limits.idle, response.chunk()).await.map_err(|_| Failure::TimedOut)?;
            match part.map_err(|error| failure::of_request(&error))? {
                Some(part) => body.take(&part)?,
                None => return Ok(Answer { status, retry_after_ms, is_json, body: body.finish()? }),
            }
        }
    }
}

const JSON: &str = "application/json";

/// The one header that says for whom a request is made; it does not show itself either.
fn bearer(token: &Token) -> Result<HeaderValue, Failure> {
    let mut value = HeaderValue::try_from(format!("Bearer {}", token.reveal())).map_err(|_| Failure::Refused(None))?;
    value.set_sensitive(true);
    Ok(value)
}

fn encoding(headers: &HeaderMap) -> Option<&[u8]> {
    headers.get(CONTENT_ENCODING).map(|value| value.as_bytes().trim_ascii())
}

/// Whether a content type is JSON itself or one of the types built on it, as problem details are.
fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == JSON || (essence.starts_with("application/") && essence.ends_with("+json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_json() {
        for json in ["application/json", "Application/JSON; charset=utf-8", "application/problem+json"] {
            assert!(is_json(json), "{json}");
        }
        for other in ["", "text/html", "text/json+x", "application/jsonp", "text/html; application/json"] {
            assert!(!is_json(other), "{other}");
        }
    }
}
