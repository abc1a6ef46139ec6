//! Pages by number, out of two files: the database, and the log that lies over it.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};

use super::page::{Cell, u32_at};

/// Anything whose bytes can be carved: a file, or bytes in memory.
pub(crate) trait Source: Read + Seek {}

impl<T: Read + Seek> Source for T {}

/// Which version of a page is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layer {
    /// The database as of the last commit in the log.
    Committed,
    /// The same with the log's late frames over it.
    Late,
    /// The database file alone.
    File,
}

/// The two files.
pub(super) struct View<'a> {
    pub(super) database: &'a mut dyn Source,
    pub(super) log: Option<&'a mut dyn Source>,
    pub(super) page_size: usize,
    /// Longest record that is put together from its overflow pages.
    pub(super) max_record: usize,
    pub(super) committed: HashMap<u32, u64>,
    pub(super) late: HashMap<u32, u64>,
    /// Overflow pages that may still be read. A sound file needs each of its pages at most once; without an end to it,
    /// many small lies about one long chain would cost hours.
    pub(super) chain_reads: u64,
}

impl View<'_> {
    /// The bytes of a page: fewer than a page where the file ends.
    pub(super) fn read(&mut self, number: u32, layer: Layer) -> io::Result<Vec<u8>> {
        let late = self.late.get(&number).filter(|_| layer == Layer::Late);
        let logged = late.or_else(|| self.committed.get(&number).filter(|_| layer != Layer::File));
        if let Some(&offset) = logged {
            return self.read_logged(offset);
        }
        let index = number.checked_sub(1).ok_or(ErrorKind::InvalidInput)?;
        let offset = u64::from(index) * u64::try_from(self.page_size).map_err(io::Error::other)?;
        page_at(self.database, offset, self.page_size)
    }

    /// The page that lies at `offset` in the log.
    pub(super) fn read_logged(&mut self, offset: u64) -> io::Result<Vec<u8>> {
        let log = self.log.as_deref_mut().ok_or(ErrorKind::NotFound)?;
        page_at(log, offset, self.page_size)
    }

    /// The whole record of a cell, and the overflow pages it was put together from.
    ///
    /// Whether the last page ends the chain is not asked: only that pointer may be damaged, and the row complete.
    pub(super) fn record<'c>(&mut self, cell: &Cell<'c>, layer: Layer) -> Option<(Cow<'c, [u8]>, HashSet<u32>)> {
        let mut chain = HashSet::new();
        let Some(mut next) = cell.overflow else { return Some((Cow::Borrowed(cell.local), chain)) };
        if cell.len > self.max_record {
            return None;
        }
        // Grows with what is really there, as the length is only a claim.
        let mut record = cell.local.to_vec();
        while record.len() < cell.len {
            self.chain_reads = self.chain_reads.checked_sub(1)?;
            // Page 1 is never an overflow page, and no chain comes back to a page.
            if next < 2 || !chain.insert(next) {
                return None;
            }
            let page = self.read(next, layer).ok()?;
            next = u32_at(&page, 0)?;
            let part = (cell.len - record.len()).min(self.page_size - 4);
            record.extend_from_slice(page.get(4..4 + part)?);
        }
        Some((Cow::Owned(record), chain))
    }
}

/// Reads until `bytes` is full or the source ends; returns how much was read.
pub(super) fn read_at(source: &mut dyn Source, offset: u64, bytes: &mut [u8]) -> io::Result<usize> {
    source.seek(SeekFrom::Start(offset))?;
    let mut filled = 0;
    while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match source.read(rest) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

fn page_at(source: &mut dyn Source, offset: u64, page_size: usize) -> io::Result<Vec<u8>> {
    let mut page = vec![0; page_size];
    let read = read_at(source, offset, &mut page)?;
    page.truncate(read);
    Ok(page)
}
