use super::{QrHash, QrKind, Rating, UnixMillis, VoterId};

/// Which code is meant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CodeRef {
    /// The code with this text.
    Text {
        /// As scanned.
        text: String,
    },
    /// The code, or the host, with this hash.
    Hash {
        /// See [`QrHash`].
        qr_hash: QrHash,
    },
}

impl CodeRef {
    /// The code with this text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text { text: text.into() }
    }
}

/// A person's judgement of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum VoteChoice {
    /// Harmless.
    Safe,
    /// Dangerous.
    Unsafe,
}

/// A vote to be cast.
#[derive(Clone, Debug, PartialEq)]
pub struct NewVote {
    /// On what.
    pub code: CodeRef,
    /// Which way.
    pub choice: VoteChoice,
    /// Who votes, if several people share the device.
    pub user_id: Option<String>,
    /// When it was cast; now, if not given.
    pub voted_at: Option<UnixMillis>,
}

impl NewVote {
    /// The device owner's vote, cast now.
    #[must_use]
    pub fn of(text: impl Into<String>, choice: VoteChoice) -> Self {
        Self { code: CodeRef::text(text), choice, user_id: None, voted_at: None }
    }
}

/// A standing vote.
#[derive(Clone, Debug, PartialEq)]
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

/// Which votes, and how many.
#[derive(Clone, Debug, PartialEq)]
pub struct VoteQuery {
    /// At most so many.
    pub limit: u32,
    /// Where the page before ended.
    pub cursor: Option<String>,
    /// Whose, if several people share the device.
    pub user_id: Option<String>,
}

/// Votes, the latest first.
#[derive(Clone, Debug, PartialEq)]
pub struct VotePage {
    /// The votes.
    pub votes: Vec<Vote>,
    /// Where the next page begins; `None` at the end.
    pub next_cursor: Option<String>,
    /// Rows that were left out because they are damaged.
    pub withheld: u32,
}

/// Which limit a vote ran into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SpamRule {
    /// Too many votes within a minute.
    RapidVoting,
    /// The same code voted on again and again within a minute.
    RepeatedCode,
}

/// What became of a vote.
#[derive(Clone, Debug, PartialEq)]
pub enum VoteOutcome {
    /// It is the voter's first on this code.
    Accepted {
        /// The rating with it.
        rating: Rating,
    },
    /// It took the place of an earlier, different one.
    Updated {
        /// The rating with it.
        rating: Rating,
    },
    /// The voter's vote was taken back.
    Retracted {
        /// The rating without it.
        rating: Rating,
    },
    /// The same, or a later one, was there already; nothing to retract was there.
    Unchanged {
        /// The rating as it was.
        rating: Rating,
    },
    /// Too many in too short a time; nothing was stored.
    Throttled {
        /// Which limit.
        rule: SpamRule,
        /// When it is worth another try, in milliseconds from now.
        retry_after_ms: u32,
    },
    /// Codes of this kind are not voted on, because what they hold is private.
    NotVotable {
        /// The code's kind.
        kind: QrKind,
    },
}
