use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{Rating, shape::objects, text::standing};
use crate::model::{OperationId, QrHash, UnixMillis, VoteChoice, VoterId};

objects!(
    SyncRequest,
    SyncResponse,
    Conflict,
    StandingValue,
    OperationResult,
    Outcome,
    Refusal,
    Change,
    VoteChange,
    RegisterChange,
    Limits,
    RatingsResponse
);

/// `POST /api/sync`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "camelCase")]
pub struct SyncRequest {
    /// Operations, in the order of their places. Raw, so that one that cannot be read does not take the others along.
    pub data: Vec<Box<RawValue>>,
    /// The device's clock.
    pub timestamp: UnixMillis,
    /// [`VERSION`](super::VERSION); 0 if missing: a client of the plain protocol.
    #[serde(default)]
    pub protocol: u32,
    /// Which device.
    #[serde(default)]
    pub device: String,
    /// The place of the oldest operation that is not settled yet; `null` when none waits.
    #[serde(default)]
    pub oldest_pending: Option<i64>,
    /// How far changes are known.
    #[serde(default)]
    pub cursor: Option<String>,
    /// Beginnings of hashes whose ratings are wanted.
    #[serde(default)]
    pub topics: Vec<String>,
    /// Changes wanted in the answer at most.
    #[serde(default)]
    pub limit: Option<u32>,
}

/// What is answered to [`SyncRequest`], and without results to a request for changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "camelCase")]
pub struct SyncResponse {
    /// Operations that did not get their way.
    pub conflicts: Vec<Conflict>,
    /// [`VERSION`](super::VERSION).
    pub protocol: u32,
    /// What became of each operation.
    #[serde(default)]
    pub results: Vec<OperationResult>,
    /// What changed since the cursor.
    #[serde(default)]
    pub changes: Vec<Change>,
    /// How far changes are known now.
    #[serde(default)]
    pub cursor: Option<String>,
    /// Whether there are more.
    #[serde(default)]
    pub has_more: bool,
    /// The server's clock.
    pub server_time: UnixMillis,
    /// What the server accepts.
    #[serde(default)]
    pub limits: Limits,
    /// How long not to come again, in milliseconds.
    #[serde(default)]
    pub backoff_ms: u32,
    /// What the device is to do; see [`MUST_REFETCH`] and [`UPGRADE_REQUIRED`].
    #[serde(default)]
    pub control: Vec<String>,
}

/// Drop what the server can give again, and fetch it.
pub const MUST_REFETCH: &str = "must-refetch";
/// Send nothing more: this version is too old. Reading goes on.
pub const UPGRADE_REQUIRED: &str = "upgrade-required";

/// An operation that did not get its way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Conflict {
    /// Which.
    pub id: OperationId,
    /// Of which register.
    pub key: String,
    /// `superseded`, or why it was rejected.
    pub code: String,
    /// What stands in the register.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<StandingValue>,
}

/// What stands in a register.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct StandingValue {
    /// A vote, or `"none"`; missing for scans and settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vote: Option<String>,
    /// Since when.
    pub at: UnixMillis,
    /// A scan's or a setting's body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<serde_json::Value>,
}

/// What became of an operation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct OperationResult {
    /// Which.
    pub id: OperationId,
    /// What.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// What became of an operation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self", tag = "status", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Outcome {
    /// It took effect.
    Applied {
        /// When, by the server.
        at: UnixMillis,
        /// The revision it made, of a rating or a register.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rev: Option<i64>,
    },
    /// It was sent before; this is what became of it then.
    Duplicate {
        /// `applied` or `superseded`.
        of: String,
        /// When, by the server.
        at: UnixMillis,
        /// The revision it made.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rev: Option<i64>,
    },
    /// A later change of the same register stands.
    Superseded {
        /// The time of what stands.
        at: UnixMillis,
    },
    /// It cannot take effect, ever.
    Rejected {
        /// Why.
        error: Refusal,
    },
    /// It may take effect later.
    Deferred {
        /// When to send it again, in milliseconds.
        retry_after_ms: u32,
    },
    /// Something that this version does not know: the operation stays pending.
    #[serde(other)]
    Unknown,
}

/// Why an operation was rejected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Refusal {
    /// One of the codes in `docs/protocol.md`.
    pub code: String,
    /// For developers; no content in it.
    #[serde(default)]
    pub detail: String,
}

/// Something that is different now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self", tag = "type")]
pub enum Change {
    /// A rating.
    #[serde(rename = "rating")]
    Rating(Rating),
    /// A vote of the account.
    #[serde(rename = "vote")]
    Vote(VoteChange),
    /// A scan of the account.
    #[serde(rename = "scan")]
    Scan(RegisterChange),
    /// A scan of the account that was deleted.
    #[serde(rename = "scan.deleted")]
    ScanDeleted(RegisterChange),
    /// A setting of the account.
    #[serde(rename = "setting")]
    Setting(RegisterChange),
    /// Something that this version does not know.
    #[serde(other, rename = "unknown")]
    Unknown,
}

/// A vote of the account, by whichever of its devices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "camelCase")]
pub struct VoteChange {
    /// On what.
    pub qr_hash: QrHash,
    /// Whose.
    pub voter: VoterId,
    /// Which way; `"none"` if it was taken back.
    #[serde(with = "standing")]
    pub vote: Option<VoteChoice>,
    /// When.
    pub at: UnixMillis,
    /// The revision of the change.
    pub rev: i64,
}

/// A scan or a setting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct RegisterChange {
    /// Which.
    pub key: String,
    /// The revision of the change.
    pub rev: i64,
    /// When.
    pub at: UnixMillis,
    /// What stands there; missing for a deletion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<serde_json::Value>,
}

/// What a server accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "camelCase", default)]
pub struct Limits {
    /// Operations in a request.
    pub max_ops: u32,
    /// Bytes in a request's body.
    pub max_bytes: u32,
    /// Between the end of a run and the beginning of the next, in milliseconds.
    pub min_interval_ms: u32,
}

impl Default for Limits {
    /// What a server accepts that says nothing: fifty votes make some ten kilobytes.
    fn default() -> Self {
        Self { max_ops: 50, max_bytes: 64 * 1024, min_interval_ms: 0 }
    }
}

/// `GET /api/ratings/prefix/{hex}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "camelCase")]
pub struct RatingsResponse {
    /// All ratings whose hash begins so.
    pub ratings: Vec<Rating>,
    /// The server's clock.
    pub server_time: UnixMillis,
    /// Where the next page begins: sent back as `next`.
    #[serde(default)]
    pub next: Option<String>,
}
