//! Counts failures in a row, and how many bad results a phase has seen.

use crate::sync::{AtomicU64, Ordering};

/// One word, `generation:18 | run:16 | bad:30`, written only by bad results and by the success that
/// ends a run; a success without a run before it only reads.
///
/// All bad results are ordered by this word: the last of them has seen the counters of all the
/// others, so a trip that the evidence reaches is not lost between threads.
#[derive(Debug)]
pub(super) struct Run(AtomicU64);

/// What a result does to the run of failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    Extends,
    Ends,
    Keeps,
}

/// The run and the bad results of one phase.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) run: u32,
    /// Failures and slow calls, a slow failure twice; modulo 2³⁰.
    pub(super) bad: u64,
}

const BAD_BITS: u32 = 30;
const RUN_BITS: u32 = 16;
const GENERATION_AT: u32 = BAD_BITS + RUN_BITS;

/// `bad` counts modulo one more than this.
pub(super) const BAD_MASK: u64 = (1 << BAD_BITS) - 1;
/// The longest run that is told apart from a longer one.
pub(super) const LONGEST_RUN: u32 = (1 << RUN_BITS) - 1;

impl Run {
    pub(super) fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// The tally of this phase.
    pub(super) fn tally(&self, generation: u32) -> Tally {
        unpack(self.0.load(Ordering::Acquire), generation).unwrap_or_default()
    }

    /// Ends the run after a good result, and gives the tally: two loads fewer than nothing happens
    /// where there was no run.
    pub(super) fn end(&self, generation: u32) -> Tally {
        let mut word = self.0.load(Ordering::Acquire);
        loop {
            let Some(tally) = unpack(word, generation) else { return Tally::default() };
            if tally.run == 0 {
                return tally;
            }
            let ended = Tally { run: 0, ..tally };
            match self.exchange(word, pack(generation, ended)) {
                Ok(()) => return ended,
                Err(now) => word = now,
            }
        }
    }

    /// Adds `bad` bad results. `None` if `is_current` says that the phase is over: nothing changed.
    pub(super) fn add(
        &self,
        generation: u32,
        effect: Effect,
        bad: u64,
        is_current: impl Fn() -> bool,
    ) -> Option<Tally> {
        let mut word = self.0.load(Ordering::Acquire);
        loop {
            // A word of another phase is older as long as ours is the current one.
            let before = match unpack(word, generation) {
                Some(tally) => tally,
                None if is_current() => Tally::default(),
                None => return None,
            };
            let run = match effect {
                Effect::Extends => (before.run + 1).min(LONGEST_RUN),
                Effect::Ends => 0,
                Effect::Keeps => before.run,
            };
            let after = Tally { run, bad: (before.bad + bad) & BAD_MASK };
            match self.exchange(word, pack(generation, after)) {
                Ok(()) => return Some(after),
                Err(now) => word = now,
            }
        }
    }

    fn exchange(&self, from: u64, to: u64) -> Result<(), u64> {
        self.0.compare_exchange_weak(from, to, Ordering::AcqRel, Ordering::Acquire).map(|_| ())
    }
}

fn pack(generation: u32, tally: Tally) -> u64 {
    u64::from(generation) << GENERATION_AT | u64::from(tally.run) << BAD_BITS | tally.bad
}

fn unpack(word: u64, generation: u32) -> Option<Tally> {
    let run = (word >> BAD_BITS) as u32 & LONGEST_RUN;
    (word >> GENERATION_AT == u64::from(generation)).then_some(Tally { run, bad: word & BAD_MASK })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_extends_ends_and_starts_anew_with_the_phase() {
        let run = Run::new();
        let current = || true;
        assert_eq!(run.add(7, Effect::Extends, 1, current), Some(Tally { run: 1, bad: 1 }));
        assert_eq!(run.add(7, Effect::Extends, 2, current), Some(Tally { run: 2, bad: 3 }));
        assert_eq!(run.add(7, Effect::Keeps, 1, current), Some(Tally { run: 2, bad: 4 }));
        assert_eq!(run.end(7), Tally { run: 0, bad: 4 });
        assert_eq!(run.add(8, Effect::Extends, 1, current), Some(Tally { run: 1, bad: 1 }));
        assert_eq!(run.add(7, Effect::Extends, 1, || false), None);
        assert_eq!(run.tally(8), Tally { run: 1, bad: 1 });
        assert_eq!(run.tally(7), Tally::default());
    }

    #[test]
    fn a_run_longer_than_its_field_stays_at_the_longest() {
        let run = Run::new();
        for _ in 0..=LONGEST_RUN {
            run.add(0, Effect::Extends, 1, || true);
        }
        assert_eq!(run.tally(0).run, LONGEST_RUN);
    }
}
