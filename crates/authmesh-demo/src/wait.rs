//! Waiting for a condition, not for ever.

use std::time::Duration;

/// How long a condition is waited for.
#[derive(Clone, Copy)]
pub(crate) struct Patience(Duration);

impl Patience {
    /// While things start.
    pub(crate) const START: Self = Self(Duration::from_secs(10));
    /// While things end.
    pub(crate) const END: Self = Self(Duration::from_secs(3));
}

/// How often a condition is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Waits until something is so; false if it was not in time.
pub(crate) async fn wait_until(patience: Patience, is_so: impl Fn() -> bool) -> bool {
    let looking = async {
        while !is_so() {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    tokio::time::timeout(patience.0, looking).await.is_ok()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_comes_true_is_noticed_and_what_does_not_is_given_up() {
        let looks = Cell::new(0);
        let third_time = || {
            looks.set(looks.get() + 1);
            looks.get() == 3
        };
        assert!(wait_until(Patience::END, third_time).await);
        assert!(!wait_until(Patience::END, || false).await);
    }
}
