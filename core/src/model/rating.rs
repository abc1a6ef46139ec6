use super::{QrHash, UnixMillis, VoteChoice};

/// Where a rating comes from, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RatingSource {
    /// Computed from the votes, for this moment.
    Live,
    /// The votes could not be read; computed for this moment from what was last known of them.
    Cached,
    /// As [`Cached`](Self::Cached), but too old to be exact: the last exact value.
    Stale,
    /// Nothing is known: the neutral rating.
    Neutral,
}

/// A rating in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Assessment {
    /// With 95 % certainty, more than half of the weight says safe.
    Safe,
    /// With 95 % certainty, more than half of the weight says unsafe.
    Unsafe,
    /// Many votes, and no agreement.
    Mixed,
    /// Too few votes to tell.
    Insufficient,
}

/// What the community thinks of a code.
#[derive(Clone, Debug, PartialEq)]
pub struct Rating {
    /// The code.
    pub qr_hash: QrHash,
    /// Standing votes for safe.
    pub safe_votes: u32,
    /// Standing votes for unsafe.
    pub unsafe_votes: u32,
    /// All standing votes.
    pub total_votes: u32,
    /// Share of the weight that says safe; 0.5 without votes.
    pub confidence: f64,
    /// Lower end of the 95 % interval around `confidence`.
    pub lower: f64,
    /// Upper end of the 95 % interval around `confidence`.
    pub upper: f64,
    /// How many fresh votes the standing ones are worth.
    pub effective_votes: f64,
    /// The rating in one word.
    pub assessment: Assessment,
    /// Where it comes from.
    pub source: RatingSource,
    /// The latest change of a vote on the code; `None` without votes.
    pub last_updated: Option<UnixMillis>,
    /// The installation's own vote on the code.
    pub own_vote: Option<VoteChoice>,
    /// The host the code leads to, as a subject that can be rated like a code.
    pub host_hash: Option<QrHash>,
}
