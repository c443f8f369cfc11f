//! Decides when an issuer's keys are fetched, and for how long those that were fetched may be used.

use alloc::collections::VecDeque;
use core::time::Duration;

use crate::{Dice, Moment};

/// When the keys of one issuer are fetched. It holds no keys; whoever does asks it.
///
/// | state | what happens | what follows |
/// |---|---|---|
/// | at rest | the time has come ([`begin`](Self::begin)) | in flight |
/// | at rest | a token names an unknown key, nothing was fetched within the cooldown, and the name was not looked for lately | in flight |
/// | at rest | a token names an unknown key, otherwise | at rest; the token is answered at once |
/// | in flight | a token names an unknown key | in flight; it may wait for the end |
/// | in flight | keys came | at rest; they may be used until the bound; names that were looked for are remembered |
/// | in flight | nothing came | at rest; what was fetched before may be used until its bound |
///
/// So tokens, whatever they say, cause at most one fetch within the cooldown, and while keys are held
/// there is at most one within it, whoever causes it. While none are held, time alone causes fetches,
/// with growing pauses.
#[derive(Clone, Debug)]
pub struct KeyRefresh {
    is_in_flight: bool,
    /// When the next fetch is due.
    due: Moment,
    /// Until when no token causes a fetch.
    quiet_until: Moment,
    /// How many fetches failed since one succeeded.
    failures: u32,
    /// Until when the keys that are held may be used; `None` if there are none.
    usable_until: Option<Moment>,
    /// Names of keys, hashed, that tokens asked for, each with the moment until which it is
    /// remembered.
    asked: VecDeque<(u64, Moment)>,
}

/// How keys are kept fresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefreshPolicy {
    /// How often they are fetched, unless the issuer says otherwise.
    pub interval: Duration,
    /// For how long they may be used after the last time they came. At least
    /// [`LEAST_STALE`](Self::LEAST_STALE) cooldowns, so that one failure does not end them.
    pub stale_if_error: Duration,
    /// How long after a fetch has begun no token causes another one.
    pub cooldown: Duration,
}

/// What to do about a token whose key is not among those held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Fetch the keys: the flight has begun. Then look again.
    Fetch,
    /// A fetch is in flight: look again when it has ended.
    Wait,
    /// The issuer was asked and has no such key.
    Unknown,
    /// The issuer did not answer when it was asked, so nobody can say.
    Unreachable,
}

/// Whether the keys of an issuer may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// None ever came.
    Missing,
    /// They came the last time they were asked for.
    Fresh,
    /// The last fetch failed; they may be used for so much longer.
    Stale(Duration),
    /// They may not be used any more.
    Ended,
}

impl Default for RefreshPolicy {
    fn default() -> Self {
        Self {
            interval: Self::DEFAULT_INTERVAL,
            stale_if_error: Self::DEFAULT_STALE,
            cooldown: Self::DEFAULT_COOLDOWN,
        }
    }
}

impl RefreshPolicy {
    /// How often keys are fetched when nothing is said.
    pub const DEFAULT_INTERVAL: Duration = Duration::from_secs(10 * 60);

    /// How often at most, whatever is said.
    pub const LEAST_INTERVAL: Duration = Duration::from_secs(60);

    /// How seldom at most, whatever is said: a key that its issuer takes back is not believed longer.
    pub const MOST_INTERVAL: Duration = Duration::from_secs(60 * 60);

    /// For how long keys may be used after the last time they came, when nothing is said.
    pub const DEFAULT_STALE: Duration = Duration::from_secs(24 * 60 * 60);

    /// The cooldown when nothing is said.
    pub const DEFAULT_COOLDOWN: Duration = Duration::from_secs(10);

    /// The shortest cooldown.
    pub const LEAST_COOLDOWN: Duration = Duration::from_secs(1);

    /// The longest cooldown: a new key is not unknown for longer.
    pub const MOST_COOLDOWN: Duration = Duration::from_secs(60);

    /// How many cooldowns keys may be used for at least.
    pub const LEAST_STALE: u32 = 3;

    /// How soon keys that came are fetched again. Well before their bound, whatever is said.
    #[must_use]
    pub fn next(&self, fresh_for: Option<Duration>) -> Duration {
        let wanted = fresh_for.unwrap_or(self.interval);
        let wanted = wanted.clamp(Self::LEAST_INTERVAL, Self::MOST_INTERVAL);
        wanted.min(self.stale_if_error / 2)
    }
}

impl KeyRefresh {
    /// How long a name that the issuer does not know is remembered: it may be published later.
    pub const REMEMBERED: Duration = Duration::from_secs(30);

    /// How many such names are remembered. Beyond that the oldest are forgotten.
    pub const MOST_REMEMBERED: usize = 256;

    /// The first pause after a fetch that failed while no keys are held. Each further one is twice as
    /// long.
    pub const FIRST_PAUSE: Duration = Duration::from_secs(1);

    /// The longest pause while no keys are held.
    pub const LONGEST_PAUSE: Duration = Duration::from_secs(30);

    /// The longest pause while keys are held, unless the cooldown is longer; the first is the cooldown.
    pub const LONGEST_HELD_PAUSE: Duration = Duration::from_secs(60);

    /// No keys yet: a fetch is due at once.
    #[must_use]
    pub const fn new(now: Moment) -> Self {
        Self {
            is_in_flight: false,
            due: now,
            quiet_until: now,
            failures: 0,
            usable_until: None,
            asked: VecDeque::new(),
        }
    }

    /// When the next fetch is due; `None` while one is in flight.
    #[must_use]
    pub fn due(&self) -> Option<Moment> {
        (!self.is_in_flight).then_some(self.due)
    }

    /// Begins a fetch if one is due and none is in flight. It ends by [`succeeded`](Self::succeeded)
    /// or [`failed`](Self::failed).
    #[must_use]
    pub fn begin(&mut self, policy: &RefreshPolicy, dice: &mut Dice, now: Moment) -> bool {
        let may_begin = !self.is_in_flight && now >= self.due;
        if may_begin {
            self.depart(policy, dice, now);
        }
        may_begin
    }

    /// What to do about a token whose key, `name` by its hash, is not among those held.
    #[must_use]
    pub fn ask(&mut self, policy: &RefreshPolicy, name: u64, dice: &mut Dice, now: Moment) -> Ask {
        if self.is_in_flight {
            self.remember(name, now);
            return Ask::Wait;
        }
        let is_remembered = self.asked.iter().any(|(known, until)| *known == name && *until > now);
        if now >= self.quiet_until && !is_remembered && self.usable_until.is_some() {
            self.remember(name, now);
            self.depart(policy, dice, now);
            return Ask::Fetch;
        }
        if self.failures > 0 || self.usable_until.is_none() {
            Ask::Unreachable
        } else {
            Ask::Unknown
        }
    }

    /// Keys came: the flight has ended. `fresh_for` is for how long their issuer says they are fresh,
    /// if it does.
    pub fn succeeded(
        &mut self,
        policy: &RefreshPolicy,
        fresh_for: Option<Duration>,
        dice: &mut Dice,
        now: Moment,
    ) {
        self.is_in_flight = false;
        self.failures = 0;
        self.usable_until = Some(now + policy.stale_if_error);
        self.due = (now + shortened(policy.next(fresh_for), dice)).max(self.quiet_until);
    }

    /// Keys that were kept are taken up again before the first fetch, which is due at once.
    pub fn restored(&mut self, policy: &RefreshPolicy, age: Duration, now: Moment) {
        self.usable_until = Some(now + policy.stale_if_error.saturating_sub(age));
    }

    /// Nothing came: the flight has ended, and the keys that are held stay.
    pub fn failed(&mut self, policy: &RefreshPolicy, dice: &mut Dice, now: Moment) {
        self.is_in_flight = false;
        // What could not be asked is not known to be unknown.
        self.asked.clear();
        let (first, longest) = match self.usable_until {
            Some(_) => (policy.cooldown, Self::LONGEST_HELD_PAUSE.max(policy.cooldown)),
            None => (Self::FIRST_PAUSE, Self::LONGEST_PAUSE),
        };
        let pause = first.saturating_mul(1 << self.failures.min(8)).min(longest);
        self.failures = self.failures.saturating_add(1);
        self.due = now + lengthened(pause, dice);
        if self.usable_until.is_some() {
            self.due = self.due.max(self.quiet_until);
        }
    }

    /// Until when the keys that are held may be used; `None` if there are none.
    #[must_use]
    pub const fn usable_until(&self) -> Option<Moment> {
        self.usable_until
    }

    /// Whether the keys may be used.
    #[must_use]
    pub fn standing(&self, now: Moment) -> Standing {
        match self.usable_until {
            None => Standing::Missing,
            Some(until) if now >= until => Standing::Ended,
            Some(_) if self.failures == 0 => Standing::Fresh,
            Some(until) => Standing::Stale(until.since(now)),
        }
    }

    /// The machine that goes on from this one under another policy: the bound of the keys that are held
    /// moves with it, and a fetch in flight is made anew.
    #[must_use]
    pub fn succeeding(&self, old: &RefreshPolicy, new: &RefreshPolicy, now: Moment) -> Self {
        let mut next = self.clone();
        if let Some(until) = self.usable_until {
            let spent = old.stale_if_error.saturating_sub(until.since(now));
            next.usable_until = Some(now + new.stale_if_error.saturating_sub(spent));
        }
        next.is_in_flight = false;
        let soon = if self.is_in_flight { now } else { now + new.next(None) };
        next.due = self.due.min(soon).max(self.quiet_until);
        next
    }

    fn depart(&mut self, policy: &RefreshPolicy, dice: &mut Dice, now: Moment) {
        self.is_in_flight = true;
        self.quiet_until = now + lengthened(policy.cooldown, dice);
    }

    fn remember(&mut self, name: u64, now: Moment) {
        if self.asked.iter().any(|(known, until)| *known == name && *until > now) {
            return;
        }
        if self.asked.len() == Self::MOST_REMEMBERED {
            self.asked.pop_front();
        }
        self.asked.push_back((name, now + Self::REMEMBERED));
    }
}

/// Up to a tenth longer, so that meshes that began together do not ask together.
fn lengthened(time: Duration, dice: &mut Dice) -> Duration {
    time + time.mul_f64(dice.fraction() / 10.0)
}

/// Up to a tenth shorter.
fn shortened(time: Duration, dice: &mut Dice) -> Duration {
    time - time.mul_f64(dice.fraction() / 10.0)
}

#[cfg(test)]
mod tests;
