use crate::error::{Error, Result};

/// Adds to a failure of SQLite what was being done. Its text is left out, for it may quote a value.
pub(super) trait Sql<T> {
    fn doing(self, during: &'static str) -> Result<T>;
}

impl<T> Sql<T> for rusqlite::Result<T> {
    fn doing(self, during: &'static str) -> Result<T> {
        self.map_err(|error| {
            let code = match error {
                rusqlite::Error::SqliteFailure(failure, _) => format!("{:?}, {}", failure.code, failure.extended_code),
                rusqlite::Error::QueryReturnedNoRows => "no such row".into(),
                rusqlite::Error::FromSqlConversionFailure(column, ..)
                | rusqlite::Error::InvalidColumnType(column, ..) => {
                    format!("column {column} holds something else")
                }
                _ => "refused by the driver".into(),
            };
            Error::Database { during, code }
        })
    }
}

/// What may be going on.
pub(super) mod during {
    pub(in super::super) const READING: &str = "reading";
    pub(in super::super) const WRITING: &str = "writing";
    pub(in super::super) const OPENING: &str = "opening";
    pub(in super::super) const COMMITTING: &str = "committing";
}
