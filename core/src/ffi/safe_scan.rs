use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::{
    engine::Core,
    error::{Error, SafeScanError},
};

/// The on-device data core of one app: scan history, votes, community ratings, key-value data, cache and health in one
/// handle.
///
/// Open it once with `SafeScan.open` and keep it; opening the same directory again gives the same core. All calls may be
/// made from any thread. Writes that have returned survive a killed process and a power cut.
#[derive(uniffi::Object)]
pub struct SafeScan {
    pub(super) core: Arc<Core>,
}

impl SafeScan {
    /// Runs `work` on the core's own runtime, to its end, whether or not the caller waits for it.
    ///
    /// Boxed, so that what waits for it is compiled once per kind of result, and not once per call.
    pub(super) fn run<T, F>(&self, work: impl FnOnce(Arc<Core>) -> F) -> BoxFuture<'_, Result<T, SafeScanError>>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        let work = self.core.detached(Box::pin(work(Arc::clone(&self.core))));
        Box::pin(async { work.await.map_err(|error| self.core.tell(&error)) })
    }

    /// The same for work that does not wait.
    pub(super) fn now<T>(&self, work: impl FnOnce(&Core) -> Result<T, Error>) -> Result<T, SafeScanError> {
        self.core.guarded(work).map_err(|error| self.core.tell(&error))
    }
}
