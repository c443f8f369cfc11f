//! The circuit breaker as it reads: one thread, a list of results, no packing.

use std::time::Duration;

use authmesh_logic::Moment;
use authmesh_logic::circuit_breaker::{Command, Counts, Growth, Policy, Wait, Window};
use authmesh_logic::outcome::{Outcome, OutcomeKind};

/// A circuit breaker without jitter, ramp or command that runs out. Times are in milliseconds and
/// never step back.
#[derive(Clone, Debug)]
pub struct Oracle {
    policy: Policy,
    phase: Phase,
    generation: u64,
    opened: u32,
    results: Vec<Entry>,
    run: u32,
}

/// The leave to make one call: of which phase, and whether it is a trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leave {
    generation: u64,
    /// Whether it is a trial.
    pub trial: bool,
}

#[derive(Clone, Copy, Debug)]
enum Phase {
    Closed { since: u64 },
    Open { until: u64 },
    HalfOpen { began: u64, issued: u32, passed: u32, failed: u32, slow: u64 },
    ForcedOpen,
    Disabled,
    MetricsOnly,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    at: u64,
    failure: bool,
    slow: bool,
    denied: bool,
}

impl Oracle {
    /// A closed breaker whose epoch is 0 ms.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        let phase = Phase::Closed { since: 0 };
        Self { policy, phase, generation: 0, opened: 0, results: Vec::new(), run: 0 }
    }

    /// Asks to make one call.
    pub fn acquire(&mut self, now: u64) -> Option<Leave> {
        self.pass_time(now);
        if let Phase::Open { until } = self.phase
            && now >= until
        {
            self.enter(half_open(now));
        }
        let trial = match &mut self.phase {
            Phase::Closed { .. } | Phase::Disabled | Phase::MetricsOnly => false,
            Phase::Open { .. } | Phase::ForcedOpen => return None,
            Phase::HalfOpen { issued, .. } => {
                if *issued == self.policy.trials {
                    return None;
                }
                *issued += 1;
                true
            }
        };
        Some(Leave { generation: self.generation, trial })
    }

    /// Tells how the call ended.
    pub fn record(&mut self, leave: Leave, outcome: Outcome, now: u64) {
        self.pass_time(now);
        if leave.generation != self.generation {
            return;
        }
        match self.phase {
            Phase::HalfOpen { .. } => self.judge_trial(outcome, now),
            Phase::Closed { .. } | Phase::MetricsOnly => self.judge_result(outcome, now),
            Phase::Open { .. } | Phase::ForcedOpen | Phase::Disabled => {}
        }
    }

    /// Obeys an operator; `false` where half-open is asked of a closed breaker.
    pub fn command(&mut self, command: Command, now: u64) -> bool {
        self.pass_time(now);
        match command {
            Command::Open => self.open(now, None),
            Command::OpenFor(wait) => self.open(now, Some(wait)),
            Command::HalfOpen if matches!(self.phase, Phase::Closed { .. }) => return false,
            Command::HalfOpen => self.enter(half_open(now)),
            Command::Close => {
                self.opened = 0;
                self.enter(Phase::Closed { since: now });
            }
            Command::ForceOpen(_) => self.enter(Phase::ForcedOpen),
            Command::Disable(_) => self.enter(Phase::Disabled),
            Command::Shadow(_) => self.enter(Phase::MetricsOnly),
        }
        true
    }

    /// The word of the state.
    pub fn state(&mut self, now: u64) -> &'static str {
        self.pass_time(now);
        match self.phase {
            Phase::Closed { .. } => "closed",
            Phase::Open { .. } => "open",
            Phase::HalfOpen { .. } => "half_open",
            Phase::ForcedOpen => "forced_open",
            Phase::Disabled => "disabled",
            Phase::MetricsOnly => "metrics_only",
        }
    }

    /// The evidence.
    pub fn counts(&mut self, now: u64) -> Counts {
        self.pass_time(now);
        if let Phase::HalfOpen { passed, failed, slow, .. } = self.phase {
            let (total, failures) = (u64::from(passed + failed), u64::from(failed));
            return Counts { total, failures, slow, denied: 0, consecutive_failures: 0 };
        }
        let mut counts = Counts { consecutive_failures: self.run, ..Counts::default() };
        for entry in self.window(now) {
            counts.total += 1;
            counts.failures += u64::from(entry.failure);
            counts.slow += u64::from(entry.slow);
            counts.denied += u64::from(entry.denied);
        }
        counts
    }

    fn window(&self, now: u64) -> impl Iterator<Item = &Entry> {
        let newest = match self.policy.window {
            Window::Count { calls } => usize::try_from(calls).unwrap_or(usize::MAX),
            Window::Time { .. } => usize::MAX,
        };
        let lives = move |entry: &&Entry| match self.policy.window {
            Window::Count { .. } => true,
            Window::Time { length, buckets } => {
                let bucket = millis(length) / u64::from(buckets);
                entry.at / bucket + u64::from(buckets) > now / bucket
            }
        };
        self.results.iter().rev().take(newest).filter(lives)
    }

    fn pass_time(&mut self, now: u64) {
        if let Phase::HalfOpen { began, .. } = self.phase
            && let Some(limit) = self.policy.trial_limit
            && now >= began + millis(limit)
        {
            self.open(began + millis(limit), None);
        }
    }

    fn judge_trial(&mut self, outcome: Outcome, now: u64) {
        let Phase::HalfOpen { issued, passed, failed, slow, .. } = &mut self.phase else { return };
        match outcome.kind {
            OutcomeKind::Neutral => {
                *issued -= 1;
                return;
            }
            OutcomeKind::Success | OutcomeKind::Denied => *passed += 1,
            OutcomeKind::Failure | OutcomeKind::Throttled => *failed += 1,
        }
        *slow += u64::from(outcome.slow);
        let (passed, failed) = (*passed, *failed);
        if passed >= self.policy.closes_at {
            if self.policy.wait.growth_resets == Growth::OnClose {
                self.opened = 0;
            }
            self.enter(Phase::Closed { since: now });
        } else if failed + self.policy.closes_at > self.policy.trials {
            self.open(now, None);
        }
    }

    fn judge_result(&mut self, outcome: Outcome, now: u64) {
        match outcome.kind {
            OutcomeKind::Throttled => return,
            OutcomeKind::Neutral if !outcome.slow => return,
            OutcomeKind::Neutral => {}
            OutcomeKind::Failure => self.run += 1,
            OutcomeKind::Success => self.run = 0,
            OutcomeKind::Denied => {
                self.run = 0;
                let counts = self.counts(now);
                if counts.denied >= counts.total - counts.failures - counts.denied {
                    return;
                }
            }
        }
        let failure = outcome.kind == OutcomeKind::Failure;
        let denied = outcome.kind == OutcomeKind::Denied;
        self.results.push(Entry { at: now, failure, slow: outcome.slow, denied });
        if matches!(self.phase, Phase::Closed { .. }) && self.trips(now) {
            self.open(now, None);
        }
    }

    fn trips(&mut self, now: u64) -> bool {
        let (policy, run) = (self.policy.clone(), self.run);
        let counts = self.counts(now);
        let reaches = |part: u64, threshold: f64, minimum: u32| {
            part > 0
                && counts.total >= u64::from(minimum)
                && part as f64 >= threshold * counts.total as f64 - 1e-9
        };
        policy.consecutive_failures.is_some_and(|most| run > 0 && run >= most)
            || policy.failures_in_window.is_some_and(|most| counts.failures >= u64::from(most))
            || policy.failure_rate.is_some_and(|rate| {
                reaches(counts.failures, rate.threshold.as_fraction(), rate.minimum_calls)
            })
            || policy.slow_rate.is_some_and(|rate| {
                reaches(counts.slow, rate.threshold.as_fraction(), rate.minimum_calls)
            })
    }

    fn open(&mut self, now: u64, wait: Option<Duration>) {
        let Wait { first, multiplier, longest, growth_resets, .. } = self.policy.wait;
        if let (Phase::Closed { since }, Growth::AfterHealthy(time), None) =
            (self.phase, growth_resets, wait)
            && now >= since + millis(time)
        {
            self.opened = 0;
        }
        let mut grown = millis(first);
        for _ in 0..self.opened {
            grown = grown.saturating_mul(u64::from(multiplier));
        }
        self.opened += 1;
        let wait = wait.map_or(grown.min(millis(longest)), millis);
        self.enter(Phase::Open { until: now.saturating_add(wait) });
    }

    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.generation += 1;
        self.results.clear();
        self.run = 0;
    }
}

fn half_open(now: u64) -> Phase {
    Phase::HalfOpen { began: now, issued: 0, passed: 0, failed: 0, slow: 0 }
}

fn millis(time: Duration) -> u64 {
    (Moment::START + time).as_millis()
}
