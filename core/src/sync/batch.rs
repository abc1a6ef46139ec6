//! A request: which changes go into it, and how it is written.

use serde_json::value::{RawValue, to_raw_value};

use crate::{
    error::{Error, Result},
    features::Context,
    protocol::{self, Limits, SyncRequest},
    storage::{
        dispatch::{self, Fit},
        outbox::Entry,
    },
};

/// What a request is made of beside its operations: the names, the cursor, the topics.
const ENVELOPE_BYTES: usize = 4 * 1024;
/// The smallest request that is believed: a server that takes less takes nothing.
const SMALLEST_BYTES: usize = ENVELOPE_BYTES + 1024;
/// The largest one that is made: what a phone sends within the patience of a request, on a bad network.
const LARGEST_BYTES: usize = 256 * 1024;
/// Operations in a request, whatever the server takes.
const MOST_OPS: u32 = 500;
/// Topics in a request.
const MOST_TOPICS: usize = 256;

/// Changes on their way.
pub(super) struct Batch {
    pub(super) entries: Vec<Entry>,
    /// Parked, because they can never be sent.
    pub(super) poison: Vec<Entry>,
    written: Vec<Box<RawValue>>,
    oldest: Option<i64>,
}

/// Takes what is due, up to `most` changes, and notes that it is under way.
pub(super) async fn take(context: &Context, limits: Limits, most: u32) -> Result<Batch> {
    let room = usize::try_from(limits.max_bytes).unwrap_or(usize::MAX).clamp(SMALLEST_BYTES, LARGEST_BYTES);
    let most = most.min(limits.max_ops.clamp(1, MOST_OPS));
    context
        .store
        .write(move |tx| {
            let mut left = room - ENVELOPE_BYTES;
            let mut written = Vec::new();
            let taken = tx.take_due(most, |entry| {
                let Ok(operation) = write(entry) else { return Fit::Never };
                // And the comma behind it.
                let size = operation.get().len() + 1;
                if size > room - ENVELOPE_BYTES {
                    return Fit::Never;
                }
                if size > left {
                    return Fit::NotNow;
                }
                left -= size;
                written.push(operation);
                Fit::Yes
            })?;
            let oldest = dispatch::oldest(tx.connection)?;
            Ok(Batch { entries: taken.batch, poison: taken.poison, written, oldest })
        })
        .await
}

impl Batch {
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn len(&self) -> u32 {
        u32::try_from(self.entries.len()).unwrap_or(u32::MAX)
    }

    /// The request's body.
    pub(super) fn request(
        &mut self,
        context: &Context,
        cursor: Option<String>,
        topics: Vec<String>,
        page: u32,
    ) -> Result<Vec<u8>> {
        let request = SyncRequest {
            data: std::mem::take(&mut self.written),
            timestamp: context.now(),
            protocol: protocol::VERSION,
            device: context.store.installation().device.clone(),
            oldest_pending: self.oldest,
            cursor,
            topics: topics.into_iter().take(MOST_TOPICS).collect(),
            limit: Some(page),
        };
        serde_json::to_vec(&request).map_err(|_| Error::Unexpected { what: "a request cannot be written" })
    }
}

fn write(entry: &Entry) -> serde_json::Result<Box<RawValue>> {
    to_raw_value(&protocol::Operation {
        id: entry.operation.id,
        seq: entry.seq,
        kind: protocol::kind_name(entry.operation.kind).to_owned(),
        at: entry.operation.created_at,
        key: entry.key.clone(),
        body: RawValue::from_string(entry.body.clone())?,
    })
}
