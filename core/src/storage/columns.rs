//! Rows, wherever they come from: a query, or a page carved out of a broken file. Each row carries a checksum over its
//! columns, because SQLite itself returns a flipped bit as if it were data.

use rusqlite::types::ValueRef;
use sha2::{Digest, Sha256};

/// A row's columns in the order of the table's definition, the row id first.
pub(crate) trait Columns {
    /// An integer, if the column holds one.
    fn int(&self, index: usize) -> Option<i64>;
    /// A text, if the column holds one and it is UTF-8.
    fn text(&self, index: usize) -> Option<&str>;
    /// Bytes, if the column holds some.
    fn blob(&self, index: usize) -> Option<&[u8]>;
    /// Whether the column is NULL.
    fn is_null(&self, index: usize) -> bool;

    /// Bytes of a fixed number.
    fn bytes<const N: usize>(&self, index: usize) -> Option<[u8; N]> {
        self.blob(index)?.try_into().ok()
    }

    /// An integer that must fit.
    fn number<T: TryFrom<i64>>(&self, index: usize) -> Option<T> {
        T::try_from(self.int(index)?).ok()
    }

    /// What `read` finds in a column that may be NULL: `None` is damage, `Some(None)` is NULL.
    fn optional<'a, T>(&'a self, index: usize, read: impl FnOnce(&'a Self, usize) -> Option<T>) -> Option<Option<T>> {
        if self.is_null(index) { Some(None) } else { read(self, index).map(Some) }
    }
}

impl Columns for rusqlite::Row<'_> {
    fn int(&self, index: usize) -> Option<i64> {
        match self.get_ref(index) {
            Ok(ValueRef::Integer(value)) => Some(value),
            _ => None,
        }
    }

    fn text(&self, index: usize) -> Option<&str> {
        match self.get_ref(index) {
            Ok(ValueRef::Text(value)) => std::str::from_utf8(value).ok(),
            _ => None,
        }
    }

    fn blob(&self, index: usize) -> Option<&[u8]> {
        match self.get_ref(index) {
            Ok(ValueRef::Blob(value)) => Some(value),
            _ => None,
        }
    }

    fn is_null(&self, index: usize) -> bool {
        matches!(self.get_ref(index), Ok(ValueRef::Null))
    }
}

/// Sums up a row. Every part is prefixed by its kind and length, so that no two rows are written alike.
pub(crate) struct Checksum(Sha256);

impl Checksum {
    /// A sum for a row of `table`: the same columns in another table sum up differently.
    pub(crate) fn of(table: &str) -> Self {
        let mut sum = Self(Sha256::new());
        sum.part(b't', table.as_bytes());
        sum
    }

    pub(crate) fn int(mut self, value: i64) -> Self {
        self.part(b'i', &value.to_le_bytes());
        self
    }

    pub(crate) fn text(mut self, value: &str) -> Self {
        self.part(b's', value.as_bytes());
        self
    }

    pub(crate) fn blob(mut self, value: &[u8]) -> Self {
        self.part(b'b', value);
        self
    }

    pub(crate) fn optional<T>(mut self, value: Option<T>, add: impl FnOnce(Self, T) -> Self) -> Self {
        if let Some(value) = value {
            return add(self, value);
        }
        self.part(b'n', &[]);
        self
    }

    /// Eight bytes of SHA-256: one damaged row in 10^19 slips through.
    pub(crate) fn finish(self) -> i64 {
        let mut head = [0; 8];
        head.copy_from_slice(&self.0.finalize()[..8]);
        i64::from_le_bytes(head)
    }

    fn part(&mut self, kind: u8, bytes: &[u8]) {
        let mut head = [kind; 9];
        head[1..].copy_from_slice(&(bytes.len() as u64).to_le_bytes());
        self.0.update(head);
        self.0.update(bytes);
    }
}

/// A kind of row that exists nowhere else and is therefore checked, salvaged and exported.
pub(crate) trait Record: Sized {
    /// The table's name.
    const TABLE: &'static str;
    /// Its columns, in the order of the table's definition; the first is the row id, the last the checksum.
    const COLUMNS: &'static str;

    /// Reads a row, or `None` if anything about it is not as it was written.
    fn read(row: &impl Columns) -> Option<Self>;

    /// The row id.
    fn row_id(&self) -> i64;
}
