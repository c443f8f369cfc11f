//! When requests start and what they want: the same for both sides, from one seed.

use std::time::Duration;

use authmesh_logic::{Dice, Moment};

use crate::phase::{Phase, Timetable};

/// A request that starts at a given time, whatever became of those before it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Arrival {
    pub(crate) at: Moment,
    pub(crate) phase: Phase,
    pub(crate) wish: Wish,
    /// A number that picks the user.
    pub(crate) who: u64,
}

/// What somebody wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// To call an API, which asks whether the access token is good.
    Call,
    /// New tokens for a refresh token.
    Refresh,
    /// To log in again.
    LogIn,
    /// The keys tokens are verified with.
    Keys,
    /// To get in with a password that is not theirs.
    Guess,
}

/// Requests of users a second, for each side.
pub(crate) const USERS_PER_SECOND: f64 = 40.0;

/// Wrong passwords a second while somebody tries them, for each side.
pub(crate) const GUESSES_PER_SECOND: f64 = 20.0;

/// All arrivals of one run, in order.
pub(crate) struct Plan {
    timetable: Timetable,
    dice: Dice,
    phase: usize,
    at: Moment,
}

impl Plan {
    pub(crate) fn new(timetable: Timetable, seed: u64) -> Self {
        let at = timetable.begins(Phase::Healthy);
        Self { timetable, dice: Dice::seeded(seed), phase: 0, at }
    }
}

impl Iterator for Plan {
    type Item = Arrival;

    fn next(&mut self) -> Option<Arrival> {
        loop {
            let phase = *Phase::ALL.get(self.phase)?;
            let guesses = if phase == Phase::Stuffing { GUESSES_PER_SECOND } else { 0.0 };
            let rate = USERS_PER_SECOND + guesses;
            // Nobody waits for anybody else: gaps are exponential.
            let gap = -(1.0 - self.dice.fraction()).ln() / rate;
            let at = self.at + Duration::from_secs_f64(gap);
            if at >= self.timetable.ends(phase) {
                // Gaps have no memory, so the next phase may begin with a new one.
                self.at = self.timetable.ends(phase);
                self.phase += 1;
                continue;
            }
            self.at = at;
            let is_guess = self.dice.fraction() < guesses / rate;
            let wish = if is_guess { Wish::Guess } else { wish(&mut self.dice) };
            return Some(Arrival { at, phase, wish, who: self.dice.bits() });
        }
    }
}

fn wish(dice: &mut Dice) -> Wish {
    match dice.below(100) {
        0..55 => Wish::Call,
        55..85 => Wish::Refresh,
        85..95 => Wish::LogIn,
        _ => Wish::Keys,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(seed: u64) -> Vec<Arrival> {
        Plan::new(Timetable::new(Moment::START, Duration::from_secs(80)), seed).collect()
    }

    #[test]
    fn the_same_seed_gives_the_same_plan() {
        assert_eq!(plan(1), plan(1));
        assert_ne!(plan(1), plan(2));
    }

    #[test]
    fn arrivals_stay_in_order_in_their_phase_and_below_sixty_a_second() {
        let plan = plan(3);
        let timetable = Timetable::new(Moment::START, Duration::from_secs(80));
        assert!(plan.is_sorted_by_key(|arrival| arrival.at));
        for phase in Phase::ALL {
            let of_phase: Vec<_> = plan.iter().filter(|arrival| arrival.phase == phase).collect();
            assert!((300..700).contains(&of_phase.len()), "{phase:?}: {}", of_phase.len());
            let (begins, ends) = (timetable.begins(phase), timetable.ends(phase));
            assert!(of_phase.iter().all(|arrival| begins <= arrival.at && arrival.at < ends));
            let guesses = of_phase.iter().filter(|arrival| arrival.wish == Wish::Guess).count();
            assert_eq!(guesses > 0, phase == Phase::Stuffing);
        }
    }
}
