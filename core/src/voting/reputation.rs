/// How much a voter's word counts: 1.0 for everybody unless something else is known.
///
/// Kept in thousandths, because sums of integers are the same in whatever order they are made, and a vote that is taken
/// back leaves exactly nothing behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reputation(u32);

impl Reputation {
    /// Steps in 1.0. Three decimals are finer than any judgement of a person, and exact in JSON.
    pub const UNIT: u32 = 1000;
    /// The word of somebody unknown: 1.0.
    pub const NEUTRAL: Self = Self(Self::UNIT);
    /// The most anybody's word can count: ten unknown persons. More would let one account outvote a crowd.
    pub const MAX: Self = Self(10 * Self::UNIT);

    /// Reads a weight, to the nearest thousandth; `None` for what is no number or lies outside 0 to 10.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole, and between 0 and 10 000")]
    pub fn from_weight(weight: f64) -> Option<Self> {
        let greatest = Self::MAX.weight();
        (0.0..=greatest).contains(&weight).then(|| Self((weight * f64::from(Self::UNIT)).round() as u32))
    }

    /// Reads what [`thousandths`](Self::thousandths) wrote; `None` above [`MAX`](Self::MAX).
    #[must_use]
    pub fn from_thousandths(thousandths: u32) -> Option<Self> {
        Some(Self(thousandths)).filter(|read| *read <= Self::MAX)
    }

    /// The factor a vote is multiplied by.
    #[must_use]
    pub fn weight(self) -> f64 {
        f64::from(self.0) / f64::from(Self::UNIT)
    }

    /// The form that is stored and sent.
    #[must_use]
    pub fn thousandths(self) -> u32 {
        self.0
    }
}

impl Default for Reputation {
    fn default() -> Self {
        Self::NEUTRAL
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_read_to_the_thousandth() {
        for (weight, thousandths) in
            [(0.0, 0), (-0.0, 0), (0.0004, 0), (0.0006, 1), (1.0, 1000), (2.5, 2500), (10.0, 10_000)]
        {
            assert_eq!(Reputation::from_weight(weight).map(Reputation::thousandths), Some(thousandths), "{weight}");
        }
        assert_eq!(Reputation::default().weight().to_bits(), 1.0_f64.to_bits());
    }

    #[test]
    fn what_is_no_weight_is_none() {
        for weight in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.001, 10.001] {
            assert_eq!(Reputation::from_weight(weight), None, "{weight}");
        }
        assert_eq!(Reputation::from_thousandths(10_000), Some(Reputation::MAX));
        assert_eq!(Reputation::from_thousandths(10_001), None);
    }

    #[test]
    fn every_reputation_survives_the_way_out_and_back() {
        for thousandths in 0..=Reputation::MAX.thousandths() {
            let reputation = Reputation::from_thousandths(thousandths).expect("in range");
            assert_eq!(Reputation::from_weight(reputation.weight()), Some(reputation));
        }
    }
}
