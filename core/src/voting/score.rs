//! From weights to what a person is shown.
//!
//! Only the five operations that IEEE 754 defines to the last bit are used (+ − × ÷ √), in a fixed order, so that every
//! machine shows the same digits.

use super::Weights;
use crate::model::Assessment;

/// A rating's numbers at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// Share of the weight that says safe; 0.5 without weight.
    pub confidence: f64,
    /// Lower end of the 95 % interval around `confidence`.
    pub lower: f64,
    /// Upper end of the 95 % interval around `confidence`.
    pub upper: f64,
    /// How many fresh votes the standing ones are worth; never more than there are.
    pub effective_votes: f64,
    /// The rating in one word.
    pub assessment: Assessment,
}

/// From so many effective votes on, an interval that still holds one half means disagreement and not lack of votes:
/// among ten voters it takes two who contradict the others, and one alone could be a mistake. Four who agree decide
/// without it.
pub const MIXED_FROM_VOTES: f64 = 10.0;

/// Two-sided 95 % of the normal distribution: the usual measure of "hardly by chance", in all digits of a double.
const Z: f64 = 1.959_963_984_540_054;

impl Score {
    /// The score of these weights, which `count` standing votes have together.
    #[must_use]
    pub fn new(weights: Weights, count: u32) -> Self {
        let (safe, unsafe_) = (weights.safe.max(0), weights.unsafe_.max(0));
        let total = to_float(safe.saturating_add(unsafe_));
        let confidence = if total > 0.0 { to_float(safe) / total } else { 0.5 };
        // A trusted voter's word weighs more, yet remains one observation: ten times the weight is not ten votes.
        let effective_votes = (total / to_float(Weights::UNIT)).min(f64::from(count));
        let (lower, upper) = wilson(confidence, effective_votes);
        Self { confidence, lower, upper, effective_votes, assessment: assess(lower, upper, effective_votes) }
    }
}

/// Wilson's interval around the share `p` of `n` observations. Unlike the plain normal one it stays within 0 and 1 and
/// is honest for few observations: one vote of one reaches down to 0.21.
///
/// Numerator and denominator are multiplied by `n`, so that the formula holds down to `n = 0`, where nothing is known.
fn wilson(p: f64, n: f64) -> (f64, f64) {
    if n <= 0.0 {
        return (0.0, 1.0);
    }
    let z2 = Z * Z;
    let centre = n * p + z2 / 2.0;
    let reach = Z * (n * p * (1.0 - p) + z2 / 4.0).sqrt();
    let (lower, upper) = ((centre - reach) / (n + z2), (centre + reach) / (n + z2));
    // At p = 0 and p = 1 an end coincides with `p`; rounding must not push it to the other side.
    (lower.max(0.0).min(p), upper.min(1.0).max(p))
}

fn assess(lower: f64, upper: f64, effective_votes: f64) -> Assessment {
    if lower > 0.5 {
        Assessment::Safe
    } else if upper < 0.5 {
        Assessment::Unsafe
    } else if effective_votes >= MIXED_FROM_VOTES {
        Assessment::Mixed
    } else {
        Assessment::Insufficient
    }
}

/// The nearest double: a relative error of 2⁻⁵³ at most, and the same one everywhere.
fn to_float(integer: i128) -> f64 {
    integer as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(safe: i128, unsafe_: i128) -> Score {
        let count = u32::try_from(safe + unsafe_).expect("few votes");
        Score::new(Weights { safe: safe * Weights::UNIT, unsafe_: unsafe_ * Weights::UNIT }, count)
    }

    #[test]
    fn few_votes_are_not_enough_and_agreement_is() {
        use Assessment::{Insufficient, Mixed, Safe, Unsafe};
        let cases = [
            ((0, 0), Insufficient),
            ((1, 0), Insufficient),
            ((3, 0), Insufficient),
            ((4, 0), Safe),
            ((0, 4), Unsafe),
            ((5, 4), Insufficient),
            ((5, 5), Mixed),
            ((7, 3), Mixed),
            ((8, 2), Mixed),
            ((9, 1), Safe),
            ((600, 400), Safe),
            ((400, 600), Unsafe),
            ((505, 495), Mixed),
        ];
        for ((safe, unsafe_), assessment) in cases {
            assert_eq!(score(safe, unsafe_).assessment, assessment, "{safe} to {unsafe_}");
        }
    }

    #[test]
    fn without_weight_nothing_is_known() {
        let nothing = Score {
            confidence: 0.5,
            lower: 0.0,
            upper: 1.0,
            effective_votes: 0.0,
            assessment: Assessment::Insufficient,
        };
        assert_eq!(score(0, 0), nothing);
        assert_eq!(Score::new(Weights::default(), 7), nothing, "seven voters whose word counts nothing");
        assert_eq!(Score::new(Weights { safe: -5, unsafe_: -5 }, 0), nothing);
    }

    #[test]
    fn one_trusted_voter_is_still_one_voter() {
        let score = Score::new(Weights { safe: 10 * Weights::UNIT, unsafe_: 0 }, 1);
        assert_eq!(score.effective_votes.to_bits(), 1.0_f64.to_bits());
        assert_eq!((score.confidence.to_bits(), score.assessment), (1.0_f64.to_bits(), Assessment::Insufficient));
    }

    /// The bits, computed by another program in another language.
    #[test]
    fn every_machine_shows_the_same_digits() {
        let cases = [
            (
                2_592_000_000_000,
                0,
                1,
                [0x3ff0_0000_0000_0000, 0x3fca_7035_3b21_776f, 0x3ff0_0000_0000_0000, 0x3ff0_0000_0000_0000],
            ),
            (
                5_184_000_000_000,
                2_592_000_000_000,
                3,
                [0x3fe5_5555_5555_5555, 0x3fca_9496_fd12_9641, 0x3fee_0842_0b8e_abb1, 0x4008_0000_0000_0000],
            ),
            (
                1_814_400_000_000,
                950_400_000_000,
                4,
                [0x3fe5_0000_0000_0000, 0x3fb8_a93c_8b2d_ed7d, 0x3fef_1733_a6d2_af72, 0x3ff1_1111_1111_1111],
            ),
            (
                123_456_789_012_345,
                98_765_432_109_876,
                97,
                [0x3fe1_c71c_7091_df9b, 0x3fdc_d0c7_71bb_7728, 0x3fe4_fecc_2cee_8739, 0x4055_6ef7_ea8e_01ab],
            ),
            (
                20_736_000_000_000,
                5_184_000_000_000,
                10,
                [0x3fe9_9999_9999_999a, 0x3fdf_5ed2_6a3e_7d74, 0x3fee_2fa8_e9a7_91bb, 0x4024_0000_0000_0000],
            ),
            (
                18_144_000_000_000,
                7_776_000_000_000,
                10,
                [0x3fe6_6666_6666_6666, 0x3fd9_64d0_2bc7_3cc7, 0x3fec_8cf9_53f6_41ea, 0x4024_0000_0000_0000],
            ),
            (
                319_999_997_088_000_000_000,
                7_776_000_000_000,
                123_456_792,
                [0x3fef_ffff_f2f4_3bc5, 0x3fef_ffff_d9a3_c39e, 0x3fef_ffff_fb90_2d91, 0x419d_6f34_6000_0000],
            ),
        ];
        for (safe, unsafe_, count, bits) in cases {
            let score = Score::new(Weights { safe, unsafe_ }, count);
            let shown = [score.confidence, score.lower, score.upper, score.effective_votes].map(f64::to_bits);
            assert_eq!(shown, bits, "{score:?}");
        }
    }

    #[test]
    fn absurd_weights_give_a_score() {
        for safe in [0, 1, i128::MAX] {
            for unsafe_ in [0, 1, i128::MAX] {
                for count in [0, 1, u32::MAX] {
                    let score = Score::new(Weights { safe, unsafe_ }, count);
                    assert!(0.0 <= score.lower && score.lower <= score.confidence, "{score:?}");
                    assert!(score.confidence <= score.upper && score.upper <= 1.0, "{score:?}");
                }
            }
        }
    }
}
