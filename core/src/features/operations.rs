use std::sync::Arc;

use super::{Context, context::parse_cursor};
use crate::{
    error::Result,
    limits::check_page,
    model::{OperationId, OperationPage, StoreName},
    storage::outbox,
};

/// Changes that the server does not know of yet.
pub struct Operations(pub(crate) Arc<Context>);

impl Operations {
    /// A page in the order in which the changes were made.
    ///
    /// # Errors
    /// Invalid input, or the storage cannot be read.
    pub async fn page(&self, limit: u32, cursor: Option<String>) -> Result<OperationPage> {
        check_page(limit)?;
        let after = cursor.as_deref().map(parse_cursor).transpose()?.unwrap_or(0);
        let found = self.0.read(move |connection| outbox::page(connection, limit, after)).await?;
        self.0.note_damage(StoreName::Operations, found.withheld);
        let next_cursor = found.next.map(|seq| format!("{seq:016x}"));
        Ok(OperationPage { operations: found.operations, next_cursor, withheld: found.withheld })
    }

    /// Makes a change due at once; false if there is none with this id.
    ///
    /// # Errors
    /// The storage cannot be written.
    pub async fn retry(&self, id: OperationId) -> Result<bool> {
        if let Some(cloud) = &self.0.cloud {
            // Before the commit, which may begin a run.
            cloud.insist();
        }
        self.0.store.write(move |tx| tx.retry(id)).await
    }

    /// Gives a change up; false if there is none with this id.
    ///
    /// # Errors
    /// The storage cannot be written.
    pub async fn discard(&self, id: OperationId) -> Result<bool> {
        self.0.store.write(move |tx| tx.discard(id)).await
    }
}
