//! The invariants, each by its number.

use super::*;
use crate::circuit_breaker::{Cause, Move};
use crate::outcome::OutcomeKind;

const FAILURE: Outcome = Outcome::FAILURE;
const SUCCESS: Outcome = Outcome::SUCCESS;

fn half_open(policy: Policy) -> Bench {
    let mut bench = Bench::new(policy);
    bench.command(Command::Open).after(1_000);
    bench
}

#[test]
fn i1_no_more_trials_are_in_flight_than_the_policy_allows() {
    let mut bench = half_open(policy());
    for _ in 0..100 {
        let permits: [_; 3] = core::array::from_fn(|_| bench.ask().unwrap());
        assert!(bench.ask().is_err());
        for permit in permits {
            bench.breaker.cancel(permit);
        }
    }
}

#[test]
fn i2_a_result_of_an_earlier_phase_changes_nothing() {
    let mut bench = Bench::new(policy());
    let mut late: std::vec::Vec<_> = (0..6).map(|_| bench.ask().unwrap()).collect();
    bench.calls(3, FAILURE).after(1_000);
    let trial = bench.ask().unwrap();
    let (state, counts) = (bench.state(), bench.counts());
    for kind in OutcomeKind::ALL {
        let permit = late.pop().unwrap();
        let is_current = |permit| bench.breaker.is_current(&bench.policy, permit, bench.now);
        assert!(!is_current(&permit) && is_current(&trial));
        bench.tell(permit, Outcome::of(kind));
        assert_eq!((bench.state(), bench.counts(), bench.last), (state, counts, None));
    }
    bench.tell(trial, SUCCESS).call(SUCCESS);
    assert_eq!(bench.state(), State::Closed);
    bench.tell(late.pop().unwrap(), FAILURE);
    assert_eq!(bench.counts(), Counts::default());
    assert_eq!(bench.breaker.stale_results(), 6);
}

#[test]
fn i2_evidence_of_a_phase_is_not_that_of_the_next_within_one_bucket() {
    // Thirty phases in one bucket of the window: none inherits anything.
    let mut bench = Bench::new(Policy { consecutive_failures: Some(2), ..policy() });
    for _ in 0..30 {
        bench.call(FAILURE);
        assert_eq!((bench.counts().total, bench.state()), (1, State::Closed));
        bench.command(Command::Close);
        assert_eq!(bench.counts(), Counts::default());
    }
}

#[test]
fn i2_a_cancelled_permit_of_an_earlier_phase_frees_no_place() {
    let mut bench = half_open(policy());
    let late = bench.ask().unwrap();
    bench.calls(2, FAILURE).after(2_000);
    let permits: [_; 3] = core::array::from_fn(|_| bench.ask().unwrap());
    bench.breaker.cancel(late);
    assert!(bench.ask().is_err());
    drop(permits);
}

#[test]
fn i3_a_healthy_dependency_is_closed_again_from_any_state() {
    for policy in [policy(), Policy { trials: 1, closes_at: 1, ..policy() }] {
        let mut bench = half_open(policy);
        // Every trial is lost: neither recorded nor cancelled.
        let lost = core::array::from_fn::<_, 3, _>(|_| bench.ask());
        let closed = (0..12).find(|_| {
            if let Ok(permit) = bench.after(1_000).ask() {
                bench.tell(permit, SUCCESS);
            }
            bench.state() == State::Closed
        });
        assert!(closed.is_some());
        drop(lost);
    }
}

#[test]
fn i3_from_wherever_luck_led_it_a_healthy_dependency_closes_it() {
    for seed in 0..300 {
        let mut dice = Dice::seeded(seed);
        let ramp = (dice.below(2) == 0).then_some(Duration::from_secs(3));
        let mut bench = Bench::new(Policy { ramp, ..policy() });
        let mut held = std::vec::Vec::new();
        for _ in 0..200 {
            bench.after(dice.below(800));
            match (bench.ask(), dice.below(3)) {
                (Ok(permit), 0) => held.push(permit),
                (Ok(permit), 1) => bench.breaker.cancel(permit),
                (Ok(permit), _) => {
                    let kind = OutcomeKind::ALL[dice.below(5) as usize];
                    bench.tell(permit, Outcome::of(kind));
                }
                (Err(_), _) => {}
            }
        }
        // At most the longest wait, the trial limit, the longest wait again, and the trials.
        let most = 4 + 5 + 4 + 3;
        let closes = (0..most).any(|_| {
            if let Ok(permit) = bench.after(1_000).ask() {
                bench.tell(permit, SUCCESS);
            }
            matches!(bench.state(), State::Closed | State::Recovering)
        });
        assert!(closes, "seed {seed}: {:?}", bench.state());
        drop(held);
    }
}

#[test]
fn i3_a_policy_changed_between_trials_leaves_a_way_to_close() {
    let mut bench = half_open(Policy { trials: 5, closes_at: 5, trial_limit: None, ..policy() });
    bench.calls(2, SUCCESS);
    bench.policy = Policy { trials: 2, closes_at: 2, trial_limit: None, ..policy() };
    assert_eq!(bench.call(SUCCESS).state(), State::Closed);
}

#[test]
fn i4_without_failures_and_slow_calls_it_never_leaves_closed() {
    let mut bench = Bench::new(policy());
    let mut dice = Dice::seeded(4);
    for _ in 0..10_000 {
        let kind = [
            OutcomeKind::Success,
            OutcomeKind::Denied,
            OutcomeKind::Denied,
            OutcomeKind::Throttled,
            OutcomeKind::Neutral,
        ][dice.below(5) as usize];
        bench.after(dice.below(50)).call(Outcome::of(kind));
        assert_eq!(bench.state(), State::Closed);
    }
}

#[test]
fn i5_with_failures_only_it_opens_at_exactly_the_first_trip_reached() {
    for (run, minimum_calls) in [(3, 9), (9, 3), (5, 5), (1, 4), (4, 1)] {
        let rate = RateTrip { threshold: Ratio::percent(50), minimum_calls };
        let mut bench = Bench::new(Policy {
            consecutive_failures: Some(run),
            failure_rate: Some(rate),
            ..policy()
        });
        let first = run.min(minimum_calls);
        bench.calls(first as usize - 1, FAILURE);
        assert_eq!(bench.state(), State::Closed);
        bench.call(FAILURE);
        assert_eq!(bench.state().word(), "open", "{run} {minimum_calls}");
        assert_eq!(bench.last.unwrap().evidence.failures, u64::from(first));
    }
}

#[test]
fn i6_a_clock_that_stalls_or_steps_back_neither_panics_nor_lengthens_a_refusal() {
    let mut bench = Bench::new(policy());
    let start = bench.now;
    bench.calls(3, FAILURE);
    bench.now = Moment::START;
    assert!(bench.ask().is_err());
    bench.now = start + Duration::from_secs(1);
    assert!(bench.ask().is_ok());
    bench.now = Moment::from_nanos(u64::MAX);
    bench.command(Command::Open).command(Command::OpenFor(Duration::MAX));
    assert_eq!(bench.state().word(), "open");
    bench.command(Command::Close).call(FAILURE).call(SUCCESS);
    bench.now = Moment::START;
    assert_eq!(bench.call(FAILURE).counts().failures, 2);
}

#[test]
fn i7_a_success_that_completes_the_minimum_trips() {
    let mut bench = Bench::new(policy());
    bench.calls(2, FAILURE).call(SUCCESS);
    assert_eq!(bench.state(), State::Closed);
    bench.call(SUCCESS);
    let transition = bench.last.unwrap();
    assert_eq!((transition.cause, transition.evidence.total), (Cause::FailureRate, 4));
}

#[test]
fn i7_what_left_the_window_is_not_judged() {
    for idle in [10_000, 11_000, 1_000_000_000] {
        let mut bench = Bench::new(Policy { consecutive_failures: None, ..policy() });
        bench.calls(3, FAILURE).after(idle);
        assert_eq!(bench.counts().total, 0);
        bench.call(FAILURE).call(SUCCESS);
        assert_eq!((bench.counts().total, bench.counts().failures), (2, 1));
        assert_eq!(bench.state(), State::Closed);
    }
}

#[test]
fn i9_what_threads_are_told_is_one_chain_of_phases() {
    let policy = Policy { consecutive_failures: Some(2), ..policy() };
    let breaker = AdvancedCircuitBreaker::new(&policy, 4, &mut Dice::seeded(1), Moment::START);
    let told = std::sync::Mutex::new(std::vec::Vec::new());
    threads::on_all_threads(|lane, dice| {
        for step in 0..2_000 {
            let now = Moment::from_millis(step * 700);
            let (answer, began) = breaker.try_acquire(&policy, lane, dice, now);
            let outcome = if dice.below(2) == 0 { FAILURE } else { SUCCESS };
            let ended =
                answer.ok().and_then(|permit| breaker.record(&policy, lane, permit, outcome, now));
            told.lock().unwrap().extend(began.into_iter().chain(ended));
        }
    });
    let told = told.into_inner().unwrap();
    let mut told: std::vec::Vec<Transition> =
        told.into_iter().flat_map(Transition::steps).collect();
    told.sort_by_key(|transition| transition.generation);
    assert!(told.len() > 100, "{}", told.len());
    for (number, pair) in told.windows(2).enumerate() {
        assert_eq!(pair[1].generation - pair[0].generation, 1, "transition {number}");
        assert_eq!(pair[0].to, pair[1].from, "transition {number}");
        assert!(Move::OWN.contains(&pair[1].kind()), "{:?}", pair[1]);
    }
}

#[test]
fn i9_a_phase_that_nobody_saw_is_told_before_the_one_that_follows_it() {
    let mut bench = half_open(policy());
    let trial = bench.ask().unwrap();
    let half_open = bench.last.unwrap();
    let limit = bench.now + Duration::from_secs(5);
    // The trial limit and the wait behind it are both over before anybody asks again.
    let next = bench.after(600_000).ask().unwrap();
    let told: std::vec::Vec<_> = bench.last.unwrap().steps().collect();
    let [opened, again] = told[..] else { panic!("{told:?}") };
    let open = State::Open { until: limit + Duration::from_secs(2) };
    assert_eq!((opened.from, opened.to, again.to), (half_open.to, open, State::HalfOpen));
    assert_eq!(again.from, open);
    assert_eq!((opened.cause, again.cause), (Cause::TrialLimit, Cause::WaitEnded));
    assert_eq!((opened.at, again.at), (limit, bench.now));
    assert_eq!(opened.generation, half_open.generation + 1);
    assert_eq!(again.generation, half_open.generation + 2);
    for permit in [trial, next] {
        bench.breaker.cancel(permit);
    }
}

#[test]
fn i10_a_refusal_stays_one_however_often_and_by_whomever_it_is_asked() {
    let mut bench = Bench::new(policy());
    bench.calls(3, FAILURE);
    for number in 0..2_000 {
        let now = bench.now + Duration::from_micros(number * 499);
        let lane = Lane::new(number as u16);
        let answer = bench.breaker.try_acquire(&bench.policy, lane, &mut bench.dice, now).0;
        assert_eq!(
            answer.unwrap_err().retry_after,
            Duration::from_micros(1_000_000 - number * 499)
        );
    }
    bench.command(Command::ForceOpen(None)).after(1_000_000_000);
    assert!((0..100).all(|_| bench.ask().is_err()));
}

#[test]
fn i11_every_state_has_exactly_one_word() {
    for (place, word) in State::WORDS.iter().enumerate() {
        assert!(!State::WORDS[..place].contains(word));
    }
    assert!(State::WORDS.contains(&State::Open { until: Moment::START }.word()));
}

#[test]
fn i12_a_changed_policy_keeps_state_phase_and_evidence() {
    let mut bench = Bench::new(policy());
    bench.calls(2, FAILURE);
    let before = bench.counts();
    bench.policy = Policy { consecutive_failures: Some(7), ..policy() };
    assert_eq!(bench.counts(), before);
    bench.call(FAILURE);
    assert_eq!((bench.state(), bench.counts().consecutive_failures), (State::Closed, 3));
    bench.policy = policy();
    bench.call(FAILURE);
    let State::Open { until } = bench.state() else { panic!("closed") };
    let first = Duration::from_secs(9);
    bench.policy = Policy { wait: Wait { first, longest: first, ..policy().wait }, ..policy() };
    assert_eq!(bench.state(), State::Open { until });
}

#[test]
fn i12_windows_of_another_size_keep_what_they_reach_and_calls_under_way() {
    let burn_rate = Some(crate::circuit_breaker::BurnTrip::of(Ratio::percent(99)));
    let time = |seconds| Window::Time { length: Duration::from_secs(seconds), buckets: 10 };
    let rows = [
        (time(10), time(60), 3),
        (time(60), time(10), 3),
        (time(10), time(1), 1),
        (Window::Count { calls: 5 }, Window::Count { calls: 50 }, 3),
        (Window::Count { calls: 50 }, Window::Count { calls: 2 }, 2),
        (time(10), Window::Count { calls: 50 }, 0),
        (Window::Count { calls: 50 }, time(10), 0),
    ];
    for (window, other, kept) in rows {
        let mut bench = Bench::new(Policy { window, burn_rate, failure_rate: None, ..policy() });
        let under_way = bench.ask().unwrap();
        bench.call(SUCCESS).after(2_000).call(SUCCESS).after(2_000).call(FAILURE);
        let policy = Policy { window: other, ..bench.policy.clone() };
        bench.breaker = bench.breaker.resized(&policy, 2, bench.now);
        bench.policy = policy;
        let counts = bench.counts();
        assert_eq!(counts.total, kept, "{window:?} {other:?}");
        assert_eq!((counts.failures, counts.consecutive_failures), (kept.min(1), 1));
        bench.tell(under_way, FAILURE).call(FAILURE);
        let transition = bench.last.unwrap();
        assert_eq!(transition.cause, Cause::ConsecutiveFailures, "{window:?} {other:?}");
        assert_eq!(transition.generation, 1);
    }
}

#[test]
fn i12_what_a_burn_rate_has_seen_is_kept() {
    let trip = crate::circuit_breaker::BurnTrip::of(Ratio::percent(99));
    let none = Policy { consecutive_failures: None, failure_rate: None, ..policy() };
    let mut bench = Bench::new(Policy { burn_rate: Some(trip), ..none.clone() });
    bench.calls(99, SUCCESS);
    let longer = crate::circuit_breaker::BurnTrip { long: trip.long * 2, ..trip };
    let policy = Policy { burn_rate: Some(longer), ..none };
    bench.breaker = bench.breaker.resized(&policy, 2, bench.now);
    bench.policy = policy;
    bench.calls(16, FAILURE);
    assert_eq!(bench.state(), State::Closed, "16 of 115 are less than 14.4 %");
    bench.call(FAILURE);
    assert_eq!(bench.last.unwrap().cause, Cause::BurnRate);
}

#[test]
fn a_lost_trial_opens_the_phase_at_its_limit_whoever_looks_first() {
    let mut bench = half_open(Policy { trials: 1, closes_at: 1, ..policy() });
    let lost = bench.ask().unwrap();
    let limit = bench.now + Duration::from_secs(5);
    bench.after(4_999);
    assert_eq!(bench.state(), State::HalfOpen);
    bench.after(701);
    assert_eq!(bench.state(), State::Open { until: limit + Duration::from_secs(2) });
    bench.tell(lost, SUCCESS);
    assert_eq!(bench.last.unwrap().cause, Cause::TrialLimit);
    assert_eq!(bench.state(), State::Open { until: limit + Duration::from_secs(2) });
}

#[test]
fn jitter_is_the_same_for_everyone_who_asks() {
    let wait = Wait { jitter: Jitter::Equal, ..policy().wait };
    let mut bench = half_open(Policy { wait, trials: 1, closes_at: 1, ..policy() });
    let lost = bench.ask().unwrap();
    bench.after(5_000);
    let first = bench.state();
    assert_eq!(bench.state(), first);
    bench.tell(lost, SUCCESS);
    assert_eq!(bench.state(), first);
}
