//! Who may take requests: one pure function of independent facts.

use alloc::vec::Vec;

use crate::discovery::{Administration, Lease};
use crate::health::Verdict;

/// What is known of an instance, each fact from its own source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Facts {
    /// What an operator decided.
    pub administration: Administration,
    /// Whether it still proves that it lives.
    pub lease: Lease,
    /// What checks conclude.
    pub verdict: Verdict,
    /// Whether the outcomes of its requests stand out from those of its siblings.
    pub ejected: bool,
}

/// Whether an instance may take requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Eligibility {
    /// It may.
    Routable,
    /// It may, although it is missing: its lease ran out, but its own checks pass.
    Limbo,
    /// It may not.
    Not(Reason),
}

/// Why an instance may not take requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// An operator took it out at once.
    Quarantined,
    /// An operator lets it finish.
    Draining,
    /// Its lease ran out, and no check vouches for it.
    Missing,
    /// Its checks fail.
    Unhealthy,
    /// Its requests fail more than those of its siblings.
    Ejected,
}

impl Eligibility {
    /// Every word, for metrics that are 1 for one of them.
    pub const WORDS: [&'static str; 7] =
        ["routable", "limbo", "quarantined", "draining", "missing", "unhealthy", "ejected"];

    /// The word used in metrics, logs and JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Routable => "routable",
            Self::Limbo => "limbo",
            Self::Not(reason) => reason.word(),
        }
    }
}

impl Reason {
    /// Every reason, the stronger first: it is the one given where several hold.
    pub const ALL: [Self; 5] =
        [Self::Quarantined, Self::Draining, Self::Missing, Self::Unhealthy, Self::Ejected];

    /// The word used in metrics, logs and JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Quarantined => "quarantined",
            Self::Draining => "draining",
            Self::Missing => "missing",
            Self::Unhealthy => "unhealthy",
            Self::Ejected => "ejected",
        }
    }
}

/// How a service's instances were chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Those that are routable.
    Normal,
    /// None was, and some only for their health: those are used, in the hope that the checks err.
    Panic,
    /// None was, and none may be used instead: requests are refused.
    #[default]
    FailClosed,
}

impl Mode {
    /// Every mode.
    pub const ALL: [Self; 3] = [Self::Normal, Self::Panic, Self::FailClosed];

    /// The word used in metrics, logs and JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Panic => "panic",
            Self::FailClosed => "fail_closed",
        }
    }
}

/// How many instances are in which state. The states are exclusive: their sum is the total.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Registered, and neither missing nor unhealthy nor taken out.
    pub routable: usize,
    /// Missing, but vouched for by their own checks.
    pub limbo: usize,
    /// Taken out at once.
    pub quarantined: usize,
    /// Finishing what they have.
    pub draining: usize,
    /// Missing.
    pub missing: usize,
    /// Failing their checks.
    pub unhealthy: usize,
    /// Failing more than their siblings.
    pub ejected: usize,
}

/// Who of a service's instances may take requests now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// Their indexes, ascending.
    pub routable: Vec<usize>,
    /// How they were chosen. Panic changes who is used, never what an instance is said to be.
    pub mode: Mode,
    /// What every instance is.
    pub counts: Counts,
}

/// Whether an instance of which these facts are known may take requests.
///
/// | administration | lease | verdict | eligibility |
/// |---|---|---|---|
/// | quarantined | any | any | not: quarantined |
/// | draining | any | any | not: draining |
/// | enabled | expired | healthy | limbo |
/// | enabled | expired | unknown, unhealthy | not: missing |
/// | enabled | held, not needed | unknown, healthy | routable |
/// | enabled | held, not needed | unhealthy | not: unhealthy |
///
/// An ejected instance that would be routable is not: ejected; one that would be in limbo is not:
/// missing, as its checks no longer vouch for it alone.
#[must_use]
pub const fn judge(facts: &Facts) -> Eligibility {
    match by_checks(facts) {
        Eligibility::Routable if facts.ejected => Eligibility::Not(Reason::Ejected),
        Eligibility::Limbo if facts.ejected => Eligibility::Not(Reason::Missing),
        eligibility => eligibility,
    }
}

const fn by_checks(facts: &Facts) -> Eligibility {
    match (facts.administration, facts.lease, facts.verdict) {
        (Administration::Quarantined, ..) => Eligibility::Not(Reason::Quarantined),
        (Administration::Draining, ..) => Eligibility::Not(Reason::Draining),
        (Administration::Enabled, Lease::Expired { .. }, Verdict::Healthy) => Eligibility::Limbo,
        (Administration::Enabled, Lease::Expired { .. }, Verdict::Unknown | Verdict::Unhealthy) => {
            Eligibility::Not(Reason::Missing)
        }
        (
            Administration::Enabled,
            Lease::Held | Lease::NotNeeded,
            Verdict::Unknown | Verdict::Healthy,
        ) => Eligibility::Routable,
        (Administration::Enabled, Lease::Held | Lease::NotNeeded, Verdict::Unhealthy) => {
            Eligibility::Not(Reason::Unhealthy)
        }
    }
}

/// Who of a service's instances may take requests.
///
/// If none may, those whose only fault is their health, or that they were ejected, are used after
/// all: wrong checks must not take a service down. That widens health, never trust: an instance that an operator took out, or
/// whose address may belong to somebody else because its lease ran out, stays out.
#[must_use]
pub fn settle(instances: &[Facts]) -> Settled {
    let mut settled = Settled::default();
    let mut unwell = Vec::new();
    for (index, facts) in instances.iter().enumerate() {
        let eligibility = judge(facts);
        *settled.counts.of_mut(eligibility) += 1;
        match eligibility {
            Eligibility::Routable | Eligibility::Limbo => settled.routable.push(index),
            Eligibility::Not(Reason::Unhealthy | Reason::Ejected) => unwell.push(index),
            Eligibility::Not(Reason::Quarantined | Reason::Draining | Reason::Missing) => {}
        }
    }
    if !settled.routable.is_empty() {
        settled.mode = Mode::Normal;
    } else if !unwell.is_empty() {
        settled.mode = Mode::Panic;
        settled.routable = unwell;
    }
    settled
}

impl Counts {
    /// How many instances there are.
    #[must_use]
    pub const fn total(&self) -> usize {
        self.routable
            + self.limbo
            + self.quarantined
            + self.draining
            + self.missing
            + self.unhealthy
            + self.ejected
    }

    const fn of_mut(&mut self, eligibility: Eligibility) -> &mut usize {
        match eligibility {
            Eligibility::Routable => &mut self.routable,
            Eligibility::Limbo => &mut self.limbo,
            Eligibility::Not(Reason::Quarantined) => &mut self.quarantined,
            Eligibility::Not(Reason::Draining) => &mut self.draining,
            Eligibility::Not(Reason::Missing) => &mut self.missing,
            Eligibility::Not(Reason::Unhealthy) => &mut self.unhealthy,
            Eligibility::Not(Reason::Ejected) => &mut self.ejected,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::vec;

    use super::Administration::{Draining, Enabled, Quarantined};
    use super::Eligibility::{Limbo, Not, Routable};
    use super::Lease::{Held, NotNeeded};
    use super::Verdict::{Healthy, Unhealthy, Unknown};
    use super::*;
    use crate::Moment;

    const EXPIRED: Lease = Lease::Expired { at: Moment::START };

    const TABLE: [(Administration, Lease, Verdict, Eligibility); 27] = [
        (Enabled, NotNeeded, Unknown, Routable),
        (Enabled, NotNeeded, Healthy, Routable),
        (Enabled, NotNeeded, Unhealthy, Not(Reason::Unhealthy)),
        (Enabled, Held, Unknown, Routable),
        (Enabled, Held, Healthy, Routable),
        (Enabled, Held, Unhealthy, Not(Reason::Unhealthy)),
        (Enabled, EXPIRED, Unknown, Not(Reason::Missing)),
        (Enabled, EXPIRED, Healthy, Limbo),
        (Enabled, EXPIRED, Unhealthy, Not(Reason::Missing)),
        (Draining, NotNeeded, Unknown, Not(Reason::Draining)),
        (Draining, NotNeeded, Healthy, Not(Reason::Draining)),
        (Draining, NotNeeded, Unhealthy, Not(Reason::Draining)),
        (Draining, Held, Unknown, Not(Reason::Draining)),
        (Draining, Held, Healthy, Not(Reason::Draining)),
        (Draining, Held, Unhealthy, Not(Reason::Draining)),
        (Draining, EXPIRED, Unknown, Not(Reason::Draining)),
        (Draining, EXPIRED, Healthy, Not(Reason::Draining)),
        (Draining, EXPIRED, Unhealthy, Not(Reason::Draining)),
        (Quarantined, NotNeeded, Unknown, Not(Reason::Quarantined)),
        (Quarantined, NotNeeded, Healthy, Not(Reason::Quarantined)),
        (Quarantined, NotNeeded, Unhealthy, Not(Reason::Quarantined)),
        (Quarantined, Held, Unknown, Not(Reason::Quarantined)),
        (Quarantined, Held, Healthy, Not(Reason::Quarantined)),
        (Quarantined, Held, Unhealthy, Not(Reason::Quarantined)),
        (Quarantined, EXPIRED, Unknown, Not(Reason::Quarantined)),
        (Quarantined, EXPIRED, Healthy, Not(Reason::Quarantined)),
        (Quarantined, EXPIRED, Unhealthy, Not(Reason::Quarantined)),
    ];

    const fn facts(administration: Administration, lease: Lease, verdict: Verdict) -> Facts {
        Facts { administration, lease, verdict, ejected: false }
    }

    #[test]
    fn every_word_is_listed() {
        let refused = Reason::ALL.map(Not);
        let all = [Routable, Limbo].into_iter().chain(refused);
        assert!(all.map(Eligibility::word).eq(Eligibility::WORDS));
    }

    #[test]
    fn every_combination_of_facts_is_judged_as_the_table_says() {
        for (row, (administration, lease, verdict, expected)) in TABLE.into_iter().enumerate() {
            assert_eq!(judge(&facts(administration, lease, verdict)), expected, "row {row}");
            let same = |other: &(Administration, Lease, Verdict, Eligibility)| {
                (other.0, other.1, other.2) == (administration, lease, verdict)
            };
            assert_eq!(TABLE.iter().filter(|other| same(other)).count(), 1, "row {row}");
        }
    }

    #[test]
    fn an_ejected_instance_is_out_and_whatever_is_stronger_is_told_instead() {
        for (row, (administration, lease, verdict, expected)) in TABLE.into_iter().enumerate() {
            let facts = Facts { ejected: true, ..facts(administration, lease, verdict) };
            let expected = match expected {
                Routable => Not(Reason::Ejected),
                Limbo => Not(Reason::Missing),
                stronger => stronger,
            };
            assert_eq!(judge(&facts), expected, "row {row}");
        }
        let ejected = Facts { ejected: true, ..facts(Enabled, Held, Healthy) };
        let settled = settle(&[ejected, facts(Draining, Held, Healthy)]);
        assert_eq!((settled.mode, settled.routable), (Mode::Panic, vec![0]));
        assert_eq!((settled.counts.ejected, settled.counts.total()), (1, 2));
    }

    #[test]
    fn every_pair_of_instances_settles_by_the_same_rule() {
        for first in TABLE {
            for second in TABLE {
                let rows = [first, second];
                let settled = settle(&rows.map(|row| facts(row.0, row.1, row.2)));
                let with = |wanted: fn(Eligibility) -> bool| -> Vec<usize> {
                    (0..2).filter(|&index| wanted(rows[index].3)).collect()
                };
                let usable = with(|eligibility| matches!(eligibility, Routable | Limbo));
                let unhealthy = with(|eligibility| eligibility == Not(Reason::Unhealthy));
                let (mode, routable) = match (usable.is_empty(), unhealthy.is_empty()) {
                    (false, _) => (Mode::Normal, usable),
                    (true, false) => (Mode::Panic, unhealthy),
                    (true, true) => (Mode::FailClosed, vec![]),
                };
                assert_eq!((settled.mode, settled.routable), (mode, routable), "{rows:?}");
                assert_eq!(settled.counts.total(), 2);
            }
        }
    }

    #[test]
    fn panic_takes_neither_the_drained_nor_the_quarantined_nor_the_missing() {
        let settled = settle(&[
            facts(Draining, Held, Healthy),
            facts(Enabled, Held, Unhealthy),
            facts(Quarantined, Held, Healthy),
            facts(Enabled, EXPIRED, Unhealthy),
            facts(Enabled, NotNeeded, Unhealthy),
        ]);
        assert_eq!(settled.mode, Mode::Panic);
        assert_eq!(settled.routable, [1, 4]);
        let counts =
            Counts { quarantined: 1, draining: 1, missing: 1, unhealthy: 2, ..Counts::default() };
        assert_eq!(settled.counts, counts);
    }

    #[test]
    fn a_service_without_instances_refuses() {
        assert_eq!(settle(&[]), Settled::default());
        assert_eq!(Settled::default().mode, Mode::FailClosed);
    }
}
