//! What an import puts into the tables, record by record.

use sha2::{Digest, Sha256};

use super::super::{
    Context,
    context::{Names, Subject},
    key_value::announce,
    outgoing::{scan_stored, setting_stored},
    ratings::Announcer,
    votes::{self, Casting},
};
use crate::{
    error::Result,
    limits::EARLIEST,
    model::{Event, ImportReport, KvPair, ScanId, UnixMillis, VoteChoice},
    storage::{Transaction, key_value, scans, settings},
};

/// A record.
pub(super) struct Item {
    /// Tells it from every other record of the originals.
    digest: i64,
    what: What,
}

pub(super) enum What {
    Value(KvPair),
    /// Entries of an old store that no table has a place for, under the old key.
    LeftOver {
        pair: KvPair,
        entries: u32,
        legacy_votes: bool,
    },
    Scan(scans::Draft),
    Vote {
        subject: Subject,
        names: Names,
        choice: VoteChoice,
        at: UnixMillis,
    },
    Setting {
        name: &'static str,
        value: bool,
    },
}

impl Item {
    /// `content` is what the record was before it was understood.
    pub(super) fn new(kind: &str, content: &[&str], what: What) -> Self {
        Self { digest: digest(kind, content), what }
    }

    pub(super) fn value(pair: KvPair) -> Self {
        let digest = digest("value", &[&pair.key, &pair.value]);
        Self { digest, what: What::Value(pair) }
    }

    pub(super) fn left_over(pair: KvPair, entries: u32, legacy_votes: bool) -> Self {
        let digest = digest("left over", &[&pair.key, &pair.value]);
        Self { digest, what: What::LeftOver { pair, entries, legacy_votes } }
    }

    /// On what it votes, if it does.
    pub(super) fn subject(&self) -> Option<&Subject> {
        if let What::Vote { subject, .. } = &self.what { Some(subject) } else { None }
    }
}

/// Eight bytes of SHA-256: among a million records two meet once in forty million imports.
fn digest(kind: &str, content: &[&str]) -> i64 {
    let mut sum = Sha256::new();
    for part in [kind].iter().chain(content) {
        sum.update((part.len() as u64).to_le_bytes());
        sum.update(part);
    }
    let mut head = [0; 8];
    head.copy_from_slice(&sum.finalize()[..8]);
    i64::from_le_bytes(head)
}

/// A number of a report.
type Place = fn(&mut ImportReport) -> &mut u32;

/// What the records of one transaction have in common.
pub(super) struct Taking {
    pub(super) announcer: Announcer,
    pub(super) share_scans: bool,
    pub(super) share_settings: bool,
    /// Whether votes are kept for a server.
    pub(super) queue: bool,
    /// By the server's clock, as far as it is known.
    pub(super) now: UnixMillis,
}

impl Taking {
    pub(super) fn new(context: &Context, announcer: Announcer) -> Self {
        let sync = context.config.sync.as_ref();
        Self {
            announcer,
            share_scans: sync.is_some_and(|sync| sync.share_scans),
            share_settings: sync.is_some_and(|sync| sync.share_settings),
            queue: sync.is_some(),
            now: context.time(),
        }
    }

    /// Stores records, each unless an import has come across it before; what became of them.
    pub(super) fn take(&self, tx: &mut Transaction<'_>, items: Vec<Item>) -> Result<ImportReport> {
        let mut report = ImportReport::default();
        let mut changes = Changes::default();
        for Item { digest, what } in items {
            let (place, count, passed_over): (Place, u32, Place) = match &what {
                What::Value(_) => (|report| &mut report.key_values, 1, |report| &mut report.kept),
                // Where their key is taken they have nowhere to go.
                What::LeftOver { entries, legacy_votes: false, .. } => {
                    (|report| &mut report.left_over, *entries, |report| &mut report.refused)
                }
                What::LeftOver { entries, .. } => {
                    (|report| &mut report.legacy_votes, *entries, |report| &mut report.refused)
                }
                What::Scan(_) => (|report| &mut report.scans, 1, |report| &mut report.kept),
                What::Vote { .. } => (|report| &mut report.votes, 1, |report| &mut report.kept),
                What::Setting { .. } => (|report| &mut report.settings, 1, |report| &mut report.kept),
            };
            let taken = match tx.imported(digest)? {
                Some(taken) => taken,
                None => {
                    let taken = self.store(tx, what, &mut changes)?;
                    tx.note_imported(digest, taken)?;
                    tx.evict_some()?;
                    taken
                }
            };
            *(if taken { place } else { passed_over })(&mut report) += count;
        }
        changes.tell(tx);
        Ok(report)
    }

    /// Stores a record; false if what is here counts more.
    fn store(&self, tx: &mut Transaction<'_>, what: What, changes: &mut Changes) -> Result<bool> {
        match what {
            What::Value(pair) | What::LeftOver { pair, .. } => {
                if key_value::is_there(tx.connection, &pair.key)? {
                    return Ok(false);
                }
                tx.set_value(&pair)?;
                changes.keys.push(pair.key);
            }
            What::Scan(draft) => {
                if scans::is_there(tx.connection, draft.scanned_at, &draft.text)? {
                    return Ok(false);
                }
                let scan = tx.insert_scan(draft)?;
                if self.share_scans {
                    scan_stored(tx, &scan)?;
                }
                changes.scans += 1;
                changes.latest = changes.latest.max(Some(scan.id));
            }
            What::Vote { subject, names, choice, at } => {
                let casting = Casting { subject, names, choice: Some(choice), at: Some(at) };
                return votes::take_over(tx, &self.announcer, self.queue, self.now, &casting);
            }
            What::Setting { name, value } => {
                if settings::all(tx.connection)?.iter().any(|setting| setting.name == name) {
                    return Ok(false);
                }
                // Nobody knows when it was chosen; whatever is chosen on any device from now on counts more.
                tx.set_setting(name, value.to_string(), EARLIEST)?;
                if self.share_settings {
                    setting_stored(tx, name, &value.into(), EARLIEST)?;
                }
                changes.settings = true;
            }
        }
        Ok(true)
    }
}

/// What the app is told of after the commit.
#[derive(Default)]
struct Changes {
    scans: u32,
    latest: Option<ScanId>,
    keys: Vec<String>,
    settings: bool,
}

impl Changes {
    fn tell(self, tx: &mut Transaction<'_>) {
        if let Some(latest) = self.latest {
            tx.emit(Event::ScansAdded { count: self.scans, latest });
        }
        announce(tx, self.keys);
        if self.settings {
            tx.emit(Event::SettingsChanged);
        }
    }
}
