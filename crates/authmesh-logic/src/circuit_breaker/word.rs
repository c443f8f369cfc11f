//! The state of a breaker in one 64-bit word, so that one exchange decides every change.

use super::trials::{MOST_TRIALS, TRIAL_BITS, Trials};

/// The packed state: `kind:3 | streak:5 | generation:19 | payload:37`.
///
/// The payload is a tick (milliseconds since the breaker's epoch, 4.3 years) or the trials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word(pub(super) u64);

/// What the word says of calls, without its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Closed,
    Recovering,
    Open,
    HalfOpen,
    ForcedOpen,
    Disabled,
    MetricsOnly,
}

const PAYLOAD_BITS: u32 = 37;
const GENERATION_BITS: u32 = 19;
const STREAK_BITS: u32 = 5;
const GENERATION_AT: u32 = PAYLOAD_BITS;
const STREAK_AT: u32 = GENERATION_AT + GENERATION_BITS;
const KIND_AT: u32 = STREAK_AT + STREAK_BITS;

/// The tick that never comes.
pub(super) const NEVER: u64 = (1 << PAYLOAD_BITS) - 1;
/// The highest generation; 0 follows it.
pub(super) const GENERATION_MASK: u32 = (1 << GENERATION_BITS) - 1;
/// How many reopenings the growth of the wait tells apart.
pub(super) const LONGEST_STREAK: u32 = (1 << STREAK_BITS) - 1;

impl Word {
    /// Closed since the epoch, generation 0.
    pub(super) const FRESH: Self = Self(0);

    #[inline]
    pub(super) const fn kind(self) -> Kind {
        match self.0 >> KIND_AT {
            0 => Kind::Closed,
            1 => Kind::Recovering,
            2 => Kind::Open,
            3 => Kind::HalfOpen,
            4 => Kind::ForcedOpen,
            5 => Kind::Disabled,
            _ => Kind::MetricsOnly,
        }
    }

    #[inline]
    pub(super) const fn generation(self) -> u32 {
        (self.0 >> GENERATION_AT) as u32 & GENERATION_MASK
    }

    /// How many times it has opened since the growth of the wait was forgotten.
    pub(super) const fn streak(self) -> u32 {
        (self.0 >> STREAK_AT) as u32 & LONGEST_STREAK
    }

    /// The tick in the payload: since when (closed, recovering) or until when (the others).
    pub(super) const fn tick(self) -> u64 {
        self.0 & NEVER
    }

    pub(super) const fn trials(self) -> Trials {
        const MASK: u64 = MOST_TRIALS as u64;
        Trials {
            issued: (self.tick() >> (3 * TRIAL_BITS)) as u32,
            passed: (self.0 >> (2 * TRIAL_BITS) & MASK) as u32,
            failed: (self.0 >> TRIAL_BITS & MASK) as u32,
            slow: (self.0 & MASK) as u32,
        }
    }

    /// Whether results are gathered in this phase.
    pub(super) const fn gathers(self) -> bool {
        matches!(self.kind(), Kind::Closed | Kind::Recovering | Kind::MetricsOnly)
    }

    /// The next phase, with the tick in its payload.
    pub(super) const fn next(self, kind: Kind, streak: u32, tick: u64) -> Self {
        let generation = self.generation().wrapping_add(1) & GENERATION_MASK;
        let streak = if streak > LONGEST_STREAK { LONGEST_STREAK } else { streak };
        let tick = if tick > NEVER { NEVER } else { tick };
        Self(
            (kind as u64) << KIND_AT
                | (streak as u64) << STREAK_AT
                | (generation as u64) << GENERATION_AT
                | tick,
        )
    }

    /// The next phase: half-open, with these trials.
    pub(super) const fn next_trials(self, trials: Trials) -> Self {
        self.next(Kind::HalfOpen, self.streak(), 0).with_trials(trials)
    }

    /// The same half-open phase with other trials.
    pub(super) const fn with_trials(self, trials: Trials) -> Self {
        let payload = (trials.issued as u64) << (3 * TRIAL_BITS)
            | (trials.passed as u64) << (2 * TRIAL_BITS)
            | (trials.failed as u64) << TRIAL_BITS
            | trials.slow as u64;
        Self(self.0 & !NEVER | payload)
    }

    /// The same phase with the ramp behind it.
    pub(super) const fn ramped(self) -> Self {
        Self(self.0 & !(0b111 << KIND_AT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_the_word_comes_back() {
        let trials = Trials { issued: MOST_TRIALS, passed: 300, failed: 211, slow: 7 };
        let open = Word::FRESH.next(Kind::Open, 9, 123_456_789);
        assert_eq!((open.kind(), open.generation(), open.streak()), (Kind::Open, 1, 9));
        assert_eq!(open.tick(), 123_456_789);
        let half_open = open.next_trials(trials);
        assert_eq!((half_open.kind(), half_open.generation()), (Kind::HalfOpen, 2));
        assert_eq!((half_open.trials(), half_open.streak()), (trials, 9));
        let recovering = half_open.next(Kind::Recovering, 99, u64::MAX);
        assert_eq!((recovering.kind(), recovering.generation()), (Kind::Recovering, 3));
        assert_eq!((recovering.streak(), recovering.tick()), (LONGEST_STREAK, NEVER));
        let closed = recovering.ramped();
        assert_eq!((closed.kind(), closed.generation()), (Kind::Closed, 3));
        assert!(closed.gathers() && !half_open.gathers());
    }

    #[test]
    fn the_generation_wraps_into_nothing_else() {
        let mut word = Word::FRESH.next(Kind::Disabled, 3, NEVER);
        for _ in 0..GENERATION_MASK {
            word = word.next(Kind::Disabled, 3, NEVER);
        }
        assert_eq!((word.generation(), word.streak(), word.kind()), (0, 3, Kind::Disabled));
    }
}
