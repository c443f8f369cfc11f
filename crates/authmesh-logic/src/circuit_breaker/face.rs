//! What both breakers have in common, written once.

/// Gives a breaker with a `machine` the methods that are the machine's alone.
macro_rules! face {
    ($breaker:ty) => {
        impl $breaker {
            /// Asks to make one call.
            ///
            /// # Errors
            /// The refusal says why and when asking again may help.
            #[inline]
            pub fn try_acquire(
                &self,
                policy: &Policy,
                _lane: Lane,
                dice: &mut Dice,
                now: Moment,
            ) -> (Result<Permit, Rejected>, Option<Transition>) {
                self.machine.try_acquire(policy, dice, now)
            }

            /// Tells how the call ended.
            #[inline]
            pub fn record(
                &self,
                policy: &Policy,
                lane: Lane,
                permit: Permit,
                outcome: Outcome,
                now: Moment,
            ) -> Option<Transition> {
                let (generation, _) = permit.spend();
                if self.machine.is_closed_since(generation) {
                    return self.gather(policy, generation, lane, outcome, now);
                }
                self.record_unless_closed(policy, generation, lane, outcome, now)
            }

            /// The same, where the phase may be another or no closed one.
            #[inline(never)]
            fn record_unless_closed(
                &self,
                policy: &Policy,
                generation: u32,
                lane: Lane,
                outcome: Outcome,
                now: Moment,
            ) -> Option<Transition> {
                match self.machine.standing(policy, generation, now) {
                    Standing::Evidence => self.gather(policy, generation, lane, outcome, now),
                    Standing::Trial => self.machine.judge(policy, generation, outcome, now),
                    Standing::Ignored => None,
                    Standing::Stale(transition) => transition,
                }
            }

            /// Gives back the permit of a call that says nothing; a trial's place is free again.
            pub fn cancel(&self, permit: Permit) {
                self.machine.cancel(permit);
            }

            /// The state now. Changes nothing.
            #[must_use]
            pub fn state(&self, policy: &Policy, now: Moment) -> State {
                self.machine.state(policy, now)
            }

            /// Everything it says of itself now, of one phase. Changes nothing.
            #[must_use]
            pub fn reading(&self, policy: &Policy, now: Moment) -> Reading {
                let settled = self.machine.settled(policy, now);
                Reading {
                    state: self.machine.view(settled.word),
                    counts: self.counts_of(settled.word, now),
                    untold: self.machine.lapsed(settled),
                    stale_results: self.machine.stale(),
                }
            }

            /// Whether the phase in which this permit was given still goes on, so that its result
            /// would count. Changes nothing.
            #[must_use]
            pub fn is_current(&self, policy: &Policy, permit: &Permit, now: Moment) -> bool {
                self.machine.settled(policy, now).word.generation() == permit.generation()
            }

            /// The evidence now: what a closed breaker judges by, or the trials of a half-open one.
            /// Changes nothing.
            #[must_use]
            pub fn counts(&self, policy: &Policy, now: Moment) -> Counts {
                self.counts_of(self.machine.settled(policy, now).word, now)
            }

            fn counts_of(&self, word: Word, now: Moment) -> Counts {
                match word.kind() {
                    Kind::HalfOpen => word.trials().counts(),
                    _ => self.evidence(word.generation(), now),
                }
            }

            /// What a call would be answered now. Changes nothing.
            #[must_use]
            pub fn would_admit(&self, policy: &Policy, now: Moment) -> Admission {
                self.machine.would_admit(policy, now)
            }

            /// Obeys an operator. `None` where [`Command::HalfOpen`] finds the breaker closed.
            pub fn command(
                &self,
                policy: &Policy,
                command: Command,
                now: Moment,
            ) -> Option<Transition> {
                self.machine.command(policy, command, now)
            }

            /// When the operator's command that holds now runs out, if it does.
            #[must_use]
            pub fn command_expires(&self) -> Option<Moment> {
                self.machine.command_expires()
            }

            /// How many results came after their phase was over, since the beginning, modulo 2³².
            #[must_use]
            pub fn stale_results(&self) -> u64 {
                self.machine.stale()
            }
        }
    };
}

pub(super) use face;
