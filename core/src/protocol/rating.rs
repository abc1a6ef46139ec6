use serde::{Deserialize, Serialize};

use super::{shape::objects, text::standing};
use crate::{
    model::{QrHash, UnixMillis, VoteChoice, VoterId},
    voting::{LINE_MS, Reputation, Side, Tally},
};

objects!(Rating, SideSums, OwnVote);

/// A code's rating: its [`Tally`], and which of the asking account's votes are in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "camelCase")]
pub struct Rating {
    /// Of which code or host.
    pub qr_hash: QrHash,
    /// Grows with every change of any rating; of two ratings of one code the greater holds.
    pub rev: i64,
    /// Votes for safe.
    pub safe: SideSums,
    /// Votes for unsafe.
    #[serde(rename = "unsafe")]
    pub unsafe_: SideSums,
    /// Votes at or before it are in `c`, later ones in `n` and `s`; `null`: all are later.
    pub watermark: Option<UnixMillis>,
    /// The latest vote's time; `null` without votes.
    pub newest: Option<UnixMillis>,
    /// Up to when the sums are exact: the oldest linear vote's time and 27 days; `null` without any.
    pub exact_until: Option<UnixMillis>,
    /// The asking account's own registers on this subject that are in the sums or were taken out of them.
    #[serde(default)]
    pub own: Vec<OwnVote>,
}

/// One side's sums, in thousandths of a neutral vote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct SideSums {
    /// Standing votes.
    pub count: u32,
    /// Reputations of the linear votes.
    pub n: i64,
    /// Reputations of the linear votes, each times its vote's time; in decimal digits, for it outgrows every number.
    #[serde(with = "decimal")]
    pub s: i128,
    /// Reputations of the clamped votes.
    pub c: i64,
}

/// A register of the asking account, as the server counts it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct OwnVote {
    /// Whose.
    pub voter: VoterId,
    /// Which way; `"none"` if it was taken back.
    #[serde(with = "standing")]
    pub vote: Option<VoteChoice>,
    /// When, by the server.
    pub at: UnixMillis,
}

impl Rating {
    /// Writes a tally down.
    #[must_use]
    pub fn of(qr_hash: QrHash, rev: i64, tally: &Tally, own: Vec<OwnVote>) -> Self {
        Self {
            qr_hash,
            rev,
            safe: SideSums::of(&tally.safe),
            unsafe_: SideSums::of(&tally.unsafe_),
            watermark: Some(tally.watermark).filter(|watermark| watermark.0 > i64::MIN),
            newest: tally.newest,
            exact_until: tally.exact_until,
            own,
        }
    }

    /// Reads the tally; `None` if no votes could have made it.
    #[must_use]
    pub fn tally(&self) -> Option<Tally> {
        let votes = self.safe.count.checked_add(self.unsafe_.count)?;
        // The times that linear votes lie between. Where the sum of time and line saturated, the earlier end is too
        // early, which harms nothing.
        let oldest_linear = self.exact_until.map(|until| until.minus(LINE_MS));
        let between = oldest_linear.zip(self.newest);
        let sound = self.safe.is_sound(between)
            && self.unsafe_.is_sound(between)
            && (votes > 0) == self.newest.is_some()
            && oldest_linear <= self.newest
            && (oldest_linear.is_none() || oldest_linear > self.watermark || self.exact_until == Some(END));
        sound.then(|| Tally {
            safe: self.safe.side(),
            unsafe_: self.unsafe_.side(),
            watermark: self.watermark.unwrap_or(UnixMillis(i64::MIN)),
            newest: self.newest,
            exact_until: self.exact_until,
        })
    }
}

impl SideSums {
    fn of(side: &Side) -> Self {
        let narrow = |sum: i128| i64::try_from(sum).unwrap_or(i64::MAX);
        Self { count: side.count, n: narrow(side.n), s: side.s, c: narrow(side.c) }
    }

    fn side(&self) -> Side {
        Side { count: self.count, n: self.n.into(), s: self.s, c: self.c.into() }
    }

    /// Nobody counts more than the greatest reputation, and linear votes lie `between` the oldest and the newest one.
    fn is_sound(&self, between: Option<(UnixMillis, UnixMillis)>) -> bool {
        let most = i64::from(self.count) * i64::from(Reputation::MAX.thousandths());
        let (n, c) = (self.n, self.c);
        let within = match between {
            // Within 128 bits: 2^32 votes of 14 bits each, times 64 bits.
            Some((oldest, newest)) => {
                let sum_at = |at: UnixMillis| i128::from(n) * i128::from(at.0);
                (sum_at(oldest)..=sum_at(newest)).contains(&self.s)
            }
            None => n == 0 && self.s == 0,
        };
        n >= 0 && c >= 0 && n.checked_add(c).is_some_and(|sum| sum <= most) && within
    }
}

/// Where time ends: what would be exact for longer is said to be exact until then.
const END: UnixMillis = UnixMillis(i64::MAX);

/// A whole number as decimal digits in a text: a minus if it is negative, no plus, no zero in front.
mod decimal {
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(number: &i128, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(number)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i128, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        let number = text.parse().ok().filter(|number: &i128| number.to_string() == text);
        number.ok_or_else(|| D::Error::custom("not a whole number"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::voting::Ballot;

    fn tally() -> Tally {
        let mut tally = Tally::default();
        for (choice, at) in [(VoteChoice::Safe, 1_793_346_975_123), (VoteChoice::Unsafe, 1_793_346_975_124)] {
            tally.add(&Ballot { choice, at: UnixMillis(at), reputation: Reputation::NEUTRAL });
        }
        tally
    }

    fn at_the_ends_of_time() -> Tally {
        let mut tally = Tally::default();
        for at in [i64::MIN, i64::MIN + 1, 0, i64::MAX] {
            tally.add(&Ballot { choice: VoteChoice::Safe, at: UnixMillis(at), reputation: Reputation::MAX });
        }
        tally
    }

    #[test]
    fn a_tally_survives_the_way_out_and_back() {
        let hash = QrHash([7; 32]);
        for tally in [tally(), at_the_ends_of_time(), Tally::default()] {
            let sent = serde_json::to_string(&Rating::of(hash, 3, &tally, Vec::new())).unwrap();
            let read: Rating = serde_json::from_str(&sent).unwrap();
            assert_eq!(read.tally(), Some(tally));
        }
    }

    #[test]
    fn sums_that_no_votes_make_are_refused() {
        let sound = Rating::of(QrHash([7; 32]), 3, &tally(), Vec::new());
        let spoilt = |spoil: fn(&mut Rating)| {
            let mut rating = sound.clone();
            spoil(&mut rating);
            rating.tally()
        };
        assert!(spoilt(|_| ()).is_some());
        assert!(spoilt(|rating| rating.safe.n = 10_001).is_none(), "one vote that counts more than ten");
        assert!(spoilt(|rating| rating.safe.n = -1).is_none());
        assert!(spoilt(|rating| rating.newest = None).is_none());
        assert!(spoilt(|rating| rating.exact_until = None).is_none());
        assert!(spoilt(|rating| rating.exact_until = Some(UnixMillis(i64::MAX))).is_none());
        assert!(spoilt(|rating| rating.safe.count = u32::MAX).is_none());
        assert!(spoilt(|rating| rating.safe.s = i128::MAX).is_none(), "a vote from the end of time");
        assert!(spoilt(|rating| rating.safe.s += 2_000).is_none(), "a vote after the newest one");
        assert!(spoilt(|rating| rating.unsafe_.s -= 2_000).is_none(), "a vote before the oldest one");
        assert!(spoilt(|rating| rating.watermark = rating.newest).is_none(), "linear votes before the line");
        assert!(spoilt(|rating| rating.watermark = Some(UnixMillis(1_793_346_975_122))).is_some());
    }
}
