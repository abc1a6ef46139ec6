use crate::error::SafeScanError;

/// What went wrong, told by what the app can do now.
///
/// The `reason` is for the developer: it names the field or the step, and never holds content, ids or paths.
#[uniffi::remote(Error)]
pub enum SafeScanError {
    /// Correct the argument that the reason names. Nothing was changed.
    InvalidInput { reason: String },
    /// Make room: delete scans, or raise the quota. Everything stored stays readable and deletable.
    StorageFull { reason: String },
    /// Try again later: the device is locked, the folder is read-only, or another process has the database.
    StorageUnavailable { reason: String },
    /// Update the app: a newer version wrote the database. It was left untouched.
    StorageIncompatible { reason: String },
    /// Go on: the server cannot be reached, or does not answer as it should. Nothing is lost; it is tried again.
    Offline { reason: String },
    /// Give another token with `set_auth_token`. Nothing is lost.
    Unauthorized { reason: String },
    /// Try again after so many milliseconds: the server asked for fewer requests.
    RateLimited { reason: String, retry_after_ms: u32 },
    /// Open the core again: it was shut down.
    Stopped { reason: String },
    /// Report a bug, or call `repair` if the reason says that the database is damaged.
    Internal { reason: String },
}
