//! The eight phases of the bad day, and when in a phase its fault begins and ends.

use std::time::Duration;

use authmesh_logic::Moment;

/// One eighth of the demonstration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Nothing is wrong.
    Healthy,
    /// One instance of each service has closed its socket.
    Dead,
    /// One instance of each service accepts connections and answers nothing, as a stopped process.
    Frozen,
    /// One instance of each service holds each answer back.
    Slow,
    /// One instance of each service does its work and answers a third of the time with a 500.
    Errors,
    /// Somebody tries passwords.
    Stuffing,
    /// Each instance of each service is restarted in turn.
    Rolling,
    /// Nothing is wrong any more.
    Recovery,
}

impl Phase {
    /// The phases in their order.
    pub const ALL: [Self; 8] = [
        Self::Healthy,
        Self::Dead,
        Self::Frozen,
        Self::Slow,
        Self::Errors,
        Self::Stuffing,
        Self::Rolling,
        Self::Recovery,
    ];

    /// When in a phase its fault begins, in percent of it.
    pub(crate) const FAULT_BEGINS: u32 = 10;

    /// When in a phase its fault ends: early enough that what it leaves behind falls into its own
    /// phase.
    pub(crate) const FAULT_ENDS: u32 = 80;

    /// Its name, as shown and as in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Dead => "dead",
            Self::Frozen => "frozen",
            Self::Slow => "slow",
            Self::Errors => "errors",
            Self::Stuffing => "stuffing",
            Self::Rolling => "rolling",
            Self::Recovery => "recovery",
        }
    }

    /// What happens in it, for people.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Healthy => "all nine instances are well",
            Self::Dead => "one instance of each service closes its socket",
            Self::Frozen => "one instance of each service accepts and answers nothing",
            Self::Slow => "one instance of each service holds every answer back for 1.5 s",
            Self::Errors => "one instance of each service answers a third with 500",
            Self::Stuffing => "somebody tries passwords, twenty a second a side",
            Self::Rolling => "every instance of every service is restarted in turn",
            Self::Recovery => "all nine instances are well again",
        }
    }
}

/// When the phases of one run begin and end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timetable {
    began: Moment,
    phase: Duration,
}

impl Timetable {
    pub(crate) fn new(began: Moment, whole: Duration) -> Self {
        Self { began, phase: whole / 8 }
    }

    /// How long each phase lasts.
    pub(crate) fn phase(self) -> Duration {
        self.phase
    }

    pub(crate) fn begins(self, phase: Phase) -> Moment {
        self.at(phase, 0)
    }

    pub(crate) fn ends(self, phase: Phase) -> Moment {
        self.at(phase, 100)
    }

    /// The moment when this share of a phase, in percent, is over.
    pub(crate) fn at(self, phase: Phase, percent: u32) -> Moment {
        self.began + self.phase * (phase as u32) + self.phase * percent / 100
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_follow_one_another_without_a_gap() {
        let timetable = Timetable::new(Moment::from_millis(100), Duration::from_secs(16));
        assert_eq!(timetable.begins(Phase::Healthy), Moment::from_millis(100));
        assert_eq!(timetable.at(Phase::Dead, 10), Moment::from_millis(2_300));
        assert_eq!(timetable.ends(Phase::Recovery), Moment::from_millis(16_100));
        for pair in Phase::ALL.windows(2) {
            assert_eq!(timetable.ends(pair[0]), timetable.begins(pair[1]));
        }
    }
}
