//! Counts the last so many results, in the order in which they arrive.
//!
//! Every result takes the next slot of a ring, and what it displaces is taken off the sums. The
//! order of results is a fact that all threads share, so this window is one point through which all
//! of them pass; where that is too slow, take a window over time.

use alloc::boxed::Box;

use super::evidence::{Entry, Stamp};
use super::state::Counts;
use crate::sync::{AtomicU32, AtomicU64, Ordering};

/// A sliding window over the last results.
#[derive(Debug)]
pub(super) struct CountWindow {
    next: AtomicU64,
    /// Which phase gathers.
    begun: AtomicU32,
    /// `total:16 | failures:16 | slow:16 | denied:16` of each set; two sets take turns from phase
    /// to phase, as in the window over time.
    sums: [AtomicU64; 2],
    /// The sums at which each set began its phase.
    bases: [AtomicU64; 2],
    /// `generation:18 | taken:1 | parity:1 | failure:1 | slow:1 | denied:1`.
    slots: Box<[AtomicU32]>,
}

/// The most calls a count window holds; a longer one is cut to this.
const MOST_CALLS: u32 = i16::MAX as u32;
const FIELD_BITS: u32 = 16;
const GENERATION_AT: u32 = 5;
const TAKEN: u32 = 1 << 4;

impl CountWindow {
    pub(super) fn new(calls: u32) -> Self {
        let calls = calls.clamp(1, MOST_CALLS);
        Self {
            next: AtomicU64::new(0),
            begun: AtomicU32::new(0),
            sums: [AtomicU64::new(0), AtomicU64::new(0)],
            bases: [AtomicU64::new(0), AtomicU64::new(0)],
            slots: (0..calls).map(|_| AtomicU32::new(0)).collect(),
        }
    }

    pub(super) fn add(&self, stamp: Stamp, entry: Entry, is_current: impl Fn() -> bool) -> bool {
        if self.begun.load(Ordering::Acquire) != stamp.generation && !self.begin(stamp, is_current)
        {
            return false;
        }
        let ticket = self.next.fetch_add(1, Ordering::Relaxed);
        let slot = (ticket % self.slots.len() as u64) as usize;
        let displaced = self.slots[slot].swap(pack(stamp, entry), Ordering::AcqRel);
        let leaves = displaced & TAKEN != 0
            && displaced >> GENERATION_AT == self.begun.load(Ordering::Acquire);
        let parity = (displaced >> 3 & 1) as usize;
        if leaves && parity != stamp.parity {
            // Our phase ended meanwhile and we displaced a result of the one that follows.
            self.sums[parity].fetch_sub(weight(displaced), Ordering::AcqRel);
        }
        let off = if leaves && parity == stamp.parity { weight(displaced) } else { 0 };
        let change = weight(pack(stamp, entry)).wrapping_sub(off);
        self.sums[stamp.parity].fetch_add(change, Ordering::AcqRel);
        true
    }

    pub(super) fn counts(&self, stamp: Stamp) -> Option<Counts> {
        if self.begun.load(Ordering::Acquire) != stamp.generation {
            return Some(Counts::default());
        }
        let base = self.bases[stamp.parity].load(Ordering::Acquire);
        let sums = self.sums[stamp.parity].load(Ordering::Acquire).wrapping_sub(base);
        let field = |at: u32| sums >> (at * FIELD_BITS) & u64::from(u16::MAX);
        // A field below zero reads as more than the window can hold: some call has displaced a
        // result whose own call has not reached the sums yet.
        let whole = (0..4).all(|at| field(at) <= self.slots.len() as u64);
        whole.then(|| Counts {
            total: field(0),
            failures: field(1),
            slow: field(2),
            denied: field(3),
            consecutive_failures: 0,
        })
    }

    /// Begins the phase, as in the window over time: a sum taken while the phase had not begun
    /// holds no result of it, so all who note it note the same.
    fn begin(&self, stamp: Stamp, is_current: impl Fn() -> bool) -> bool {
        loop {
            let before = self.begun.load(Ordering::Acquire);
            if before == stamp.generation {
                return true;
            }
            if !is_current() {
                return false;
            }
            let base = self.sums[stamp.parity].load(Ordering::Acquire);
            if self.begun.load(Ordering::Acquire) != before {
                continue;
            }
            self.bases[stamp.parity].store(base, Ordering::Relaxed);
            // Lost or won, the next look says whether the phase has begun.
            let ours = stamp.generation;
            _ = self.begun.compare_exchange(before, ours, Ordering::AcqRel, Ordering::Acquire);
        }
    }
}

fn pack(stamp: Stamp, entry: Entry) -> u32 {
    stamp.generation << GENERATION_AT
        | TAKEN
        | (stamp.parity as u32) << 3
        | u32::from(entry.failure) << 2
        | u32::from(entry.slow) << 1
        | u32::from(entry.denied)
}

/// What a slot adds to the sums.
fn weight(slot: u32) -> u64 {
    let bit = |at: u32| u64::from(slot >> at & 1);
    1 | bit(2) << FIELD_BITS | bit(1) << (2 * FIELD_BITS) | bit(0) << (3 * FIELD_BITS)
}
