//! What holds when many threads use one breaker.

use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use super::*;

const THREADS: u16 = 4;

/// Runs `deed` on every thread at once, each with its own lane and dice.
pub(super) fn on_all_threads(deed: impl Fn(Lane, &mut Dice) + Sync) {
    let barrier = Barrier::new(usize::from(THREADS));
    thread::scope(|scope| {
        for number in 0..THREADS {
            let (deed, barrier) = (&deed, &barrier);
            scope.spawn(move || {
                let mut dice = Dice::seeded(u64::from(number));
                barrier.wait();
                deed(Lane::new(number), &mut dice);
            });
        }
    });
}

#[test]
fn the_last_of_many_failures_on_many_threads_trips_and_trips_once() {
    const EACH: u32 = 50;
    let rate =
        RateTrip { threshold: Ratio::percent(100), minimum_calls: EACH * u32::from(THREADS) };
    for window in [policy().window, Window::Count { calls: 1_000 }] {
        for _ in 0..200 {
            let policy =
                Policy { consecutive_failures: None, failure_rate: Some(rate), window, ..policy() };
            let breaker =
                AdvancedCircuitBreaker::new(&policy, 4, &mut Dice::seeded(1), Moment::START);
            let trips = AtomicU64::new(0);
            on_all_threads(|lane, dice| {
                for _ in 0..EACH {
                    let now = Moment::START;
                    let permit = breaker.try_acquire(&policy, lane, dice, now).0.unwrap();
                    let trip = breaker.record(&policy, lane, permit, Outcome::FAILURE, now);
                    trips.fetch_add(u64::from(trip.is_some()), Ordering::Relaxed);
                }
            });
            assert_eq!(breaker.state(&policy, Moment::START).word(), "open");
            assert_eq!(trips.into_inner(), 1);
        }
    }
}

#[test]
fn i1_trials_are_conserved_issued_is_returned_plus_decided_plus_in_flight() {
    let policy = Policy { trials: 200, closes_at: 200, trial_limit: None, ..policy() };
    for _ in 0..50 {
        let breaker = AdvancedCircuitBreaker::new(&policy, 4, &mut Dice::seeded(1), Moment::START);
        breaker.command(&policy, Command::OpenFor(Duration::ZERO), Moment::START);
        let [issued, returned, decided] = [0, 0, 0].map(AtomicU64::new);
        let kept = AtomicU64::new(0);
        on_all_threads(|lane, dice| {
            for _ in 0..150 {
                let now = Moment::START;
                let Ok(permit) = breaker.try_acquire(&policy, lane, dice, now).0 else { continue };
                issued.fetch_add(1, Ordering::Relaxed);
                match dice.below(5) {
                    0 => {
                        kept.fetch_add(1, Ordering::Relaxed);
                        drop(permit);
                    }
                    1 => {
                        breaker.record(&policy, lane, permit, Outcome::SUCCESS, now);
                        decided.fetch_add(1, Ordering::Relaxed);
                    }
                    2 => {
                        breaker.record(&policy, lane, permit, Outcome::NEUTRAL, now);
                        returned.fetch_add(1, Ordering::Relaxed);
                    }
                    _ => {
                        breaker.cancel(permit);
                        returned.fetch_add(1, Ordering::Relaxed);
                    }
                }
            }
        });
        let [issued, returned, decided, kept] =
            [issued, returned, decided, kept].map(AtomicU64::into_inner);
        assert_eq!(issued, returned + decided + kept);
        assert_eq!(breaker.counts(&policy, Moment::START).total, decided);
        let mut dice = Dice::seeded(9);
        let mut places = 0;
        while breaker.try_acquire(&policy, Lane::FIRST, &mut dice, Moment::START).0.is_ok() {
            places += 1;
        }
        assert_eq!(places + decided + kept, 200);
    }
}

#[test]
fn every_result_is_in_the_window_once_while_phases_and_buckets_pass() {
    // Neither trips nor expires: at rest the window must hold exactly what was recorded.
    let policy = Policy {
        consecutive_failures: None,
        failure_rate: None,
        window: Window::Time { length: Duration::from_secs(1_000), buckets: 10 },
        ..policy()
    };
    for _ in 0..20 {
        let breaker = AdvancedCircuitBreaker::new(&policy, 4, &mut Dice::seeded(1), Moment::START);
        for phase in 0..3_u64 {
            let start = Moment::from_millis(phase * 1_000_000);
            breaker.command(&policy, Command::Close, start);
            let failures = AtomicU64::new(0);
            on_all_threads(|lane, dice| {
                for step in 0..900 {
                    let now = start + Duration::from_secs(step);
                    let permit = breaker.try_acquire(&policy, lane, dice, now).0.unwrap();
                    let failed = dice.below(2);
                    failures.fetch_add(failed, Ordering::Relaxed);
                    let outcome = if failed == 1 { Outcome::FAILURE } else { Outcome::SUCCESS };
                    breaker.record(&policy, lane, permit, outcome, now);
                }
            });
            let counts = breaker.counts(&policy, start + Duration::from_secs(899));
            assert_eq!(counts.total, 900 * u64::from(THREADS));
            assert_eq!(counts.failures, failures.into_inner());
        }
    }
}

#[test]
fn results_that_begin_a_phase_together_all_count() {
    for window in [policy().window, Window::Count { calls: 100 }] {
        let policy = Policy { consecutive_failures: None, failure_rate: None, window, ..policy() };
        let breaker = AdvancedCircuitBreaker::new(&policy, 4, &mut Dice::seeded(1), Moment::START);
        let barrier = Barrier::new(usize::from(THREADS));
        on_all_threads(|lane, dice| {
            for phase in 1..=2_000 {
                let now = Moment::from_millis(phase);
                if barrier.wait().is_leader() {
                    breaker.command(&policy, Command::Close, now);
                }
                barrier.wait();
                let permit = breaker.try_acquire(&policy, lane, dice, now).0.unwrap();
                breaker.record(&policy, lane, permit, Outcome::FAILURE, now);
                barrier.wait();
                let counts = breaker.counts(&policy, now);
                assert_eq!(counts.failures, u64::from(THREADS), "{window:?} phase {phase}");
            }
        });
    }
}
