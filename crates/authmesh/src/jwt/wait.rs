//! Waits for the end of a fetch that is in flight, within a bound.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::watch;

/// A place among those who wait for the keys of one issuer; given back when it is dropped.
#[must_use]
pub struct KeyWait {
    rounds: watch::Receiver<u64>,
    waiting: Arc<AtomicUsize>,
}

impl KeyWait {
    /// How long a request waits for keys at most: an issuer that stalls holds nobody longer.
    pub const LONGEST: Duration = Duration::from_millis(500);

    /// How many requests wait for the keys of one issuer at most; more are answered at once.
    pub const MOST: usize = 1_000;

    /// A place, if there is one left. To be taken before it is asked whether a fetch is in flight, so
    /// that its end is not missed.
    pub(super) fn take(rounds: &watch::Sender<u64>, waiting: &Arc<AtomicUsize>) -> Option<Self> {
        let taken = waiting.fetch_add(1, Ordering::Relaxed);
        // Made now: if there is no place, it gives back what was just added.
        let wait = Self { rounds: rounds.subscribe(), waiting: Arc::clone(waiting) };
        (taken < Self::MOST).then_some(wait)
    }

    /// Waits until the fetch has ended, at most [`Self::LONGEST`].
    pub async fn ended(mut self) {
        // Whether keys came is seen by looking again.
        let _ = tokio::time::timeout(Self::LONGEST, self.rounds.changed()).await;
    }
}

impl Drop for KeyWait {
    fn drop(&mut self) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

impl std::fmt::Debug for KeyWait {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("KeyWait")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_bounded_and_come_back() {
        let (rounds, waiting) = (watch::Sender::new(0), Arc::new(AtomicUsize::new(0)));
        let take = || KeyWait::take(&rounds, &waiting);
        let taken: Vec<_> = (0..KeyWait::MOST).map(|_| take().unwrap()).collect();
        assert!(take().is_none());
        drop(taken);
        assert!(take().is_some());
        assert_eq!(waiting.load(Ordering::Relaxed), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_ends_with_the_fetch_or_at_its_bound() {
        let (rounds, waiting) = (watch::Sender::new(0), Arc::default());
        let take = || KeyWait::take(&rounds, &waiting).unwrap();
        let wait = take();
        rounds.send_modify(|round| *round += 1);
        let at_once = tokio::time::timeout(Duration::ZERO, wait.ended()).await;
        assert!(at_once.is_ok());
        let margin = Duration::from_millis(5);
        let too_short = tokio::time::timeout(KeyWait::LONGEST - margin, take().ended()).await;
        assert!(too_short.is_err());
        let enough = tokio::time::timeout(KeyWait::LONGEST + margin, take().ended()).await;
        assert!(enough.is_ok());
    }
}
