//! Walks an endpoint's states row by row, and shows what no rule may do.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::outcome::OutcomeKind::{Failure, Success};
use crate::{Dice, Factor, Moment, Ratio};

/// A group of numbered endpoints, its clock standing where it is put.
struct Group {
    policy: Policy,
    tallies: Vec<Arc<Tally>>,
    detector: Detector<usize>,
    dice: Dice,
}

impl Group {
    fn new(policy: Policy, size: usize) -> Self {
        let tallies: Vec<Arc<Tally>> = (0..size).map(|_| Arc::default()).collect();
        let mut detector = Detector::default();
        detector.set_members(tallies.iter().cloned().enumerate());
        Self { policy, tallies, detector, dice: Dice::seeded(1) }
    }

    fn load(&self, endpoint: usize, successes: u32, failures: u32) {
        for (kind, count) in [(Failure, failures), (Success, successes)] {
            for _ in 0..count {
                self.tallies[endpoint].record(kind, self.policy.consecutive);
            }
        }
    }

    fn sweep(&mut self, seconds: u64) -> Vec<Change<usize>> {
        let now = Moment::from_millis(seconds * 1_000);
        self.detector.sweep(&self.policy, &mut self.dice, now)
    }

    fn out(&self) -> Vec<usize> {
        (0..self.tallies.len()).filter(|endpoint| self.detector.is_ejected(endpoint)).collect()
    }
}

fn half() -> Policy {
    Policy { most: Ratio::percent(50), ..Policy::standard() }
}

#[test]
fn an_endpoint_walks_through_its_states_as_the_table_says() {
    let mut group = Group::new(half(), 5);
    (0..5).for_each(|endpoint| group.load(endpoint, 100, 0));
    assert_eq!(group.sweep(10), []);

    group.load(0, 0, 5);
    let ejected =
        |cause, seconds| ChangeKind::Ejected { cause, lasts: Duration::from_secs(seconds) };
    let found = group.detector.look(&group.policy, Moment::from_millis(11_000));
    assert_eq!(found, [Change { key: 0, kind: ejected(Cause::Consecutive, 30) }]);
    assert_eq!(group.detector.look(&group.policy, Moment::from_millis(11_001)), []);
    assert_eq!(group.sweep(40), []);
    assert_eq!(group.sweep(41), [Change { key: 0, kind: ChangeKind::Returned }]);

    // Once more before a sweep found nothing: twice as long.
    (1..5).for_each(|endpoint| group.load(endpoint, 100, 0));
    group.load(0, 50, 50);
    let again = Change { key: 0, kind: ejected(Cause::Consecutive, 60) };
    group.load(0, 0, 5);
    assert_eq!(group.sweep(51), [again]);
    assert_eq!(group.sweep(111), [Change { key: 0, kind: ChangeKind::Returned }]);

    // Two sweeps that find nothing, and the next is the first again.
    assert_eq!((group.sweep(121), group.sweep(131)), (Vec::new(), Vec::new()));
    (1..5).for_each(|endpoint| group.load(endpoint, 100, 0));
    group.policy.consecutive = None;
    group.load(0, 50, 50);
    assert_eq!(group.sweep(141), [Change { key: 0, kind: ejected(Cause::SuccessRate, 30) }]);
}

#[test]
fn a_failure_that_all_share_ejects_nobody_by_its_success_rate() {
    let policy = Policy { consecutive: None, failure_share: None, ..half() };
    let mut group = Group::new(policy, 6);
    (0..6).for_each(|endpoint| group.load(endpoint, 10, 190));
    assert_eq!(group.sweep(10), []);
}

#[test]
fn a_check_that_passes_ends_an_ejection_only_where_the_policy_says_so() {
    for returns_on_health in [false, true] {
        let mut group = Group::new(Policy { returns_on_health, ..half() }, 2);
        group.load(0, 0, 5);
        assert_eq!(group.sweep(1).len(), 1);
        let change = group.detector.check_passed(&group.policy, &0);
        assert_eq!(change.is_some(), returns_on_health);
        assert_eq!(group.out().is_empty(), returns_on_health);
        assert_eq!(group.detector.check_passed(&group.policy, &1), None);
    }
}

#[test]
fn what_may_not_be_ejected_is_told_and_stays() {
    let mut group = Group::new(half(), 2);
    group.load(0, 0, 5);
    group.load(1, 0, 5);
    let changes = group.sweep(1);
    assert_eq!(group.out(), [0]);
    let spared = [Change { key: 1, kind: ChangeKind::Spared(Cause::Consecutive) }];
    assert_eq!(changes[1..], spared);
    group.load(1, 0, 5);
    let look = |group: &mut Group| group.detector.look(&group.policy, Moment::from_millis(2_000));
    assert_eq!(look(&mut group), [], "told once in an interval");
    group.load(1, 0, 5);
    assert_eq!(group.sweep(11), spared);
}

#[test]
fn a_rule_that_is_not_enforced_only_tells() {
    let rate = SuccessRate {
        minimum_hosts: 3,
        minimum_calls: 10,
        deviations: Factor::ONE,
        enforced: Ratio::ZERO,
    };
    let policy = Policy { consecutive: None, success_rate: Some(rate), ..half() };
    let mut group = Group::new(policy, 5);
    (1..5).for_each(|endpoint| group.load(endpoint, 20, 0));
    group.load(0, 0, 20);
    assert_eq!(group.sweep(1), [Change { key: 0, kind: ChangeKind::Spared(Cause::SuccessRate) }]);
}

#[test]
fn who_stays_keeps_its_state_and_who_returns_under_its_name_does_not() {
    let mut group = Group::new(half(), 3);
    group.load(0, 0, 5);
    assert_eq!(group.sweep(1).len(), 1);
    let mut members: Vec<_> = group.tallies.iter().cloned().enumerate().collect();
    members.pop();
    group.detector.set_members(members.clone());
    assert_eq!(group.out(), [0]);
    members[0].1 = Arc::default();
    group.detector.set_members(members);
    assert_eq!(group.out(), [0; 0]);
    group.load(1, 0, 5);
    assert_eq!(group.sweep(2).len(), 1);
    assert_eq!(group.detector.clear(), [Change { key: 1, kind: ChangeKind::Returned }]);
}

proptest! {
    #[test]
    fn i13_the_ejected_share_is_bounded_and_one_endpoint_remains(
        size in 1_usize..12,
        most in 0_u32..=100,
        sweeps in prop::collection::vec(prop::collection::vec((0_u32..60, 0_u32..60), 12), 1..8),
    ) {
        let most = Ratio::percent(most);
        let failure_share = Policy::standard().failure_share.map(|rule| FailureShare {
            minimum_hosts: 1,
            minimum_calls: 1,
            share: Ratio::percent(30),
            ..rule
        });
        let policy = Policy { most, failure_share, ..Policy::standard() };
        let mut group = Group::new(policy, size);
        for (number, loads) in sweeps.into_iter().enumerate() {
            for (endpoint, (successes, failures)) in loads.into_iter().enumerate().take(size) {
                group.load(endpoint, successes, failures);
            }
            group.sweep(number as u64 * 10);
            let out = group.out().len();
            prop_assert_eq!(out, group.detector.ejected());
            prop_assert!(out < size, "one remains");
            prop_assert!(out <= 1 || most.is_not_exceeded_by(out as u64, size as u64));
        }
    }
}
