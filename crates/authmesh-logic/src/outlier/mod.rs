//! Takes out the endpoints whose outcomes stand out from those of their group.
//!
//! [`Tally`] counts the results of one endpoint where they arrive; [`Detector`] looks at all of a
//! group at the end of each interval and says who is ejected and who returns. A breaker asks "does
//! this endpoint fail?"; ejection asks "does it fail more than its siblings?", so a failure that
//! all share ejects nobody by its success rate.
//!
//! | an endpoint is | becomes | when |
//! |---|---|---|
//! | in | ejected | a result makes its failures in a row reach the limit |
//! | in | ejected | at a sweep its success rate lies too far below the mean of its group |
//! | in | ejected | at a sweep its share of failures reaches the limit |
//! | in | in, one step milder | at a sweep nothing is found: its next ejection is shorter again |
//! | ejected | in | at a sweep its time has passed: `first · how often`, at most `longest` |
//! | ejected | in | its active check passed, where the policy says so |
//!
//! No rule ejects when as many as [`Policy::most`] are out, or when fewer than
//! [`Policy::keep_at_least`] would be left; what was found is then told and not enforced. Sources:
//! gRPC proposal A50; Envoy's outlier detection, and what its users found wrong with it: limits are
//! reached at `>=` and not at `==`, and the decision to eject is made once.

mod policy;

mod statistics;

mod tally;

mod detector;

#[cfg(test)]
mod tests;

pub use detector::{Change, ChangeKind, Detector};
pub use policy::{Cause, FailureShare, MostRule, Policy, SuccessRate, Threshold};
pub use statistics::{mean, standard_deviation};
pub use tally::{Interval, Tally};
