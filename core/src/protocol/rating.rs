use serde::{Deserialize, Serialize};

use super::text::standing;
use crate::{
    model::{QrHash, UnixMillis, VoteChoice, VoterId},
    voting::{LINE_MS, Reputation, Side, Tally},
};

/// A code's rating: its [`Tally`], and which of the asking account's votes are in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
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
        let linear = self.safe.n > 0 || self.unsafe_.n > 0;
        let sound = self.safe.is_sound()
            && self.unsafe_.is_sound()
            && (votes > 0) == self.newest.is_some()
            && (!linear || self.exact_until.is_some())
            && self.exact_until <= self.newest.map(|newest| newest.plus(LINE_MS));
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

    /// Nobody counts more than the greatest reputation, and no vote was cast before time began.
    fn is_sound(&self) -> bool {
        let most = i64::from(self.count) * i64::from(Reputation::MAX.thousandths());
        let (n, c) = (self.n, self.c);
        n >= 0 && c >= 0 && n.checked_add(c).is_some_and(|sum| sum <= most) && (n > 0 || self.s == 0)
    }
}

/// A whole number as decimal digits in a text.
mod decimal {
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    /// What 128 bits take, with a sign.
    const LONGEST: usize = 40;

    pub(super) fn serialize<S: Serializer>(number: &i128, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(number)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i128, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        let number = text.parse().ok().filter(|_| text.len() <= LONGEST);
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

    #[test]
    fn a_tally_survives_the_way_out_and_back() {
        let hash = QrHash([7; 32]);
        for tally in [tally(), Tally::default()] {
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
    }
}
