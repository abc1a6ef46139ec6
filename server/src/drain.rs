//! The end of a server: no new work, the old one finished, everybody told.

use std::sync::Arc;

use tokio::sync::watch;

/// Where the server stands. Cheap to clone.
#[derive(Clone)]
pub struct Drain {
    stage: Arc<watch::Sender<Stage>>,
    busy: Arc<watch::Sender<usize>>,
    open: Arc<watch::Sender<usize>>,
    waiting: Arc<watch::Sender<usize>>,
}

/// How far the end has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Not at all.
    Serving,
    /// New requests are refused, old ones finished.
    Draining,
    /// Connections are closed.
    Closing,
}

/// Something that must be finished. It ends when dropped.
pub struct Busy(Arc<watch::Sender<usize>>);

impl Drain {
    /// Serving.
    #[must_use]
    pub fn new() -> Self {
        let count = || Arc::new(watch::Sender::new(0));
        Self { stage: Arc::new(watch::Sender::new(Stage::Serving)), busy: count(), open: count(), waiting: count() }
    }

    /// Whether new work is refused.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        *self.stage.borrow() > Stage::Serving
    }

    /// Goes on to a stage.
    pub fn reach(&self, stage: Stage) {
        self.stage.send_replace(stage);
    }

    /// Waits for a stage.
    pub async fn reached(&self, stage: Stage) {
        let mut receiver = self.stage.subscribe();
        // The sender lives as long as this.
        drop(receiver.wait_for(|reached| *reached >= stage).await);
    }

    /// Begins something that must be finished.
    #[must_use]
    pub fn begin(&self) -> Busy {
        Busy::new(&self.busy)
    }

    /// How much is begun and not finished.
    #[must_use]
    pub fn begun(&self) -> usize {
        *self.busy.borrow()
    }

    /// Something begun that only waits for others.
    #[must_use]
    pub fn wait(&self) -> Busy {
        Busy::new(&self.waiting)
    }

    /// How much is begun and not finished, and does not only wait.
    #[must_use]
    pub fn load(&self) -> usize {
        self.begun().saturating_sub(*self.waiting.borrow())
    }

    /// A connection.
    #[must_use]
    pub fn open(&self) -> Busy {
        Busy::new(&self.open)
    }

    /// Waits until all connections are closed.
    pub async fn closed(&self) {
        drop(self.open.subscribe().wait_for(|open| *open == 0).await);
    }

    /// Waits until everything is finished.
    pub async fn finished(&self) {
        let mut receiver = self.busy.subscribe();
        drop(receiver.wait_for(|busy| *busy == 0).await);
    }
}

impl Busy {
    fn new(count: &Arc<watch::Sender<usize>>) -> Self {
        count.send_modify(|busy| *busy += 1);
        Self(Arc::clone(count))
    }
}

impl Default for Drain {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.send_modify(|busy| *busy -= 1);
    }
}
