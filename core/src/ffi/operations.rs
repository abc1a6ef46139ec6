use super::SafeScan;
use crate::{
    error::SafeScanError,
    model::{
        Operation as PendingOperation, OperationId, OperationKind, OperationPage, OperationState, ParkedReason,
        UnixMillis,
    },
};

/// What an operation asks of the server.
#[uniffi::remote(Enum)]
pub enum OperationKind {
    /// Set a vote.
    VoteSet,
    /// Take a vote back.
    VoteRetract,
    /// Store a scan.
    ScanPut,
    /// Delete a scan.
    ScanDelete,
    /// Store a setting.
    SettingPut,
}

/// Where an operation stands.
#[uniffi::remote(Enum)]
pub enum OperationState {
    /// It waits for its turn.
    Pending,
    /// It was sent; the answer is awaited.
    InFlight,
    /// It waits for the app, because trying again would not help.
    Parked,
}

/// Why an operation waits for the app.
#[uniffi::remote(Enum)]
pub enum ParkedReason {
    /// The server wants another token.
    Auth,
    /// The server speaks a newer protocol.
    Schema,
    /// The server refused it for good.
    Rejected,
    /// It can never be sent: too large, or broken.
    Poison,
}

/// A change on this device that the server does not know of yet.
#[uniffi::remote(Record)]
pub struct PendingOperation {
    /// Its id, the same at every attempt.
    pub id: OperationId,
    /// What it asks.
    pub kind: OperationKind,
    /// Where it stands.
    pub state: OperationState,
    /// Why it waits for the app, if it does.
    pub parked_reason: Option<ParkedReason>,
    /// When the change was made.
    pub created_at: UnixMillis,
    /// How often it was sent.
    pub attempts: u32,
    /// What the last attempt ran into.
    pub last_error: Option<String>,
    /// When the next attempt is due.
    pub next_attempt_at: Option<UnixMillis>,
}

/// Operations in the order in which they were made.
#[uniffi::remote(Record)]
pub struct OperationPage {
    /// The operations.
    pub operations: Vec<PendingOperation>,
    /// Give it to the next call; none at the end.
    pub next_cursor: Option<String>,
    /// Rows of this page that were left out because they are damaged; `repair` tells more.
    pub withheld: u32,
}

#[uniffi::export]
impl SafeScan {
    /// A page (1 to 500) of the changes that wait to be sent. Each was stored in one transaction with its record.
    #[uniffi::method(default(limit = 50, cursor = None))]
    pub async fn pending_operations(&self, limit: u32, cursor: Option<String>) -> Result<OperationPage, SafeScanError> {
        self.run(|core| async move { core.operations.page(limit, cursor).await }).await
    }

    /// Makes an operation due at once, parked or not; false if there is none with this id.
    pub async fn retry_operation(&self, id: OperationId) -> Result<bool, SafeScanError> {
        self.run(|core| async move { core.operations.retry(id).await }).await
    }

    /// Gives an operation up: the change stays on this device and is not sent. False if there is none with this id.
    pub async fn discard_operation(&self, id: OperationId) -> Result<bool, SafeScanError> {
        self.run(|core| async move { core.operations.discard(id).await }).await
    }
}
