//! The sums of a code's votes, from which its rating can be read at any moment without going through the votes.
//!
//! # Derivation
//!
//! A vote of reputation `r`, cast at `t`, weighs at the moment `x`
//!
//! ```text
//! w = r · max(1/10, 1 − (x − t)/A)          A = 30 days
//! ```
//!
//! The maximum changes hands where `1 − (x − t)/A = 1/10`, that is at an age of 27 days. Let the *line* be `x − 27 d`.
//! A vote after the line is *linear*, one at or before it is *clamped*; on the line itself both terms are equal.
//! Multiplied by `A`, to stay among the integers, and summed over one side's votes:
//!
//! ```text
//! linear    Σ r·(A − x + t) = n·(A − x) + s          n = Σ r, s = Σ r·t   over the linear votes
//! clamped   Σ r·A/10        = c·A/10                 c = Σ r              over the clamped ones
//! ```
//!
//! So three sums a side are enough for every `x`, as long as each vote lies in the right drawer. As time goes by the
//! line passes over votes, each once, and only these must be moved; an index by time finds them.
//!
//! The formula holds for ages from 0 on. Time before the newest vote is therefore never asked for: a reading by a clock
//! that stands before it counts as made at that vote's time (*effective now*), and no vote ever weighs more than its
//! voter's reputation.
//!
//! # Protocol of whoever stores a tally
//!
//! Before a reading: ask [`Tally::crossing`]; move the votes in the range it names with [`Tally::clamp`] or
//! [`Tally::unclamp`]; then [`Tally::set_watermark`] to [`Crossing::watermark`], and [`Tally::set_extremes`] from the
//! index. After a removal: [`Tally::set_extremes`]. A vote's drawer is told from the watermark alone.

use super::Reputation;
use crate::model::{DAY_MS, UnixMillis, VoteChoice};

/// The age at which a vote would have lost all its weight if nothing held it: 30 days, by definition of the rating.
pub const DECAY_MS: i64 = 30 * DAY_MS;

/// The age from which a vote keeps a tenth of its weight: nine tenths of [`DECAY_MS`].
pub const LINE_MS: i64 = 27 * DAY_MS;

/// The share that is never lost, times [`DECAY_MS`].
const FLOOR_MS: i64 = DECAY_MS / 10;
const _: () = assert!(DECAY_MS - LINE_MS == FLOOR_MS && 10 * FLOOR_MS == DECAY_MS, "the two terms meet on the line");

/// One standing vote, as far as the sums are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ballot {
    /// Which way.
    pub choice: VoteChoice,
    /// When it was cast.
    pub at: UnixMillis,
    /// How much its voter's word counts.
    pub reputation: Reputation,
}

/// The sums of one side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Side {
    /// Standing votes.
    pub count: u32,
    /// Reputations of the linear votes.
    pub n: i128,
    /// Reputations of the linear votes, each times its vote's time.
    pub s: i128,
    /// Reputations of the clamped votes.
    pub c: i128,
}

/// The sums of both sides, and up to where they may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tally {
    /// Votes for safe.
    pub safe: Side,
    /// Votes for unsafe.
    pub unsafe_: Side,
    /// Votes at or before this instant are clamped, later ones linear.
    pub watermark: UnixMillis,
    /// The newest vote's time; `None` without votes.
    pub newest: Option<UnixMillis>,
    /// The last moment at which no linear vote is behind the line: the oldest one's time + 27 d; `None` without any.
    pub exact_until: Option<UnixMillis>,
}

/// Which votes lie in the wrong drawer for a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crossing {
    /// None.
    None,
    /// Those later than `after`, up to and with `up_to`, must be clamped.
    Forward {
        /// Where the line was; votes at this instant are clamped already.
        after: UnixMillis,
        /// Where it is now.
        up_to: UnixMillis,
    },
    /// Those later than `after`, up to and with `up_to`, must be unclamped: the clock, or the newest vote, went back.
    Backward {
        /// Where the line is now; votes at this instant stay clamped.
        after: UnixMillis,
        /// Where it was.
        up_to: UnixMillis,
    },
}

/// The weight of either side at one moment, exactly; divided by [`Weights::UNIT`], in fresh votes. Never negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Weights {
    /// What says safe.
    pub safe: i128,
    /// What says unsafe.
    pub unsafe_: i128,
}

/// What a tally says without its votes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// The weights.
    pub weights: Weights,
    /// The moment they are for.
    pub at: UnixMillis,
    /// Whether they are exact for the moment asked for; otherwise they are the last exact ones.
    pub exact: bool,
}

impl Default for Tally {
    /// No votes, and the line before all time.
    fn default() -> Self {
        let none = Side::default();
        Self { safe: none, unsafe_: none, watermark: UnixMillis(i64::MIN), newest: None, exact_until: None }
    }
}

impl Tally {
    /// Standing votes of both sides.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.safe.count.saturating_add(self.unsafe_.count)
    }

    /// Counts a vote in.
    pub fn add(&mut self, ballot: &Ballot) {
        let linear = self.is_linear(ballot);
        let side = self.side(ballot.choice);
        side.count = side.count.saturating_add(1);
        side.shift(ballot, linear, 1);
        self.newest = self.newest.max(Some(ballot.at));
        if linear {
            self.reach(ballot);
        }
    }

    /// Takes a vote out that was counted in with these very values. `newest` and `exact_until` stay as they were unless
    /// it was the last one, for the sums do not know which vote is the next. If [`is_extreme`](Self::is_extreme) said
    /// so before, [`set_extremes`](Self::set_extremes) must follow.
    pub fn remove(&mut self, ballot: &Ballot) {
        let linear = self.is_linear(ballot);
        let side = self.side(ballot.choice);
        side.count = side.count.saturating_sub(1);
        side.shift(ballot, linear, -1);
        if self.count() == 0 {
            *self = Self::default();
        }
    }

    /// Whether `newest` or `exact_until` may come from this vote, so that its removal leaves them in doubt.
    #[must_use]
    pub fn is_extreme(&self, ballot: &Ballot) -> bool {
        self.newest == Some(ballot.at) || self.exact_until == Some(ballot.at.plus(LINE_MS))
    }

    /// Takes over what the index knows: the time of the newest vote, and of the oldest one after the watermark.
    pub fn set_extremes(&mut self, newest: Option<UnixMillis>, oldest_linear: Option<UnixMillis>) {
        self.newest = newest;
        self.exact_until = oldest_linear.map(|at| at.plus(LINE_MS));
    }

    /// Moves a linear vote over to the clamped ones.
    pub fn clamp(&mut self, ballot: &Ballot) {
        let side = self.side(ballot.choice);
        side.shift(ballot, true, -1);
        side.shift(ballot, false, 1);
    }

    /// Moves a clamped vote back to the linear ones.
    pub fn unclamp(&mut self, ballot: &Ballot) {
        let side = self.side(ballot.choice);
        side.shift(ballot, false, -1);
        side.shift(ballot, true, 1);
        self.reach(ballot);
    }

    /// Notes that every vote up to and with this instant is clamped now, and no later one.
    pub fn set_watermark(&mut self, watermark: UnixMillis) {
        self.watermark = watermark;
    }

    /// The moment a reading at `now` counts as made at: not before the newest vote.
    #[must_use]
    pub fn effective_now(&self, now: UnixMillis) -> UnixMillis {
        self.newest.map_or(now, |newest| newest.max(now))
    }

    /// The line of a reading at `now`: votes at or before it weigh a tenth, and so does the first instant there is.
    #[must_use]
    pub fn line_at(&self, now: UnixMillis) -> UnixMillis {
        self.effective_now(now).minus(LINE_MS)
    }

    /// Which votes must be moved before [`weights`](Self::weights) may be asked for `now`. Forwards it is none as long
    /// as `exact_until` stands; the watermark then stays behind the line, harmlessly: there is no vote between them.
    #[must_use]
    pub fn crossing(&self, now: UnixMillis) -> Crossing {
        let line = self.line_at(now);
        if line < self.watermark {
            Crossing::Backward { after: line, up_to: self.watermark }
        } else if self.exact_until.is_some_and(|until| until < self.effective_now(now)) {
            Crossing::Forward { after: self.watermark, up_to: line }
        } else {
            Crossing::None
        }
    }

    /// The exact weights at `now`, provided that [`crossing`](Self::crossing) is none.
    #[must_use]
    pub fn weights(&self, now: UnixMillis) -> Weights {
        self.weights_at(self.effective_now(now))
    }

    /// The weights at `now` as far as they can be told without the votes: past `exact_until` the last exact ones.
    ///
    /// The watermark tells that a clock had reached it and 27 days; a reading before that counts as made then, for the
    /// votes in between cannot be told apart any more. A vote of one's own, later than `exact_until`, is to be overlaid
    /// as if cast at `exact_until`, so that it does not weigh more than a fresh one.
    #[must_use]
    pub fn weights_as_known(&self, now: UnixMillis) -> Known {
        let wanted = self.effective_now(now).max(self.watermark.plus(LINE_MS));
        let at = self.exact_until.map_or(wanted, |until| until.min(wanted));
        Known { weights: self.weights_at(at), at, exact: at == wanted }
    }

    fn weights_at(&self, at: UnixMillis) -> Weights {
        Weights { safe: self.safe.weight(at), unsafe_: self.unsafe_.weight(at) }
    }

    fn is_linear(&self, ballot: &Ballot) -> bool {
        ballot.at > self.watermark
    }

    fn side(&mut self, choice: VoteChoice) -> &mut Side {
        match choice {
            VoteChoice::Safe => &mut self.safe,
            VoteChoice::Unsafe => &mut self.unsafe_,
        }
    }

    /// Lets `exact_until` end where this linear vote reaches the line.
    fn reach(&mut self, ballot: &Ballot) {
        let until = ballot.at.plus(LINE_MS);
        self.exact_until = Some(self.exact_until.map_or(until, |earliest| earliest.min(until)));
    }
}

impl Side {
    // A reputation (14 bits) times a time (64 bits) fits a million times a billion times into 128 bits. The arithmetic
    // saturates all the same: sums also come from the wire.
    fn shift(&mut self, ballot: &Ballot, linear: bool, sign: i128) {
        let reputation = sign * i128::from(ballot.reputation.thousandths());
        if linear {
            self.n = self.n.saturating_add(reputation);
            self.s = self.s.saturating_add(reputation * i128::from(ballot.at.0));
        } else {
            self.c = self.c.saturating_add(reputation);
        }
    }

    fn weight(&self, at: UnixMillis) -> i128 {
        let linear = self.n.saturating_mul(i128::from(DECAY_MS) - i128::from(at.0)).saturating_add(self.s);
        linear.saturating_add(self.c.saturating_mul(i128::from(FLOOR_MS))).max(0)
    }
}

impl Crossing {
    /// Where the watermark belongs once the votes are moved; `None` if it stays.
    #[must_use]
    pub fn watermark(&self) -> Option<UnixMillis> {
        match *self {
            Self::None => None,
            Self::Forward { up_to: line, .. } | Self::Backward { after: line, .. } => Some(line),
        }
    }
}

impl Weights {
    /// What one fresh vote of neutral reputation weighs: [`DECAY_MS`] by [`Reputation::UNIT`] (widened without loss).
    pub const UNIT: i128 = DECAY_MS as i128 * Reputation::UNIT as i128;
}

#[cfg(test)]
mod tests;
