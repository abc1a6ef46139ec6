//! One page taken by itself: the cells it names, whether they explain the page, and what else could be a cell.

use std::iter;
use std::ops::Range;

use super::record;

/// What the first bytes of a page claim that it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A table's leaf: the only kind that holds rows.
    Leaf,
    /// An interior page, an index page or an empty page: no rows, and no reason to doubt it.
    Rowless,
    /// An overflow page, or a page whose header is damaged.
    Unknown,
}

/// One row as it lies on its page; a long one goes on in overflow pages.
#[derive(Debug)]
pub(super) struct Cell<'a> {
    /// The bytes of the page that this cell takes.
    pub(super) range: Range<usize>,
    pub(super) rowid: i64,
    /// Length of the whole record.
    pub(super) len: usize,
    /// The part of the record that lies on this page.
    pub(super) local: &'a [u8],
    /// The first overflow page, if the record is longer than `local`.
    pub(super) overflow: Option<u32>,
}

/// The cells that a page's pointer array names.
#[derive(Debug)]
pub(super) struct Named<'a> {
    pub(super) cells: Vec<Cell<'a>>,
    /// Pointers that lead to no cell.
    pub(super) failed: u64,
    /// Every byte of the page is accounted for, so that no live cell can be missing from `cells`.
    ///
    /// What lies in the free space of such a page is a left-over of rows that were deleted or moved: not to be revived.
    pub(super) sound: bool,
}

/// The bytes of one page; fewer than a page when the file ends inside it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Page<'a> {
    bytes: &'a [u8],
    page_size: usize,
    /// Where the page's own header begins.
    header: usize,
}

impl<'a> Page<'a> {
    pub(super) fn new(bytes: &'a [u8], page_size: usize, number: u32) -> Self {
        // Page 1 begins with the 100 bytes of the file header.
        Self { bytes, page_size, header: if number == 1 { 100 } else { 0 } }
    }

    /// `last_page`: the highest page number there is.
    pub(super) fn kind(&self, last_page: u32) -> Kind {
        // A leaf's 0x0D is one flipped bit away from an interior page's 0x05, hence the second look at the child.
        let child = self.u32_at(self.header + 8);
        match self.bytes.get(self.header) {
            Some(0x0D) => Kind::Leaf,
            Some(0x02 | 0x05) if child.is_some_and(|page| page > 1 && page <= last_page) => Kind::Rowless,
            Some(0x0A) => Kind::Rowless,
            _ if self.bytes.iter().all(|&byte| byte == 0) => Kind::Rowless,
            _ => Kind::Unknown,
        }
    }

    /// The cells of a leaf, in the order in which they lie on the page.
    pub(super) fn named(&self) -> Named<'a> {
        let pointers = self.header + 8;
        let claimed = self.u16_at(self.header + 3).unwrap_or(0);
        let count = claimed.min(self.bytes.len().saturating_sub(pointers) / 2);
        let mut offsets: Vec<_> = (0..count).filter_map(|index| self.u16_at(pointers + 2 * index)).collect();
        offsets.sort_unstable();
        offsets.dedup();
        let distinct = offsets.len();
        let mut budget = self.budget();
        let cells = offsets.into_iter().filter_map(|at| self.cell_at(at, self.bytes.len()));
        let cells: Vec<_> = cells.take_while(|cell| spend(&mut budget, cell)).collect();
        let failed = u64::try_from(distinct - cells.len()).unwrap_or(u64::MAX);
        let sound = cells.len() == claimed && self.explains(&cells, pointers + 2 * count).unwrap_or(false);
        Named { cells, failed, sound }
    }

    /// Calls `found` with everything outside `taken` that could be a cell. `taken` is in ascending order.
    ///
    /// Each offset is tried, also inside a hit: a false one must not hide the true one that it overlaps.
    pub(super) fn search(&self, taken: &[Range<usize>], mut found: impl FnMut(Cell<'a>)) {
        let end = self.bytes.len();
        let mut budget = self.budget();
        let mut at = self.header;
        for range in taken.iter().cloned().chain(iter::once(end..end)) {
            while at < range.start {
                if let Some(cell) = self.cell_at(at, range.start) {
                    if !spend(&mut budget, &cell) {
                        return;
                    }
                    found(cell);
                }
                at += 1;
            }
            at = at.max(range.end);
        }
    }

    /// Honest cells do not overlap and so fit the page once; overlapping noise gets a little more and no end of it.
    fn budget(&self) -> usize {
        self.page_size * 4
    }

    fn cell_at(&self, start: usize, limit: usize) -> Option<Cell<'a>> {
        let bytes = self.bytes.get(..limit)?;
        let (len, used) = record::varint(bytes.get(start..)?)?;
        // The quick way out of zeroed space, which is most of what a search walks over.
        if len == 0 || start < self.header {
            return None;
        }
        let rowid_at = start + used;
        let (rowid, used) = record::varint(bytes.get(rowid_at..)?)?;
        let record_at = rowid_at + used;
        let total = usize::try_from(len).ok()?;
        let local_end = record_at.checked_add(local_len(total, self.page_size))?;
        let local = bytes.get(record_at..local_end)?;
        if !record::promises(local, len) {
            return None;
        }
        let rest = total - local.len();
        let (overflow, end) =
            if rest > 0 { (Some(u32_at(bytes, local_end)?), local_end + 4) } else { (None, local_end) };
        Some(Cell { range: start..end, rowid: rowid.cast_signed(), len: total, local, overflow })
    }

    /// Whether cells, free blocks and fragments add up to the page, as they do on every page that SQLite wrote.
    fn explains(&self, cells: &[Cell<'_>], pointers_end: usize) -> Option<bool> {
        let content = match self.u16_at(self.header + 5)? {
            0 => 65_536,
            start => start,
        };
        let mut covered = usize::from(*self.bytes.get(self.header + 7)?);
        let mut end = content;
        for cell in cells {
            if cell.range.start < end {
                return Some(false);
            }
            end = cell.range.end;
            covered += cell.range.len();
        }
        let mut block = self.u16_at(self.header + 1)?;
        while block != 0 {
            let following = self.u16_at(block)?;
            let size = self.u16_at(block + 2)?;
            // The list ascends: no loops.
            if block < content || size < 4 || (following != 0 && following < block + size) {
                return Some(false);
            }
            covered += size;
            block = following;
        }
        let whole = self.bytes.len() == self.page_size && content >= pointers_end;
        Some(whole && self.page_size.checked_sub(content) == Some(covered))
    }

    fn u16_at(&self, at: usize) -> Option<usize> {
        self.bytes.get(at..)?.first_chunk().map(|bytes| usize::from(u16::from_be_bytes(*bytes)))
    }

    fn u32_at(&self, at: usize) -> Option<u32> {
        u32_at(self.bytes, at)
    }
}

/// Takes a cell's length off the budget; false if that is used up.
fn spend(budget: &mut usize, cell: &Cell<'_>) -> bool {
    budget.checked_sub(cell.local.len()).map(|left| *budget = left).is_some()
}

/// The big-endian number at `at`, as every number of the file format is.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|bytes| u32::from_be_bytes(*bytes))
}

/// How much of a record of `len` bytes lies on the leaf itself, by the file format's rule for table leaves.
fn local_len(len: usize, page_size: usize) -> usize {
    let most = page_size - 35;
    if len <= most {
        return len;
    }
    // Long records keep at least this much, and as much more as saves an overflow page.
    let least = (page_size - 12) * 32 / 255 - 23;
    let filled = least + (len - least) % (page_size - 4);
    if filled <= most { filled } else { least }
}
