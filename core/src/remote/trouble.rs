//! What kind of failure an answer is: the table of `docs/protocol.md`, as a function.

use crate::{
    net::{Answer, Failure},
    protocol::{Problem, codes},
};

/// Why there is no usable answer, told apart by what can be done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Nothing was sent. Wait for the network; the server is not to blame.
    Offline,
    /// Whoever answers is not the server. Wait as for the network.
    Untrusted,
    /// It may work the next time.
    Transient { retry_after_ms: Option<u32> },
    /// Too many requests.
    RateLimited { retry_after_ms: Option<u32> },
    /// The breaker lets nothing through.
    Broken { retry_after_ms: u32 },
    /// Another token is needed.
    Auth,
    /// The server is not where, or what, it should be. Somebody has to look at it.
    SetUp { status: u16 },
    /// This version is too old to send anything.
    Upgrade,
    /// The request itself is refused: something in it is not as it should be.
    Shape { status: u16 },
    /// The cursor means nothing to the server.
    Resync,
}

impl Trouble {
    /// What a failed exchange means; `None` for an answer that is to be read.
    pub(crate) fn of(exchange: &Result<Answer, Failure>) -> Option<Self> {
        let answer = match exchange {
            Ok(answer) => answer,
            Err(failure) => return Some(Self::of_failure(*failure)),
        };
        let retry_after_ms = answer.retry_after_ms;
        match answer.status {
            // A portal's page comes with 200, but it is no JSON.
            200..=299 => (!answer.is_json).then_some(Self::Transient { retry_after_ms }),
            401 => Some(Self::Auth),
            403 if code(answer) == codes::AUTH => Some(Self::Auth),
            408 | 425 | 500.. => Some(Self::Transient { retry_after_ms }),
            429 => Some(Self::RateLimited { retry_after_ms }),
            426 => Some(Self::Upgrade),
            409 | 410 if code(answer) == codes::CURSOR_INVALID => Some(Self::Resync),
            status @ (400 | 413 | 422) => Some(Self::Shape { status }),
            status => Some(Self::SetUp { status }),
        }
    }

    fn of_failure(failure: Failure) -> Self {
        match failure {
            Failure::Offline => Self::Offline,
            Failure::Untrusted => Self::Untrusted,
            Failure::Interrupted | Failure::TimedOut | Failure::TooLarge | Failure::Refused(_) => {
                Self::Transient { retry_after_ms: None }
            }
        }
    }

    /// What an operation's page shows of it. Constants only: nothing of an answer is repeated.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Offline => "no connection",
            Self::Untrusted => "the server could not show that it is the one",
            Self::Transient { .. } => "the server failed, or the connection broke",
            Self::RateLimited { .. } => "the server asked for fewer requests",
            Self::Broken { .. } => "the server failed too often",
            Self::Auth => "the server wants another token",
            Self::SetUp { .. } => "the server is not set up for this app",
            Self::Upgrade => "the server speaks a newer protocol",
            Self::Shape { .. } => "the server does not understand it",
            Self::Resync => "the server does not know how far this device is",
        }
    }
}

fn code(answer: &Answer) -> String {
    serde_json::from_slice::<Problem>(&answer.body).map(|problem| problem.code).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16, body: &str) -> Option<Trouble> {
        let body = body.as_bytes().to_vec();
        Trouble::of(&Ok(Answer { status, retry_after_ms: Some(7), is_json: !body.is_empty(), body }))
    }

    #[test]
    fn the_table() {
        let transient = Some(Trouble::Transient { retry_after_ms: Some(7) });
        assert_eq!(answered(200, "{}"), None);
        assert_eq!(answered(200, ""), transient, "a portal's page");
        for status in [408, 425, 500, 502, 503, 504, 520, 529, 599] {
            assert_eq!(answered(status, "{}"), transient, "{status}");
        }
        assert_eq!(answered(429, "{}"), Some(Trouble::RateLimited { retry_after_ms: Some(7) }));
        assert_eq!(answered(401, "{}"), Some(Trouble::Auth));
        assert_eq!(answered(403, r#"{"code":"auth"}"#), Some(Trouble::Auth));
        assert_eq!(answered(403, r#"{"code":"other"}"#), Some(Trouble::SetUp { status: 403 }));
        assert_eq!(answered(426, "{}"), Some(Trouble::Upgrade));
        for status in [400, 413, 422] {
            assert_eq!(answered(status, "{}"), Some(Trouble::Shape { status }));
        }
        assert_eq!(answered(410, r#"{"code":"cursor_invalid"}"#), Some(Trouble::Resync));
        assert_eq!(answered(409, r#"{"code":"cursor_invalid"}"#), Some(Trouble::Resync));
        for status in [100, 301, 302, 304, 307, 404, 405, 406, 409, 410, 418, 451] {
            assert_eq!(answered(status, "{}"), Some(Trouble::SetUp { status }));
        }
    }

    #[test]
    fn failures_without_an_answer() {
        let failed = |failure| Trouble::of(&Err(failure));
        assert_eq!(failed(Failure::Offline), Some(Trouble::Offline));
        assert_eq!(failed(Failure::Untrusted), Some(Trouble::Untrusted));
        for failure in [Failure::Interrupted, Failure::TimedOut, Failure::TooLarge, Failure::Refused(Some(200))] {
            assert_eq!(failed(failure), Some(Trouble::Transient { retry_after_ms: None }));
        }
    }
}
