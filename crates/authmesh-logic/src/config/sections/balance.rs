//! Reads how an endpoint is chosen.

use crate::config::reader::Reader;
use crate::config::tree::Value;
use crate::load_balancer::{Policy, Strategy};

/// Strategies that are known and not yet built.
const LATER: [&str; 10] = [
    "least_request",
    "maglev",
    "p2c",
    "peak_ewma",
    "prequal",
    "random",
    "rendezvous",
    "ring_hash",
    "split",
    "sticky",
];

pub(super) fn read_balance(reader: &mut Reader<'_, '_>) -> Policy {
    let words = Strategy::ALL.map(|strategy| (strategy.word(), strategy));
    let is_word =
        reader.take("balance").is_some_and(|entry| matches!(entry.node.value, Value::String(_)));
    let strategy = if is_word {
        reader.choice("balance", &words, &LATER)
    } else {
        reader.table("balance", "balance").and_then(|mut table| {
            let strategy = table.choice("strategy", &words, &LATER);
            table.deny_rest();
            strategy
        })
    };
    Policy { strategy: strategy.map(|strategy| strategy.value).unwrap_or_default() }
}
