//! What makes an endpoint an outlier, for how long it is out, and how many may be.

use core::time::Duration;

use crate::{Factor, Ratio};

/// The settings of outlier ejection for one group of endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The time between two sweeps: the results between them are judged together.
    pub interval: Duration,
    /// Ejects at once after this many failures without a success or a denial between them.
    pub consecutive: Option<u32>,
    /// Ejects who succeeds much less often than its group.
    pub success_rate: Option<SuccessRate>,
    /// Ejects who fails too often, whatever its group does.
    pub failure_share: Option<FailureShare>,
    /// How long a first ejection lasts; the n-th in a row lasts n times as long.
    pub first: Duration,
    /// The longest ejection; never shorter than `first`.
    pub longest: Duration,
    /// The largest share of the group that may be out.
    pub most: Ratio,
    /// How `most` is compared.
    pub most_rule: MostRule,
    /// How many must be left.
    pub keep_at_least: u32,
    /// When the time of an ejection has passed.
    pub returns: Threshold,
    /// Whether an active check that passes ends an ejection. A green check with a dead user store
    /// behind it is common, so results of real requests weigh more when this is off.
    pub returns_on_health: bool,
}

/// Ejects at a success rate below `mean − deviations · standard deviation` of the group.
///
/// With the usual 1.9 deviations, two bad ones of five are not found: they widen the deviation that
/// they are measured by. [`FailureShare`] has no such blind spot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SuccessRate {
    /// How many endpoints must have `minimum_calls`.
    pub minimum_hosts: u32,
    /// The fewest results of an interval to judge an endpoint by.
    pub minimum_calls: u32,
    /// How many standard deviations below the mean are too far.
    pub deviations: Factor,
    /// How often what is found is enforced.
    pub enforced: Ratio,
}

/// Ejects at a share of failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailureShare {
    /// How many endpoints must have `minimum_calls`.
    pub minimum_hosts: u32,
    /// The fewest results of an interval to judge an endpoint by.
    pub minimum_calls: u32,
    /// The share that is too large.
    pub share: Ratio,
    /// Whether the share itself is.
    pub threshold: Threshold,
    /// How often what is found is enforced.
    pub enforced: Ratio,
}

/// Whether a limit is reached at itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Threshold {
    /// `>=`
    #[default]
    Reached,
    /// `>`
    Exceeded,
}

/// How many may be out, `most` being the largest share.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MostRule {
    /// With this one, no more than `most` (Envoy): `(ejected + 1) · 100 <= most · total`. One may
    /// always be out.
    #[default]
    WithThisOne,
    /// Before this one, less than `most` (gRPC A50): `ejected · 100 < most · total`.
    BeforeThisOne,
}

/// Which rule found an outlier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// Too many failures in a row.
    Consecutive,
    /// A success rate too far below that of its group.
    SuccessRate,
    /// Too large a share of failures.
    FailureShare,
}

impl Policy {
    /// The policy meant when outliers are looked for and nothing else is written: 5 failures in a
    /// row, or 1.9 deviations below the mean of at least 5 endpoints with 100 results each, or 85 %
    /// failures; 30 s growing to 5 min; a tenth of the group, never the last two.
    #[must_use]
    pub const fn standard() -> Self {
        Self {
            interval: Duration::from_secs(10),
            consecutive: Some(5),
            success_rate: Some(SuccessRate {
                minimum_hosts: 5,
                minimum_calls: 100,
                deviations: Factor::thousandths(1_900),
                enforced: Ratio::ONE,
            }),
            failure_share: Some(FailureShare {
                minimum_hosts: 5,
                minimum_calls: 50,
                share: Ratio::percent(85),
                threshold: Threshold::Reached,
                enforced: Ratio::ONE,
            }),
            first: Duration::from_secs(30),
            longest: Duration::from_secs(300),
            most: Ratio::percent(10),
            most_rule: MostRule::WithThisOne,
            keep_at_least: 1,
            returns: Threshold::Reached,
            returns_on_health: false,
        }
    }

    /// How long the ejection lasts that is the `times`-th in a row.
    #[must_use]
    pub fn lasts(&self, times: u32) -> Duration {
        self.first.saturating_mul(times).min(self.longest.max(self.first))
    }

    /// Whether one more may be out, `ejected` of `total` being out.
    #[must_use]
    pub fn may_eject(&self, ejected: usize, total: usize) -> bool {
        let (ejected, total) = (ejected as u64, total as u64);
        let lawful = match self.most_rule {
            MostRule::WithThisOne => {
                ejected == 0 || self.most.is_not_exceeded_by(ejected + 1, total)
            }
            MostRule::BeforeThisOne => !self.most.is_reached_by(ejected, total),
        };
        lawful && ejected + 1 + u64::from(self.keep_at_least) <= total
    }
}

impl Threshold {
    /// Whether `time` is at or beyond `limit`.
    pub(super) fn is_passed(self, time: Duration, limit: Duration) -> bool {
        match self {
            Self::Reached => time >= limit,
            Self::Exceeded => time > limit,
        }
    }
}

impl Cause {
    /// Every rule, in the order of their declaration.
    pub const ALL: [Self; 3] = [Self::Consecutive, Self::SuccessRate, Self::FailureShare];

    /// The word used in metrics, logs and JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Consecutive => "consecutive",
            Self::SuccessRate => "success_rate",
            Self::FailureShare => "failure_share",
        }
    }

    /// What was found, for people.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Consecutive => "too many failures in a row",
            Self::SuccessRate => "succeeds much less often than its siblings",
            Self::FailureShare => "too large a share of its requests failed",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_are_out_than_the_rule_allows_and_never_the_last() {
        let envoy = Policy { most: Ratio::percent(30), ..Policy::standard() };
        let grpc = Policy { most_rule: MostRule::BeforeThisOne, ..envoy };
        let all = Policy { most: Ratio::ONE, ..envoy };
        let table = [
            // total, out, Envoy's rule, gRPC's, all but the last
            (1, 0, false, false, false),
            (2, 0, true, true, true),
            (2, 1, false, false, false),
            (3, 1, false, false, true),
            (3, 2, false, false, false),
            (5, 1, false, true, true),
            (5, 2, false, false, true),
            (10, 2, true, true, true),
            (10, 3, false, false, true),
        ];
        for (total, out, by_envoy, by_grpc, all_but_last) in table {
            assert_eq!(envoy.may_eject(out, total), by_envoy, "{out} of {total}");
            assert_eq!(grpc.may_eject(out, total), by_grpc, "{out} of {total}");
            assert_eq!(all.may_eject(out, total), all_but_last, "{out} of {total}");
        }
        let bold = Policy { keep_at_least: 0, ..all };
        assert!(bold.may_eject(0, 1) && !bold.may_eject(1, 1));
    }

    #[test]
    fn the_longest_ejection_is_never_shorter_than_the_first() {
        let policy = Policy { longest: Duration::from_secs(1), ..Policy::standard() };
        assert_eq!(policy.lasts(3), policy.first);
        assert_eq!(Policy::standard().lasts(3), Duration::from_secs(90));
        assert_eq!(Policy::standard().lasts(u32::MAX), Duration::from_secs(300));
    }
}
