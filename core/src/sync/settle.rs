//! What became of a change, written down: the outbox entry and the record it belongs to, in one transaction.

use crate::{
    error::Result,
    features::{Context, outgoing, ratings::Announcer},
    limits::{MAX_KEY_BYTES, MAX_METADATA_BYTES, check_qr_text},
    model::{Event, OperationKind, ParkedReason, QrHash, QrKind, Scan, ScanId, UnixMillis, VoteChoice, VoterId},
    protocol::{ScanBody, SettingBody},
    qr,
    resilience::BackoffPolicy,
    storage::{Transaction, outbox::Entry, scans, settings, voters, votes::Register},
    voting::Reputation,
};

/// Changes parked or made due in one transaction: some milliseconds of work.
const CHUNK: u32 = 200;
/// Attempts after which a change that fails alone is tried at its own pace, and no longer holds the others up.
const ATTEMPTS_TOGETHER: u32 = 5;
/// The wait of such a change: from half a minute up to an hour.
const ALONE: BackoffPolicy = BackoffPolicy { base_ms: 30_000, cap_ms: 3_600_000 };
/// Bytes in the value of a setting that comes from elsewhere.
const MAX_SETTING_BYTES: usize = 64 * 1024;

/// What stands in a register, according to the server.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Standing {
    pub(super) at: UnixMillis,
    pub(super) value: Option<Value>,
}

/// What it is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Vote(Option<VoteChoice>),
    Body(serde_json::Value),
}

/// Whether a change was tried so often that it may be at fault itself.
pub(super) fn was_tried_often(entry: &Entry) -> bool {
    entry.operation.attempts >= ATTEMPTS_TOGETHER
}

/// After how many milliseconds a change that failed alone is tried again, if not with the next run.
pub(super) fn own_pace(tx: &Transaction<'_>, entry: &Entry) -> Option<u32> {
    let beyond = entry.operation.attempts.checked_sub(ATTEMPTS_TOGETHER)?;
    Some(ALONE.delay(beyond, u64::from_le_bytes(tx.random())))
}

/// The server took a change, at this time by its clock.
pub(super) fn applied(tx: &mut Transaction<'_>, announcer: &Announcer, entry: &Entry, at: UnixMillis) -> Result<()> {
    tx.remove_entry(entry)?;
    tx.drop_overtaken(entry)?;
    match entry.operation.kind {
        OperationKind::VoteSet | OperationKind::VoteRetract => {
            let Some((hash, person)) = voted(entry) else { return Ok(()) };
            confirm_vote(tx, announcer, hash, person, at)
        }
        OperationKind::ScanPut => match ScanId::parse(&entry.key) {
            Some(scan) if !tx.waits(&entry.key, None)? => tx.mark_scan(scan, false),
            _ => Ok(()),
        },
        OperationKind::ScanDelete | OperationKind::SettingPut => Ok(()),
    }
}

/// Something later stands in the change's register. Says whether it is different from what the change wanted.
pub(super) fn superseded(
    tx: &mut Transaction<'_>,
    announcer: &Announcer,
    entry: &Entry,
    standing: &Standing,
) -> Result<()> {
    applied(tx, announcer, entry, standing.at)?;
    match (&standing.value, entry.operation.kind) {
        (Some(Value::Vote(choice)), OperationKind::VoteSet | OperationKind::VoteRetract) => {
            let Some((hash, person)) = voted(entry) else { return Ok(()) };
            adopt_vote(tx, announcer, hash, person, *choice, standing.at)
        }
        (Some(Value::Body(body)), OperationKind::SettingPut) => adopt_setting(tx, &entry.key, body, standing.at),
        (_, OperationKind::ScanPut) => remove_scan(tx, &entry.key).map(drop),
        _ => Ok(()),
    }
}

/// Whether the server's word on a change is what the change wanted.
pub(super) fn is_as_wanted(entry: &Entry, standing: &Standing) -> bool {
    match (&standing.value, entry.operation.kind) {
        (Some(Value::Vote(None)), OperationKind::VoteRetract) => true,
        (Some(Value::Vote(Some(choice))), OperationKind::VoteSet) => {
            serde_json::from_str::<crate::protocol::VoteBody>(&entry.body).is_ok_and(|body| body.vote == *choice)
        }
        (Some(Value::Body(standing)), OperationKind::SettingPut) => {
            let wanted: Result<SettingBody, _> = serde_json::from_str(&entry.body);
            wanted.is_ok_and(|wanted| standing.get("value") == Some(&wanted.value))
        }
        // Nothing but another deletion stands before one.
        (_, OperationKind::ScanDelete) => true,
        _ => false,
    }
}

/// A vote of the account, by whichever device; an older or waiting own change is not touched.
pub(super) fn adopt_vote(
    tx: &mut Transaction<'_>,
    announcer: &Announcer,
    hash: QrHash,
    person: VoterId,
    choice: Option<VoteChoice>,
    at: UnixMillis,
) -> Result<()> {
    if tx.waits(&hash.to_string(), Some(&person))? {
        // What was changed here is on its way; the server will say which of the two holds.
        return Ok(());
    }
    let mut subject = tx.subject(hash, None)?;
    let before = tx.register(&mut subject, &person)?;
    let standing = before.as_ref().filter(|before| !before.derived);
    // What the server has is what it says, unless this was said before something newer was.
    let known = |before: &Register| before.at > at || (before.at == at && before.choice == choice);
    if standing.is_some_and(|before| before.acknowledged && known(before)) {
        return Ok(());
    }
    let changes = standing.and_then(|before| before.choice) != choice;
    match (&before, choice) {
        (Some(before), None) if !before.derived => tx.remove_register(&mut subject, before)?,
        (_, None) => {}
        (before, Some(choice)) => {
            let after = Register {
                id: 0,
                subject: subject.id,
                person,
                choice: Some(choice),
                at,
                reputation: voters::reputation(tx.connection, &person).unwrap_or(Reputation::NEUTRAL),
                derived: false,
                hash,
                host_hash: before.as_ref().and_then(|before| before.host_hash).or(subject.host_hash),
                acknowledged: true,
            };
            tx.replace(&mut subject, before.as_ref(), &after)?;
        }
    }
    follow(tx, announcer, before.as_ref().and_then(|before| before.host_hash).or(subject.host_hash), person)?;
    announcer.announce(tx, &subject)?;
    if changes {
        tx.emit(Event::VoteChanged { qr_hash: hash });
    }
    Ok(())
}

/// A setting of the account; a waiting own change is not touched. Whether it was news.
pub(super) fn adopt_setting(
    tx: &mut Transaction<'_>,
    name: &str,
    body: &serde_json::Value,
    at: UnixMillis,
) -> Result<()> {
    let Ok(SettingBody { value }) = serde_json::from_value::<SettingBody>(body.clone()) else { return Ok(()) };
    let text = value.to_string();
    let fits = !name.is_empty() && name.len() <= MAX_KEY_BYTES && text.len() <= MAX_SETTING_BYTES;
    if !fits || tx.waits(name, None)? {
        return Ok(());
    }
    let here = settings::all(tx.connection)?.into_iter().find(|setting| setting.name == name);
    if here.as_ref().is_none_or(|here| here.value != text) {
        tx.set_setting(name, text, at)?;
        tx.emit(Event::SettingsChanged);
    }
    Ok(())
}

/// A scan of the account, recorded on another device; whether it was news.
pub(super) fn adopt_scan(tx: &mut Transaction<'_>, key: &str, body: &serde_json::Value) -> Result<Option<ScanId>> {
    let Some(id) = ScanId::parse(key) else { return Ok(None) };
    let Ok(body) = serde_json::from_value::<ScanBody>(body.clone()) else { return Ok(None) };
    let kind = qr::classify(&body.text);
    let fits = body.metadata.as_ref().is_none_or(|metadata| metadata.len() <= MAX_METADATA_BYTES);
    if check_qr_text(&body.text).is_err() || !fits || private(kind) || tx.waits(key, None)? {
        return Ok(None);
    }
    if scans::find(tx.connection, id)?.is_some() {
        return Ok(None);
    }
    let scan = Scan {
        id,
        kind,
        verdict: outgoing::verdict_named(&body.verdict),
        scanned_at: scans::scanned_at(id.0),
        qr_hash: qr::hash_text(&body.text),
        text: body.text,
        metadata: body.metadata,
    };
    tx.put_scan(&scan)?;
    tx.state.latest_scan = tx.state.latest_scan.map(|latest| latest.max(id.0));
    tx.evict_some()?;
    Ok(Some(id))
}

/// A scan of the account that was deleted; whether it was here.
pub(super) fn remove_scan(tx: &mut Transaction<'_>, key: &str) -> Result<bool> {
    match ScanId::parse(key) {
        Some(id) => tx.delete_scan(id),
        None => Ok(false),
    }
}

/// Makes everything due that is parked for this reason.
pub(super) async fn unpark(context: &Context, reason: ParkedReason) -> Result<()> {
    while context.store.write(move |tx| tx.unpark_some(reason, CHUNK)).await? == CHUNK {}
    Ok(())
}

/// Parks everything that waits; how many changes those were.
pub(super) async fn park_all(context: &Context, reason: ParkedReason, error: &'static str) -> Result<u32> {
    let mut count = 0;
    loop {
        let parked = context
            .store
            .write(move |tx| {
                let parked = tx.park_some(reason, error, CHUNK)?;
                for entry in &parked {
                    tx.emit(Event::OperationParked { id: entry.operation.id, reason });
                }
                Ok(u32::try_from(parked.len()).unwrap_or(CHUNK))
            })
            .await?;
        count += parked;
        if parked < CHUNK {
            return Ok(count);
        }
    }
}

/// The server has this vote now. Its time is the server's, unless something newer waits.
fn confirm_vote(
    tx: &mut Transaction<'_>,
    announcer: &Announcer,
    hash: QrHash,
    person: VoterId,
    at: UnixMillis,
) -> Result<()> {
    let mut subject = tx.subject(hash, None)?;
    let Some(before) = tx.register(&mut subject, &person)?.filter(|register| !register.derived) else { return Ok(()) };
    let newer = tx.waits(&hash.to_string(), Some(&person))?;
    if before.choice.is_none() && !newer {
        // A retraction leaves nothing behind once everybody knows of it.
        tx.remove_register(&mut subject, &before)?;
        subject = tx.follow_host(hash, person)?;
    } else {
        let at = if newer { before.at } else { at };
        if !before.acknowledged || before.at != at {
            tx.replace(&mut subject, Some(&before), &Register { acknowledged: true, at, ..before.clone() })?;
        }
    }
    follow(tx, announcer, before.host_hash, person)?;
    announcer.announce(tx, &subject)?;
    Ok(())
}

fn follow(tx: &mut Transaction<'_>, announcer: &Announcer, host: Option<QrHash>, person: VoterId) -> Result<()> {
    if let Some(host) = host {
        let host = tx.follow_host(host, person)?;
        announcer.announce(tx, &host)?;
    }
    Ok(())
}

fn voted(entry: &Entry) -> Option<(QrHash, VoterId)> {
    QrHash::parse(&entry.key).zip(entry.vote.map(|vote| vote.person))
}

fn private(kind: QrKind) -> bool {
    qr::NEVER_VOTABLE.contains(&kind)
}
