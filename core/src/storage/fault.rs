//! What SQLite's refusals mean. Its messages are dropped: they can name files and quote content.

use rusqlite::ErrorCode;

use crate::error::{Error, Result};

/// What was being done, for errors. One constant a step, so that a report can be traced to its place.
pub(crate) mod during {
    pub(crate) const OPENING: &str = "opening the database";
    pub(crate) const MIGRATING: &str = "bringing the database to its newest version";
    pub(crate) const BEGINNING: &str = "beginning a transaction";
    pub(crate) const COMMITTING: &str = "committing";
    pub(crate) const CHECKPOINTING: &str = "folding the log into the database";
    pub(crate) const READING: &str = "reading";
    pub(crate) const WRITING: &str = "writing";
}

/// Turns SQLite's results into ours.
pub(crate) trait Sql<T> {
    /// Says what was being done.
    fn doing(self, during: &'static str) -> Result<T>;
}

impl<T> Sql<T> for rusqlite::Result<T> {
    fn doing(self, during: &'static str) -> Result<T> {
        self.map_err(|error| explain(&error, during))
    }
}

fn explain(error: &rusqlite::Error, during: &'static str) -> Error {
    let Some(failure) = error.sqlite_error() else {
        return match error {
            // A column that does not hold what was written into it.
            rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::Utf8Error(..) => Error::Damaged { during },
            _ => Error::Sqlite { code: 0, during },
        };
    };
    match failure.code {
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Error::Damaged { during },
        ErrorCode::DiskFull => Error::DiskFull,
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Error::HeldElsewhere,
        ErrorCode::CannotOpen | ErrorCode::SystemIoFailure => Error::Io { kind: std::io::ErrorKind::Other, during },
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::AuthorizationForStatementDenied => {
            Error::Io { kind: std::io::ErrorKind::PermissionDenied, during }
        }
        _ => Error::Sqlite { code: failure.extended_code, during },
    }
}
