use super::SafeScan;
use crate::{
    error::SafeScanError,
    model::{Assessment, CodeRef, QrHash, Rating, RatingSource, UnixMillis, VoteChoice},
};

/// Where a rating comes from, the best first.
#[uniffi::remote(Enum)]
pub enum RatingSource {
    /// Computed from the votes, for this moment.
    Live,
    /// The votes could not be read: computed for this moment from what was last known of them.
    Cached,
    /// As `Cached`, but too old to be exact: the last exact value.
    Stale,
    /// Nothing is known: the neutral rating, 0.5.
    Neutral,
}

/// A rating in one word. One vote never makes a code safe.
#[uniffi::remote(Enum)]
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
///
/// A vote weighs its voter's reputation times its freshness: from 1 when cast down to 0.1 after 27 days, and 0.1 from
/// then on.
#[uniffi::remote(Record)]
pub struct Rating {
    /// The code.
    pub qr_hash: QrHash,
    /// Standing votes for safe.
    pub safe_votes: u32,
    /// Standing votes for unsafe.
    pub unsafe_votes: u32,
    /// All standing votes.
    pub total_votes: u32,
    /// Share of the weight that says safe, from 0 to 1; 0.5 without votes. Show `assessment` to people, not this alone.
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
    /// The latest standing vote's time; none without votes.
    pub last_updated: Option<UnixMillis>,
    /// The installation's own standing vote on the code.
    pub own_vote: Option<VoteChoice>,
    /// The host a web link leads to: itself a subject of ratings, as `CodeRef.Hash`.
    pub host_hash: Option<QrHash>,
}

#[uniffi::export]
impl SafeScan {
    /// The rating of a code at this moment. It takes the same time with ten votes and with a million.
    ///
    /// It does not fail when the votes cannot be read: `source` then says `Cached`, `Stale` or `Neutral`.
    pub async fn rating(&self, code: CodeRef) -> Result<Rating, SafeScanError> {
        self.run(|core| async move { core.ratings.rating(code).await }).await
    }

    /// The ratings of up to 500 codes, in the same order, as `rating` gives each.
    pub async fn ratings(&self, codes: Vec<CodeRef>) -> Result<Vec<Rating>, SafeScanError> {
        self.run(|core| async move { core.ratings.ratings(codes).await }).await
    }

    /// The rating last seen in this process, for this moment, without waiting; none if there is none in memory.
    pub fn cached_rating(&self, code: CodeRef) -> Result<Option<Rating>, SafeScanError> {
        self.now(|core| core.ratings.cached(&code))
    }

    /// Asks for a `RatingChanged` event at every change of these codes' ratings. Counted: each `watch` wants an
    /// `unwatch`. At most 1,000 codes at a time.
    pub fn watch(&self, codes: Vec<CodeRef>) -> Result<(), SafeScanError> {
        self.now(|core| core.ratings.watch(&codes))
    }

    /// Takes a `watch` back. Codes that are not watched are ignored.
    pub fn unwatch(&self, codes: Vec<CodeRef>) -> Result<(), SafeScanError> {
        self.now(|core| core.ratings.unwatch(&codes))
    }
}
