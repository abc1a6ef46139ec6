use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::shape::objects;
use crate::model::{OperationId, OperationKind, QrHash, UnixMillis, VoteChoice, VoterId};

objects!(Operation, VoteBody, RetractionBody, ScanBody, SettingBody);

/// A change that a device asks the server to make.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Operation {
    /// Its name, fixed before it is first sent.
    pub id: OperationId,
    /// Its place among the device's operations.
    pub seq: i64,
    /// What it asks, as [`kind_name`] writes it.
    pub kind: String,
    /// When the change was made, by the server's clock as far as the device knows it.
    pub at: UnixMillis,
    /// Of the register it changes: a code's hash, a scan's id, a setting's name.
    pub key: String,
    /// The rest, by kind.
    pub body: Box<RawValue>,
}

const KINDS: [(OperationKind, &str); 5] = [
    (OperationKind::VoteSet, "vote.set"),
    (OperationKind::VoteRetract, "vote.retract"),
    (OperationKind::ScanPut, "scan.put"),
    (OperationKind::ScanDelete, "scan.delete"),
    (OperationKind::SettingPut, "setting.put"),
];

/// How a kind of operation is written.
#[must_use]
pub fn kind_name(kind: OperationKind) -> &'static str {
    KINDS.iter().find(|(known, _)| *known == kind).map_or("", |(_, name)| name)
}

/// Reads a kind of operation; `None` for one that this version does not know.
#[must_use]
pub fn kind_named(name: &str) -> Option<OperationKind> {
    KINDS.iter().find(|(_, known)| *known == name).map(|(kind, _)| *kind)
}

/// The body of a vote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "camelCase")]
pub struct VoteBody {
    /// Which way.
    pub vote: VoteChoice,
    /// Whose.
    pub voter: VoterId,
    /// The code's host, a subject like any other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_hash: Option<QrHash>,
    /// The voter's name on the host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_voter: Option<VoterId>,
}

/// The body of a retraction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct RetractionBody {
    /// Whose vote.
    pub voter: VoterId,
}

/// The body of a scan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct ScanBody {
    /// What was scanned.
    pub text: String,
    /// What the app made of it: `unknown`, `safe`, `suspicious` or `unsafe`.
    pub verdict: String,
    /// What the app keeps with it.
    #[serde(default)]
    pub metadata: Option<String>,
}

/// The body of a setting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct SettingBody {
    /// Any JSON.
    pub value: serde_json::Value,
}
