use serde::{Deserialize, Serialize};

use super::shape::objects;

objects!(Problem);

/// A refused request, as RFC 9457 describes problems.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Problem {
    /// `about:blank`: the code says it all.
    #[serde(rename = "type", default)]
    pub kind: String,
    /// The code in words.
    #[serde(default)]
    pub title: String,
    /// The status of the answer.
    #[serde(default)]
    pub status: u16,
    /// One of the codes in `docs/protocol.md`.
    #[serde(default)]
    pub code: String,
    /// For developers; no content in it.
    #[serde(default)]
    pub detail: String,
    /// Whether the same request may succeed later.
    #[serde(default)]
    pub retryable: bool,
}

/// The codes of refused requests.
pub mod codes {
    /// The token is missing, unknown or expired.
    pub const AUTH: &str = "auth";
    /// The cursor is none of this server's.
    pub const CURSOR_INVALID: &str = "cursor_invalid";
    /// More operations than [`Limits::max_ops`](crate::protocol::Limits).
    pub const TOO_MANY_OPS: &str = "too_many_ops";
    /// More bytes than [`Limits::max_bytes`](crate::protocol::Limits).
    pub const TOO_LARGE: &str = "too_large";
    /// The body is no JSON, or not of the expected shape.
    pub const MALFORMED: &str = "malformed";
    /// Too many requests.
    pub const RATE_LIMITED: &str = "rate_limited";
    /// The server is about to stop.
    pub const DRAINING: &str = "draining";
    /// There is no such resource.
    pub const NOT_FOUND: &str = "not_found";
    /// The resource does not know the method.
    pub const METHOD_NOT_ALLOWED: &str = "method_not_allowed";
    /// The body came too slowly.
    pub const TOO_SLOW: &str = "too_slow";
    /// This version of the protocol is not spoken any more.
    pub const UPGRADE_REQUIRED: &str = "upgrade_required";
    /// The server failed.
    pub const INTERNAL: &str = "internal";
}

/// The codes of rejected operations.
pub mod refusals {
    /// The kind is unknown.
    pub const UNKNOWN_KIND: &str = "unknown_kind";
    /// A field is missing or of another kind.
    pub const MALFORMED: &str = "malformed";
    /// The voter belongs to another account.
    pub const VOTER_TAKEN: &str = "voter_taken";
    /// This account may not vote.
    pub const VOTING_NOT_ALLOWED: &str = "voting_not_allowed";
    /// The key or body is too long.
    pub const TOO_LARGE: &str = "too_large";
}
