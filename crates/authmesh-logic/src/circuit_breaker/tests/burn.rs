//! The trip that looks at an objective over two windows, inside the breaker.

use super::*;
use crate::circuit_breaker::{BurnTrip, Cause, Preset};

/// One call in twenty fails: far below the rate of the policy, ten times what 99.5 % allow.
fn leaking(bench: &mut Bench, calls: u32, success: Outcome) -> Option<Cause> {
    for number in 1..=calls {
        let outcome = if number % 20 == 0 { Outcome::FAILURE } else { success };
        bench.after(1_000).call(outcome);
        if let State::Open { .. } = bench.state() {
            return bench.last.map(|transition| transition.cause);
        }
    }
    None
}

fn bench() -> Bench {
    let trip = BurnTrip { factor: crate::Factor::ONE, ..BurnTrip::of(Ratio::percent(96)) };
    Bench::new(Policy { burn_rate: Some(trip), ..policy() })
}

#[test]
fn a_leak_below_every_rate_trips_by_the_objective_it_burns() {
    let mut bench = bench();
    assert_eq!(leaking(&mut bench, 200, Outcome::SUCCESS), Some(Cause::BurnRate));
    let transition = bench.last.unwrap();
    assert_eq!((transition.evidence.total, transition.evidence.failures), (100, 5));
    let mut without = Bench::new(policy());
    assert_eq!(leaking(&mut without, 200, Outcome::SUCCESS), None);
}

#[test]
fn denials_beyond_the_cap_do_not_dilute_what_is_burnt() {
    let mut bench = bench();
    // 20 denials, 10 of which count, for 10 successes; and a failure with every tenth success.
    let opened = (0_u32..4_000).any(|number| {
        bench.after(500).call(Outcome::DENIED);
        if number % 2 == 0 {
            bench.call(Outcome::SUCCESS);
        }
        if number % 20 == 0 {
            bench.call(Outcome::FAILURE);
        }
        bench.state() != State::Closed
    });
    assert!(opened);
    assert_eq!(bench.last.map(|transition| transition.cause), Some(Cause::BurnRate));
}

#[test]
fn a_preset_is_the_policy_of_its_name_and_stricter_ones_open_earlier() {
    let fewest = |preset: Preset| {
        let policy = Policy { consecutive_failures: None, ..preset.policy() };
        let mut bench = Bench::new(policy);
        (1..=100).find(|_| {
            bench.call(Outcome::FAILURE);
            bench.state() != State::Closed
        })
    };
    let fewest = Preset::ALL.map(fewest);
    assert_eq!(fewest, [Some(20), Some(50), Some(10)], "standard, patient, strict");
    for preset in Preset::ALL {
        let Policy { trials, closes_at, wait, .. } = preset.policy();
        assert!(closes_at <= trials && wait.first <= wait.longest, "{}", preset.word());
    }
    assert_eq!(Preset::default().policy(), Policy::default());
}
