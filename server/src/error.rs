//! What can go wrong below the protocol. None of the texts holds anything that a client sent.

use thiserror::Error;

/// Why the storage did not do what it was asked.
#[derive(Clone, Debug, Error)]
pub enum Error {
    /// The database refused.
    #[error("the database failed while {during} ({code})")]
    Database {
        /// What was being done.
        during: &'static str,
        /// SQLite's own word for it, without its text: that may quote a value.
        code: String,
    },
    /// The file was written by a newer server.
    #[error("the database has version {found}, this server knows versions up to {known}")]
    NewerSchema {
        /// In the file.
        found: u32,
        /// In this program.
        known: u32,
    },
    /// What was read cannot have been written by this server.
    #[error("{what} is damaged")]
    Damaged {
        /// Which kind of row.
        what: &'static str,
    },
    /// A file or folder cannot be used.
    #[error("{doing}: {reason}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// The system's word for it.
        reason: String,
    },
    /// A step of the work panicked; it was undone.
    #[error("a step panicked and was undone")]
    Panicked,
    /// The storage was closed.
    #[error("the storage is closed")]
    Stopped,
}

/// Short for it.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn io(doing: &'static str, error: &std::io::Error) -> Self {
        Self::Io { doing, reason: error.kind().to_string() }
    }
}
