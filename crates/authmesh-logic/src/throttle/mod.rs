//! Refuses a share of the calls to a dependency that serves only a share of them.
//!
//! Where a breaker is open or closed, a throttle bends: a dependency that serves half of what it is
//! asked gets about what it can serve. It needs no states and heals by itself, because what it
//! refuses counts as asked: once more is served, less is refused.
//!
//! | formula | refuses with the probability | source |
//! |---|---|---|
//! | [`Formula::GoogleSre`] | `max(0, (requests − K · accepts) / (requests + 1))` | Site Reliability Engineering, ch. 21 |
//! | [`Formula::Failsafe`] | `min(most, max(0, (requests − accepts / threshold) / (requests + 1)))` | failsafe-go, adaptive throttler |
//! | [`Formula::EnvoyAdmission`] | `min(most, max(0, (requests − accepts / threshold) / (requests + 1)) ^ (1 / aggression))` | Envoy, admission control |
//!
//! | the dependency | the throttle |
//! |---|---|
//! | serves more than its share (`1 / K`, `threshold`) of the requests | refuses nothing |
//! | serves less | refuses in proportion to what is missing |
//! | serves nothing | refuses nearly all; but one call a second is let through, to see it come back |
//! | was asked less than [`Policy::minimum_requests`] times | refuses nothing |

mod formula;

mod policy;

mod throttled;

pub use formula::Formula;
pub use policy::Policy;
pub use throttled::{Shed, Throttle};
