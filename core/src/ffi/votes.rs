use super::SafeScan;
use crate::{
    error::SafeScanError,
    model::{
        CodeRef, NewVote, QrHash, QrKind, Rating, SpamRule, UnixMillis, Vote, VoteChoice, VoteOutcome, VotePage,
        VoteQuery, VoterId,
    },
};

/// Which code is meant: by its text, or by its hash where the app kept nothing else.
#[uniffi::remote(Enum)]
pub enum CodeRef {
    /// The code with this text, as scanned.
    Text { text: String },
    /// The code with this hash (see `hash_qr_data`), or the host with this hash (see `Rating.host_hash`).
    Hash { qr_hash: QrHash },
}

/// A person's judgement of a code.
#[uniffi::remote(Enum)]
pub enum VoteChoice {
    /// Harmless.
    Safe,
    /// Dangerous.
    Unsafe,
}

/// A vote to be cast.
#[uniffi::remote(Record)]
pub struct NewVote {
    /// On what.
    pub code: CodeRef,
    /// Which way.
    pub choice: VoteChoice,
    /// Who votes, if several people share the device; the installation itself by default. It never leaves the device:
    /// outside, a voter is a keyed hash.
    #[uniffi(default = None)]
    pub user_id: Option<String>,
    /// When it was cast; now by default. At most five minutes ahead of the device's clock.
    #[uniffi(default = None)]
    pub voted_at: Option<UnixMillis>,
}

/// A standing vote.
#[uniffi::remote(Record)]
pub struct Vote {
    /// On what.
    pub qr_hash: QrHash,
    /// Which way.
    pub choice: VoteChoice,
    /// When.
    pub voted_at: UnixMillis,
    /// The voter's name outside this device.
    pub voter_id: VoterId,
    /// Whether the server does not know of it yet.
    pub pending: bool,
}

/// Whose votes are wanted, and how many.
#[uniffi::remote(Record)]
pub struct VoteQuery {
    /// At most so many: 1 to 500.
    #[uniffi(default = 50)]
    pub limit: u32,
    /// `next_cursor` of the page before; the latest votes without it.
    #[uniffi(default = None)]
    pub cursor: Option<String>,
    /// Whose, if several people share the device.
    #[uniffi(default = None)]
    pub user_id: Option<String>,
}

/// Votes, the latest first.
#[uniffi::remote(Record)]
pub struct VotePage {
    /// The votes.
    pub votes: Vec<Vote>,
    /// Give it to the next query; none at the end.
    pub next_cursor: Option<String>,
    /// Rows of this page that were left out because they are damaged; `repair` tells more.
    pub withheld: u32,
}

/// Which limit a vote ran into.
#[uniffi::remote(Enum)]
pub enum SpamRule {
    /// More votes within a minute than the configuration allows.
    RapidVoting,
    /// More than five changes on one code within a minute.
    RepeatedCode,
}

/// What became of a vote. None of these is an error.
#[uniffi::remote(Enum)]
pub enum VoteOutcome {
    /// It is the voter's first on this code. The rating counts it already.
    Accepted { rating: Rating },
    /// It took the place of the voter's earlier vote. The rating counts it already.
    Updated { rating: Rating },
    /// The voter's vote was taken back. The rating no longer counts it.
    Retracted { rating: Rating },
    /// Nothing changed: the same or a later vote stood there already, or there was nothing to retract.
    Unchanged { rating: Rating },
    /// Too many in too short a time: nothing was stored. Worth another try after so many milliseconds.
    Throttled { rule: SpamRule, retry_after_ms: u32 },
    /// Codes of this kind are not voted on, because what they hold is private. Nothing was stored.
    NotVotable { kind: QrKind },
}

#[uniffi::export]
impl SafeScan {
    /// Casts or changes a vote: one stands per voter and code, the latest wins. When this returns, the vote survives a
    /// kill and a power cut, with or without a network.
    pub async fn submit_vote(&self, vote: NewVote) -> Result<VoteOutcome, SafeScanError> {
        self.run(|core| async move { core.votes.submit(vote).await }).await
    }

    /// Casts up to 10,000 votes in one transaction and returns their outcomes in the same order. On an error none is
    /// stored.
    pub async fn submit_votes(&self, votes: Vec<NewVote>) -> Result<Vec<VoteOutcome>, SafeScanError> {
        self.run(|core| async move { core.votes.submit_all(votes).await }).await
    }

    /// Takes the voter's vote on a code back. When this returns, that survives a kill and a power cut. The voter is the
    /// installation, or the one with this `user_id` if several people share the device.
    #[uniffi::method(default(user_id = None))]
    pub async fn retract_vote(&self, code: CodeRef, user_id: Option<String>) -> Result<VoteOutcome, SafeScanError> {
        self.run(|core| async move { core.votes.retract(code, user_id).await }).await
    }

    /// The voter's standing vote on a code, or none.
    #[uniffi::method(default(user_id = None))]
    pub async fn my_vote(&self, code: CodeRef, user_id: Option<String>) -> Result<Option<Vote>, SafeScanError> {
        self.run(|core| async move { core.votes.mine(code, user_id).await }).await
    }

    /// A page of the voter's standing votes, the latest first.
    pub async fn my_votes(&self, query: VoteQuery) -> Result<VotePage, SafeScanError> {
        self.run(|core| async move { core.votes.page(query).await }).await
    }

    /// Sets how much a voter on this device counts, from 0 to 10; 1 is usual. Standing votes are weighed anew.
    #[uniffi::method(default(user_id = None))]
    pub async fn set_reputation(&self, weight: f64, user_id: Option<String>) -> Result<(), SafeScanError> {
        self.run(|core| async move { core.votes.set_reputation(user_id, weight).await }).await
    }
}
