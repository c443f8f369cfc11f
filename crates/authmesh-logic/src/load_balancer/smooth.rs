//! Smooth weighted round robin: each endpoint exactly its weight in a cycle, as far apart as can be.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

/// The first `picks` picks over `weights`, as nginx makes them
/// (`ngx_http_upstream_round_robin.c`): every endpoint gains its weight, the one that has most is
/// taken (the first among equals) and pays the total.
///
/// An endpoint of weight 0 is never picked; if all are 0, nothing is. O(picks × endpoints).
#[must_use]
pub fn order(weights: &[u32], picks: usize) -> Vec<usize> {
    let total: i64 = weights.iter().copied().map(i64::from).sum();
    if total == 0 {
        return Vec::new();
    }
    let mut current = vec![0_i64; weights.len()];
    (0..picks)
        .map(|_| {
            let mut chosen = 0;
            let mut most = i64::MIN;
            for (index, (current, weight)) in current.iter_mut().zip(weights).enumerate() {
                *current += i64::from(*weight);
                if *weight > 0 && *current > most {
                    (chosen, most) = (index, *current);
                }
            }
            if let Some(paid) = current.get_mut(chosen) {
                *paid -= total;
            }
            chosen
        })
        .collect()
}

/// After how many picks over `weights` the order repeats: their sum, divided by what they share.
#[must_use]
pub fn period(weights: &[u32]) -> u64 {
    let total: u64 = weights.iter().copied().map(u64::from).sum();
    let shared = weights.iter().copied().map(u64::from).fold(0, greatest_common_divisor);
    total.checked_div(shared).unwrap_or(0)
}

/// The order, computed once for one period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cycle(Box<[u8]>);

impl Cycle {
    /// The longest cycle that is kept: one page of memory.
    const LONGEST: u64 = 4_096;
    /// The most endpoints in one.
    const MOST_ENDPOINTS: usize = 32;

    /// The cycle over `weights`; `None` if it would be too long or has too many endpoints.
    pub(super) fn over(weights: &[u32]) -> Option<Self> {
        let length = period(weights);
        if weights.len() > Self::MOST_ENDPOINTS || length > Self::LONGEST {
            return None;
        }
        let picks = usize::try_from(length).ok()?;
        order(weights, picks)
            .into_iter()
            .map(|index| u8::try_from(index).ok())
            .collect::<Option<_>>()
            .map(Self)
    }

    /// Who stands at this position of the endless cycle; `None` if the cycle is empty.
    pub(super) fn at(&self, position: u64) -> Option<usize> {
        let length = u64::try_from(self.0.len()).unwrap_or(u64::MAX);
        let index = usize::try_from(position.checked_rem(length)?).ok()?;
        self.0.get(index).map(|&endpoint| usize::from(endpoint))
    }
}

fn greatest_common_divisor(mut one: u64, mut other: u64) -> u64 {
    while other != 0 {
        (one, other) = (other, one % other);
    }
    one
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_order_is_that_of_nginx() {
        let table: [(&[u32], &[usize]); 7] = [
            (&[5, 1, 1], &[0, 0, 1, 0, 2, 0, 0]),
            (&[1, 2, 3], &[2, 1, 0, 2, 1, 2]),
            (&[4, 3, 2], &[0, 1, 2, 0, 1, 0, 2, 1, 0]),
            (&[5, 3, 2], &[0, 1, 2, 0, 0, 1, 0, 2, 1, 0]),
            (&[10, 1], &[0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0]),
            (
                &[3, 1, 4, 1, 5, 9, 2, 6],
                &[
                    5, 7, 4, 2, 0, 5, 6, 7, 5, 4, 2, 5, 7, 1, 3, 5, 4, 0, 7, 5, 2, 4, 5, 7, 6, 5,
                    0, 2, 4, 7, 5,
                ],
            ),
            (&[0, 2, 0, 1], &[1, 3, 1]),
        ];
        for (weights, sequence) in table {
            assert_eq!(order(weights, sequence.len()), sequence, "{weights:?}");
            assert_eq!(period(weights), sequence.len() as u64, "{weights:?}");
        }
    }

    #[test]
    fn nobody_is_picked_where_nobody_has_weight() {
        for weights in [&[][..], &[0, 0]] {
            assert!(order(weights, 5).is_empty());
            assert_eq!(period(weights), 0);
            assert_eq!(Cycle::over(weights).unwrap().at(3), None);
        }
    }

    #[test]
    fn a_cycle_is_divided_by_what_the_weights_share_and_bounded() {
        assert_eq!(period(&[100, 200, 50]), 7);
        assert!(Cycle::over(&[4_095, 1]).is_some());
        assert!(Cycle::over(&[4_096, 1]).is_none());
        assert!(Cycle::over(&[1; 32]).is_some());
        assert!(Cycle::over(&[1; 33]).is_none());
    }

    proptest! {
        #[test]
        fn any_full_cycle_gives_each_endpoint_exactly_its_weight(
            weights in proptest::collection::vec(0_u32..60, 1..20),
            start in 0_u64..10_000,
        ) {
            let cycle = Cycle::over(&weights).unwrap();
            let length = period(&weights);
            let mut counts = vec![0_u64; weights.len()];
            for position in start..start + length {
                counts[cycle.at(position).unwrap()] += 1;
            }
            let total: u64 = weights.iter().copied().map(u64::from).sum();
            for (count, weight) in counts.iter().zip(&weights) {
                prop_assert_eq!(count * total, u64::from(*weight) * length);
            }
        }
    }
}
