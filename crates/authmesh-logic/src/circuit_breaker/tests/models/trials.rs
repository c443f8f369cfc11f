//! Places of a half-open phase, and its end.

use super::*;

#[test]
fn one_call_alone_becomes_the_trial() {
    explore(&[Mutant::UncountedTrial], || {
        let breaker = Shared::new(&small(), 1);
        breaker.0.command(&small(), Command::OpenFor(Duration::ZERO), at(0));
        let other = breaker.clone();
        let (one, other) =
            both(move || other.ask(&small(), at(0)), || breaker.ask(&small(), at(0)));
        assert_eq!(u32::from(one.is_some()) + u32::from(other.is_some()), 1);
        assert!(breaker.ask(&small(), at(0)).is_none());
    });
}

#[test]
fn a_cancelled_trial_gives_back_its_own_place_and_no_other() {
    explore(&[Mutant::PlaceOfAnyPhase], || {
        let breaker = Shared::new(&small(), 1);
        breaker.0.command(&small(), Command::OpenFor(Duration::ZERO), at(0));
        let late = breaker.ask(&small(), at(0)).unwrap();
        // The first half-open phase ends without it; it is cancelled while the next one runs.
        breaker.0.command(&small(), Command::OpenFor(Duration::ZERO), at(0));
        let trial = breaker.ask(&small(), at(0)).unwrap();
        let other = breaker.clone();
        let ((), asked) = both(move || other.0.cancel(late), || breaker.ask(&small(), at(0)));
        assert!(asked.is_none() && breaker.ask(&small(), at(0)).is_none());
        let other = breaker.clone();
        let ((), asked) = both(move || other.0.cancel(trial), || breaker.ask(&small(), at(0)));
        assert!(asked.is_some() != breaker.ask(&small(), at(0)).is_some());
    });
}

#[test]
fn no_more_trials_are_out_than_the_policy_allows() {
    explore(&[Mutant::UncountedTrial], || {
        let two = Policy { trials: 2, closes_at: 2, ..small() };
        let breaker = Shared::new(&two, 1);
        breaker.0.command(&two, Command::OpenFor(Duration::ZERO), at(0));
        let asks = |breaker: Shared, policy: Policy| {
            move || [breaker.ask(&policy, at(0)), breaker.ask(&policy, at(0))]
        };
        let (one, other) =
            both(asks(breaker.clone(), two.clone()), asks(breaker.clone(), two.clone()));
        let out: Vec<Permit> = one.into_iter().chain(other).flatten().collect();
        assert_eq!(out.len(), 2);
        for permit in out {
            breaker.tell(&two, 0, permit, Outcome::SUCCESS, at(0));
        }
        assert_eq!(breaker.0.state(&two, at(0)), State::Closed);
    });
}

#[test]
fn the_trial_limit_counts_from_the_beginning_of_its_own_phase() {
    explore(&[Mutant::AgeOfAnyPhase], || {
        let breaker = Shared::new(&small(), 1);
        breaker.0.command(&small(), Command::OpenFor(Duration::ZERO), at(0));
        breaker.call(&small(), 0, Outcome::FAILURE, at(0));
        // The trial limit of five seconds has long passed since the first half-open phase.
        let other = breaker.clone();
        let (one, two) = both(move || other.ask(&small(), at(9)), || breaker.ask(&small(), at(9)));
        assert!(one.is_some() != two.is_some());
        assert_eq!(breaker.0.state(&small(), at(9)), State::HalfOpen);
    });
}

#[test]
fn a_trial_that_ends_as_its_limit_passes_is_judged_or_too_late_never_both() {
    explore(&[], || {
        let breaker = Shared::new(&small(), 1);
        breaker.0.command(&small(), Command::OpenFor(Duration::ZERO), at(0));
        let trial = breaker.ask(&small(), at(0)).unwrap();
        let other = breaker.clone();
        let asks =
            move || other.0.try_acquire(&small(), Lane::FIRST, &mut Dice::seeded(3), at(5)).1;
        let (lapsed, judged) =
            both(asks, || breaker.tell(&small(), 0, trial, Outcome::SUCCESS, at(4)));
        let causes: Vec<Cause> = lapsed.iter().chain(&judged).map(|told| told.cause).collect();
        match breaker.0.state(&small(), at(5)) {
            State::Closed => assert_eq!(causes, [Cause::TrialsPassed]),
            State::Open { .. } => assert_eq!(causes, [Cause::TrialLimit]),
            state => panic!("{state:?}"),
        }
    });
}

#[test]
fn of_three_calls_at_the_end_of_the_wait_one_becomes_the_trial() {
    let [_, preemptions] = PREEMPTIONS;
    check(preemptions, || {
        let breaker = Shared::new(&small(), 1);
        breaker.0.command(&small(), Command::OpenFor(Duration::ZERO), at(0));
        let ask = || {
            let breaker = breaker.clone();
            move || breaker.ask(&small(), at(0)).is_some()
        };
        let (one, two) = (thread::spawn(ask()), thread::spawn(ask()));
        let three = ask()();
        let asked = [one.join().unwrap(), two.join().unwrap(), three];
        assert_eq!(asked.iter().filter(|&&admitted| admitted).count(), 1);
    });
}
