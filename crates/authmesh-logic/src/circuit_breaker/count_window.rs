//! Counts the last so many results, in the order in which they arrive.
//!
//! Every result takes the next slot of a ring, and what it displaces is taken off the sums. The
//! order of results is a fact that all threads share, so this window is one point through which all
//! of them pass; where that is too slow, take a window over time.

use alloc::boxed::Box;

use super::evidence::Entry;
use super::state::Counts;
use super::tagged::{Pair, Tagged};
use crate::sync::{AtomicU32, AtomicU64, Ordering, total_order};

/// A sliding window over the last results.
#[derive(Debug)]
pub(super) struct CountWindow {
    /// `generation:24 | taken:1 | failure:1 | slow:1 | denied:1`.
    slots: Box<[AtomicU32]>,
    next: AtomicU64,
    /// Failures, and all results, of the phase that is the tag.
    results: Tagged,
    /// Slow ones, and denials.
    marks: Tagged,
}

/// The most calls a count window holds; a longer one is cut to this. Sums below zero must stay
/// apart from sums of this many, even with a thousand threads at it.
const MOST_CALLS: u32 = 1 << 19;
const GENERATION_AT: u32 = 4;
const TAKEN: u32 = 1 << 3;

impl CountWindow {
    pub(super) fn new(calls: u32) -> Self {
        let calls = calls.clamp(1, MOST_CALLS);
        Self {
            slots: (0..calls).map(|_| AtomicU32::new(0)).collect(),
            next: AtomicU64::new(0),
            results: Tagged::new(),
            marks: Tagged::new(),
        }
    }

    /// Adds one result; `false` if `is_current` says that its phase is over.
    pub(super) fn add(&self, generation: u32, entry: Entry, is_current: impl Fn() -> bool) -> bool {
        if self.results.under(u64::from(generation)).is_none() && !is_current() {
            return false;
        }
        let ticket = self.next.fetch_add(1, Ordering::Relaxed);
        let slot = &self.slots[(ticket % self.slots.len() as u64) as usize];
        let Some(displaced) = replace(slot, pack(generation, entry), &is_current) else {
            return false;
        };
        let (leaves, left) = unpack(displaced, generation);
        let change = |on: bool, off: bool| u64::from(on).wrapping_sub(u64::from(off));
        let plus = |counts: u64, one: u64, other: u64| {
            let before = Pair::of(counts);
            let (one, other) = (before.one.wrapping_add(one), before.other.wrapping_add(other));
            Pair { one, other }.payload()
        };
        let failures = change(entry.failure, left.failure);
        let (slow, denied) = (change(entry.slow, left.slow), change(entry.denied, left.denied));
        let tag = u64::from(generation);
        let total = change(true, leaves);
        if self.results.change(tag, &is_current, |sums| plus(sums, failures, total)).is_none() {
            return false;
        }
        if slow != 0 || denied != 0 {
            self.marks.change(tag, &is_current, |sums| plus(sums, slow, denied));
        }
        true
    }

    /// Takes over what an old window holds of this phase, in its order, as far as there is room. To
    /// be called before anybody adds.
    pub(super) fn inherit(&self, old: &Self, generation: u32) {
        let (next, most) = (old.next.load(Ordering::Acquire), old.slots.len() as u64);
        for ticket in next.saturating_sub(most)..next {
            let slot = old.slots[(ticket % most) as usize].load(Ordering::Acquire);
            if let (true, entry) = unpack(slot, generation) {
                self.add(generation, entry, || true);
            }
        }
    }

    /// What the window holds; `None` while a result is only half entered, whose own call will ask.
    pub(super) fn counts(&self, generation: u32) -> Option<Counts> {
        total_order();
        let under = |sums: &Tagged| Pair::of(sums.under(u64::from(generation)).unwrap_or_default());
        let (marks, results) = (under(&self.marks), under(&self.results));
        // A sum below zero reads as more than the window can hold: some call has displaced a
        // result whose own call has not reached the sums yet.
        let most = self.slots.len() as u64;
        let sums = [results.one, results.other, marks.one, marks.other];
        sums.iter().all(|&sum| sum <= most).then_some(Counts {
            total: results.other,
            failures: results.one,
            slow: marks.one,
            denied: marks.other,
            consecutive_failures: 0,
        })
    }
}

/// Puts `ours` into the slot and gives what it displaced; `None` if that is of a later phase.
fn replace(slot: &AtomicU32, ours: u32, is_current: impl Fn() -> bool) -> Option<u32> {
    let mut stands = slot.load(Ordering::Acquire);
    loop {
        if stands >> GENERATION_AT != ours >> GENERATION_AT && !is_current() {
            return None;
        }
        match slot.compare_exchange_weak(stands, ours, Ordering::AcqRel, Ordering::Acquire) {
            Ok(displaced) => return Some(displaced),
            Err(now) => stands = now,
        }
    }
}

fn pack(generation: u32, entry: Entry) -> u32 {
    generation << GENERATION_AT
        | TAKEN
        | u32::from(entry.failure) << 2
        | u32::from(entry.slow) << 1
        | u32::from(entry.denied)
}

/// Whether this slot holds a result of this phase, and what that had added.
fn unpack(slot: u32, generation: u32) -> (bool, Entry) {
    let taken = slot & TAKEN != 0 && slot >> GENERATION_AT == generation;
    let bit = |at: u32| taken && slot >> at & 1 == 1;
    (taken, Entry { failure: bit(2), slow: bit(1), denied: bit(0) })
}
