use super::ByteCount;

/// What is kept where nothing else has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StorageUsage {
    /// Content of all stores.
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

/// One store's rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreReport {
    /// Which store.
    pub store: StoreName,
    /// Rows that are whole.
    pub intact: u32,
    /// Rows that are not.
    pub damaged: u32,
}

/// What a check of every row found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IntegrityReport {
    /// Whether everything is whole.
    pub intact: bool,
    /// Whether the file's own structure is whole.
    pub structure_intact: bool,
    /// One entry a store.
    pub stores: Vec<StoreReport>,
}

/// What a repair kept and lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepairReport {
    /// Whether the database had to be rebuilt; otherwise damaged rows, if any, were taken out in place.
    pub rebuilt: bool,
    /// One entry a store: rows kept, and rows known to be lost.
    pub stores: Vec<StoreReport>,
    /// Where the broken files were put aside, if they were.
    pub quarantine: Option<String>,
}

/// What a clean-up removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CleanUpReport {
    /// Scans older than the settings keep them.
    pub expired_scans: u32,
    /// Votes older than the settings keep them.
    pub expired_votes: u32,
    /// Scans that had to give room.
    pub evicted_scans: u32,
    /// Content removed.
    pub freed: ByteCount,
}

/// What an export wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportReport {
    /// Lines written, one a record.
    pub records: u32,
    /// Size of the file.
    pub written: ByteCount,
    /// Rows that were left out because they are damaged.
    pub withheld: u32,
}

/// What the system wants back of the memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MemoryPressure {
    /// Some.
    Moderate,
    /// All that can be given.
    Critical,
}
