//! gRPC's static stride: weighted turns for many endpoints, in constant time and memory.

use alloc::boxed::Box;

/// Turns by weight, without a table of turns.
///
/// A sequence number walks over all endpoints again and again; at each round an endpoint takes its
/// turn with a frequency proportional to its weight, the heaviest at every round. Weights beyond
/// ten times the mean count as that, those below a tenth of it as that, an absent one (0 or less,
/// or not a number) as the mean; so a turn is found after at most as many numbers as there are
/// endpoints. (gRFC A58; `StaticStrideScheduler` of grpc-java and gRPC C++.)
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stride(Box<[u16]>);

/// What the heaviest weight is scaled to.
const HEAVIEST: u16 = u16::MAX;
/// Moves endpoints of equal weight apart.
const OFFSET: u64 = 32_767;
/// How far from the mean a weight may be.
const MOST_TIMES_MEAN: f64 = 10.0;
const LEAST_TIMES_MEAN: f64 = 0.1;

impl Stride {
    /// The stride over `weights`.
    #[must_use]
    pub fn over(weights: &[f64]) -> Self {
        let present = || weights.iter().copied().filter(|&weight| is_present(weight));
        // In floating point, because the weights are; the cast of a count is exact below 2^53.
        let mean = match present().count() {
            0 => 1.0,
            count => present().sum::<f64>() / count as f64,
        };
        let heaviest = match present().fold(0.0, f64::max) {
            0.0 => 1.0,
            weight => weight.min(mean * MOST_TIMES_MEAN),
        };
        let scale = f64::from(HEAVIEST) / heaviest;
        let mean = mean * scale;
        let least = ceil_to_u16(mean * LEAST_TIMES_MEAN).max(1);
        Self(
            weights
                .iter()
                .map(|&weight| {
                    if is_present(weight) {
                        round_to_u16(weight.min(heaviest) * scale).max(least)
                    } else {
                        round_to_u16(mean)
                    }
                })
                .collect(),
        )
    }

    /// Whose turn it is at this number of the sequence; `None` if it is nobody's: take the next.
    #[must_use]
    pub fn at(&self, sequence: u32) -> Option<usize> {
        let endpoints = u64::try_from(self.0.len()).ok()?;
        let round = u64::from(sequence).checked_div(endpoints)?;
        let index = u64::from(sequence) - round * endpoints;
        let position = usize::try_from(index).ok()?;
        let weight = u64::from(*self.0.get(position)?);
        let heaviest = u64::from(HEAVIEST);
        let phase = (weight * round + index * OFFSET) % heaviest;
        (phase >= heaviest - weight).then_some(position)
    }

    /// Whose turn is next, moving `sequence` behind it; `None` only without endpoints.
    pub fn next(&self, sequence: &mut u32) -> Option<usize> {
        // Twice around, because the sequence may overflow in the middle of a round.
        (0..self.0.len() * 2).find_map(|_| {
            let turn = self.at(*sequence);
            *sequence = sequence.wrapping_add(1);
            turn
        })
    }
}

fn is_present(weight: f64) -> bool {
    weight > 0.0 && weight.is_finite()
}

fn round_to_u16(value: f64) -> u16 {
    // A cast truncates and saturates.
    (value + 0.5) as u16
}

fn ceil_to_u16(value: f64) -> u16 {
    let floor = value as u16;
    if f64::from(floor) < value { floor.saturating_add(1) } else { floor }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use std::vec;
    use std::vec::Vec;

    use super::*;

    fn counts(weights: &[f64], mut sequence: u32, picks: usize) -> Vec<usize> {
        let stride = Stride::over(weights);
        let mut counts = vec![0; weights.len()];
        for _ in 0..picks {
            counts[stride.next(&mut sequence).unwrap()] += 1;
        }
        counts
    }

    #[test]
    fn the_turns_are_those_of_grpc() {
        let stride = Stride::over(&[2.0, 3.0, 6.0]);
        let mut sequence = 0;
        let turns: Vec<_> =
            (0..6).map(|_| (stride.next(&mut sequence).unwrap(), sequence)).collect();
        assert_eq!(turns, [(1, 2), (2, 3), (2, 6), (0, 7), (1, 8), (2, 9)]);

        let stride = Stride::over(&[1.0, 2.0, 3.0]);
        let mut sequence = 0;
        let turns: Vec<_> = (0..6).filter_map(|_| stride.next(&mut sequence)).collect();
        assert_eq!(turns, [1, 2, 2, 0, 1, 2]);
    }

    #[test]
    fn an_absent_weight_counts_as_the_mean() {
        assert_eq!(counts(&[3.0, 0.0, 1.0], 0, 6), [3, 2, 1]);
        assert_eq!(counts(&[3.0, f64::NAN, 1.0], 0, 6), [3, 2, 1]);
        assert_eq!(counts(&[0.0, 0.0], 0, 6), [3, 3]);
    }

    #[test]
    fn fractions_of_weights_are_kept() {
        let counts = counts(&[1.43, 2.119], 0, 1_000);
        for (count, expected) in counts.iter().zip([0.402_930_4, 0.597_069_6]) {
            assert!((*count as f64 / 1_000.0 - expected).abs() < 0.002, "{counts:?}");
        }
    }

    #[test]
    fn the_sequence_may_overflow_in_the_middle_of_a_round() {
        for (count, weight) in counts(&[1.0, 2.0, 3.0], u32::MAX - 1, 6).iter().zip([1_usize, 2, 3])
        {
            assert!(count.abs_diff(weight) <= 1);
        }
    }

    #[test]
    fn extreme_weights_are_drawn_towards_the_mean() {
        let (heavy, light) = (Stride::over(&[100.0, 1e-10]), Stride::over(&[0.1; 5]));
        assert_eq!(heavy.0[0], 65_535);
        assert!(heavy.0[1] > 3_000, "a tenth of the mean, not nothing");
        assert_eq!(&light.0[..], &[65_535; 5]);
        assert_eq!(Stride::over(&[]).next(&mut 7), None);
    }

    proptest! {
        #[test]
        fn shares_follow_weights_and_turns_come_soon(
            weights in proptest::collection::vec(1_u32..=10, 1..100),
            start in any::<u32>(),
        ) {
            let floats: Vec<f64> = weights.iter().copied().map(f64::from).collect();
            let stride = Stride::over(&floats);
            let total: u32 = weights.iter().sum();
            let picks = total * 20;
            let mut counts = vec![0_u32; weights.len()];
            let mut sequence = start;
            for _ in 0..picks {
                let before = sequence;
                counts[stride.next(&mut sequence).unwrap()] += 1;
                prop_assert!(sequence.wrapping_sub(before) as usize <= 2 * weights.len());
            }
            for (count, weight) in counts.iter().zip(&weights) {
                prop_assert!(count.abs_diff(weight * 20) <= 2, "{counts:?} for {weights:?}");
            }
        }
    }
}
