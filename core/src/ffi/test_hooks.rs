//! Handles for this project's own tests in every language. Not in a shipped library: the feature `test-hooks` is off there.

use super::SafeScan;
use crate::error::SafeScanError;

/// For this project's own tests; not in a shipped library.
#[uniffi::export]
impl SafeScan {
    /// Lets so much time pass for the core, at once.
    pub fn test_advance_clock(&self, millis: i64) {
        self.core.test_advance_clock(millis);
    }

    /// Panics inside an asynchronous call.
    pub async fn test_panic(&self) -> Result<(), SafeScanError> {
        self.run(|core| async move { core.test_panic() }).await
    }

    /// Lets every access to the main database fail (or no longer), as on a locked device.
    pub fn test_fail_storage(&self, fail: bool) {
        self.core.test_fail_storage(fail);
    }
}
