use super::SafeScan;
use crate::{
    error::SafeScanError,
    model::{
        ByteCount, CleanUpReport, ExportReport, IntegrityReport, RepairReport, StorageUsage, StoreName, StoreReport,
    },
};

/// What is kept where nothing else has it.
#[uniffi::remote(Enum)]
pub enum StoreName {
    /// The scan history.
    Scans,
    /// Votes.
    Votes,
    /// Settings.
    Settings,
    /// Key-value data.
    KeyValue,
    /// Changes that wait to be sent.
    Operations,
}

/// How much room is taken. Content is counted as it is written: texts and values, and a flat sum per row for the rest.
#[uniffi::remote(Record)]
pub struct StorageUsage {
    /// Content of all stores, in bytes.
    pub used: ByteCount,
    /// What `used` may grow to.
    pub limit: ByteCount,
    /// Content of the scan history.
    pub scans: ByteCount,
    /// Content of the votes.
    pub votes: ByteCount,
    /// Content of the key-value store.
    pub key_value: ByteCount,
    /// Content of the changes that wait to be sent.
    pub operations: ByteCount,
    /// Both databases as they lie on the disk.
    pub on_disk: ByteCount,
}

/// The state of one store's rows.
#[uniffi::remote(Record)]
pub struct StoreReport {
    /// Which store.
    pub store: StoreName,
    /// Rows that are whole.
    pub intact: u32,
    /// Rows that are not.
    pub damaged: u32,
}

/// What a check of every row found.
#[uniffi::remote(Record)]
pub struct IntegrityReport {
    /// Whether everything is whole.
    pub intact: bool,
    /// Whether the file's own structure is whole.
    pub structure_intact: bool,
    /// One entry a store.
    pub stores: Vec<StoreReport>,
}

/// What a repair kept and lost.
#[uniffi::remote(Record)]
pub struct RepairReport {
    /// Whether the database had to be rebuilt. If not, damaged rows, if any, were taken out where they lay.
    pub rebuilt: bool,
    /// One entry a store: `intact` rows were kept, `damaged` ones are known to be lost.
    pub stores: Vec<StoreReport>,
    /// Folder in which the broken files were put aside, if they were. The core never deletes it, except on
    /// `erase_all_data`.
    pub quarantine: Option<String>,
}

/// What a clean-up removed.
#[uniffi::remote(Record)]
pub struct CleanUpReport {
    /// Scans older than the settings keep them.
    pub expired_scans: u32,
    /// Votes older than the settings keep them.
    pub expired_votes: u32,
    /// Scans that had to make room.
    pub evicted_scans: u32,
    /// Content removed, in bytes.
    pub freed: ByteCount,
}

/// What an export wrote.
#[uniffi::remote(Record)]
pub struct ExportReport {
    /// Lines written, one a record.
    pub records: u32,
    /// Size of the file in bytes.
    pub written: ByteCount,
    /// Rows that were left out because they are damaged.
    pub withheld: u32,
}

#[uniffi::export]
impl SafeScan {
    /// How much room is taken. Cheap: nothing is counted on the way.
    pub async fn storage_usage(&self) -> Result<StorageUsage, SafeScanError> {
        self.run(|core| async move { core.upkeep.usage().await }).await
    }

    /// Reads and checks every row. Takes a second per several hundred thousand rows; other calls go on meanwhile.
    pub async fn check_integrity(&self) -> Result<IntegrityReport, SafeScanError> {
        self.run(|core| async move { core.upkeep.check_integrity().await }).await
    }

    /// Takes damaged rows out, and rebuilds the database from every readable row where its structure is broken. The
    /// broken files are put aside, not deleted. Other calls wait meanwhile.
    pub async fn repair(&self) -> Result<RepairReport, SafeScanError> {
        self.run(|core| async move { core.upkeep.repair().await }).await
    }

    /// Removes what the settings no longer keep, and makes room if the quota is near. Never an unsent change, never a
    /// vote that the settings keep.
    pub async fn clean_up(&self) -> Result<CleanUpReport, SafeScanError> {
        self.run(|core| async move { core.upkeep.clean_up().await }).await
    }

    /// Writes everything as JSON Lines (one JSON object a line, with its `type`) to a new file at this absolute path.
    /// An existing file is refused, never overwritten; a file cut short by an error is removed.
    pub async fn export_data(&self, path: String) -> Result<ExportReport, SafeScanError> {
        self.run(|core| async move { core.upkeep.export(path).await }).await
    }

    /// Erases all data, quarantined files included, so that no trace of it stays in the files. The installation gets a
    /// new identity. Originals of an import are not part of it: call `confirm_import` first.
    pub async fn erase_all_data(&self) -> Result<(), SafeScanError> {
        self.run(|core| async move { core.upkeep.erase_all().await }).await
    }
}
