//! What a call costs while a second thread makes calls, too: beside the addition, whose second
//! thread adds elsewhere.

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;

use authmesh_logic::circuit_breaker::{Policy, Window};
use authmesh_logic::outcome::Outcome;
use authmesh_logic::{Dice, Lane, Moment};
use serde_json::{Value, json};

use crate::clock::Clock;
use crate::measure::{CALLS, quiet, rounded};
use crate::ours::advanced;

/// A counter with lines of the cache of its own.
#[repr(align(128))]
struct Apart(AtomicU64);

/// Which part of the time from the first start to the last end each thread must have been at it, so
/// that a turn was made together.
const OVERLAP: (u32, u32) = (8, 10);

/// One turn of one of the threads.
type Turn<'a> = &'a (dyn Fn(usize) + Sync);

/// Each case with one thread and with two.
pub(crate) fn measure(rounds: usize) -> Vec<Value> {
    let counters = [Apart(AtomicU64::new(0)), Apart(AtomicU64::new(0))];
    let add = |thread: usize| {
        let count = black_box(&counters[thread].0);
        for _ in 0..CALLS {
            count.fetch_add(1, Ordering::Relaxed);
        }
    };
    let time = calls(Policy::standard());
    let count = calls(Policy { window: Window::Count { calls: 100 }, ..Policy::standard() });
    let cases: [(&str, &str, Turn<'_>); 3] = [
        ("fetch_add", "one atomic addition, each thread its own", &add),
        ("time", "admit and record a success, 10 s in 10 buckets, a ring each", &time),
        ("count", "admit and record a success, the last 100 calls of both", &count),
    ];
    let mut figures = Vec::new();
    for (name, says, turn) in cases {
        let (one, two) = (turns(1, rounds, turn), turns(2, rounds, turn));
        let together = two.len();
        let [one, two] = [one, two].map(|turns| rounded(quiet(turns)));
        figures.push(json!({
            "case": name, "says": says, "one": one, "two": two, "together": together,
        }));
    }
    figures
}

/// Calls on one breaker, each thread on its own lane.
fn calls(policy: Policy) -> impl Fn(usize) + Sync {
    let breaker = advanced(&policy, 2);
    move |thread| {
        let (lane, mut dice) = (Lane::new(thread as u16), Dice::seeded(1));
        for _ in 0..CALLS {
            let answer = breaker.try_acquire(&policy, lane, &mut dice, Moment::START).0;
            if let Ok(permit) = answer {
                let outcome = black_box(Outcome::SUCCESS);
                black_box(breaker.record(&policy, lane, permit, outcome, Moment::START).is_some());
            }
        }
    }
}

/// What a call costs in those turns of so many threads that all of them made together.
fn turns(threads: usize, rounds: usize, turn: Turn<'_>) -> Vec<f64> {
    let arrived = AtomicUsize::new(0);
    let make = |thread: usize| {
        let mut turns = Vec::with_capacity(rounds);
        for round in 1..=rounds {
            arrived.fetch_add(1, Ordering::AcqRel);
            while arrived.load(Ordering::Acquire) < threads * round {
                std::hint::spin_loop();
            }
            let start = Clock.now();
            turn(thread);
            turns.push((start, Clock.now()));
        }
        turns
    };
    let turns: Vec<Vec<(Moment, Moment)>> = thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|thread| scope.spawn(move || make(thread))).collect();
        let own = make(0);
        let others = others.into_iter().filter_map(|other| other.join().ok());
        std::iter::once(own).chain(others).collect()
    });
    let together = |round: &usize| {
        let of = |thread: &Vec<(Moment, Moment)>| thread[*round];
        let first = turns.iter().map(|thread| of(thread).0).min();
        let last = turns.iter().map(|thread| of(thread).1).max();
        let whole = last.zip(first).map(|(last, first)| last.since(first));
        turns.iter().all(|thread| {
            let (start, end) = of(thread);
            whole.is_some_and(|whole| end.since(start) * OVERLAP.1 >= whole * OVERLAP.0)
        })
    };
    let cost = |round: usize| {
        let (start, end) = turns[0][round];
        end.since(start).as_nanos() as f64 / CALLS as f64
    };
    (0..rounds).filter(together).map(cost).collect()
}
