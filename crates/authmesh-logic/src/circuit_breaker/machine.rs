//! Moves a breaker from state to state; the evidence is somebody else's.

use core::time::Duration;

use super::command::Command;
use super::permit::{Admission, Permit, Rejected, RejectedReason};
use super::policy::{Growth, Policy};
use super::state::{Cause, Counts, State, Transition};
use super::trials::{Trials, closes_at, trials_of};
use super::word::{Kind, NEVER, Word};
use crate::outcome::{Outcome, OutcomeKind};
use crate::sync::{AtomicU64, Ordering};
use crate::{Dice, Moment};

/// The state machine of both breakers.
#[derive(Debug)]
pub(super) struct Machine {
    word: AtomicU64,
    /// When the half-open phase of which generation began: `generation:18 | tick:46`. Written by
    /// the call that began it, after it won; until then the phase has not aged.
    trials_began: AtomicU64,
    stale: AtomicU64,
    epoch: Moment,
    seed: u64,
}

/// What a result may do, by the state it finds.
pub(super) enum Standing {
    /// It is evidence for this phase.
    Evidence,
    /// It is the verdict of a trial.
    Trial,
    /// Nothing: nothing is counted here.
    Ignored,
    /// Nothing: its phase is over, perhaps since this very call.
    Stale(Option<Transition>),
}

const TICK_NANOS: u64 = 1_000_000;
const BEGAN_TICK_BITS: u32 = 46;

impl Machine {
    pub(super) fn new(dice: &mut Dice, epoch: Moment) -> Self {
        Self {
            word: AtomicU64::new(Word::FRESH.0),
            trials_began: AtomicU64::new(0),
            stale: AtomicU64::new(0),
            epoch,
            seed: dice.bits(),
        }
    }

    /// A machine in the state of this one, one phase on, so that results of this one's phase mean
    /// nothing to it. Trials under way are lost, and the next call is a trial.
    pub(super) fn successor(&self) -> Self {
        let word = self.word();
        let next = match word.kind() {
            Kind::HalfOpen => word.next(Kind::Open, word.streak(), 0),
            kind => word.next(kind, word.streak(), word.tick()),
        };
        Self {
            word: AtomicU64::new(next.0),
            trials_began: AtomicU64::new(0),
            stale: AtomicU64::new(self.stale()),
            epoch: self.epoch,
            seed: self.seed,
        }
    }

    /// From when its time counts.
    pub(super) const fn epoch(&self) -> Moment {
        self.epoch
    }

    pub(super) fn word(&self) -> Word {
        Word(self.word.load(Ordering::Acquire))
    }

    /// How many results came after their phase was over.
    pub(super) fn stale(&self) -> u64 {
        self.stale.load(Ordering::Relaxed)
    }

    pub(super) fn count_stale(&self) {
        self.stale.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn try_acquire(
        &self,
        policy: &Policy,
        dice: &mut Dice,
        now: Moment,
    ) -> (Result<Permit, Rejected>, Option<Transition>) {
        let word = self.word();
        if word.kind() == Kind::Closed {
            return (Ok(Permit { generation: word.generation(), trial: false }), None);
        }
        self.try_acquire_unless_closed(policy, dice, now)
    }

    /// The same, where time or trials have a say.
    fn try_acquire_unless_closed(
        &self,
        policy: &Policy,
        dice: &mut Dice,
        now: Moment,
    ) -> (Result<Permit, Rejected>, Option<Transition>) {
        let tick = self.tick(now);
        loop {
            let word = self.word();
            let (settled, cause) = self.settled(policy, word, tick);
            let (next, answer) = self.admit(policy, settled, dice, now);
            if next == word {
                return (answer, None);
            }
            if !self.exchange(word, next) {
                continue;
            }
            if next.generation() == word.generation() && cause.is_none() {
                return (answer, None);
            }
            if next.kind() == Kind::HalfOpen && next.generation() != word.generation() {
                self.note_trials_began(next, now);
            }
            let cause = cause.unwrap_or(Cause::WaitEnded);
            return (answer, Some(self.transition(word, next, cause, Counts::default())));
        }
    }

    /// The answer to one call, and the word that goes with it.
    fn admit(
        &self,
        policy: &Policy,
        word: Word,
        dice: &mut Dice,
        now: Moment,
    ) -> (Word, Result<Permit, Rejected>) {
        let permit = |word: Word, trial| Ok(Permit { generation: word.generation(), trial });
        let until = self.moment(word.tick());
        match word.kind() {
            Kind::Closed | Kind::Disabled | Kind::MetricsOnly => (word, permit(word, false)),
            Kind::Recovering => {
                let ramp = policy.ramp.unwrap_or_default();
                let age = now.since(until);
                let answer = if dice.below(nanos(ramp).saturating_mul(10))
                    < nanos(ramp).saturating_add(nanos(age).saturating_mul(9))
                {
                    permit(word, false)
                } else {
                    let retry_after = ramp.saturating_sub(age);
                    Err(Rejected { reason: RejectedReason::Ramp, retry_after })
                };
                (word, answer)
            }
            Kind::Open if now < until => {
                let retry_after = until.since(now);
                (word, Err(Rejected { reason: RejectedReason::Open, retry_after }))
            }
            Kind::Open => {
                let next = word.next_trials(Trials { issued: 1, ..Trials::default() });
                (next, permit(next, true))
            }
            Kind::HalfOpen => {
                let trials = word.trials();
                if trials.has_place(policy) {
                    let next = word.with_trials(Trials { issued: trials.issued + 1, ..trials });
                    (next, permit(next, true))
                } else {
                    let retry_after = self
                        .trials_end(policy, word)
                        .map_or(policy.wait.first, |end| self.moment(end).since(now));
                    (word, Err(Rejected { reason: RejectedReason::TrialBusy, retry_after }))
                }
            }
            Kind::ForcedOpen => {
                let retry_after =
                    if word.tick() == NEVER { policy.wait.longest } else { until.since(now) };
                (word, Err(Rejected { reason: RejectedReason::ForcedOpen, retry_after }))
            }
        }
    }

    /// What a result of this permit may do now.
    pub(super) fn standing(&self, policy: &Policy, generation: u32, now: Moment) -> Standing {
        let word = self.word();
        let (settled, cause) = self.settled(policy, word, self.tick(now));
        if settled.generation() == generation {
            return match settled.kind() {
                Kind::HalfOpen => Standing::Trial,
                _ if settled.gathers() => Standing::Evidence,
                _ => Standing::Ignored,
            };
        }
        self.count_stale();
        let lapsed = cause.filter(|_| word.generation() == generation);
        Standing::Stale(
            lapsed
                .filter(|_| self.exchange(word, settled))
                .map(|cause| self.transition(word, settled, cause, Counts::default())),
        )
    }

    /// Takes the result of a trial: a denial passes, a throttled call fails, and one that says
    /// nothing gives its place back.
    pub(super) fn judge_outcome(
        &self,
        policy: &Policy,
        generation: u32,
        outcome: Outcome,
        now: Moment,
    ) -> Option<Transition> {
        match outcome.kind {
            OutcomeKind::Success | OutcomeKind::Denied => {
                self.judge(policy, generation, true, outcome.slow, now)
            }
            OutcomeKind::Failure | OutcomeKind::Throttled => {
                self.judge(policy, generation, false, outcome.slow, now)
            }
            OutcomeKind::Neutral => {
                self.give_back(generation);
                None
            }
        }
    }

    /// Enters the verdict of a trial and decides by it, in one exchange.
    fn judge(
        &self,
        policy: &Policy,
        generation: u32,
        passed: bool,
        slow: bool,
        now: Moment,
    ) -> Option<Transition> {
        loop {
            let word = self.word();
            if word.generation() != generation || word.kind() != Kind::HalfOpen {
                self.count_stale();
                return None;
            }
            let trials = word.trials().with_verdict(passed, slow);
            let (next, cause) = if trials.passed >= closes_at(policy) {
                (self.closed(policy, word, now), Cause::TrialsPassed)
            } else if trials.failed > trials_of(policy) - closes_at(policy) {
                (self.opened(policy, word, self.tick_up(now)), Cause::TrialsFailed)
            } else if self.exchange(word, word.with_trials(trials)) {
                return None;
            } else {
                continue;
            };
            if self.exchange(word, next) {
                return Some(self.transition(word, next, cause, trials.counts()));
            }
        }
    }

    /// Gives back a permit that says nothing. A trial's is a place again.
    pub(super) fn cancel(&self, permit: Permit) {
        let (generation, trial) = permit.spend();
        if trial {
            self.give_back(generation);
        }
    }

    /// Gives a trial's place back; one of an earlier phase has none to give.
    fn give_back(&self, generation: u32) {
        loop {
            let word = self.word();
            if word.generation() != generation || word.kind() != Kind::HalfOpen {
                self.count_stale();
                return;
            }
            let trials = word.trials();
            let issued = trials.issued.saturating_sub(1);
            if self.exchange(word, word.with_trials(Trials { issued, ..trials })) {
                return;
            }
        }
    }

    /// Opens the phase that this evidence is of, unless another call already ended it.
    pub(super) fn trip(
        &self,
        policy: &Policy,
        generation: u32,
        cause: Cause,
        evidence: Counts,
        now: Moment,
    ) -> Option<Transition> {
        loop {
            let word = self.word();
            let closed = matches!(word.kind(), Kind::Closed | Kind::Recovering);
            if word.generation() != generation || !closed {
                return None;
            }
            let next = self.opened(policy, word, self.tick_up(now));
            if self.exchange(word, next) {
                return Some(self.transition(word, next, cause, evidence));
            }
        }
    }

    /// Obeys an operator; `None` where half-open is asked of a closed breaker.
    pub(super) fn command(
        &self,
        policy: &Policy,
        command: Command,
        now: Moment,
    ) -> Option<Transition> {
        loop {
            let word = self.word();
            let (settled, _) = self.settled(policy, word, self.tick(now));
            let until =
                |lasts: Option<Duration>| lasts.map_or(NEVER, |time| self.tick_up(now + time));
            let streak = settled.streak();
            let next = match command {
                Command::Open => self.opened(policy, settled, self.tick_up(now)),
                Command::OpenFor(wait) => settled.next(Kind::Open, streak + 1, until(Some(wait))),
                Command::HalfOpen if matches!(settled.kind(), Kind::Closed | Kind::Recovering) => {
                    return None;
                }
                Command::HalfOpen => settled.next_trials(Trials::default()),
                Command::Close => settled.next(Kind::Closed, 0, self.tick_up(now)),
                Command::ForceOpen(lasts) => settled.next(Kind::ForcedOpen, streak, until(lasts)),
                Command::Disable(lasts) => settled.next(Kind::Disabled, streak, until(lasts)),
                Command::Shadow(lasts) => settled.next(Kind::MetricsOnly, streak, until(lasts)),
            };
            if self.exchange(word, next) {
                if next.kind() == Kind::HalfOpen {
                    self.note_trials_began(next, now);
                }
                return Some(self.transition(word, next, Cause::Operator, Counts::default()));
            }
        }
    }

    pub(super) fn state(&self, policy: &Policy, now: Moment) -> State {
        self.view(self.settled(policy, self.word(), self.tick(now)).0)
    }

    /// The word that holds now, although nobody may have written it yet.
    pub(super) fn settled_word(&self, policy: &Policy, now: Moment) -> Word {
        self.settled(policy, self.word(), self.tick(now)).0
    }

    pub(super) fn would_admit(&self, policy: &Policy, now: Moment) -> Admission {
        let word = self.word();
        if word.kind() == Kind::Closed {
            return Admission::Freely;
        }
        let (word, _) = self.settled(policy, word, self.tick(now));
        match word.kind() {
            Kind::Open if now >= self.moment(word.tick()) => Admission::AsTrial,
            Kind::HalfOpen if word.trials().has_place(policy) => Admission::AsTrial,
            Kind::Open | Kind::HalfOpen | Kind::ForcedOpen => Admission::No,
            _ => Admission::Freely,
        }
    }

    /// When the operator's command that holds now runs out.
    pub(super) fn command_expires(&self) -> Option<Moment> {
        let word = self.word();
        let manual = matches!(word.kind(), Kind::ForcedOpen | Kind::Disabled | Kind::MetricsOnly);
        (manual && word.tick() != NEVER).then(|| self.moment(word.tick()))
    }

    /// What time alone has made of this word, and why.
    fn settled(&self, policy: &Policy, word: Word, tick: u64) -> (Word, Option<Cause>) {
        match word.kind() {
            Kind::HalfOpen => match self.trials_end(policy, word) {
                Some(end) if tick >= end => {
                    (self.opened(policy, word, end), Some(Cause::TrialLimit))
                }
                _ => (word, None),
            },
            Kind::Recovering if tick >= word.tick() + ticks(policy.ramp.unwrap_or_default()) => {
                (word.ramped(), Some(Cause::RampEnded))
            }
            Kind::ForcedOpen | Kind::Disabled | Kind::MetricsOnly
                if word.tick() != NEVER && tick >= word.tick() =>
            {
                (word.next(Kind::Closed, 0, word.tick()), Some(Cause::CommandExpired))
            }
            _ => (word, None),
        }
    }

    /// The open phase that follows this one at this tick.
    fn opened(&self, policy: &Policy, word: Word, tick: u64) -> Word {
        let forgotten = match (word.kind(), policy.wait.growth_resets) {
            (Kind::Closed | Kind::Recovering, Growth::OnClose) => true,
            (Kind::Closed | Kind::Recovering, Growth::AfterHealthy(time)) => {
                tick >= word.tick() + ticks(time)
            }
            _ => false,
        };
        let streak = if forgotten { 0 } else { word.streak() };
        // Drawn from the phase, not from the caller's dice: whoever asks computes the same wait.
        let mut dice = Dice::seeded(self.seed ^ u64::from(word.generation()));
        let wait = policy.wait.after(streak, &mut dice);
        word.next(Kind::Open, streak + 1, tick.saturating_add(ticks(wait)))
    }

    /// The closed phase that follows the trials.
    fn closed(&self, policy: &Policy, word: Word, now: Moment) -> Word {
        let ramps = policy.ramp.is_some_and(|ramp| !ramp.is_zero());
        let kind = if ramps { Kind::Recovering } else { Kind::Closed };
        let streak = match policy.wait.growth_resets {
            Growth::OnClose => 0,
            Growth::AfterHealthy(_) => word.streak(),
        };
        word.next(kind, streak, self.tick_up(now))
    }

    /// The tick at which the half-open phase of this word has lasted too long.
    fn trials_end(&self, policy: &Policy, word: Word) -> Option<u64> {
        let began = self.trials_began.load(Ordering::Acquire);
        let known = began >> BEGAN_TICK_BITS == u64::from(word.generation());
        let began = began & ((1 << BEGAN_TICK_BITS) - 1);
        policy.trial_limit.filter(|_| known).map(|limit| began.saturating_add(ticks(limit)))
    }

    fn note_trials_began(&self, word: Word, now: Moment) {
        let noted = u64::from(word.generation()) << BEGAN_TICK_BITS | self.tick_up(now);
        let mut before = self.trials_began.load(Ordering::Acquire);
        // While our phase is the current one, what stands there is of an earlier phase.
        while self.word().generation() == word.generation() {
            match self.trials_began.compare_exchange_weak(
                before,
                noted,
                Ordering::AcqRel,
                Ordering::Acquire,
            ) {
                Ok(_) => return,
                Err(now) => before = now,
            }
        }
    }

    fn exchange(&self, from: Word, to: Word) -> bool {
        self.word.compare_exchange(from.0, to.0, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    fn transition(&self, from: Word, to: Word, cause: Cause, evidence: Counts) -> Transition {
        let (from, generation) = (self.view(from), to.generation());
        Transition { from, to: self.view(to), generation, cause, evidence }
    }

    fn view(&self, word: Word) -> State {
        match word.kind() {
            Kind::Closed => State::Closed,
            Kind::Recovering => State::Recovering,
            Kind::Open => State::Open { until: self.moment(word.tick()) },
            Kind::HalfOpen => State::HalfOpen,
            Kind::ForcedOpen => State::ForcedOpen,
            Kind::Disabled => State::Disabled,
            Kind::MetricsOnly => State::MetricsOnly,
        }
    }

    /// Whole milliseconds since the epoch.
    fn tick(&self, now: Moment) -> u64 {
        now.as_nanos().saturating_sub(self.epoch.as_nanos()) / TICK_NANOS
    }

    /// The same rounded up, so that what is written down never comes early.
    fn tick_up(&self, now: Moment) -> u64 {
        let nanos = now.as_nanos().saturating_sub(self.epoch.as_nanos());
        nanos.div_ceil(TICK_NANOS).min(NEVER - 1)
    }

    fn moment(&self, tick: u64) -> Moment {
        self.epoch + Duration::from_millis(tick)
    }
}

/// Milliseconds, rounded up.
fn ticks(time: Duration) -> u64 {
    u64::try_from(time.as_nanos().div_ceil(u128::from(TICK_NANOS))).unwrap_or(u64::MAX).min(NEVER)
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
