//! Walks the two tables of the module, row by row.

use super::*;
use crate::circuit_breaker::{Admission, Cause, CircuitBreaker, Move, RejectedReason};
use crate::outcome::OutcomeKind;

const FAILURE: Outcome = Outcome::FAILURE;
const SUCCESS: Outcome = Outcome::SUCCESS;

/// Brings a fresh breaker into the state with this word.
fn bench_in(word: &str) -> Bench {
    let ramp = (word == "recovering").then_some(Duration::from_secs(10));
    let mut bench = Bench::new(Policy { ramp, ..policy() });
    match word {
        "closed" => {}
        "open" => {
            bench.calls(3, FAILURE);
        }
        "half_open" => {
            bench.calls(3, FAILURE).after(1_000).call(SUCCESS);
        }
        "recovering" => {
            bench.calls(3, FAILURE).after(1_000).calls(2, SUCCESS);
        }
        "forced_open" => {
            bench.command(Command::ForceOpen(Some(Duration::from_secs(30))));
        }
        "disabled" => {
            bench.command(Command::Disable(Some(Duration::from_secs(30))));
        }
        "metrics_only" => {
            bench.command(Command::Shadow(Some(Duration::from_secs(30))));
        }
        _ => unreachable!(),
    }
    assert_eq!(bench.state().word(), word);
    bench
}

/// Asks until let through, as luck may refuse during the ramp.
fn call_with_luck(bench: &mut Bench, outcome: Outcome) {
    let permit = (0..1_000).find_map(|_| bench.ask().ok()).unwrap();
    bench.tell(permit, outcome);
}

fn trip(bench: &mut Bench) {
    for _ in 0..3 {
        call_with_luck(bench, FAILURE);
    }
}

/// Passes the last trial of a breaker that has a ramp.
fn ramped(bench: &mut Bench) {
    bench.policy.ramp = Some(Duration::from_secs(10));
    bench.call(SUCCESS);
}

#[test]
fn every_kind_of_move_is_listed_once_and_between_known_states() {
    let kinds: std::collections::BTreeSet<_> = Move::OWN.into_iter().collect();
    assert_eq!(kinds.len(), Move::OWN.len());
    for Move { from, to, .. } in Move::OWN {
        assert!(State::WORDS.contains(&from) && State::WORDS.contains(&to), "{from} to {to}");
    }
}

#[test]
fn what_time_brought_about_while_nobody_asked_is_told_with_its_own_moment() {
    let rows: [(&str, u64, &str, Cause); 5] = [
        ("half_open", 5_000, "open", Cause::TrialLimit),
        ("recovering", 10_000, "closed", Cause::RampEnded),
        ("forced_open", 30_000, "closed", Cause::CommandExpired),
        ("disabled", 30_000, "closed", Cause::CommandExpired),
        ("metrics_only", 30_000, "closed", Cause::CommandExpired),
    ];
    for (from, lasts, to, cause) in rows {
        let mut bench = bench_in(from);
        let began = bench.now;
        let untold = |bench: &Bench| bench.breaker.reading(&bench.policy, bench.now).untold;
        bench.after(lasts - 1);
        assert_eq!(untold(&bench), None, "{from}");
        bench.after(600);
        let told = untold(&bench).unwrap();
        assert_eq!(told.to, bench.state());
        assert_eq!((told.from.word(), told.to.word(), told.cause), (from, to, cause));
        assert_eq!(told.at, began + Duration::from_millis(lasts), "{from}");
        // A command makes it known, and so would a call.
        bench.command(Command::Disable(None));
        let steps: std::vec::Vec<_> = bench.last.unwrap().steps().collect();
        assert_eq!(steps[0], told);
        assert_eq!((steps[1].from, steps[1].to), (told.to, State::Disabled));
        assert_eq!((steps[1].at, steps[1].cause), (bench.now, Cause::Operator));
        assert_eq!(untold(&bench), None);
    }
}

#[test]
fn each_row_of_the_table_of_states_holds() {
    type Deed = fn(&mut Bench);
    let ask: Deed = |bench| drop(bench.ask());
    let rows: [(&str, Deed, &str, Cause); 13] = [
        ("closed", trip, "open", Cause::ConsecutiveFailures),
        ("recovering", trip, "open", Cause::ConsecutiveFailures),
        ("open", |bench| drop(bench.after(1_000).ask()), "half_open", Cause::WaitEnded),
        ("half_open", |bench| _ = bench.call(SUCCESS), "closed", Cause::TrialsPassed),
        ("half_open", ramped, "recovering", Cause::TrialsPassed),
        ("half_open", |bench| _ = bench.calls(2, FAILURE), "open", Cause::TrialsFailed),
        ("half_open", |bench| drop(bench.after(5_000).ask()), "open", Cause::TrialLimit),
        ("recovering", |bench| drop(bench.after(10_000).ask()), "closed", Cause::RampEnded),
        ("forced_open", |bench| drop(bench.after(30_000).ask()), "closed", Cause::CommandExpired),
        ("disabled", |bench| drop(bench.after(30_000).ask()), "closed", Cause::CommandExpired),
        ("metrics_only", |bench| drop(bench.after(30_000).ask()), "closed", Cause::CommandExpired),
        ("open", |bench| _ = bench.command(Command::HalfOpen), "half_open", Cause::Operator),
        ("disabled", |bench| _ = bench.command(Command::Close), "closed", Cause::Operator),
    ];
    for (from, deed, to, cause) in rows {
        let mut bench = bench_in(from);
        deed(&mut bench);
        let transition = bench.last.unwrap_or_else(|| panic!("{from} to {to}: no transition"));
        assert_eq!((transition.from.word(), transition.to.word()), (from, to));
        assert_eq!((bench.state().word(), transition.cause), (to, cause));
        assert_eq!(transition.steps().count(), 1);
        let by_itself = Move::OWN.contains(&transition.kind());
        assert!(by_itself || cause == Cause::Operator, "{from} to {to}");
    }
    for closed in ["closed", "recovering"] {
        let mut bench = bench_in(closed);
        assert_eq!(bench.command(Command::HalfOpen).last, None);
        ask(&mut bench);
        assert_eq!(bench.state().word(), closed);
    }
}

#[test]
fn each_row_of_the_table_of_outcomes_holds_while_closed() {
    use OutcomeKind::{Denied, Failure, Neutral, Success, Throttled};
    let count = |total, failures, slow, denied, consecutive_failures| Counts {
        total,
        failures,
        slow,
        denied,
        consecutive_failures,
    };
    let rows = [
        (Outcome::of(Success), count(3, 1, 0, 0, 0)),
        (Outcome::of(Denied), count(3, 1, 0, 1, 0)),
        (Outcome::of(Failure), count(3, 2, 0, 0, 2)),
        (Outcome::of(Throttled), count(2, 1, 0, 0, 1)),
        (Outcome::of(Neutral), count(2, 1, 0, 0, 1)),
        (Outcome::of(Neutral).slow(), count(3, 1, 1, 0, 1)),
        (Outcome::of(Success).slow(), count(3, 1, 1, 0, 0)),
        (Outcome::of(Failure).slow(), count(3, 2, 1, 0, 2)),
    ];
    for window in [policy().window, Window::Count { calls: 10 }] {
        for state in ["closed", "metrics_only"] {
            for (outcome, expected) in rows {
                let mut bench = Bench::new(Policy { window, ..policy() });
                if state == "metrics_only" {
                    bench.command(Command::Shadow(None));
                }
                bench.call(SUCCESS).call(FAILURE).call(outcome);
                assert_eq!(bench.counts(), expected, "{state} {outcome:?}");
            }
        }
    }
}

#[test]
fn each_row_of_the_table_of_outcomes_holds_while_half_open() {
    use OutcomeKind::{Denied, Failure, Neutral, Success, Throttled};
    for (kind, total, failures) in
        [(Success, 1, 0), (Denied, 1, 0), (Failure, 1, 1), (Throttled, 1, 1), (Neutral, 0, 0)]
    {
        let mut bench = bench_in("open");
        bench.after(1_000).call(Outcome::of(kind));
        let counts = bench.counts();
        assert_eq!((counts.total, counts.failures), (total, failures), "{kind:?}");
        // Three places, one of them used up by a verdict but not by a result that says nothing.
        let places = (0..5).filter(|_| bench.ask().is_ok()).count() as u64;
        assert_eq!(places, 3 - total, "{kind:?}");
    }
}

#[test]
fn denials_count_only_while_there_are_fewer_than_successes() {
    let none = Policy { consecutive_failures: None, failure_rate: None, ..policy() };
    for window in [policy().window, Window::Count { calls: 100 }] {
        let mut bench = Bench::new(Policy { window, ..none.clone() });
        bench.calls(5, Outcome::DENIED);
        assert_eq!(bench.counts().total, 0);
        bench.calls(2, SUCCESS).calls(5, Outcome::DENIED);
        assert_eq!((bench.counts().total, bench.counts().denied), (4, 2));
        bench.calls(3, SUCCESS).calls(9, Outcome::DENIED);
        assert_eq!((bench.counts().total, bench.counts().denied), (10, 5));
    }
}

#[test]
fn the_wait_grows_with_each_reopening_and_is_forgotten_as_the_policy_says() {
    let wait_of = |bench: &Bench| match bench.state() {
        State::Open { until } => until.since(bench.now).as_secs(),
        state => panic!("{state:?}"),
    };
    for (growth, after_a_minute, at_once) in
        [(Growth::OnClose, 1, 1), (Growth::AfterHealthy(Duration::from_secs(60)), 1, 4)]
    {
        let wait = Wait { growth_resets: growth, ..policy().wait };
        for (healthy, expected) in [(60_000, after_a_minute), (59_999, at_once)] {
            let mut bench = Bench::new(Policy { wait, ..policy() });
            bench.calls(3, FAILURE);
            assert_eq!(wait_of(&bench), 1);
            bench.after(1_000).calls(2, FAILURE);
            assert_eq!(wait_of(&bench), 2);
            bench.after(2_000).calls(2, SUCCESS).after(healthy).calls(3, FAILURE);
            assert_eq!(wait_of(&bench), expected, "{growth:?}");
        }
    }
}

#[test]
fn growth_forgotten_on_closing_stays_forgotten_under_commands() {
    for between in [Command::ForceOpen(None), Command::Disable(None), Command::Shadow(None)] {
        let mut bench = Bench::new(policy());
        bench.calls(3, FAILURE).after(1_000).calls(2, FAILURE).after(2_000).calls(2, SUCCESS);
        bench.command(between).command(Command::Open);
        assert_eq!(bench.state(), State::Open { until: bench.now + policy().wait.first });
    }
}

#[test]
fn the_ramp_admits_a_tenth_at_first_and_all_in_the_end() {
    let mut bench = bench_in("recovering");
    for (millis, least, most) in [(0, 60, 140), (5_000, 480, 620), (4_990, 970, 1_000)] {
        bench.after(millis);
        let admitted = (0..1_000).filter(|_| bench.ask().is_ok()).count();
        assert!((least..=most).contains(&admitted), "{admitted}");
    }
    let refused = (0..100_000).find_map(|_| bench.ask().err()).unwrap();
    assert_eq!((refused.reason, refused.retry_after.as_millis()), (RejectedReason::Ramp, 10));
    bench.after(10);
    assert_eq!((0..100).filter(|_| bench.ask().is_ok()).count(), 100);
}

#[test]
fn a_refusal_says_why_and_when_to_ask_again() {
    let mut open = bench_in("open");
    let refused = open.after(400).ask().unwrap_err();
    assert_eq!((refused.reason, refused.retry_after.as_millis()), (RejectedReason::Open, 600));
    let mut busy = bench_in("half_open");
    let permits = [busy.ask().unwrap(), busy.ask().unwrap()];
    let refused = busy.after(1_000).ask().unwrap_err();
    assert_eq!((refused.reason, refused.retry_after.as_secs()), (RejectedReason::TrialBusy, 4));
    assert!(permits.iter().all(Permit::is_trial));
    let mut forced = bench_in("forced_open");
    let refused = forced.after(10_000).ask().unwrap_err();
    assert_eq!((refused.reason, refused.retry_after.as_secs()), (RejectedReason::ForcedOpen, 20));
}

#[test]
fn asking_what_would_be_answered_is_answered_so_and_changes_nothing() {
    for word in State::WORDS {
        for millis in [0, 999, 1_000, 5_000, 9_000, 30_000] {
            let mut bench = bench_in(word);
            bench.after(millis);
            let before = bench.state();
            let would = bench.breaker.would_admit(&bench.policy, bench.now);
            assert_eq!(bench.state(), before);
            let answer = (0..200).find_map(|_| bench.ask().ok());
            let did = match answer {
                Some(permit) if permit.is_trial() => Admission::AsTrial,
                Some(_) => Admission::Freely,
                None => Admission::No,
            };
            assert_eq!(did, would, "{word} after {millis} ms");
        }
    }
}

#[test]
fn the_basic_breaker_opens_after_failures_in_a_row_and_closes_by_its_trials() {
    let (policy, mut dice) = (policy(), Dice::seeded(3));
    let breaker = CircuitBreaker::new(&mut dice, Moment::START);
    let mut call = |millis, outcome| {
        let now = Moment::from_millis(millis);
        let permit = breaker.try_acquire(&policy, Lane::FIRST, &mut dice, now).0.ok()?;
        breaker.record(&policy, Lane::FIRST, permit, outcome, now);
        Some(breaker.state(&policy, now).word())
    };
    let steps = [
        (0, FAILURE, Some("closed")),
        (0, FAILURE, Some("closed")),
        (0, Outcome::DENIED, Some("closed")),
        (0, FAILURE, Some("closed")),
        (0, Outcome::THROTTLED, Some("closed")),
        (0, FAILURE, Some("closed")),
        (0, FAILURE, Some("open")),
        (999, SUCCESS, None),
        (1_000, SUCCESS, Some("half_open")),
        (1_000, Outcome::NEUTRAL, Some("half_open")),
        (1_000, SUCCESS, Some("closed")),
    ];
    for (step, (millis, outcome, expected)) in steps.into_iter().enumerate() {
        assert_eq!(call(millis, outcome), expected, "step {step}");
    }
}

#[test]
fn a_resized_breaker_goes_on_in_its_state() {
    for word in State::WORDS {
        let mut bench = bench_in(word);
        let permit = bench.ask().ok();
        let (before, counts) = (bench.state(), bench.counts());
        let window = Window::Time { length: Duration::from_secs(60), buckets: 6 };
        let policy = Policy { window, ..bench.policy.clone() };
        bench.breaker = bench.breaker.resized(&policy, 1, bench.now);
        bench.policy = policy;
        match before {
            State::HalfOpen => assert!(bench.ask().unwrap().is_trial(), "the next is a trial"),
            before => assert_eq!((bench.state(), bench.counts()), (before, counts)),
        }
        let stale = bench.breaker.stale_results();
        if let Some(permit) = permit {
            bench.tell(permit, SUCCESS);
            let lost = u64::from(matches!(word, "open" | "half_open"));
            assert_eq!(bench.breaker.stale_results() - stale, lost, "{word}: only trials are lost");
        }
    }
}
