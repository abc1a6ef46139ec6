use super::{OperationId, UnixMillis};

/// What an operation asks of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OperationState {
    /// Waits for its turn.
    Pending,
    /// Was sent; the answer is awaited.
    InFlight,
    /// Waits for the app, because trying again would not help.
    Parked,
}

/// Why an operation waits for the app.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ParkedReason {
    /// The server wants another token.
    Auth,
    /// The server speaks a newer protocol.
    Schema,
    /// The server refused it for good.
    Rejected,
    /// It can never be sent (too large, or broken).
    Poison,
}

/// A change that the server does not know of yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Operation {
    /// Its name.
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

/// Operations in the order of their making.
#[derive(Clone, Debug, PartialEq)]
pub struct OperationPage {
    /// The operations.
    pub operations: Vec<Operation>,
    /// Where the next page begins; `None` at the end.
    pub next_cursor: Option<String>,
    /// Rows that were left out because they are damaged.
    pub withheld: u32,
}
