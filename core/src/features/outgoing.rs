//! What a change looks like to the server. The body is written once, with the change, and sent as it is.

use serde::Serialize;

use crate::{
    error::Result,
    model::{OperationKind, QrHash, Scan, ScanId, UnixMillis, Verdict, VoteChoice},
    protocol::{RetractionBody, ScanBody, SettingBody, VoteBody},
    qr,
    storage::{
        Transaction,
        outbox::{Change, VoteNames},
    },
};

/// A vote, as others will know it.
pub(crate) struct OutgoingVote {
    pub(crate) hash: QrHash,
    pub(crate) names: VoteNames,
    pub(crate) at: UnixMillis,
}

/// Queues a vote.
pub(crate) fn vote_set(tx: &mut Transaction<'_>, vote: &OutgoingVote, choice: VoteChoice) -> Result<()> {
    let host = vote.names.host;
    let body = VoteBody {
        vote: choice,
        voter: vote.names.voter,
        host_hash: host.map(|(hash, _)| hash),
        host_voter: host.map(|(_, voter)| voter),
    };
    tx.enqueue(change(OperationKind::VoteSet, vote, written(&body)))
}

/// Queues a retraction; or, where the server never heard of the vote, takes that back, queues nothing and returns false.
pub(crate) fn vote_retracted(tx: &mut Transaction<'_>, vote: &OutgoingVote, acknowledged: bool) -> Result<bool> {
    let key = vote.hash.to_string();
    let person = &vote.names.person;
    let unsent = tx.unsent(&key, Some(person))?;
    if let Some(unsent) = &unsent {
        tx.remove_entry(unsent)?;
    }
    let unheard_of = unsent.is_some() && !acknowledged && !tx.waits(&key, Some(person))?;
    if !unheard_of {
        let body = RetractionBody { voter: vote.names.voter };
        tx.enqueue(change(OperationKind::VoteRetract, vote, written(&body)))?;
    }
    Ok(!unheard_of)
}

/// Queues a scan, unless what it holds is private: such codes never leave the device.
pub(crate) fn scan_stored(tx: &mut Transaction<'_>, scan: &Scan) -> Result<()> {
    if qr::NEVER_VOTABLE.contains(&scan.kind) {
        return Ok(());
    }
    let body = ScanBody {
        text: scan.text.clone(),
        verdict: verdict_name(scan.verdict).to_owned(),
        metadata: scan.metadata.clone(),
    };
    let at = scan.scanned_at;
    let key = scan.id.to_string();
    tx.enqueue(Change { kind: OperationKind::ScanPut, key, vote: None, body: written(&body), at })?;
    tx.mark_scan(scan.id, true)
}

/// Queues a deletion; or, where the server never heard of the scan, takes that back and queues nothing.
pub(crate) fn scan_deleted(tx: &mut Transaction<'_>, id: ScanId) -> Result<()> {
    let key = id.to_string();
    if let Some(unsent) = tx.unsent(&key, None)? {
        return tx.remove_entry(&unsent);
    }
    let at = tx.now();
    tx.enqueue(Change { kind: OperationKind::ScanDelete, key, vote: None, body: "{}".into(), at })
}

/// Queues a setting.
pub(crate) fn setting_stored(
    tx: &mut Transaction<'_>,
    name: &str,
    value: &serde_json::Value,
    at: UnixMillis,
) -> Result<()> {
    let body = written(&SettingBody { value: value.clone() });
    tx.enqueue(Change { kind: OperationKind::SettingPut, key: name.to_owned(), vote: None, body, at })
}

/// How a verdict is written.
pub(crate) fn verdict_name(verdict: Verdict) -> &'static str {
    VERDICTS.iter().find(|(known, _)| *known == verdict).map_or("unknown", |(_, name)| name)
}

/// Reads a verdict; one that this version does not know is no verdict.
pub(crate) fn verdict_named(name: &str) -> Verdict {
    VERDICTS.iter().find(|(_, known)| *known == name).map_or(Verdict::Unknown, |(verdict, _)| *verdict)
}

const VERDICTS: [(Verdict, &str); 4] = [
    (Verdict::Unknown, "unknown"),
    (Verdict::Safe, "safe"),
    (Verdict::Suspicious, "suspicious"),
    (Verdict::Unsafe, "unsafe"),
];

fn change(kind: OperationKind, vote: &OutgoingVote, body: String) -> Change {
    Change { kind, key: vote.hash.to_string(), vote: Some(vote.names), body, at: vote.at }
}

fn written<T: Serialize>(body: &T) -> String {
    serde_json::to_string(body).expect("bodies are made of texts and JSON")
}
