//! What was taken over from AsyncStorage: each record once, whatever became of it here since.

use rusqlite::{OptionalExtension, params};

use super::{
    fault::{Sql, during},
    transaction::Transaction,
};
use crate::error::Result;

/// Notes about storages that were read to their end begin like this.
const MARK: &str = "import ";

impl Transaction<'_> {
    /// What became of a record, if an import has come across it: true if it was taken, false if it was passed over.
    pub(crate) fn imported(&self, record: i64) -> Result<Option<bool>> {
        self.connection
            .prepare_cached("SELECT taken FROM imports WHERE id = ?1")
            .and_then(|mut statement| statement.query_row([record], |row| row.get(0)).optional())
            .doing(during::READING)
    }

    /// Notes what became of a record.
    pub(crate) fn note_imported(&mut self, record: i64, taken: bool) -> Result<()> {
        self.connection
            .prepare_cached("INSERT INTO imports (id, taken) VALUES (?1, ?2)")
            .and_then(|mut statement| statement.execute(params![record, taken]))
            .doing(during::WRITING)?;
        Ok(())
    }

    /// Notes that a storage was read to its end.
    pub(crate) fn note_finished(&mut self, origin: &str, note: &[u8]) -> Result<()> {
        self.set_meta(&mark(origin), note)
    }

    /// Forgets all imports: the originals are gone.
    pub(crate) fn forget_imports(&mut self) -> Result<()> {
        self.connection
            .prepare_cached("DELETE FROM meta WHERE substr(name, 1, length(?1)) = ?1")
            .and_then(|mut statement| statement.execute([MARK]))
            .doing(during::WRITING)?;
        self.connection
            .prepare_cached("DELETE FROM imports")
            .and_then(|mut statement| statement.execute([]))
            .doing(during::WRITING)?;
        Ok(())
    }
}

/// The name of the note about a storage.
pub(crate) fn mark(origin: &str) -> String {
    format!("{MARK}{origin}")
}
