use std::sync::Arc;

use super::{
    Context,
    context::parse_cursor,
    outgoing::{scan_deleted, scan_stored},
};
use crate::{
    error::{Error, Result},
    limits::{
        MAX_METADATA_BYTES, MAX_QR_CHARS, SCAN_SKEW_MS, check_batch, check_bytes, check_instant, check_name,
        check_page, check_qr_text,
    },
    model::{Event, NewScan, Scan, ScanId, ScanPage, ScanQuery, StoreName, UnixMillis},
    qr,
    storage::{Transaction, scans},
};

/// The scan history.
pub struct Scans(pub(crate) Arc<Context>);

impl Scans {
    /// Records a scan.
    ///
    /// # Errors
    /// Invalid input, or no room.
    pub async fn record(&self, scan: NewScan) -> Result<Scan> {
        let mut stored = self.record_all(vec![scan]).await?;
        stored.pop().ok_or(Error::Unexpected { what: "one scan went in and none came out" })
    }

    /// Records scans in one transaction.
    ///
    /// # Errors
    /// Invalid input, or no room; nothing is stored then.
    pub async fn record_all(&self, scans: Vec<NewScan>) -> Result<Vec<Scan>> {
        check_batch("scans", scans.len())?;
        let now = self.0.now();
        let drafts = scans.into_iter().map(|scan| draft(scan, now)).collect::<Result<Vec<_>>>()?;
        let share = self.0.config.sync.as_ref().is_some_and(|sync| sync.share_scans);
        self.0
            .store
            .write(move |tx| {
                let mut stored = Vec::with_capacity(drafts.len());
                for draft in drafts {
                    let scan = tx.insert_scan(draft)?;
                    if share {
                        scan_stored(tx, &scan)?;
                    }
                    tx.evict_some()?;
                    stored.push(scan);
                }
                if let Some(latest) = stored.last() {
                    let count = u32::try_from(stored.len()).unwrap_or(u32::MAX);
                    tx.emit(Event::ScansAdded { count, latest: latest.id });
                }
                Ok(stored)
            })
            .await
    }

    /// The scan with this id.
    ///
    /// # Errors
    /// The storage cannot be read, or the row is damaged.
    pub async fn find(&self, id: ScanId) -> Result<Option<Scan>> {
        match self.0.read(move |connection| scans::find(connection, id)).await? {
            Some(Ok(scan)) => Ok(Some(scan)),
            Some(Err(())) => {
                self.0.note_damage(StoreName::Scans, 1);
                Err(Error::Damaged { during: "reading a scan" })
            }
            None => Ok(None),
        }
    }

    /// A page, newest first.
    ///
    /// # Errors
    /// Invalid input, or the storage cannot be read.
    pub async fn page(&self, query: ScanQuery) -> Result<ScanPage> {
        check_page(query.limit)?;
        if let Some(text) = &query.text {
            check_name("text", text, 4 * MAX_QR_CHARS)?;
        }
        let below = query.cursor.as_deref().map(parse_cursor).transpose()?.unwrap_or(i64::MAX);
        let below = query.until.map_or(below, |until| below.min(scans::first_id(until)));
        let wanted = scans::Wanted {
            limit: query.limit,
            below,
            from: query.from.map_or(0, scans::first_id),
            verdict: query.verdict,
            kind: query.kind,
            text: query.text,
        };
        let found = self.0.read(move |connection| scans::page(connection, &wanted)).await?;
        self.0.note_damage(StoreName::Scans, found.withheld);
        let next_cursor = found.next_below.map(|below| format!("{below:016x}"));
        Ok(ScanPage { scans: found.scans, next_cursor, withheld: found.withheld })
    }

    /// Deletes a scan; false if there is none with this id.
    ///
    /// # Errors
    /// The storage cannot be written.
    pub async fn delete(&self, id: ScanId) -> Result<bool> {
        let share = self.0.config.sync.as_ref().is_some_and(|sync| sync.share_scans);
        self.0
            .store
            .write(move |tx| {
                let deleted = delete(tx, id, share)?;
                if deleted {
                    tx.emit(Event::ScansRemoved { count: 1 });
                }
                Ok(deleted)
            })
            .await
    }

    /// Deletes the whole history, some hundred scans at a time so that other writes are not held up.
    ///
    /// # Errors
    /// The storage cannot be written.
    pub async fn clear(&self) -> Result<u32> {
        /// Scans in one transaction: some milliseconds of work.
        const CHUNK: u32 = 500;
        let share = self.0.config.sync.as_ref().is_some_and(|sync| sync.share_scans);
        // What is recorded from now on stays.
        let end = self.0.read(scans::end).await?;
        let mut cleared = 0;
        loop {
            let removed = self
                .0
                .store
                .write(move |tx| {
                    let ids = tx.scans_below(end, CHUNK)?;
                    for id in &ids {
                        delete(tx, *id, share)?;
                    }
                    let count = u32::try_from(ids.len()).unwrap_or(CHUNK);
                    if count > 0 {
                        tx.emit(Event::ScansRemoved { count });
                    }
                    Ok(count)
                })
                .await?;
            cleared += removed;
            if removed < CHUNK {
                return Ok(cleared);
            }
        }
    }
}

fn delete(tx: &mut Transaction<'_>, id: ScanId, share: bool) -> Result<bool> {
    let deleted = tx.delete_scan(id)?;
    if deleted && share {
        scan_deleted(tx, id)?;
    }
    Ok(deleted)
}

fn draft(scan: NewScan, now: UnixMillis) -> Result<scans::Draft> {
    check_qr_text(&scan.text)?;
    if let Some(metadata) = &scan.metadata {
        check_bytes("metadata", metadata, MAX_METADATA_BYTES)?;
    }
    let scanned_at = scan.scanned_at.unwrap_or(now);
    if scan.scanned_at.is_some() {
        check_instant("scanned_at", scanned_at, now, SCAN_SKEW_MS)?;
    }
    Ok(scans::Draft {
        kind: qr::classify(&scan.text),
        verdict: scan.verdict.unwrap_or_default(),
        scanned_at,
        qr_hash: qr::hash_text(&scan.text),
        text: scan.text,
        metadata: scan.metadata,
    })
}
