//! What AsyncStorage left on the disk: found, read, and at the very end removed.
//!
//! | platform, version | where it lies, below the app's own directory | what it is |
//! |---|---|---|
//! | any, 3 | `async-storage/databases/<name>/<name>.sqlite` below the folder of the databases | SQLite, table `entries` |
//! | Android, 2 with Room | `databases/AsyncStorage` | SQLite, table `Storage`; made once as a copy of the next one |
//! | Android, 1 and 2 | `databases/RKStorage` | SQLite, table `catalystLocalStorage`; keys may be NULL |
//! | Apple, 1 and 2 | `Library/Application Support/<bundle>/RCTAsyncLocalStorage_V1` | a folder, see [`folder`] |
//! | Apple, older | `Documents/RCTAsyncLocalStorage_V1`, `RNCAsyncLocalStorage_V1`, `RCTAsyncLocalStorage` | the same, left behind |
//!
//! Nothing here ever changes an original. A database is opened where it lies and only for reading; one that SQLite would
//! have to put right first (a kill left a journal) is copied, and the copy is put right. A broken one is read as far as
//! it can be into a file of our own ([`rescue`]). "Unreadable" is not "empty": whatever cannot be opened just now is an
//! error, and nothing is taken of it.

mod find;
mod folder;
mod origin;
mod rescue;
mod table;

use std::path::Path;

pub(crate) use self::{
    find::{Whereabouts, find},
    origin::{Fingerprint, Origin},
};
use self::{folder::Folder, origin::Shape, table::Table};
use crate::{
    error::Result,
    limits::{MAX_KEY_BYTES, MAX_VALUE_BYTES},
    model::KvPair,
};

/// What was being done, for errors.
const WHILE: &str = "reading what AsyncStorage left";
/// Entries in a batch: one transaction takes them, which holds other writers up for some milliseconds.
const BATCH: usize = 1_000;
/// Bytes in a batch, whole entries: what is kept in memory at a time.
const BATCH_BYTES: usize = 4 * 1024 * 1024;
/// Bytes of a document that is taken apart, and of a manifest: they are kept in memory as a whole. That is a history of
/// some three hundred thousand scans.
const MAX_DOCUMENT_BYTES: usize = 64 * 1024 * 1024;

/// Entries, and what was found that is none.
#[derive(Default)]
pub(crate) struct Batch {
    pub(crate) entries: Vec<KvPair>,
    pub(crate) counts: Counts,
    /// Bytes of content gone through.
    pub(crate) bytes: u64,
}

/// What is known of entries beside their content.
#[derive(Clone, Copy, Default)]
pub(crate) struct Counts {
    /// Without a key, or without a value.
    pub(crate) nothing: u32,
    /// With bytes that are no text.
    pub(crate) altered: u32,
    /// Too long, or under a key that is no text.
    pub(crate) refused: u32,
    /// Not to be read any more.
    pub(crate) lost: u32,
}

/// A value that is taken apart, and not stored as it is.
pub(crate) enum Document {
    Missing,
    Lost,
    TooLong,
    Text { text: String, altered: bool },
}

/// Reads one storage from its first entry to its last.
pub(crate) enum Reader {
    Table(Table),
    Folder(Folder),
}

impl Reader {
    /// Opens a storage; `scratch` is a folder of our own for what must be put right first. The values under `documents`
    /// are no entries.
    pub(crate) fn open(origin: &Origin, scratch: &Path, documents: &'static [&'static str]) -> Result<Self> {
        match &origin.shape {
            Shape::Database { tables } => Table::open(&origin.path, tables, scratch, documents).map(Self::Table),
            Shape::Folder => Folder::open(&origin.path, documents).map(Self::Folder),
        }
    }

    /// Bytes of content there are, documents included.
    pub(crate) fn total(&self) -> u64 {
        match self {
            Self::Table(table) => table.total,
            Self::Folder(folder) => folder.total,
        }
    }

    /// Entries that were lost before any was read.
    pub(crate) fn lost(&self) -> u32 {
        match self {
            Self::Table(table) => table.lost,
            Self::Folder(_) => 0,
        }
    }

    /// The next entries; none at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Batch>> {
        match self {
            Self::Table(table) => table.next(),
            Self::Folder(folder) => folder.next(),
        }
    }

    /// A document. To be asked for at the end, when all keys were seen.
    pub(crate) fn document(&mut self, key: &str) -> Result<Document> {
        match self {
            Self::Table(table) => table.document(key),
            Self::Folder(folder) => folder.document(key),
        }
    }
}

impl Batch {
    fn is_full(&self) -> bool {
        self.entries.len() >= BATCH || self.bytes >= BATCH_BYTES as u64
    }

    /// Takes an entry that is all there.
    fn take(&mut self, key: &[u8], value: Vec<u8>) {
        let Ok(key) = std::str::from_utf8(key) else {
            self.counts.refused += 1;
            return;
        };
        let (value, altered) = text(value);
        self.counts.altered += u32::from(altered);
        self.entries.push(KvPair { key: key.to_owned(), value });
    }
}

/// Bytes as text, and whether some had to be replaced for it.
fn text(bytes: Vec<u8>) -> (String, bool) {
    match String::from_utf8(bytes) {
        Ok(text) => (text, false),
        Err(error) => (String::from_utf8_lossy(error.as_bytes()).into_owned(), true),
    }
}
