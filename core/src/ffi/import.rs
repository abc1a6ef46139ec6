use super::SafeScan;
use crate::{
    error::SafeScanError,
    model::{AsyncStorageSource, ImportReport},
};

/// Where an app's AsyncStorage lies on the disk, and how its data is taken over.
#[uniffi::remote(Record)]
pub struct AsyncStorageSource {
    /// The app's own directory, as an absolute path: on Android `context.applicationInfo.dataDir`, on Apple systems
    /// `NSHomeDirectory()`. All versions of AsyncStorage are looked for below it.
    pub directory: String,
    /// On Apple systems `Bundle.main.bundleIdentifier`: AsyncStorage's folder in `Application Support` bears that name.
    /// Without it only the older place in `Documents` is looked at. Not needed on Android.
    #[uniffi(default = None)]
    pub bundle_id: Option<String>,
    /// Only the storage that `createAsyncStorage` (version 3) made under this name; by default everything that is found.
    #[uniffi(default = None)]
    pub instance: Option<String>,
    /// Put before every key, up to 512 bytes: tells storages apart that use the same keys. Import each by its `instance`
    /// then.
    #[uniffi(default = None)]
    pub key_prefix: Option<String>,
    /// The `userId` of the votes that become the votes of this device's owner; other votes keep their user id. By default
    /// the only one that votes have, if there is only one.
    #[uniffi(default = None)]
    pub owner: Option<String>,
}

/// What became of everything in the originals, whichever call took it: a second import reports the same as the first.
#[uniffi::remote(Record)]
pub struct ImportReport {
    /// Storages that were found and read. 0: there is nothing to take over.
    pub storages: u32,
    /// Entries of the old stores that are scans now, each with the whole entry as its metadata. One that stood there
    /// twice counts twice.
    pub scans: u32,
    /// Votes that are votes now.
    pub votes: u32,
    /// Settings that are settings now.
    pub settings: u32,
    /// Keys that were taken over into the key-value store.
    pub key_values: u32,
    /// Passed over: the app has something under the key, a later vote, the same scan, or a setting of its own.
    pub kept: u32,
    /// Votes whose code cannot be told: its hash has 31 bits, and no code of the history has it, or two have. They are in
    /// the key-value store under `@safe_scan_user_votes`, as a JSON array.
    pub legacy_votes: u32,
    /// Entries of the history, the settings and the sync queue that mean nothing any more or cannot be read. They are in
    /// the key-value store under their old key.
    pub left_over: u32,
    /// There was nothing to keep: the cache, rows without a key, keys without a value.
    pub dropped: u32,
    /// Values that held bytes which are no text; these were replaced by U+FFFD.
    pub altered: u32,
    /// Values that are whole but were not taken: longer than 16 MiB (the history: 64 MiB), or under an empty key or one
    /// of more than 1 KiB.
    pub refused: u32,
    /// Values that cannot be read any more, as far as their number is known.
    pub lost: u32,
    /// Whether nothing was refused or lost, so that `confirm_import` removes all originals.
    pub complete: bool,
}

#[uniffi::export]
impl SafeScan {
    /// Takes over what AsyncStorage left on the disk: the stores of hand-written services become scans, votes and
    /// settings, every other key goes to the key-value store, values that Android can no longer read back included.
    ///
    /// Call it at every start of the app until `confirm_import` has succeeded, before anything uses AsyncStorage: it goes
    /// on where an earlier call was interrupted, takes nothing twice, and brings nothing back that was changed or deleted
    /// here since. When all is done it only looks at the files' times. The originals are not touched. `ImportProgress`
    /// events tell how far it is. Everything else can be called meanwhile.
    ///
    /// Fails with `StorageUnavailable` while an original cannot be read (the device is locked, another process writes it,
    /// its manifest is half written): nothing is taken of that one, and the next call tries again. `StorageFull`: what fits
    /// was taken; raise the quota and call again.
    ///
    /// ```kotlin
    /// val report = core.importAsyncStorage(AsyncStorageSource(directory = applicationInfo.dataDir))
    /// if (report.complete) core.confirmImport()
    /// ```
    pub async fn import_async_storage(&self, source: AsyncStorageSource) -> Result<ImportReport, SafeScanError> {
        self.run(|core| async move { core.import.run(source).await }).await
    }

    /// Removes the originals that were imported since the core was opened, and only those of which everything was taken:
    /// others stay where they are. Returns whether none is left.
    ///
    /// Fails with `InvalidInput`, and removes nothing, if no import has ended before or an original has changed since.
    pub async fn confirm_import(&self) -> Result<bool, SafeScanError> {
        self.run(|core| async move { core.import.confirm().await }).await
    }
}
