/// Where an app's AsyncStorage lies on the disk, and how its data is taken over.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct AsyncStorageSource {
    /// The app's own directory.
    pub directory: String,
    /// The bundle identifier, where there is one.
    pub bundle_id: Option<String>,
    /// Only the storage of this name; everything that is found, if not given.
    pub instance: Option<String>,
    /// Put before every key.
    pub key_prefix: Option<String>,
    /// The user id whose votes become the device owner's.
    pub owner: Option<String>,
}

impl AsyncStorageSource {
    /// Everything that is found in the app's directory.
    #[must_use]
    pub fn in_directory(directory: impl Into<String>) -> Self {
        Self { directory: directory.into(), ..Self::default() }
    }
}

/// Hides the directory, which may hold a user's name, and everything else that came from outside.
impl std::fmt::Debug for AsyncStorageSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AsyncStorageSource").finish_non_exhaustive()
    }
}

/// What became of everything in the originals, whichever call took it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ImportReport {
    /// Storages that were found and read.
    pub storages: u32,
    /// Entries of the old stores that are scans now.
    pub scans: u32,
    /// Votes that were taken over.
    pub votes: u32,
    /// Settings that were taken over.
    pub settings: u32,
    /// Keys that were taken over into the key-value store.
    pub key_values: u32,
    /// Passed over, because the app has something of its own there, or something newer.
    pub kept: u32,
    /// Votes on codes that nothing names any more; under their old key in the key-value store.
    pub legacy_votes: u32,
    /// Other entries of the history, the settings and the queue that no table has a place for; under their old key.
    pub left_over: u32,
    /// Nothing to keep: the cache, keys without a name, keys without a value.
    pub dropped: u32,
    /// Values in which bytes that are no text were replaced.
    pub altered: u32,
    /// Whole, but not taken: too long, or under a key that cannot be one here.
    pub refused: u32,
    /// Known to be unreadable.
    pub lost: u32,
    /// Whether nothing was refused or lost.
    pub complete: bool,
}
