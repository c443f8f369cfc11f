//! Times cases in short turns, so that what disturbs the machine disturbs all of them alike.

use serde_json::{Value, json};

use crate::clock::Clock;

/// How many calls one turn makes: long beside a clock reading, short beside a time slice.
pub(crate) const CALLS: u64 = 1_000;

/// The turns at which a machine was quiet: the figure is that below which this share of them lies.
const QUIET: f64 = 0.02;

/// Something to be timed; `run` makes that many calls.
pub(crate) struct Case {
    name: &'static str,
    says: &'static str,
    run: Box<dyn FnMut(u64)>,
}

impl Case {
    pub(crate) fn new(
        name: &'static str,
        says: &'static str,
        run: impl FnMut(u64) + 'static,
    ) -> Self {
        Self { name, says, run: Box::new(run) }
    }
}

/// Every case in every round, and what a call of each costs in nanoseconds.
pub(crate) fn measure(cases: &mut [Case], rounds: usize) -> Vec<Value> {
    let mut turns = vec![Vec::with_capacity(rounds); cases.len()];
    for round in 0..=rounds {
        for (case, turns) in cases.iter_mut().zip(&mut turns) {
            let nanos = timed(|| (case.run)(CALLS));
            // The first round warms up.
            if round > 0 {
                turns.push(nanos);
            }
        }
    }
    let figure = |(case, turns): (&Case, Vec<f64>)| json!({ "case": case.name, "says": case.says, "nanos": rounded(quiet(turns)) });
    cases.iter().zip(turns).map(figure).collect()
}

/// Nanoseconds for each call of a turn.
pub(crate) fn timed(turn: impl FnOnce()) -> f64 {
    let start = Clock.now();
    turn();
    Clock.now().since(start).as_nanos() as f64 / CALLS as f64
}

/// The figure of the quiet turns.
pub(crate) fn quiet(mut turns: Vec<f64>) -> f64 {
    turns.sort_by(f64::total_cmp);
    let place = (turns.len() as f64 * QUIET) as usize;
    turns.get(place).copied().unwrap_or_default()
}

pub(crate) fn rounded(nanos: f64) -> f64 {
    (nanos * 100.0).round() / 100.0
}
