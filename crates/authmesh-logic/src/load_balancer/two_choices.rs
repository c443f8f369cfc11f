//! The power of two choices: of two distinct endpoints drawn at random, the less loaded.

use alloc::vec;
use alloc::vec::Vec;

use crate::Dice;

/// Two different numbers below `count`, every ordered pair as likely as any other; `None` below 2.
///
/// Drawing with replacement would meet the same endpoint twice, and draws that resolve a collision
/// by taking the neighbour favour neighbours; this does neither (Finagle's `P2CPick`).
pub fn draw_pair(count: usize, dice: &mut Dice) -> Option<(usize, usize)> {
    if count < 2 {
        return None;
    }
    let one = draw(count, dice);
    Some((one, draw_other(count, one, dice)))
}

/// The endpoint that two choices take at these `loads`; the one drawn first wins a tie. `None`
/// without endpoints.
pub fn choose(loads: &[u64], dice: &mut Dice) -> Option<usize> {
    match draw_pair(loads.len(), dice) {
        Some((one, other)) => Some(lighter(loads, one, other)),
        None => (!loads.is_empty()).then_some(0),
    }
}

/// The probability of each endpoint to be [chosen](choose) at these `loads`, by enumeration of all
/// pairs. O(n²): for reports and tests.
#[must_use]
pub fn shares(loads: &[u64]) -> Vec<f64> {
    let count = loads.len();
    if count == 1 {
        return vec![1.0];
    }
    let mut wins = vec![0_u64; count];
    for one in 0..count {
        for other in (0..count).filter(|&other| other != one) {
            if let Some(won) = wins.get_mut(lighter(loads, one, other)) {
                *won += 1;
            }
        }
    }
    let pairs = count * count.saturating_sub(1);
    wins.into_iter().map(|won| won as f64 / pairs as f64).collect()
}

/// A number below `count`.
pub(super) fn draw(count: usize, dice: &mut Dice) -> usize {
    // Both casts are between at most 64 bits, and the result is below a `usize`.
    dice.below(count as u64) as usize
}

/// A number below `count` that is not `one`; `count` is at least 2.
pub(super) fn draw_other(count: usize, one: usize, dice: &mut Dice) -> usize {
    let other = draw(count - 1, dice);
    if other >= one { other + 1 } else { other }
}

fn lighter(loads: &[u64], one: usize, other: usize) -> usize {
    if loads.get(one) <= loads.get(other) { one } else { other }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn shares_are_those_of_uniform_distinct_pairs() {
        let table: [(&[u64], &[f64]); 5] = [
            (&[0, 5], &[1.0, 0.0]),
            (&[0, 1, 2, 3], &[0.5, 1.0 / 3.0, 1.0 / 6.0, 0.0]),
            (&[0, 0, 7], &[0.5, 0.5, 0.0]),
            (&[4], &[1.0]),
            (&[], &[]),
        ];
        for (loads, expected) in table {
            let shares = shares(loads);
            assert_eq!(shares.len(), expected.len());
            for (share, expected) in shares.iter().zip(expected) {
                assert!((share - expected).abs() < 1e-12, "{loads:?}: {shares:?}");
            }
        }
    }

    #[test]
    fn requests_that_never_end_stay_within_ten_of_the_mean() {
        let (endpoints, requests) = (100, 100_000);
        for seed in 0..5 {
            let mut dice = Dice::seeded(seed);
            let mut loads = vec![0_u64; endpoints];
            for _ in 0..requests {
                let chosen = choose(&loads, &mut dice).unwrap();
                loads[chosen] += 1;
            }
            let most = loads.iter().max().unwrap();
            assert!(*most <= 1_010, "seed {seed}: {most}");
        }
    }

    #[test]
    fn one_endpoint_is_the_choice_and_none_is_none() {
        let mut dice = Dice::seeded(3);
        assert_eq!(choose(&[9], &mut dice), Some(0));
        assert_eq!(choose(&[], &mut dice), None);
        assert_eq!(draw_pair(1, &mut dice), None);
    }

    proptest! {
        #[test]
        fn a_pair_is_distinct_and_in_range(count in 2_usize..500, seed in any::<u64>()) {
            let mut dice = Dice::seeded(seed);
            for _ in 0..50 {
                let (one, other) = draw_pair(count, &mut dice).unwrap();
                prop_assert!(one != other && one < count && other < count);
            }
        }
    }
}
