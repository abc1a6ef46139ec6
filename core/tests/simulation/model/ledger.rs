use std::collections::BTreeMap;

use safescan_core::model::{OperationId, QrHash, UnixMillis, VoterId};

use super::Spam;

/// What every operation did, however often and by whatever way it came.
#[derive(Default)]
pub(crate) struct Ledger {
    entries: BTreeMap<OperationId, Entry>,
    /// The name of the operation in every place of every device.
    places: BTreeMap<(String, i64), OperationId>,
    /// Places whose operation came under another name than before.
    renamed: Vec<(String, i64)>,
    /// When each voter's votes counted, and on what.
    votes: BTreeMap<VoterId, Vec<(UnixMillis, QrHash)>>,
}

/// One operation's fate.
#[derive(Clone, Debug, Default)]
pub(crate) struct Entry {
    /// How often it came.
    pub(crate) received: u32,
    /// How often it changed a register. More than once is the bug that ids are there to prevent.
    pub(crate) effects: u32,
    /// Whether any answer said applied, duplicate or superseded.
    pub(crate) settled: bool,
    /// The code of a rejection, if there was one.
    pub(crate) rejected: Option<String>,
    /// Its kind, for messages.
    pub(crate) what: String,
}

impl Ledger {
    pub(crate) fn entry(&mut self, id: OperationId) -> &mut Entry {
        self.entries.entry(id).or_default()
    }

    /// Notes where an operation stands. It keeps its name however often it is sent.
    pub(super) fn came(&mut self, device: &str, seq: i64, id: OperationId) {
        let place = (device.to_owned(), seq);
        if *self.places.entry(place.clone()).or_insert(id) != id {
            self.renamed.push(place);
        }
    }

    pub(crate) fn renamed(&self) -> &[(String, i64)] {
        &self.renamed
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = (&OperationId, &Entry)> {
        self.entries.iter()
    }

    pub(super) fn count_vote(&mut self, voter: VoterId, at: UnixMillis, code: QrHash) {
        self.votes.entry(voter).or_default().push((at, code));
    }

    /// How long a vote has to wait that counts at `at`, if it does.
    pub(super) fn too_fast(&self, voter: VoterId, at: UnixMillis, code: QrHash, spam: &Spam) -> Option<u32> {
        let recent: Vec<_> = self.votes.get(&voter)?.iter().filter(|(then, _)| *then <= at).collect();
        let recent: Vec<_> = recent.into_iter().filter(|(then, _)| then.0 > at.0 - spam.window_ms).collect();
        let same = recent.iter().filter(|(_, voted)| *voted == code).count();
        if recent.len() < spam.per_window && same < spam.per_code {
            return None;
        }
        let oldest = recent.iter().map(|(then, _)| then.0).min()?;
        u32::try_from(oldest + spam.window_ms - at.0 + 1).ok()
    }
}
