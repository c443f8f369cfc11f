//! Results, the phases they are of, and the trips they add up to.

use super::*;

#[test]
fn a_result_of_an_ended_phase_changes_nothing_of_the_next() {
    explore(&[Mutant::UnaskedPhase], || {
        let policy = Policy { consecutive_failures: Some(9), ..small() };
        let breaker = Shared::new(&policy, 1);
        let late = breaker.ask(&policy, at(0)).unwrap();
        let (other, told) = (breaker.clone(), policy.clone());
        both(
            move || other.tell(&told, 0, late, Outcome::FAILURE.slow(), at(0)),
            || {
                breaker.0.command(&policy, Command::Close, at(0));
                breaker.call(&policy, 0, Outcome::FAILURE, at(0));
            },
        );
        let expected =
            Counts { total: 1, failures: 1, consecutive_failures: 1, ..Counts::default() };
        assert_eq!(breaker.0.counts(&policy, at(0)), expected);
    });
}

#[test]
fn evidence_ends_only_the_phase_it_is_of() {
    explore(&[], || {
        let policy = Policy { consecutive_failures: Some(1), ..small() };
        let breaker = Shared::new(&policy, 1);
        let (other, told) = (breaker.clone(), policy.clone());
        both(
            move || other.call(&told, 0, Outcome::FAILURE, at(0)),
            || breaker.0.command(&policy, Command::Close, at(0)),
        );
        // Whenever the failure came, the command came after it or made it stale; only a call
        // that began after the command may have opened the breaker again.
        let open = breaker.0.state(&policy, at(0)) != State::Closed;
        assert!(!open || breaker.0.stale_results() == 0);
    });
    explore(&[Mutant::TripsAnyPhase], || {
        let policy = Policy { consecutive_failures: Some(1), ..small() };
        let breaker = Shared::new(&policy, 1);
        let permit = breaker.ask(&policy, at(0)).unwrap();
        let (other, told) = (breaker.clone(), policy.clone());
        both(
            move || other.tell(&told, 0, permit, Outcome::FAILURE, at(0)),
            || breaker.0.command(&policy, Command::Close, at(0)),
        );
        assert_eq!(breaker.0.state(&policy, at(0)), State::Closed);
    });
}

#[test]
fn the_last_of_two_failures_on_two_lanes_trips_and_trips_once() {
    explore(&[], || {
        let policy = Policy { failure_rate: all_of(2), ..small() };
        let breaker = Shared::new(&policy, 2);
        let (other, told) = (breaker.clone(), policy.clone());
        let (one, two) = both(
            move || other.call(&told, 0, Outcome::FAILURE, at(0)),
            || breaker.call(&policy, 1, Outcome::FAILURE, at(0)),
        );
        assert_eq!(u32::from(one.is_some()) + u32::from(two.is_some()), 1);
        assert_eq!(breaker.0.state(&policy, at(0)).word(), "open");
    });
}

#[test]
fn the_last_of_three_results_on_three_lanes_trips_and_trips_once() {
    let [_, preemptions] = PREEMPTIONS;
    check(preemptions, || {
        let window = Window::Time { length: Duration::from_secs(1), buckets: 1 };
        let rate = RateTrip { threshold: Ratio::percent(60), minimum_calls: 3 };
        let policy = Policy { failure_rate: Some(rate), window, ..small() };
        let breaker = Shared::new(&policy, 4);
        let on_lane = |lane: u16, outcome: Outcome| {
            let (breaker, policy) = (breaker.clone(), policy.clone());
            move || breaker.call(&policy, lane, outcome, at(0))
        };
        let one = thread::spawn(on_lane(0, Outcome::FAILURE));
        let two = thread::spawn(on_lane(1, Outcome::SUCCESS));
        let three = on_lane(2, Outcome::FAILURE)();
        let told = [one.join().unwrap(), two.join().unwrap(), three];
        assert_eq!(told.iter().flatten().count(), 1);
        assert_eq!(breaker.0.state(&policy, at(0)).word(), "open");
    });
}

#[test]
fn a_success_that_completes_the_minimum_beside_a_failure_trips() {
    explore(&[Mutant::NoTotalOrder], || {
        let threshold = Ratio::percent(50);
        let rate = RateTrip { threshold, minimum_calls: 2 };
        let policy = Policy { failure_rate: Some(rate), ..small() };
        let breaker = Shared::new(&policy, 2);
        let (other, told) = (breaker.clone(), policy.clone());
        both(
            move || other.call(&told, 0, Outcome::SUCCESS, at(0)),
            || breaker.call(&policy, 1, Outcome::FAILURE, at(0)),
        );
        assert_eq!(breaker.0.state(&policy, at(0)).word(), "open");
    });
}

#[test]
fn a_success_that_is_spared_the_sum_is_in_the_sum_of_the_failure_that_trips() {
    explore(&[], || {
        let rate = RateTrip { threshold: Ratio::percent(50), minimum_calls: 4 };
        let policy = Policy { failure_rate: Some(rate), ..small() };
        let breaker = Shared::new(&policy, 2);
        breaker.call(&policy, 0, Outcome::SUCCESS, at(0));
        breaker.call(&policy, 0, Outcome::FAILURE, at(0));
        let (other, told) = (breaker.clone(), policy.clone());
        both(
            move || other.call(&told, 0, Outcome::SUCCESS, at(0)),
            || breaker.call(&policy, 1, Outcome::FAILURE, at(0)),
        );
        assert_eq!(breaker.0.state(&policy, at(0)).word(), "open");
    });
}

#[test]
fn results_that_reach_a_bucket_together_all_count_and_those_it_displaces_do_not() {
    explore(&[Mutant::BlindReset], || {
        let breaker = Shared::new(&small(), 1);
        breaker.call(&small(), 0, Outcome::FAILURE, at(0));
        // The bucket of second 2 takes the place of that of second 0.
        let other = breaker.clone();
        both(
            move || other.call(&small(), 0, Outcome::FAILURE, at(2)),
            || breaker.call(&small(), 0, Outcome::SUCCESS, at(2)),
        );
        let counts = breaker.0.counts(&small(), at(2));
        assert_eq!((counts.total, counts.failures), (2, 1));
    });
}

#[test]
fn results_on_both_sides_of_a_boundary_count_once_each() {
    explore(&[], || {
        let policy = Policy { failure_rate: all_of(2), ..small() };
        let breaker = Shared::new(&policy, 1);
        let (other, told) = (breaker.clone(), policy.clone());
        both(
            move || other.call(&told, 0, Outcome::FAILURE, at(1)),
            || breaker.call(&policy, 0, Outcome::FAILURE, at(2)),
        );
        assert_eq!(breaker.0.state(&policy, at(2)).word(), "open");
    });
}

#[test]
fn a_breaker_closes_without_the_evidence_that_opened_it() {
    explore(&[Mutant::NoLeap], || {
        let policy = Policy { consecutive_failures: Some(2), ..small() };
        let breaker = Shared::new(&policy, 1);
        let late = breaker.ask(&policy, at(0)).unwrap();
        breaker.call(&policy, 0, Outcome::FAILURE, at(0));
        breaker.call(&policy, 0, Outcome::FAILURE, at(0));
        let trial = breaker.ask(&policy, at(1)).unwrap();
        let (other, told) = (breaker.clone(), policy.clone());
        both(
            move || other.tell(&told, 0, late, Outcome::FAILURE, at(1)),
            || breaker.tell(&policy, 0, trial, Outcome::SUCCESS, at(1)),
        );
        assert_eq!(breaker.0.state(&policy, at(1)), State::Closed);
        assert_eq!(breaker.0.counts(&policy, at(1)), Counts::default());
    });
}

#[test]
fn a_policy_changed_during_a_trip_neither_loses_nor_doubles_it() {
    explore(&[], || {
        let before = Policy { consecutive_failures: Some(2), ..small() };
        let after = Policy { consecutive_failures: Some(3), ..small() };
        let breaker = Shared::new(&before, 1);
        breaker.call(&before, 0, Outcome::FAILURE, at(0));
        // Both hold a permit: three failures come in a row, whatever the order.
        let permits = [breaker.ask(&before, at(0)), breaker.ask(&after, at(0))];
        let [one, two] = permits.map(Option::unwrap);
        let other = breaker.clone();
        let (one, two) = both(
            move || other.tell(&before, 0, one, Outcome::FAILURE, at(0)),
            || breaker.tell(&after, 0, two, Outcome::FAILURE, at(0)),
        );
        let told: Vec<Transition> = one.into_iter().chain(two).collect();
        assert_eq!(told.len(), 1);
        assert_eq!(breaker.0.state(&after, at(0)), told[0].to);
    });
}

#[test]
fn a_count_window_keeps_the_last_results_and_loses_none() {
    explore(&[], || {
        let window = Window::Count { calls: 2 };
        let policy = Policy { window, failure_rate: all_of(2), ..small() };
        let breaker = Shared::new(&policy, 1);
        breaker.call(&policy, 0, Outcome::SUCCESS, at(0));
        let (other, told) = (breaker.clone(), policy.clone());
        both(
            move || other.call(&told, 0, Outcome::FAILURE, at(0)),
            || breaker.call(&policy, 0, Outcome::FAILURE, at(0)),
        );
        assert_eq!(breaker.0.state(&policy, at(0)).word(), "open");
    });
}
