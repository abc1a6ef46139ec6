//! The embedded database: one file, one writer, a few readers.

mod connection;
mod fault;
mod feed;
mod ledger;
mod lookup;
mod readers;
mod schema;
mod tally;
mod writer;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use safescan_core::protocol::Rating;

use self::{readers::Readers, writer::Writer};
use super::{Answer, ChangesAsk, ChangesPage, Figures, PrefixAsk, PrefixPage, RatingsAsk, Storage};
use crate::{
    error::{Error, Result},
    rules::{Applied, Batch},
};

/// The file's name in the data directory.
const FILE: &str = "safescan-server.db";

/// Everything in one SQLite file.
pub struct Sqlite {
    writer: Writer,
    readers: Arc<Readers>,
}

impl Sqlite {
    /// Opens the file in this directory, and makes both if they are missing.
    ///
    /// # Errors
    /// The directory cannot be used, or the file is damaged or newer than this program.
    pub fn open(directory: &Path) -> Result<Self> {
        const DOING: &str = "making the data directory";
        std::fs::create_dir_all(directory).map_err(|error| Error::io(DOING, &error))?;
        let path: PathBuf = directory.join(FILE);
        let writer = Writer::start(&path)?;
        Ok(Self { writer, readers: Arc::new(Readers::new(path)) })
    }

    /// Reads; what the line has passed over meanwhile is moved for good when the writer gets to it.
    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut lookup::Lookup<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (answer, crossed) = self.readers.run(move |connection| lookup::in_one_view(connection, work)).await?;
        if let Some((subjects, now)) = crossed {
            self.writer.settle(subjects, now);
        }
        Ok(answer)
    }
}

impl Storage for Sqlite {
    fn apply(&self, batch: Batch) -> Answer<'_, Applied> {
        Box::pin(async move {
            if batch.items.is_empty() {
                // A device that only asks for changes must not cost a wait for the disk.
                let (account, device, oldest) = (batch.account.clone(), batch.device.clone(), batch.oldest_pending);
                if !self.read(move |lookup| lookup.raises_floor(&account, &device, oldest)).await? {
                    return Ok(Applied::default());
                }
            }
            self.writer.apply(batch).await
        })
    }

    fn changes(&self, ask: ChangesAsk) -> Answer<'_, ChangesPage> {
        Box::pin(self.read(move |lookup| feed::page(lookup, &ask)))
    }

    fn ratings(&self, ask: RatingsAsk) -> Answer<'_, Vec<Rating>> {
        Box::pin(self.read(move |lookup| lookup.ratings(ask.account.as_ref(), &ask.hashes, ask.now)))
    }

    fn ratings_by_prefix(&self, ask: PrefixAsk) -> Answer<'_, PrefixPage> {
        Box::pin(self.read(move |lookup| lookup.ratings_by_prefix(&ask)))
    }

    fn probe(&self) -> Answer<'_, Figures> {
        Box::pin(async move {
            let figures = self.read(|lookup| lookup.figures()).await?;
            let (commits, batches) = self.writer.counts();
            Ok(Figures { commits, batches, ..figures })
        })
    }

    fn stop(&self) -> Answer<'_, ()> {
        Box::pin(async move {
            self.readers.stop().await;
            self.writer.stop().await;
            Ok(())
        })
    }
}
