use std::{future::Future, io, time::Duration};

use axum::{
    body::Body,
    http::{HeaderValue, Request, Response, StatusCode, header},
};
use bytes::Bytes;
use http_body_util::BodyExt;
use safescan_core::protocol::{SOCKET_PATH, codes};

use super::{Fault, Faults};

/// Pieces of a slow answer.
const PIECES: usize = 16;
/// What captive portals say.
const PORTAL: &str =
    "<!DOCTYPE html><html><head><title>Welcome</title></head><body><h1>Please log in</h1></body></html>";

/// Puts the faults before an answer. An error makes the connection end without one.
pub(crate) async fn before<A: Future<Output = Response<Body>>>(
    faults: &Faults,
    request: Request<Body>,
    answer: impl FnOnce(Request<Body>) -> A,
) -> io::Result<Response<Body>> {
    let path = request.uri().path();
    if ["/healthz", "/metrics", "/faults"].contains(&path) {
        return Ok(answer(request).await);
    }
    let is_socket = path == SOCKET_PATH;
    let (delay, fault) = faults.draw();
    if let Some(millis) = delay {
        tokio::time::sleep(Duration::from_millis(millis.into())).await;
    }
    match fault {
        Some(Fault::Drop) => return Err(cut()),
        Some(Fault::Status(status)) => return Ok(problem(status)),
        Some(Fault::RateLimit(seconds)) => {
            let mut refused = problem(429);
            refused.headers_mut().insert(header::RETRY_AFTER, seconds.into());
            return Ok(refused);
        }
        Some(Fault::Html) => return Ok(of_type("text/html; charset=utf-8", PORTAL.into())),
        _ => {}
    }
    let response = answer(request).await;
    match fault {
        // A socket's answer has no body.
        Some(Fault::CutBody | Fault::Slow(_) | Fault::BadJson) if is_socket => Ok(response),
        Some(Fault::DropAfterCommit) => Err(cut()),
        Some(Fault::StatusAfterCommit(status)) => Ok(problem(status)),
        Some(Fault::CutBody) => {
            with_pieces(response, |bytes| {
                let half = bytes.slice(..bytes.len() / 2);
                vec![(Duration::ZERO, Ok(half)), (Duration::ZERO, Err(cut()))]
            })
            .await
        }
        Some(Fault::Slow(millis)) => {
            with_pieces(response, |bytes| {
                let size = bytes.len().div_ceil(PIECES).max(1);
                let pause = Duration::from_millis(millis.into());
                let piece = |at: usize| (pause, Ok(bytes.slice(at..bytes.len().min(at + size))));
                (0..bytes.len()).step_by(size).map(piece).collect()
            })
            .await
        }
        Some(Fault::BadJson) => {
            let bytes = collected(response).await?.1;
            Ok(of_type("application/json", Body::from(bytes.slice(..bytes.len() / 2))))
        }
        _ => Ok(response),
    }
}

fn cut() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, "cut on purpose")
}

/// A refusal as this server would write it.
fn problem(status: u16) -> Response<Body> {
    let code = if status == 429 { codes::RATE_LIMITED } else { codes::INTERNAL };
    let retryable = status >= 500 || status == 429;
    let body = serde_json::json!({
        "type": "about:blank", "title": "", "status": status, "code": code, "detail": "on purpose", "retryable": retryable,
    });
    let mut response = of_type("application/problem+json", Body::from(body.to_string()));
    *response.status_mut() = StatusCode::from_u16(status).expect("between 400 and 599");
    response
}

fn of_type(kind: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

async fn collected(response: Response<Body>) -> io::Result<(axum::http::response::Parts, Bytes)> {
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.map_err(io::Error::other)?.to_bytes();
    Ok((parts, bytes))
}

/// The same answer, promised at its full length, its body in pieces after pauses.
async fn with_pieces(
    response: Response<Body>,
    pieces: impl FnOnce(Bytes) -> Vec<(Duration, io::Result<Bytes>)>,
) -> io::Result<Response<Body>> {
    let (mut parts, bytes) = collected(response).await?;
    parts.headers.insert(header::CONTENT_LENGTH, bytes.len().into());
    let pieces = futures_util::stream::unfold(pieces(bytes).into_iter(), async |mut rest| {
        let (pause, piece) = rest.next()?;
        tokio::time::sleep(pause).await;
        Some((piece, rest))
    });
    Ok(Response::from_parts(parts, Body::from_stream(pieces)))
}
