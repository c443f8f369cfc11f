//! Moves a breaker from phase to phase, each time in one exchange of one word.

use super::command::Command;
use super::permit::{Admission, Permit, Rejected};
use super::policy::Policy;
use super::rules::{Phase, Rules, Settled};
use super::state::{Cause, Counts, State};
use super::tagged::Tagged;
use super::ticks::Epoch;
use super::transition::Transition;
use super::trials::Trials;
use super::word::{Kind, NEVER, Word};
use crate::mutant::{self, Mutant};
use crate::outcome::{Outcome, OutcomeKind};
use crate::sync::{AtomicU32, AtomicU64, Ordering};
use crate::{Dice, Moment};

/// The state machine of both breakers.
#[derive(Debug)]
pub(super) struct Machine {
    word: AtomicU64,
    /// What the phase that is the tag has noted of itself: how many failures came in a row, or,
    /// half-open, the tick at which it began. Until the latter is noted the phase does not age.
    note: Tagged,
    epoch: Epoch,
    seed: u32,
    stale: AtomicU32,
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

impl Machine {
    pub(super) fn new(dice: &mut Dice, epoch: Moment) -> Self {
        Self {
            word: AtomicU64::new(Word::FRESH.0),
            note: Tagged::new(),
            epoch: Epoch::new(epoch),
            seed: dice.bits() as u32,
            stale: AtomicU32::new(0),
        }
    }

    /// A machine in the phase of this one, which goes on: results under way count for it. But
    /// trials under way are lost, and the next call is a trial.
    pub(super) fn successor(&self) -> Self {
        let word = self.word();
        let next = match word.kind() {
            Kind::HalfOpen => word.next(Kind::Open, word.streak(), 0),
            _ => word,
        };
        Self {
            word: AtomicU64::new(next.0),
            note: self.note.copy(),
            epoch: self.epoch,
            seed: self.seed,
            stale: AtomicU32::new(self.stale() as u32),
        }
    }

    #[inline]
    pub(super) fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The number of the present phase.
    pub(super) fn generation(&self) -> u32 {
        self.word().generation()
    }

    /// Whether this phase is the present one.
    #[inline]
    pub(super) fn is_current(&self, generation: u32) -> bool {
        self.word().generation() == generation
    }

    /// How many results came after their phase was over, modulo 2³².
    pub(super) fn stale(&self) -> u64 {
        u64::from(self.stale.load(Ordering::Relaxed))
    }

    pub(super) fn count_stale(&self) {
        self.stale.fetch_add(1, Ordering::Relaxed);
    }

    #[inline]
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
        if let Some(refused) = self.rules(policy).refused(word, now) {
            return (Err(refused), None);
        }
        self.try_acquire_between(policy, dice, now)
    }

    /// The same, where it neither lets everything through nor refuses everything.
    #[inline(never)]
    fn try_acquire_between(
        &self,
        policy: &Policy,
        dice: &mut Dice,
        now: Moment,
    ) -> (Result<Permit, Rejected>, Option<Transition>) {
        let (rules, tick) = (self.rules(policy), self.epoch.tick(now));
        loop {
            let phase = self.phase();
            let settled = rules.settled(phase, tick);
            let (next, answer) = rules.asked(Phase { word: settled.word, ..phase }, dice, now);
            if next == phase.word {
                return (answer, None);
            }
            if !self.exchange(phase.word, next) {
                continue;
            }
            if next.generation() == settled.word.generation() {
                return (answer, self.lapsed(settled));
            }
            self.note_trials_began(next, now);
            let none = Counts::default();
            return (answer, Some(self.moved(settled, next, Cause::WaitEnded, none, now)));
        }
    }

    /// Whether this phase is the present one, and closed: what most results find.
    #[inline]
    pub(super) fn is_closed_since(&self, generation: u32) -> bool {
        let word = self.word();
        word.kind() == Kind::Closed && word.generation() == generation
    }

    /// What a result of this permit may do now.
    pub(super) fn standing(&self, policy: &Policy, generation: u32, now: Moment) -> Standing {
        let phase = self.phase();
        let settled = self.rules(policy).settled(phase, self.epoch.tick(now));
        if settled.word.generation() == generation {
            return match settled.word.kind() {
                Kind::HalfOpen => Standing::Trial,
                _ if settled.word.gathers() => Standing::Evidence,
                _ => Standing::Ignored,
            };
        }
        self.count_stale();
        let ended_now = phase.word.generation() == generation;
        let lapsed = self.lapsed(settled).filter(|_| ended_now);
        Standing::Stale(lapsed.filter(|_| self.exchange(phase.word, settled.word)))
    }

    /// Takes the result of a trial and decides by it, in one exchange: a denial passes, a throttled
    /// call fails, and one that says nothing gives its place back.
    pub(super) fn judge(
        &self,
        policy: &Policy,
        generation: u32,
        outcome: Outcome,
        now: Moment,
    ) -> Option<Transition> {
        let passed = match outcome.kind {
            OutcomeKind::Success | OutcomeKind::Denied => true,
            OutcomeKind::Failure | OutcomeKind::Throttled => false,
            OutcomeKind::Neutral => {
                self.give_back(generation);
                return None;
            }
        };
        loop {
            let word = self.word();
            if word.generation() != generation || word.kind() != Kind::HalfOpen {
                self.count_stale();
                return None;
            }
            let trials = word.trials().with_verdict(passed, outcome.slow);
            let (next, cause) = self.rules(policy).judged(word, trials, now);
            if self.exchange(word, next) {
                let (settled, counts) = (Settled { word, lapse: None }, trials.counts());
                return cause.map(|cause| self.moved(settled, next, cause, counts, now));
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
            let ours = word.generation() == generation || mutant::is(Mutant::PlaceOfAnyPhase);
            if !ours || word.kind() != Kind::HalfOpen {
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

    /// How many failures came in a row in this phase.
    pub(super) fn run(&self, generation: u32) -> u32 {
        as_run(self.note.under(u64::from(generation)).unwrap_or_default())
    }

    /// One more failure in a row, and how many they are; `None` if the phase is over.
    ///
    /// All failures are ordered by this word: the last of them has seen the evidence of all others.
    pub(super) fn extend_run(&self, generation: u32) -> Option<u32> {
        let longer = |run: u64| (run + 1).min(u64::from(u32::MAX));
        let is_newer = || self.is_current(generation);
        self.note.change(u64::from(generation), is_newer, longer).map(as_run)
    }

    /// A good result ends the run; where there is none, this only reads.
    #[inline]
    pub(super) fn end_run(&self, generation: u32) {
        let tag = u64::from(generation);
        if self.note.under(tag).is_some_and(|run| run > 0) {
            self.note.change(tag, || false, |_| 0);
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
        let rules = self.rules(policy);
        loop {
            let phase = self.phase();
            let settled = rules.settled(phase, self.epoch.tick(now));
            let word = settled.word;
            let closed = matches!(word.kind(), Kind::Closed | Kind::Recovering);
            let ours = word.generation() == generation || mutant::is(Mutant::TripsAnyPhase);
            if !ours || !closed {
                return None;
            }
            let next = rules.opened(word, self.epoch.tick_up(now));
            if self.exchange(phase.word, next) {
                return Some(self.moved(settled, next, cause, evidence, now));
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
        let rules = self.rules(policy);
        loop {
            let phase = self.phase();
            let settled = rules.settled(phase, self.epoch.tick(now));
            let next = rules.commanded(settled.word, command, now)?;
            if self.exchange(phase.word, next) {
                if next.kind() == Kind::HalfOpen {
                    self.note_trials_began(next, now);
                }
                return Some(self.moved(settled, next, Cause::Operator, Counts::default(), now));
            }
        }
    }

    pub(super) fn state(&self, policy: &Policy, now: Moment) -> State {
        self.view(self.settled(policy, now).word)
    }

    /// The word as people see it.
    pub(super) fn view(&self, word: Word) -> State {
        Rules::view(self.epoch, word)
    }

    /// The word that holds now, and how it came about.
    pub(super) fn settled(&self, policy: &Policy, now: Moment) -> Settled {
        self.rules(policy).settled(self.phase(), self.epoch.tick(now))
    }

    pub(super) fn would_admit(&self, policy: &Policy, now: Moment) -> Admission {
        if self.word().kind() == Kind::Closed {
            return Admission::Freely;
        }
        self.rules(policy).would_admit(self.settled(policy, now).word, now)
    }

    /// When the operator's command that holds now runs out.
    pub(super) fn command_expires(&self) -> Option<Moment> {
        let word = self.word();
        let manual = matches!(word.kind(), Kind::ForcedOpen | Kind::Disabled | Kind::MetricsOnly);
        (manual && word.tick() != NEVER).then(|| self.epoch.moment(word.tick()))
    }

    #[inline]
    fn word(&self) -> Word {
        Word(self.word.load(Ordering::Acquire))
    }

    fn phase(&self) -> Phase {
        let word = self.word();
        let began = (word.kind() == Kind::HalfOpen).then(|| {
            let (generation, tick) = self.note.load();
            let ours = generation == u64::from(word.generation());
            (ours || mutant::is(Mutant::AgeOfAnyPhase)).then_some(tick)
        });
        Phase { word, began: began.flatten() }
    }

    #[inline]
    fn rules<'a>(&self, policy: &'a Policy) -> Rules<'a> {
        Rules { policy, epoch: self.epoch, seed: self.seed }
    }

    fn note_trials_began(&self, word: Word, now: Moment) {
        let (generation, tick) = (word.generation(), self.epoch.tick_up(now));
        self.note.change(u64::from(generation), || self.is_current(generation), |_| tick);
    }

    fn exchange(&self, from: Word, to: Word) -> bool {
        self.word.compare_exchange(from.0, to.0, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// What is told of a change that time alone brought about.
    pub(super) fn lapsed(&self, settled: Settled) -> Option<Transition> {
        let to = self.view(settled.word);
        settled.lapse.map(|lapse| lapse.alone(to))
    }

    /// What is told when a call or a command moved the breaker on.
    fn moved(
        &self,
        settled: Settled,
        next: Word,
        cause: Cause,
        evidence: Counts,
        now: Moment,
    ) -> Transition {
        let [from, to] = [settled.word, next].map(|word| self.view(word));
        let generation = next.generation();
        Transition { from, to, generation, cause, evidence, at: now, unseen: settled.lapse }
    }
}

fn as_run(payload: u64) -> u32 {
    u32::try_from(payload).unwrap_or(u32::MAX)
}
