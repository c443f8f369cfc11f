//! How the state of a breaker moved, and how long it was in each.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use authmesh_logic::Moment;
use authmesh_logic::circuit_breaker::Reading;

use super::{Move, State, Transition};
use crate::clock::Clock;

/// How often a state changed, by kind of change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MoveCounts(BTreeMap<Move, u64>);

impl MoveCounts {
    /// Every change of any kind.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.values().sum()
    }

    /// How often this state was entered.
    #[must_use]
    pub fn entered(&self, state: State) -> u64 {
        self.iter().filter(|(kind, _)| kind.to == state.word()).map(|(_, count)| count).sum()
    }

    /// How often a change of this kind took place.
    #[must_use]
    pub fn of(&self, kind: Move) -> u64 {
        self.0.get(&kind).copied().unwrap_or_default()
    }

    /// Those that took place.
    pub fn iter(&self) -> impl Iterator<Item = (Move, u64)> {
        self.0.iter().map(|(kind, count)| (*kind, *count))
    }

    pub(crate) fn count(&mut self, transition: &Transition) {
        *self.0.entry(transition.kind()).or_default() += 1;
    }
}

/// How the state of one breaker moved, and how long it stayed where. Taken hold of by whoever moves
/// the breaker or looks at it, which both are rare; never by a call that only passes.
#[derive(Debug)]
pub(crate) struct BreakerHistory(Mutex<Told>);

/// What a breaker's transitions have told so far.
#[derive(Debug)]
struct Told {
    state: State,
    since: Moment,
    generation: Option<u32>,
    moves: MoveCounts,
    spent: [Duration; State::WORDS.len()],
}

impl BreakerHistory {
    /// That of a breaker which is in this state now.
    pub(crate) fn beginning(state: State, now: Moment) -> Self {
        let (moves, spent) = Default::default();
        Self(Mutex::new(Told { state, since: now, generation: None, moves, spent }))
    }

    /// Takes note of every change that a transition tells.
    pub(crate) fn note(&self, transition: Transition) {
        let mut told = self.told();
        // Read while nobody else looks, so that no reading is ever taken back.
        let now = Clock.now();
        transition.steps().for_each(|step| told.note(&step, now));
    }

    /// What was told, and the time in each state until now. Changes nothing.
    pub(super) fn read(
        &self,
        reading: &Reading,
        now: Moment,
    ) -> (MoveCounts, [Duration; State::WORDS.len()]) {
        let told = self.told();
        (told.moves.clone(), told.time_in_state(reading.untold, now))
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Half of the numbers that generations come from, 2¹⁹: what is farther ahead lies behind.
const HALF_ROUND: u32 = 1 << 18;

impl Told {
    fn note(&mut self, step: &Transition, now: Moment) {
        self.moves.count(step);
        // Two calls that moved it one after the other may tell so in another order; what came
        // between their moves is then left to the state before.
        let ahead = |last: u32| step.generation.wrapping_sub(last) % (2 * HALF_ROUND);
        if self.generation.is_some_and(|last| ahead(last) >= HALF_ROUND) {
            return;
        }
        let at = if step.cause.is_time() { step.at.max(self.since) } else { now };
        self.spent[self.state.index()] += at.since(self.since);
        (self.state, self.since, self.generation) = (step.to, at, Some(step.generation));
    }

    /// The time until now, of which a change that nobody was told of splits the end.
    fn time_in_state(
        &self,
        untold: Option<Transition>,
        now: Moment,
    ) -> [Duration; State::WORDS.len()] {
        let mut spent = self.spent;
        let untold = untold.filter(|change| change.from.index() == self.state.index());
        let moved = untold.map(|change| (change.to, change.at.max(self.since)));
        let until = moved.map_or(now, |(_, at)| at);
        spent[self.state.index()] += until.since(self.since);
        if let Some((state, at)) = moved {
            spent[state.index()] += now.since(at);
        }
        spent
    }
}

#[cfg(test)]
mod tests {
    use authmesh_logic::circuit_breaker::{Command, Policy, Wait};
    use authmesh_logic::outcome::Outcome;
    use authmesh_logic::{Dice, Lane, circuit_breaker as logic};

    use super::*;
    use crate::circuit_breaker::{Cause, Jitter};

    fn policy() -> Policy {
        let wait = Wait { jitter: Jitter::None, ..Policy::standard().wait };
        let ramp = Some(Duration::from_secs(10));
        Policy { consecutive_failures: Some(1), closes_at: 1, wait, ramp, ..Policy::standard() }
    }

    const fn at(seconds: u64) -> Moment {
        Moment::from_millis(seconds * 1_000)
    }

    fn told() -> Told {
        let history = BreakerHistory::beginning(State::Closed, at(0));
        history.0.into_inner().unwrap()
    }

    /// A breaker driven by moments, and what it told.
    struct Driven {
        breaker: logic::CircuitBreaker,
        told: Told,
    }

    impl Driven {
        fn new() -> Self {
            let breaker = logic::CircuitBreaker::new(&mut Dice::seeded(1), at(0));
            Self { breaker, told: told() }
        }

        fn hear(&mut self, transition: Option<Transition>, now: Moment) {
            let steps = transition.into_iter().flat_map(Transition::steps);
            steps.for_each(|step| self.told.note(&step, now));
        }

        fn call(&mut self, outcome: Outcome, now: Moment) {
            let asked = self.breaker.try_acquire(&policy(), Lane::FIRST, &mut Dice::seeded(2), now);
            self.hear(asked.1, now);
            if let Ok(permit) = asked.0 {
                let moved = self.breaker.record(&policy(), Lane::FIRST, permit, outcome, now);
                self.hear(moved, now);
            }
        }

        /// Seconds in each state; they add up to all the time there was.
        fn seconds(&self, now: Moment) -> [u64; 7] {
            let untold = self.breaker.reading(&policy(), now).untold;
            let spent = self.told.time_in_state(untold, now);
            assert_eq!(spent.iter().sum::<Duration>(), now.since(at(0)));
            spent.map(|spent| spent.as_secs())
        }
    }

    #[test]
    fn the_time_in_every_state_is_that_of_the_states_whoever_looks_and_when() {
        let mut driven = Driven::new();
        assert_eq!(driven.seconds(at(5)), [5, 0, 0, 0, 0, 0, 0]);
        driven.call(Outcome::FAILURE, at(10));
        assert_eq!(
            driven.seconds(at(12)),
            [10, 0, 2, 0, 0, 0, 0],
            "open, though it might be asked"
        );
        driven.call(Outcome::NEUTRAL, at(13));
        driven.call(Outcome::SUCCESS, at(15));
        assert_eq!(driven.seconds(at(18)), [10, 3, 3, 2, 0, 0, 0]);
        // The ramp ended at 25, and nobody has asked since.
        assert_eq!(driven.seconds(at(30)), [15, 10, 3, 2, 0, 0, 0]);
        driven.call(Outcome::SUCCESS, at(40));
        assert_eq!(driven.seconds(at(40)), [25, 10, 3, 2, 0, 0, 0]);
        let hour = Some(Duration::from_secs(3_600));
        let held = driven.breaker.command(&policy(), Command::ForceOpen(hour), at(40));
        driven.hear(held, at(40));
        assert_eq!(driven.seconds(at(3_740)), [125, 10, 3, 2, 3_600, 0, 0]);
        driven.call(Outcome::FAILURE, at(3_840));
        assert_eq!(driven.seconds(at(3_841)), [225, 10, 4, 2, 3_600, 0, 0]);
    }

    #[test]
    fn a_phase_that_nobody_saw_is_counted_and_has_its_time() {
        let mut driven = Driven::new();
        driven.call(Outcome::FAILURE, at(0));
        let asked = driven.breaker.try_acquire(&policy(), Lane::FIRST, &mut Dice::seeded(2), at(1));
        driven.hear(asked.1, at(1));
        // The trial never came back: its limit of 10 s and the wait of 2 s behind it are over.
        assert_eq!(driven.seconds(at(100)), [0, 0, 90, 10, 0, 0, 0]);
        driven.call(Outcome::NEUTRAL, at(100));
        assert_eq!(driven.seconds(at(101)), [0, 0, 90, 11, 0, 0, 0]);
        let moves = &driven.told.moves;
        let kinds: Vec<_> = moves.iter().map(|(kind, count)| (kind.cause, count)).collect();
        let expected =
            [(Cause::ConsecutiveFailures, 1), (Cause::TrialLimit, 1), (Cause::WaitEnded, 2)];
        assert!(
            expected.iter().all(|kind| kinds.contains(kind)) && moves.total() == 4,
            "{kinds:?}"
        );
        assert_eq!(moves.entered(State::HalfOpen), 2);
    }

    #[test]
    fn what_is_told_in_another_order_is_counted_and_turns_no_time_back() {
        let mut driven = Driven::new();
        let (policy, dice) = (policy(), &mut Dice::seeded(2));
        let (permit, _) = driven.breaker.try_acquire(&policy, Lane::FIRST, dice, at(0));
        let first =
            driven.breaker.record(&policy, Lane::FIRST, permit.unwrap(), Outcome::FAILURE, at(0));
        let (trial, second) = driven.breaker.try_acquire(&policy, Lane::FIRST, dice, at(1));
        driven.hear(second, at(1));
        driven.hear(first, at(2));
        assert_eq!(driven.told.state, State::HalfOpen);
        assert_eq!(driven.told.moves.total(), 2);
        assert_eq!(driven.seconds(at(3)), [1, 0, 0, 2, 0, 0, 0]);
        driven.breaker.cancel(trial.unwrap());
    }
}
