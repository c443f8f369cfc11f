//! Remembers how much bad a window over time can still take, so that good results need not sum it.

use super::tagged::{Pair, Tagged};

/// How many more bad results the window that ends with one bucket can take before it could trip.
///
/// Within a bucket a window only gains results, and a good one lowers every share. So whoever sums
/// the window and trips nothing grants what is left, bad results spend it, and good results are
/// spared the sum while any is left. Bad results always sum.
///
/// The tag is the bucket's; the payload is how often bad results came, and what is left. A bad
/// result between the look and the grant changes the former, and the grant fails.
#[derive(Debug)]
pub(super) struct Slack(Tagged);

/// What stood in a [`Slack`] before somebody summed.
#[derive(Clone, Copy)]
pub(super) struct Seen(u64, u64);

impl Slack {
    pub(super) fn new() -> Self {
        Self(Tagged::new())
    }

    /// Whether any is left for the window that ends with this bucket.
    #[inline]
    pub(super) fn is_left(&self, tag: u64) -> bool {
        self.0.under(tag).is_some_and(|payload| Pair::of(payload).other > 0)
    }

    /// Takes away `bad` bad results, which have been entered.
    pub(super) fn spend(&self, tag: u64, bad: u64) {
        self.0.change_both(|stands, payload| {
            let Pair { one, other } = Pair::of(payload);
            let left = if stands == tag { other.saturating_sub(bad) } else { 0 };
            (tag, Pair { one: one + 1, other: left }.payload())
        });
    }

    /// Looks, before summing.
    pub(super) fn look(&self) -> Seen {
        let (tag, payload) = self.0.load();
        Seen(tag, payload)
    }

    /// Grants what a sum has left, unless a bad result came since the look.
    pub(super) fn grant(&self, seen: Seen, tag: u64, left: u64) {
        let Seen(stood, payload) = seen;
        let Pair { one, .. } = Pair::of(payload);
        let granted = Pair { one, other: left.min(Pair::MOST) }.payload();
        self.0.replace((stood, payload), (tag, granted));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_granted_is_spent_in_its_own_bucket_only() {
        let slack = Slack::new();
        slack.grant(slack.look(), 7, 3);
        assert!(slack.is_left(7) && !slack.is_left(6) && !slack.is_left(8));
        slack.spend(7, 2);
        assert!(slack.is_left(7));
        slack.spend(7, 1);
        assert!(!slack.is_left(7));
        slack.grant(slack.look(), 7, u64::MAX);
        slack.spend(8, 1);
        assert!(!slack.is_left(7) && !slack.is_left(8));
    }

    #[test]
    fn a_bad_result_since_the_look_undoes_the_grant() {
        let slack = Slack::new();
        let seen = slack.look();
        slack.spend(0, 1);
        slack.grant(seen, 0, 9);
        assert!(!slack.is_left(0));
    }
}
