//! How long an open breaker refuses.

use core::time::Duration;

use super::policy::{Jitter, Wait};
use crate::Dice;

impl Wait {
    /// The wait after `reopenings` trips before this one whose growth is not forgotten.
    #[must_use]
    pub fn after(&self, reopenings: u32, dice: &mut Dice) -> Duration {
        let growth = u64::from(self.multiplier).saturating_pow(reopenings);
        let nanos = nanos(self.first).saturating_mul(growth).min(nanos(self.longest));
        Duration::from_nanos(match self.jitter {
            Jitter::None => nanos,
            Jitter::Equal => nanos - nanos / 2 + dice.below((nanos / 2).saturating_add(1)),
        })
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::circuit_breaker::Growth;

    const WAIT: Wait = Wait {
        first: Duration::from_secs(1),
        multiplier: 2,
        longest: Duration::from_secs(60),
        jitter: Jitter::None,
        growth_resets: Growth::OnClose,
    };

    #[test]
    fn the_wait_doubles_up_to_the_longest() {
        let waits = [0, 1, 2, 5, 6, u32::MAX].map(|k| WAIT.after(k, &mut Dice::seeded(1)));
        assert_eq!(waits.map(|wait| wait.as_secs()), [1, 2, 4, 32, 60, 60]);
    }

    #[test]
    fn equal_jitter_keeps_half_and_never_exceeds_the_whole() {
        let wait = Wait { jitter: Jitter::Equal, ..WAIT };
        let mut dice = Dice::seeded(2);
        let waits: [Duration; 200] = core::array::from_fn(|_| wait.after(1, &mut dice));
        assert!(waits.iter().all(|wait| (1_000..=2_000).contains(&wait.as_millis())));
        assert!(waits.iter().any(|wait| wait.as_millis() < 1_100));
        assert!(waits.iter().any(|wait| wait.as_millis() > 1_900));
    }
}
