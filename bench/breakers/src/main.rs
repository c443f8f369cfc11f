//! Measures circuit breakers side by side in one run and prints the figures as JSON.

// The library's own breaker, guard and layer as they are shipped, with its clock and luck; the rest
// of the library would have to be built for nothing.
#[expect(dead_code, unused_imports, unreachable_pub, reason = "one layer of them is measured")]
#[path = "../../../crates/authmesh/src/circuit_breaker/mod.rs"]
mod circuit_breaker;
#[expect(dead_code, unreachable_pub, reason = "the time of day is of no use here")]
#[path = "../../../crates/authmesh/src/clock.rs"]
mod clock;
#[expect(unreachable_pub, reason = "the library offers it to the crates above it")]
#[path = "../../../crates/authmesh/src/luck.rs"]
mod luck;

mod measure;

mod ours;

mod peers;

mod threads;

use serde_json::json;

use measure::{CALLS, Case, measure};

/// How often each case is measured, in turn with all others.
const ROUNDS: usize = 1_000;

fn main() {
    let mut cases = vec![Case::new("fetch_add", "one atomic addition, alone", ours::addition())];
    cases.extend(ours::cases());
    cases.extend(peers::cases());
    let figures = measure(&mut cases, ROUNDS);
    let threads = threads::measure(ROUNDS);
    let document =
        json!({ "rounds": ROUNDS, "calls": CALLS, "cases": figures, "threads": threads });
    println!("{document:#}");
}
