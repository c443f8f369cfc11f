//! Judges how much of a certificate's life is left.

use core::time::Duration;

/// From when until when a certificate holds, in time since 1970; both ends are within.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime {
    /// The first moment.
    pub from: Duration,
    /// The last moment.
    pub until: Duration,
}

/// What is to be said of a certificate's age.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Its life has not begun.
    NotYet,
    /// A third of its life or more is left.
    Fresh,
    /// Less than a third of its life is left: its renewal is late.
    Ending,
    /// Less than a tenth of its life is left.
    Critical,
    /// Its life is over.
    Ended,
}

impl Lifetime {
    /// How long it is; nothing if its end lies before its beginning.
    #[must_use]
    pub const fn length(&self) -> Duration {
        self.until.saturating_sub(self.from)
    }

    /// How much of it is left at `now`.
    #[must_use]
    pub const fn left(&self, now: Duration) -> Duration {
        self.until.saturating_sub(now)
    }

    /// How long it has held at `now`.
    #[must_use]
    pub const fn age(&self, now: Duration) -> Duration {
        now.saturating_sub(self.from)
    }

    /// What is to be said of it at `now`. Shares of its life and not days, because a life may be
    /// an hour or a decade.
    #[must_use]
    pub fn standing(&self, now: Duration) -> Standing {
        let left = self.left(now);
        if now > self.until {
            Standing::Ended
        } else if now < self.from {
            Standing::NotYet
        } else if left < self.length() / 10 {
            Standing::Critical
        } else if left < self.length() / 3 {
            Standing::Ending
        } else {
            Standing::Fresh
        }
    }
}

impl Standing {
    /// The word used in status and JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::NotYet => "not_yet_valid",
            Self::Fresh => "fresh",
            Self::Ending => "ending",
            Self::Critical => "critical",
            Self::Ended => "ended",
        }
    }

    /// Whether the certificate holds.
    #[must_use]
    pub const fn is_valid(self) -> bool {
        matches!(self, Self::Fresh | Self::Ending | Self::Critical)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standing_follows_the_share_of_life_that_is_left() {
        let at = Duration::from_secs;
        let life = Lifetime { from: at(1_000), until: at(1_300) };
        for (now, standing) in [
            (999, Standing::NotYet),
            (1_000, Standing::Fresh),
            (1_200, Standing::Fresh),
            (1_201, Standing::Ending),
            (1_270, Standing::Ending),
            (1_271, Standing::Critical),
            (1_300, Standing::Critical),
            (1_301, Standing::Ended),
        ] {
            assert_eq!(life.standing(at(now)), standing, "{now}");
            assert_eq!(standing.is_valid(), (1_000..=1_300).contains(&now));
        }
        assert_eq!((life.left(at(1_100)), life.age(at(1_100))), (at(200), at(100)));
    }

    #[test]
    fn a_life_that_ends_before_it_begins_is_never_valid() {
        let life = Lifetime { from: Duration::from_secs(9), until: Duration::from_secs(3) };
        for now in 0..12 {
            assert!(!life.standing(Duration::from_secs(now)).is_valid());
        }
    }
}
