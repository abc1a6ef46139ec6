use safescan_core::{
    model::{OperationId, QrHash, UnixMillis, VoteChoice, VoterId},
    protocol::{Conflict, OperationResult},
};

use super::VoteLimits;

/// On whose behalf something is asked: a token's subject, or a device where there are no tokens.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Account(String);

impl Account {
    /// The account that a token names.
    #[must_use]
    pub fn of_token(subject: &str) -> Self {
        Self(format!("t:{subject}"))
    }

    /// The account that a device is by itself.
    #[must_use]
    pub fn of_device(device: &str) -> Self {
        Self(format!("d:{device}"))
    }

    /// The name it is stored under.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0
    }
}

/// Hides the name.
impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Account(…)")
    }
}

/// A request's operations: one transaction.
#[derive(Clone, Debug)]
pub struct Batch {
    /// For whom.
    pub account: Account,
    /// From which device.
    pub device: String,
    /// The place of the oldest operation that the device has not settled.
    pub oldest_pending: Option<i64>,
    /// In the order of their places.
    pub items: Vec<Item>,
    /// The moment of their receipt.
    pub now: UnixMillis,
    /// How many votes are too many.
    pub limits: VoteLimits,
}

/// One operation.
#[derive(Clone, Debug)]
pub struct Item {
    /// Its name.
    pub id: OperationId,
    /// Its register, for the list of conflicts.
    pub key: String,
    /// What it asks.
    pub command: Command,
}

/// What an operation asks.
#[derive(Clone, Debug)]
pub struct Command {
    /// Its place among the device's operations.
    pub seq: i64,
    /// When the change was made, as the device says.
    pub at: UnixMillis,
    /// The change.
    pub action: Action,
}

/// A change.
#[derive(Clone, Debug)]
pub enum Action {
    /// A vote, or with no choice its retraction.
    Vote {
        /// On what.
        code: QrHash,
        /// Whose.
        voter: VoterId,
        /// Which way.
        choice: Option<VoteChoice>,
        /// The host, and the voter's name there.
        host: Option<(QrHash, VoterId)>,
    },
    /// A scan or a setting; without a body the scan is deleted.
    Put {
        /// Of which kind.
        kind: ItemKind,
        /// The register.
        key: String,
        /// JSON.
        body: Option<String>,
    },
}

/// What an account keeps besides votes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemKind {
    /// A scan.
    Scan,
    /// A setting.
    Setting,
}

/// What became of a batch.
#[derive(Clone, Debug, Default)]
pub struct Applied {
    /// One for each operation, in their order.
    pub results: Vec<OperationResult>,
    /// Those that did not get their way.
    pub conflicts: Vec<Conflict>,
    /// Codes and hosts that settled operations name: their ratings come with the answer.
    pub named: Vec<QrHash>,
    /// Codes and hosts whose ratings changed.
    pub changed: Vec<QrHash>,
    /// Whether anything of the account changed.
    pub account_changed: bool,
}
