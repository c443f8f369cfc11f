//! Says which word of state follows which; shares nothing and changes nothing.

use core::time::Duration;

use super::command::Command;
use super::permit::{Admission, Permit, Rejected, RejectedReason};
use super::policy::{Growth, Policy};
use super::state::{Cause, State};
use super::ticks::{Epoch, ticks};
use super::transition::Lapse;
use super::trials::{Trials, closes_at, trials_of};
use super::word::{Kind, NEVER, Word};
use crate::mutant::{self, Mutant};
use crate::{Dice, Moment};

/// What one breaker's words mean under one policy.
#[derive(Clone, Copy)]
pub(super) struct Rules<'a> {
    pub(super) policy: &'a Policy,
    pub(super) epoch: Epoch,
    /// From which each phase draws its jitter.
    pub(super) seed: u32,
}

/// A word and, where it is half-open, the tick at which it began, as far as that is noted.
#[derive(Clone, Copy)]
pub(super) struct Phase {
    pub(super) word: Word,
    pub(super) began: Option<u64>,
}

/// The word that holds now, although nobody may have written it yet.
#[derive(Clone, Copy)]
pub(super) struct Settled {
    pub(super) word: Word,
    /// How time alone brought it about, if it did.
    pub(super) lapse: Option<Lapse>,
}

impl Rules<'_> {
    /// What time alone has made of this phase.
    pub(super) fn settled(self, phase: Phase, tick: u64) -> Settled {
        let word = phase.word;
        let unchanged = Settled { word, lapse: None };
        let (end, cause) = match word.kind() {
            Kind::HalfOpen => (self.trials_end(phase), Cause::TrialLimit),
            Kind::Recovering => {
                let ramp = ticks(self.policy.ramp.unwrap_or_default());
                (Some(word.tick().saturating_add(ramp)), Cause::RampEnded)
            }
            Kind::ForcedOpen | Kind::Disabled | Kind::MetricsOnly if word.tick() != NEVER => {
                (Some(word.tick()), Cause::CommandExpired)
            }
            _ => return unchanged,
        };
        let Some(end) = end.filter(|end| tick >= *end) else { return unchanged };
        let next = match cause {
            Cause::TrialLimit => self.opened(word, end),
            Cause::RampEnded => word.ramped(),
            _ => word.next(Kind::Closed, 0, end),
        };
        let (from, at) = (Self::view(self.epoch, word), self.epoch.moment(end));
        let lapse = Lapse { from, generation: next.generation(), cause, at };
        Settled { word: next, lapse: Some(lapse) }
    }

    /// The refusal of an open breaker, as long as it is one.
    #[inline]
    pub(super) fn refused(self, word: Word, now: Moment) -> Option<Rejected> {
        let reason = match word.kind() {
            Kind::Open => RejectedReason::Open,
            Kind::ForcedOpen if word.tick() == NEVER => {
                let retry_after = self.policy.wait.longest;
                return Some(Rejected { reason: RejectedReason::ForcedOpen, retry_after });
            }
            Kind::ForcedOpen => RejectedReason::ForcedOpen,
            _ => return None,
        };
        let until = self.epoch.moment(word.tick());
        (now < until).then(|| Rejected { reason, retry_after: until.since(now) })
    }

    /// The answer to one call, and the word that goes with it.
    pub(super) fn asked(
        self,
        phase: Phase,
        dice: &mut Dice,
        now: Moment,
    ) -> (Word, Result<Permit, Rejected>) {
        let word = phase.word;
        let permit = |word: Word, trial| Ok(Permit { generation: word.generation(), trial });
        let refuse = |reason, retry_after| (word, Err(Rejected { reason, retry_after }));
        if let Some(refused) = self.refused(word, now) {
            return (word, Err(refused));
        }
        match word.kind() {
            Kind::Closed | Kind::Disabled | Kind::MetricsOnly => (word, permit(word, false)),
            Kind::Recovering => {
                let ramp = self.policy.ramp.unwrap_or_default();
                let age = now.since(self.epoch.moment(word.tick()));
                // The share climbs from a tenth to all while the age climbs to the ramp.
                let admitted = nanos(ramp).saturating_add(nanos(age).saturating_mul(9));
                if dice.below(nanos(ramp).saturating_mul(10)) < admitted {
                    (word, permit(word, false))
                } else {
                    refuse(RejectedReason::Ramp, ramp.saturating_sub(age))
                }
            }
            // Whose command ends in this very moment: the next one finds it closed.
            Kind::ForcedOpen => refuse(RejectedReason::ForcedOpen, Duration::ZERO),
            Kind::Open => {
                let issued = u32::from(!mutant::is(Mutant::UncountedTrial));
                let next = word.next_trials(Trials { issued, ..Trials::default() });
                (next, permit(next, true))
            }
            Kind::HalfOpen => {
                let trials = word.trials();
                if trials.has_place(self.policy) {
                    let next = word.with_trials(Trials { issued: trials.issued + 1, ..trials });
                    return (next, permit(next, true));
                }
                let end = self.trials_end(phase);
                let end = end.map(|end| self.epoch.moment(end).since(now));
                refuse(RejectedReason::TrialBusy, end.unwrap_or(self.policy.wait.first))
            }
        }
    }

    /// What a call would be answered.
    pub(super) fn would_admit(self, word: Word, now: Moment) -> Admission {
        match word.kind() {
            Kind::Open if now >= self.epoch.moment(word.tick()) => Admission::AsTrial,
            Kind::HalfOpen if word.trials().has_place(self.policy) => Admission::AsTrial,
            Kind::Open | Kind::HalfOpen | Kind::ForcedOpen => Admission::No,
            Kind::Closed | Kind::Recovering | Kind::Disabled | Kind::MetricsOnly => {
                Admission::Freely
            }
        }
    }

    /// The half-open phase with these trials, or the phase that they decide for.
    pub(super) fn judged(self, word: Word, trials: Trials, now: Moment) -> (Word, Option<Cause>) {
        let (passes, all) = (closes_at(self.policy), trials_of(self.policy));
        if trials.passed >= passes {
            (self.closed(word, now), Some(Cause::TrialsPassed))
        } else if trials.failed > all - passes {
            (self.opened(word, self.epoch.tick_up(now)), Some(Cause::TrialsFailed))
        } else {
            (word.with_trials(trials), None)
        }
    }

    /// The phase that an operator wants; `None` where half-open is asked of a closed breaker.
    pub(super) fn commanded(self, word: Word, command: Command, now: Moment) -> Option<Word> {
        let until =
            |lasts: Option<Duration>| lasts.map_or(NEVER, |time| self.epoch.tick_up(now + time));
        let streak = word.streak();
        Some(match command {
            Command::Open => self.opened(word, self.epoch.tick_up(now)),
            Command::OpenFor(wait) => word.next(Kind::Open, streak + 1, until(Some(wait))),
            Command::HalfOpen if matches!(word.kind(), Kind::Closed | Kind::Recovering) => {
                return None;
            }
            Command::HalfOpen => word.next_trials(Trials::default()),
            Command::Close => word.next(Kind::Closed, 0, self.epoch.tick_up(now)),
            Command::ForceOpen(lasts) => word.next(Kind::ForcedOpen, streak, until(lasts)),
            Command::Disable(lasts) => word.next(Kind::Disabled, streak, until(lasts)),
            Command::Shadow(lasts) => word.next(Kind::MetricsOnly, streak, until(lasts)),
        })
    }

    /// The open phase that follows this one at this tick.
    pub(super) fn opened(self, word: Word, tick: u64) -> Word {
        let forgotten = match (word.kind(), self.policy.wait.growth_resets) {
            (Kind::Closed | Kind::Recovering, Growth::OnClose) => true,
            (Kind::Closed | Kind::Recovering, Growth::AfterHealthy(time)) => {
                tick >= word.tick() + ticks(time)
            }
            _ => false,
        };
        let streak = if forgotten { 0 } else { word.streak() };
        // Drawn from the phase, not from the caller's dice: whoever asks computes the same wait.
        let mut dice = Dice::seeded(u64::from(self.seed) << 32 | u64::from(word.generation()));
        let wait = self.policy.wait.after(streak, &mut dice);
        word.next(Kind::Open, streak + 1, tick.saturating_add(ticks(wait)))
    }

    /// The closed phase that follows the trials.
    fn closed(self, word: Word, now: Moment) -> Word {
        let ramps = self.policy.ramp.is_some_and(|ramp| !ramp.is_zero());
        let kind = if ramps { Kind::Recovering } else { Kind::Closed };
        let streak = match self.policy.wait.growth_resets {
            Growth::OnClose => 0,
            Growth::AfterHealthy(_) => word.streak(),
        };
        word.next(kind, streak, self.epoch.tick_up(now))
    }

    /// The tick at which this half-open phase has lasted too long.
    fn trials_end(self, phase: Phase) -> Option<u64> {
        let limit = self.policy.trial_limit?;
        Some(phase.began?.saturating_add(ticks(limit)))
    }

    /// The word as people see it.
    pub(super) fn view(epoch: Epoch, word: Word) -> State {
        match word.kind() {
            Kind::Closed => State::Closed,
            Kind::Recovering => State::Recovering,
            Kind::Open => State::Open { until: epoch.moment(word.tick()) },
            Kind::HalfOpen => State::HalfOpen,
            Kind::ForcedOpen => State::ForcedOpen,
            Kind::Disabled => State::Disabled,
            Kind::MetricsOnly => State::MetricsOnly,
        }
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
