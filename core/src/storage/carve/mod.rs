//! Rows out of the raw bytes of a damaged database, without SQLite.
//!
//! SQLite finds a row from the file header through the schema and the interior pages of a tree: damage to any of them
//! hides rows that are themselves intact. Here nothing of that is believed. Every page is looked at by itself, and
//! whatever reads as a row is handed out as a *candidate*. Our rows carry a checksum over their columns; the caller
//! checks it, so that a generous search costs time and never a wrong row.
//!
//! Candidates come in the order of trust, [`Generation::Current`] first: for one row id of one table, the first
//! candidate whose checksum holds is the best there is. Nothing here knows tables: the number of values and the
//! checksum tell them apart. Text may imitate a row, so the checksum must bind the table and the row id, too.
//!
//! 1. `Current`: cells that leaf pages name, in the database as the committed frames of the log leave it.
//! 2. `Orphan`: the log's frames behind its last trustworthy commit, newest first; then pages that do not add up (a
//!    damaged pointer array, a page whose kind is unreadable), searched byte by byte.
//! 3. `Stale`: versions of pages that a committed frame replaced, and pages behind the end of the database.
//!
//! There is no special treatment of free pages and free blocks: with `secure_delete` on, SQLite zeroes what is deleted,
//! and rows that somebody deleted are not to be brought back. For the same reason the unused space of a sound page,
//! where moving a row can leave a copy, is not searched.
//!
//! Known limits: pages have no reserved bytes, text is UTF-8, tables have row ids and at most 128 columns, and the
//! header of a record lies on its leaf, as it does on pages of 4096 bytes. That holds for every file we write.
//!
//! Time is bounded by the two files' sizes. Memory is one page, one record and a few bytes for each page.

mod page;
mod passes;
mod record;
#[cfg(test)]
mod tests;
mod view;
mod wal;

use std::collections::{HashMap, HashSet};
use std::io::{self, SeekFrom};
use std::ops::ControlFlow;

use passes::Carver;
use view::View;
use wal::{Log, LogHeader};

pub(crate) use view::Source;

/// One value of a row, as the file stores it.
///
/// Two things differ from what SQL shows: an `INTEGER PRIMARY KEY` column is `Null`, its value being the row id; and a
/// whole number in a `REAL` column is an `Integer`. A row older than an `ALTER TABLE … ADD COLUMN` has fewer values.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// SQL NULL, or the column that stands for the row id.
    Null,
    /// A whole number.
    Integer(i64),
    /// A floating-point number.
    Real(f64),
    /// Text as it was found; if the row is intact it is UTF-8.
    Text(Vec<u8>),
    /// Bytes.
    Blob(Vec<u8>),
}

/// How far a candidate is to be believed; the best comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Generation {
    /// Part of the last committed state, as far as its page can tell.
    Current,
    /// Real, but nothing trustworthy names it: it may be newer than the last commit, live, or deleted.
    Orphan,
    /// Replaced by a later commit: if nothing newer has this row, it was most likely deleted.
    Stale,
}

/// A candidate.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CarvedRow {
    /// The row id, which is also the value of an `INTEGER PRIMARY KEY`.
    pub(crate) rowid: i64,
    /// One value for each column that the row was stored with.
    pub(crate) values: Vec<Value>,
    /// How far to believe it.
    pub(crate) generation: Generation,
}

/// What to assume where the file itself cannot tell.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CarveOptions {
    /// Used if neither the log nor the database states a credible page size.
    pub(crate) page_size: u32,
    /// Longer records are taken for damage; bounds the memory for one row.
    pub(crate) max_record_bytes: usize,
}

impl Default for CarveOptions {
    fn default() -> Self {
        // 4096 is what every file of ours has. The longest values are moved in from other stores: a few megabytes.
        Self { page_size: 4096, max_record_bytes: 64 * 1024 * 1024 }
    }
}

/// What was seen on the way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct CarveSummary {
    /// The page size that was used.
    pub(crate) page_size: u32,
    /// Pages of the committed state.
    pub(crate) pages: u64,
    /// Pages of those that the device could not read.
    pub(crate) unreadable_pages: u64,
    /// Leaf pages of the committed state.
    pub(crate) leaf_pages: u64,
    /// Pages that did not add up and were searched.
    pub(crate) searched_pages: u64,
    /// Cells of the committed state that are named and did not read as rows: an estimate of what is lost.
    pub(crate) damaged_cells: u64,
    /// Candidates, as handed out.
    pub(crate) rows: u64,
    /// Frames of the log that belong to committed transactions.
    pub(crate) committed_frames: u64,
    /// Frames of the log behind those that were tried as orphans.
    pub(crate) late_frames: u64,
    /// The caller ended it before the end.
    pub(crate) stopped: bool,
}

/// Hands every candidate row of `database` (and of its `log`, the -wal file) to `on_row`, until that says `Break`.
///
/// A page that cannot be read counts as damaged. An error means that not even a file's length could be learnt.
pub(crate) fn carve<'a>(
    database: &'a mut dyn Source,
    mut log: Option<&'a mut dyn Source>,
    options: CarveOptions,
    on_row: &'a mut dyn FnMut(CarvedRow) -> ControlFlow<()>,
) -> io::Result<CarveSummary> {
    let database_len = database.seek(SeekFrom::End(0))?;
    let log_header = match log.as_deref_mut() {
        Some(log) => LogHeader::read(log),
        None => None,
    };
    let page_size = page_size(database, log_header, options);
    let page_bytes = usize::try_from(page_size).map_err(io::Error::other)?;
    let log_contents = match (log.as_deref_mut(), log_header) {
        (Some(log), Some(header)) => {
            let len = log.seek(SeekFrom::End(0))?;
            Log::read(log, len, &header, page_bytes)
        }
        _ => Log::default(),
    };
    let file_pages = u32::try_from(database_len.div_ceil(u64::from(page_size))).unwrap_or(u32::MAX);
    let view = View {
        database,
        log,
        page_size: page_bytes,
        max_record: options.max_record_bytes,
        committed: log_contents.committed,
        // Newest first, so the last one to be inserted must be the first of the list.
        late: log_contents.late.iter().rev().map(|frame| (frame.page, frame.offset)).collect::<HashMap<_, _>>(),
        chain_reads: 0,
    };
    let summary =
        CarveSummary { page_size, committed_frames: log_contents.committed_frames, ..CarveSummary::default() };
    let mut carver = Carver {
        view,
        on_row,
        summary,
        file_pages,
        committed_pages: log_contents.database_pages,
        chain_budget: 8 * (u64::from(file_pages) + log_contents.frames),
        chained: HashSet::new(),
        suspects: Vec::new(),
    };
    carver.summary.stopped = carver.run(&log_contents.late).is_break();
    Ok(carver.summary)
}

/// The log's header has a checksum, so it is asked first; then the database's, if its fixed parts are undamaged.
fn page_size(database: &mut dyn Source, log: Option<LogHeader>, options: CarveOptions) -> u32 {
    let credible = |size: &u32| size.is_power_of_two() && (512..=65_536).contains(size);
    let mut header = [0; 24];
    let stated = match view::read_at(database, 0, &mut header) {
        // Bytes 21 to 23 are the same in every database.
        Ok(24) if header.starts_with(b"SQLite format 3\0") && header.ends_with(&[64, 32, 32]) => {
            match u16::from_be_bytes([header[16], header[17]]) {
                1 => Some(65_536),
                size => Some(u32::from(size)),
            }
        }
        _ => None,
    };
    let candidates = [log.and_then(|header| header.page_size), stated, Some(options.page_size)];
    candidates.into_iter().flatten().find(credible).unwrap_or(4096)
}
