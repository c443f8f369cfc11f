//! The results a closed breaker judges by, over time or over the last calls.

use super::count_window::CountWindow;
use super::evidence::Entry;
use super::policy;
use super::state::Counts;
use super::time_window::TimeWindow;
use crate::Lane;

/// Either window. Moments are nanoseconds since the breaker's epoch.
#[derive(Debug)]
pub(super) enum Window {
    Time(TimeWindow),
    Count(CountWindow),
}

/// Where in a window a result stands.
#[derive(Clone, Copy)]
pub(super) struct Place(u64);

impl Window {
    /// An empty window; everything it will ever need is allocated here.
    pub(super) fn new(window: policy::Window, shards: usize) -> Self {
        match window {
            policy::Window::Time { length, buckets } => {
                Self::Time(TimeWindow::new(length, buckets, shards))
            }
            policy::Window::Count { calls } => Self::Count(CountWindow::new(calls)),
        }
    }

    /// Takes over what an old window holds of this phase, if it is of the same kind: a window over
    /// calls does not know their times, nor one over time their order.
    pub(super) fn inherit(&self, old: &Self, generation: u32, since: u64) {
        match (self, old) {
            (Self::Time(window), Self::Time(old)) => window.inherit(old, generation, since),
            (Self::Count(window), Self::Count(old)) => window.inherit(old, generation),
            _ => {}
        }
    }

    /// Adds one result, and gives its place in time; `None` if `is_current` says that its phase is
    /// over.
    #[inline]
    pub(super) fn add(
        &self,
        generation: u32,
        lane: Lane,
        entry: Entry,
        since: u64,
        is_current: impl Fn() -> bool,
    ) -> Option<Place> {
        match self {
            Self::Time(window) => window.add(generation, lane, entry, since, is_current),
            Self::Count(window) => window.add(generation, entry, is_current).then_some(0),
        }
        .map(Place)
    }

    /// Whether a good result at this place certainly trips nothing.
    #[inline]
    pub(super) fn spares(&self, Place(tag): Place) -> bool {
        match self {
            Self::Time(window) => window.spares(tag),
            // Each result drives another out, which may have been good; but counting is cheap.
            Self::Count(_) => false,
        }
    }

    /// What the window holds, as [`counts`](Self::counts) says; where `slack` says that so many
    /// more bad results trip nothing, good ones are spared the counting from now on.
    pub(super) fn judge(
        &self,
        generation: u32,
        since: u64,
        Place(tag): Place,
        slack: impl FnOnce(&Counts) -> u64,
    ) -> Counts {
        match self {
            Self::Time(window) => {
                let seen = window.look();
                let counts = window.counts(generation, since);
                window.grant(seen, tag, slack(&counts));
                counts
            }
            Self::Count(window) => window.counts(generation).unwrap_or_default(),
        }
    }

    /// What the window holds; `None` while a result is only half entered, whose own call will ask.
    pub(super) fn counts(&self, generation: u32, since: u64) -> Option<Counts> {
        match self {
            Self::Time(window) => Some(window.counts(generation, since)),
            Self::Count(window) => window.counts(generation),
        }
    }
}
