//! The results a closed breaker judges by, over time or over the last calls.

use super::count_window::CountWindow;
use super::evidence::{Entry, Stamp};
use super::policy;
use super::run::Tally;
use super::state::Counts;
use super::time_window::TimeWindow;
use crate::{Lane, Moment};

/// Either window.
#[derive(Debug)]
pub(super) enum Window {
    Time(TimeWindow),
    Count(CountWindow),
}

impl Window {
    /// An empty window; everything it will ever need is allocated here.
    pub(super) fn new(window: policy::Window, shards: usize, epoch: Moment) -> Self {
        match window {
            policy::Window::Time { length, buckets } => {
                Self::Time(TimeWindow::new(length, buckets, shards, epoch))
            }
            policy::Window::Count { calls } => Self::Count(CountWindow::new(calls)),
        }
    }

    /// Adds one result; `false` if `is_current` says that its phase is over: nothing changed.
    pub(super) fn add(
        &self,
        stamp: Stamp,
        lane: Lane,
        entry: Entry,
        now: Moment,
        is_current: impl Fn() -> bool,
    ) -> bool {
        match self {
            Self::Time(window) => window.add(stamp, lane, entry, now, is_current),
            Self::Count(window) => window.add(stamp, entry, is_current),
        }
    }

    /// At least as many failures and slow calls as the window holds, without summing it.
    pub(super) fn at_most_bad(&self, stamp: Stamp, tally: Tally, now: Moment) -> u64 {
        match self {
            Self::Time(window) => window.at_most_bad(stamp, tally.bad, now),
            Self::Count(_) => tally.bad,
        }
    }

    /// What the window holds; `None` while a result is only half entered, whose own call will ask.
    pub(super) fn counts(&self, stamp: Stamp, now: Moment) -> Option<Counts> {
        match self {
            Self::Time(window) => Some(window.counts(stamp, now)),
            Self::Count(window) => window.counts(stamp),
        }
    }
}
