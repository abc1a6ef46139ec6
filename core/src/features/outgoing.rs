//! What a change looks like to the server. The body is written once, with the change, and sent as it is.

use serde_json::json;

use crate::{
    error::Result,
    model::{OperationKind, QrHash, Scan, ScanId, UnixMillis, VoteChoice, VoterId},
    qr,
    storage::{Transaction, outbox::Change},
};

/// A vote, as others will know it.
pub(crate) struct OutgoingVote {
    pub(crate) hash: QrHash,
    pub(crate) person: VoterId,
    pub(crate) voter: VoterId,
    /// The host, and the voter's name there.
    pub(crate) host: Option<(QrHash, VoterId)>,
    pub(crate) at: UnixMillis,
}

/// Queues a vote.
pub(crate) fn vote_set(tx: &mut Transaction<'_>, vote: &OutgoingVote, choice: VoteChoice) -> Result<()> {
    let choice = match choice {
        VoteChoice::Safe => "safe",
        VoteChoice::Unsafe => "unsafe",
    };
    let mut body = json!({ "vote": choice, "voter": vote.voter.to_string() });
    if let Some((host, voter)) = &vote.host {
        body["hostHash"] = host.to_string().into();
        body["hostVoter"] = voter.to_string().into();
    }
    tx.enqueue(change(OperationKind::VoteSet, vote, body.to_string()))
}

/// Queues a retraction; or, where the server never heard of the vote, takes that back, queues nothing and returns false.
pub(crate) fn vote_retracted(tx: &mut Transaction<'_>, vote: &OutgoingVote, acknowledged: bool) -> Result<bool> {
    let key = vote.hash.to_string();
    let unsent = tx.unsent(&key, Some(&vote.person))?;
    if let Some(unsent) = &unsent {
        tx.remove_entry(unsent)?;
    }
    let unheard_of = unsent.is_some() && !acknowledged && !tx.waits(&key, Some(&vote.person))?;
    if !unheard_of {
        let body = json!({ "voter": vote.voter.to_string() }).to_string();
        tx.enqueue(change(OperationKind::VoteRetract, vote, body))?;
    }
    Ok(!unheard_of)
}

/// Queues a scan, unless what it holds is private: such codes never leave the device.
pub(crate) fn scan_stored(tx: &mut Transaction<'_>, scan: &Scan) -> Result<()> {
    if qr::NEVER_VOTABLE.contains(&scan.kind) {
        return Ok(());
    }
    let body = json!({
        "text": scan.text,
        "verdict": format!("{:?}", scan.verdict).to_lowercase(),
        "metadata": scan.metadata,
    });
    let at = scan.scanned_at;
    let key = scan.id.to_string();
    tx.enqueue(Change { kind: OperationKind::ScanPut, key, person: None, body: body.to_string(), at })?;
    tx.mark_scan(scan.id, true)
}

/// Queues a deletion; or, where the server never heard of the scan, takes that back and queues nothing.
pub(crate) fn scan_deleted(tx: &mut Transaction<'_>, id: ScanId) -> Result<()> {
    let key = id.to_string();
    if let Some(unsent) = tx.unsent(&key, None)? {
        return tx.remove_entry(&unsent);
    }
    let at = tx.now();
    tx.enqueue(Change { kind: OperationKind::ScanDelete, key, person: None, body: "{}".into(), at })
}

/// Queues a setting.
pub(crate) fn setting_stored(tx: &mut Transaction<'_>, name: &str, value: &serde_json::Value) -> Result<()> {
    let body = json!({ "value": value }).to_string();
    let at = tx.now();
    tx.enqueue(Change { kind: OperationKind::SettingPut, key: name.to_owned(), person: None, body, at })
}

fn change(kind: OperationKind, vote: &OutgoingVote, body: String) -> Change {
    Change { kind, key: vote.hash.to_string(), person: Some(vote.person), body, at: vote.at }
}
