//! What several tests need: a core of their own, on a clock of their own.
#![allow(dead_code, unused_imports, reason = "each test takes what it needs")]

pub(crate) mod held;

use std::sync::Arc;

pub(crate) use held::open_files_below;
use safescan_core::{
    clock::{Clock, ManualClock},
    config::Config,
    engine::{Core, Environment},
    entropy::SeededEntropy,
    error::Result,
    model::{NewScan, Scan, ScanQuery, UnixMillis},
};

/// 2027-01-15 in the morning.
pub(crate) const MORNING: UnixMillis = UnixMillis(1_800_000_000_000);

/// A directory that is removed at the end, and a clock that stands.
pub(crate) struct Phone {
    pub(crate) directory: tempfile::TempDir,
    pub(crate) clock: Arc<ManualClock>,
}

impl Phone {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        Self { directory, clock: Arc::new(ManualClock::at(MORNING)) }
    }

    pub(crate) fn config(&self) -> Config {
        Config::new(self.directory.path().to_str().expect("a UTF-8 path"))
    }

    pub(crate) async fn open(&self) -> Arc<Core> {
        self.open_with(self.config()).await.expect("a core that opens")
    }

    pub(crate) async fn open_with(&self, config: Config) -> Result<Arc<Core>> {
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        let entropy = Arc::new(SeededEntropy::new(1));
        Core::open_in(config, Environment { clock, entropy, ..Environment::default() }).await
    }

    pub(crate) fn file(&self, name: &str) -> std::path::PathBuf {
        self.directory.path().join(name)
    }
}

/// A web link that is nobody's.
pub(crate) fn link(number: usize) -> String {
    format!("https://shop-{}.example/item/{number}?from=poster", number % 97)
}

pub(crate) fn new_scan(number: usize) -> NewScan {
    NewScan::of(link(number))
}

/// The whole history, page by page, newest first.
pub(crate) async fn history(core: &Core) -> Vec<Scan> {
    let mut query = ScanQuery { limit: 500, ..ScanQuery::default() };
    let mut all = Vec::new();
    loop {
        let page = core.scans.page(query.clone()).await.expect("a page");
        all.extend(page.scans);
        match page.next_cursor {
            Some(cursor) => query.cursor = Some(cursor),
            None => return all,
        }
    }
}
