use std::sync::Arc;

use super::SafeScan;
use crate::{
    config::{Config as SafeScanConfig, SyncConfig},
    engine::Core,
    error::SafeScanError,
    model::{ByteCount, MemoryPressure, QrKind},
};

/// How the core is to work. Only the directory must be given.
#[uniffi::remote(Record)]
pub struct SafeScanConfig {
    /// Absolute path of the folder for the databases; made if it is missing. Give the core a folder of its own.
    pub directory: String,
    /// 32 secret bytes from Keychain or Keystore that make voters anonymous. Without them the core makes a key and keeps
    /// it in its database; `health` tells which.
    #[uniffi(default = None)]
    pub identity_key: Option<Vec<u8>>,
    /// Gives every vote a voter id of its own, so that nobody can tell that two votes are one person's.
    #[uniffi(default = false)]
    pub unlinkable_votes: bool,
    /// Kinds of codes that may be voted on and looked up; by default web links only. Wi-Fi, contact, one-time-password,
    /// mail, text-message, calendar, location and plain-text codes are refused here: their content is private.
    #[uniffi(default = None)]
    pub votable_kinds: Option<Vec<QrKind>>,
    /// Quota in bytes for the content of all stores; 256 MiB by default (about a million scans), 16 KiB at the least.
    #[uniffi(default = None)]
    pub max_storage: Option<ByteCount>,
    /// Share of the quota (0.7 to 1) at which the oldest scans begin to make room, down to 70 %; 0.8 by default.
    #[uniffi(default = None)]
    pub cleanup_threshold: Option<f64>,
    /// Votes a voter may cast in a minute; 10 by default.
    #[uniffi(default = None)]
    pub votes_per_minute: Option<u32>,
    /// Values the cache holds; 1,000 by default.
    #[uniffi(default = None)]
    pub cache_capacity: Option<u32>,
    /// How long a cached value is good for if nothing else is said, in milliseconds; five minutes by default.
    #[uniffi(default = None)]
    pub cache_ttl_ms: Option<u32>,
    /// Brings changes to a server, and others' to this device. Without it nothing is queued.
    #[uniffi(default = None)]
    pub sync: Option<SyncConfig>,
}

/// How changes go to a server, and whom the core takes for it.
#[uniffi::remote(Record)]
pub struct SyncConfig {
    /// The server: an `https` URL without credentials, query or fragment. Requests go to paths below it.
    pub base_url: String,
    /// Whether the scan history goes to the account's other devices as well, and not only votes.
    #[uniffi(default = false)]
    pub share_scans: bool,
    /// Whether settings go to the account's other devices as well.
    #[uniffi(default = false)]
    pub share_settings: bool,
    /// Whether nothing is sent or fetched in the background: only when `sync_now` or `run_once` is called. (The user's
    /// own choice is the setting `autoSync`.)
    #[uniffi(default = false)]
    pub only_when_asked: bool,
    /// Whether `base_url` may be plain `http` if it names this very device (`localhost`, `127.0.0.1`, `[::1]`). For tests.
    #[uniffi(default = false)]
    pub allow_plain_loopback: bool,
    /// Certificates, in DER or PEM, that may vouch for the server besides the bundled public authorities: an
    /// organisation's own, for instance. The device's own list of authorities is not asked.
    #[uniffi(default = None)]
    pub trusted_roots: Option<Vec<Vec<u8>>>,
    /// Public keys of which the server's verified chain must hold one, as base64 of the SHA-256 of SubjectPublicKeyInfo.
    /// Name at least one key that is not in use yet: a server that changes all its keys is out of reach for ever.
    #[uniffi(default = None)]
    pub pinned_keys: Option<Vec<String>>,
}

/// What the system wants back of the memory.
#[uniffi::remote(Enum)]
pub enum MemoryPressure {
    /// Some: half of the cache is given back.
    Moderate,
    /// All that can be given.
    Critical,
}

#[uniffi::export]
impl SafeScan {
    /// Opens the core in `config.directory`, making what is missing. Cheap: no data is scanned, whatever the size.
    ///
    /// A directory that is open already in this process gives the same core again (so that a reloaded JavaScript side
    /// finds its data); a different configuration is then refused.
    ///
    /// Fails with `InvalidInput` (the reason names the field), `StorageUnavailable` (locked device, read-only folder,
    /// another process), or `StorageIncompatible` (a newer version wrote the file).
    #[uniffi::constructor]
    pub async fn open(config: SafeScanConfig) -> Result<Arc<Self>, SafeScanError> {
        let core = Core::open(config).await.map_err(|error| error.report().1)?;
        Ok(Arc::new(Self { core }))
    }

    /// To be called when the app goes to the background: ends the transaction in work, gives up what is under way with the
    /// server (nothing is lost by it), folds the log into the database, and closes every file and connection. When it
    /// returns, no file, lock, socket or timer is held. Calls made meanwhile still work: each opens the files for its own
    /// duration, and those that ask the server do without it, but for `run_once`. Of `suspend` and `resume` the last call
    /// counts.
    pub async fn suspend(&self) -> Result<(), SafeScanError> {
        self.run(|core| async move { core.suspend().await }).await
    }

    /// To be called when the app comes back. Cheap.
    pub async fn resume(&self) -> Result<(), SafeScanError> {
        self.run(|core| async move { core.resume().await }).await
    }

    /// Gives memory back; safe to call from any callback of the system.
    pub fn memory_pressure(&self, level: MemoryPressure) -> Result<(), SafeScanError> {
        self.now(|core| core.memory_pressure(level))
    }

    /// Ends everything: waits for accepted writes, closes the files, ends the event streams. May be called again.
    /// Every other call then fails with `Stopped`, but for `health`, and for `next_events`, which gives what is left and then
    /// nothing.
    pub async fn shutdown(&self) -> Result<(), SafeScanError> {
        self.run(|core| async move { core.shutdown().await }).await
    }
}
