//! Finds out how many calls a dependency can carry at once, and refuses what is more.
//!
//! No queue: a login that waited is a login nobody waits for any more. [`Estimate`] is the number,
//! moved by what calls showed; [`Limiter`] counts who is in flight and admits by [`Priority`].
//!
//! | algorithm | raises the limit | lowers it | source |
//! |---|---|---|---|
//! | [`Algorithm::Aimd`] | by 1, when half of it is used | by a factor, when a call was dropped or took too long | TCP (Chiu, Jain 1989); concurrency-limits `AIMDLimit` |
//! | [`Algorithm::Vegas`] | by a logarithm, when the queue it infers is short | by a logarithm, when that queue is long, or a call was dropped | TCP Vegas (Brakmo 1994); concurrency-limits `VegasLimit` |
//! | [`Algorithm::Gradient2`] | by a fixed queue, when answers are as quick as they were | by how much slower they are than they were | concurrency-limits `Gradient2Limit` |
//!
//! | a call of priority | may enter while in flight are fewer than |
//! |---|---|
//! | 0 | the limit |
//! | 1, 2, 3, 4 | 95, 90, 80, 60 % of it, rounded up |

mod policy;

mod priority;

mod estimate;

mod samples;

mod limiter;

pub use estimate::{Estimate, Sample};
pub use limiter::{Full, Limiter, Place};
pub use policy::{Algorithm, Decrease, Policy};
pub use priority::Priority;
