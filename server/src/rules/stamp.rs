use safescan_core::model::UnixMillis;

/// Which of two changes of a register stands: the later one, then the one of the larger device, then of the later place.
/// The order of the fields is the order of the rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp {
    /// When, by the server.
    pub at: UnixMillis,
    /// By which device.
    pub device: String,
    /// Its place among that device's operations.
    pub seq: i64,
}

/// How a change stands against a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It takes the register.
    Wins,
    /// It is the very change that stands there.
    Stands,
    /// A later one stands there.
    Loses,
}

/// A change that is about to be judged.
#[derive(Clone, Copy, Debug)]
pub(super) struct Claim<'a> {
    pub(super) stamp: &'a Stamp,
    /// Below the floor: it may have taken effect and been forgotten.
    pub(super) below_floor: bool,
    /// Its device dates it after now, so that its time is the moment of receipt.
    pub(super) from_the_future: bool,
}

impl Claim<'_> {
    pub(super) fn against(&self, standing: Option<&Stamp>) -> Verdict {
        let Some(standing) = standing else { return Verdict::Wins };
        let same = standing.device == self.stamp.device && standing.seq == self.stamp.seq;
        // Its time cannot be told from the first time it came: it would win once more with every receipt.
        let wins_again = self.from_the_future && self.below_floor;
        // Above the floor the same change can only come under another id.
        if same && (self.below_floor || standing.at == self.stamp.at) {
            Verdict::Stands
        } else if *self.stamp > *standing && !wins_again {
            Verdict::Wins
        } else {
            Verdict::Loses
        }
    }
}

/// The time that counts: not after now, and not before 1970, when nobody scanned codes.
pub(super) fn clamp(at: UnixMillis, now: UnixMillis) -> UnixMillis {
    at.min(now).max(UnixMillis(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(at: i64, device: &str, seq: i64) -> Stamp {
        Stamp { at: UnixMillis(at), device: device.into(), seq }
    }

    #[test]
    fn time_then_device_then_place() {
        let standing = stamp(10, "m", 5);
        for (stamp, verdict) in [
            (stamp(11, "a", 1), Verdict::Wins),
            (stamp(9, "z", 9), Verdict::Loses),
            (stamp(10, "n", 1), Verdict::Wins),
            (stamp(10, "l", 9), Verdict::Loses),
            (stamp(10, "m", 6), Verdict::Wins),
            (stamp(10, "m", 4), Verdict::Loses),
            (stamp(10, "m", 5), Verdict::Stands),
        ] {
            let claim = Claim { stamp: &stamp, below_floor: false, from_the_future: false };
            assert_eq!(claim.against(Some(&standing)), verdict, "{stamp:?}");
            assert_eq!(claim.against(None), Verdict::Wins);
        }
    }

    #[test]
    fn below_the_floor_the_register_judges() {
        let standing = stamp(10, "m", 5);
        let below = |stamp: &Stamp, from_the_future| {
            Claim { stamp, below_floor: true, from_the_future }.against(Some(&standing))
        };
        assert_eq!(below(&stamp(12, "m", 5), false), Verdict::Stands, "its time may have been clamped");
        assert_eq!(below(&stamp(9, "m", 4), false), Verdict::Loses);
        assert_eq!(below(&stamp(11, "m", 4), false), Verdict::Wins);
        assert_eq!(below(&stamp(11, "m", 4), true), Verdict::Loses);
    }

    #[test]
    fn a_wrong_clock_is_clamped() {
        let now = UnixMillis(1_000);
        for (at, clamped) in [(i64::MIN, 0), (0, 0), (999, 999), (1_000, 1_000), (i64::MAX, 1_000)] {
            assert_eq!(clamp(UnixMillis(at), now), UnixMillis(clamped));
        }
    }
}
