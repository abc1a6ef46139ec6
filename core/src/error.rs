//! What can go wrong, twice: [`Error`] says what happened, for us; [`SafeScanError`] says what the app can do now.
//!
//! [`Error::report`] is the one place that turns the first into the second, and decides how loudly to log it. Neither
//! ever holds content: every text in them is a constant of this program, a number, or a field's name.

use std::{fmt, io};

use crate::log::Level;

/// The result of anything inside the core.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What happened.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// The caller gave something that cannot be taken.
    #[error("{field} {problem}")]
    Invalid {
        /// Which argument.
        field: &'static str,
        /// What is wrong with it.
        problem: Problem,
    },
    /// The quota is used up, and nothing may be evicted.
    #[error("the storage quota is used up")]
    QuotaExceeded,
    /// The disk is full.
    #[error("the disk is full")]
    DiskFull,
    /// The operating system refused, and may stop refusing.
    #[error("{during}: {kind}")]
    Io {
        /// What the system says.
        kind: io::ErrorKind,
        /// What was being done.
        during: &'static str,
    },
    /// Another process holds the database.
    #[error("another process has the database open")]
    HeldElsewhere,
    /// A newer version of this library wrote the file.
    #[error("the database has schema {found}, this version knows up to {known}")]
    NewerSchema {
        /// The file's schema.
        found: u32,
        /// The newest one this version knows.
        known: u32,
    },
    /// The file is damaged.
    #[error("the database is damaged (while {during})")]
    Damaged {
        /// What was being done.
        during: &'static str,
    },
    /// SQLite refused for a reason that should not occur.
    #[error("SQLite result {code} while {during}")]
    Sqlite {
        /// SQLite's extended result code.
        code: i32,
        /// What was being done.
        during: &'static str,
    },
    /// The core was shut down.
    #[error("the core was shut down")]
    Stopped,
    /// The server cannot be reached, or does not answer as it should.
    #[error("{what}{}", status.map(|status| format!(" (status {status})")).unwrap_or_default())]
    NoServer {
        /// What is the matter.
        what: &'static str,
        /// The status of its answer, if there was one.
        status: Option<u16>,
    },
    /// The server wants another token.
    #[error("the server wants another token")]
    Unauthorized,
    /// The server wants to be left alone for a while.
    #[error("the server asked for fewer requests")]
    RateLimited {
        /// For how long, in milliseconds.
        retry_after_ms: u32,
    },
    /// A bug: code of ours panicked. Nothing was stored.
    #[error("panic in {during}")]
    Panicked {
        /// What was being done.
        during: &'static str,
    },
    /// A bug: something that cannot be is.
    #[error("{what}")]
    Unexpected {
        /// What cannot be.
        what: &'static str,
    },
}

/// What is wrong with an argument.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Problem {
    /// Nothing in it.
    Empty,
    /// Longer or larger than the limit.
    TooLong {
        /// The limit.
        limit: u64,
        /// What the limit counts.
        unit: &'static str,
    },
    /// A number that is too small or too large.
    OutOfRange {
        /// The smallest allowed.
        min: i64,
        /// The largest allowed.
        max: i64,
    },
    /// U+0000 in a text.
    HasNul,
    /// Anything else; completes the sentence that the field's name begins.
    Is(&'static str),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("is empty"),
            Self::TooLong { limit, unit } => write!(f, "is longer than {limit} {unit}"),
            Self::OutOfRange { min, max } => write!(f, "is not between {min} and {max}"),
            Self::HasNul => f.write_str("contains a NUL character"),
            Self::Is(sentence) => f.write_str(sentence),
        }
    }
}

/// What the app can do now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SafeScanError {
    /// Correct the argument that the reason names. Nothing was changed.
    #[error("{reason}")]
    InvalidInput {
        /// For the developer.
        reason: String,
    },
    /// Make room: delete scans, or raise the quota. Everything stored stays readable and deletable.
    #[error("{reason}")]
    StorageFull {
        /// For the developer.
        reason: String,
    },
    /// Try again later: the device is locked, the folder is read-only, or another process has the database.
    #[error("{reason}")]
    StorageUnavailable {
        /// For the developer.
        reason: String,
    },
    /// Update the app: a newer version wrote the database. It was left untouched.
    #[error("{reason}")]
    StorageIncompatible {
        /// For the developer.
        reason: String,
    },
    /// Go on: the server cannot be reached, or does not answer as it should. Nothing is lost; it is tried again.
    #[error("{reason}")]
    Offline {
        /// For the developer.
        reason: String,
    },
    /// Give another token with `set_auth_token`. Nothing is lost.
    #[error("{reason}")]
    Unauthorized {
        /// For the developer.
        reason: String,
    },
    /// Try again later: the server asked for fewer requests.
    #[error("{reason}")]
    RateLimited {
        /// For the developer.
        reason: String,
        /// For how long to wait, in milliseconds.
        retry_after_ms: u32,
    },
    /// Open the core again: it was shut down.
    #[error("{reason}")]
    Stopped {
        /// For the developer.
        reason: String,
    },
    /// Report a bug, or call `repair` if the reason says that the database is damaged.
    #[error("{reason}")]
    Internal {
        /// For the developer.
        reason: String,
    },
}

impl Error {
    /// An argument that cannot be taken.
    #[must_use]
    pub fn invalid(field: &'static str, problem: Problem) -> Self {
        Self::Invalid { field, problem }
    }

    /// An operating-system error without the path or content it may name.
    #[must_use]
    pub fn io(error: &io::Error, during: &'static str) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull,
            kind => Self::Io { kind, during },
        }
    }

    /// What the app is told, and how loudly it is logged: errors are for bugs, warnings for what the world does to us.
    #[must_use]
    pub fn report(&self) -> (Level, SafeScanError) {
        let reason = self.to_string();
        match self {
            Self::Invalid { .. } => (Level::Debug, SafeScanError::InvalidInput { reason }),
            Self::QuotaExceeded | Self::DiskFull => (Level::Warn, SafeScanError::StorageFull { reason }),
            Self::Io { .. } | Self::HeldElsewhere => (Level::Warn, SafeScanError::StorageUnavailable { reason }),
            Self::NewerSchema { .. } => (Level::Warn, SafeScanError::StorageIncompatible { reason }),
            Self::Stopped => (Level::Debug, SafeScanError::Stopped { reason }),
            Self::NoServer { .. } => (Level::Debug, SafeScanError::Offline { reason }),
            Self::Unauthorized => (Level::Debug, SafeScanError::Unauthorized { reason }),
            Self::RateLimited { retry_after_ms } => {
                (Level::Debug, SafeScanError::RateLimited { reason, retry_after_ms: *retry_after_ms })
            }
            Self::Damaged { .. } | Self::Sqlite { .. } | Self::Panicked { .. } | Self::Unexpected { .. } => {
                (Level::Error, SafeScanError::Internal { reason })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_tells_the_app_what_to_do() {
        let told = |error: Error| error.report().1;
        assert_eq!(
            told(Error::invalid("key", Problem::TooLong { limit: 1024, unit: "bytes" })),
            SafeScanError::InvalidInput { reason: "key is longer than 1024 bytes".into() }
        );
        assert!(matches!(told(Error::DiskFull), SafeScanError::StorageFull { .. }));
        assert!(matches!(told(Error::HeldElsewhere), SafeScanError::StorageUnavailable { .. }));
        assert!(matches!(told(Error::NewerSchema { found: 9, known: 1 }), SafeScanError::StorageIncompatible { .. }));
        assert!(matches!(told(Error::Stopped), SafeScanError::Stopped { .. }));
        assert!(matches!(told(Error::Panicked { during: "x" }), SafeScanError::Internal { .. }));
    }

    #[test]
    fn a_full_disk_is_told_from_other_refusals() {
        assert_eq!(Error::io(&io::ErrorKind::StorageFull.into(), "writing"), Error::DiskFull);
        let denied = Error::io(&io::Error::new(io::ErrorKind::PermissionDenied, "/home/ada"), "opening");
        assert_eq!(denied.to_string(), "opening: permission denied", "no path in it");
    }
}
