//! By which algorithm the limit moves, and between which bounds.

use core::time::Duration;

use crate::{Factor, Ratio};

/// The settings of one limiter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// How the limit moves.
    pub algorithm: Algorithm,
    /// The limit at the beginning.
    pub initial: u32,
    /// The lowest limit; at least 1.
    pub least: u32,
    /// The highest limit.
    pub most: u32,
    /// How long samples are gathered before the limit moves by their mean; zero is each by itself.
    pub window: Duration,
    /// The fewest samples that move the limit.
    pub fewest_samples: u32,
}

/// How a limit moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// Additive increase, multiplicative decrease.
    Aimd {
        /// What a drop multiplies the limit by.
        backoff: Ratio,
        /// A call that takes longer is a drop.
        timeout: Duration,
    },
    /// By the queue that is inferred from the quickest answer seen.
    Vegas {
        /// How much of each step is taken; the rest stays at the limit before.
        smoothing: Ratio,
        /// How far a long queue lowers the limit.
        decrease: Decrease,
        /// The quickest answer is looked for anew after so many calls, times the limit, times a
        /// random half to one.
        renew_after: u32,
    },
    /// By the ratio of the mean of the past to the present.
    Gradient2 {
        /// How much slower than the past is still as quick.
        tolerance: Factor,
        /// How many calls may wait at the dependency.
        queue: u32,
        /// How much of each step is taken; the rest stays at the limit before.
        smoothing: Ratio,
        /// How many samples the mean of the past reaches back.
        long_window: u32,
    },
}

/// How far a long queue lowers the limit of Vegas.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Decrease {
    /// By its decimal logarithm.
    #[default]
    Logarithm,
    /// To half of it.
    Half,
}

impl Algorithm {
    /// AIMD with the constants of its source.
    pub const AIMD: Self =
        Self::Aimd { backoff: Ratio::percent(90), timeout: Duration::from_secs(5) };
    /// Vegas with the constants of its source.
    pub const VEGAS: Self =
        Self::Vegas { smoothing: Ratio::ONE, decrease: Decrease::Logarithm, renew_after: 30 };
    /// Gradient2 with the constants of its source.
    pub const GRADIENT2: Self = Self::Gradient2 {
        tolerance: Factor::thousandths(1_500),
        queue: 4,
        smoothing: Ratio::percent(20),
        long_window: 600,
    };

    /// The word used in the configuration and in metrics.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Aimd { .. } => "aimd",
            Self::Vegas { .. } => "vegas",
            Self::Gradient2 { .. } => "gradient2",
        }
    }
}

impl Policy {
    /// This algorithm between 20 and 200 calls, moved once a second by at least 10 samples; AIMD is
    /// moved by each sample, as its steps are of one.
    #[must_use]
    pub const fn of(algorithm: Algorithm) -> Self {
        let is_by_each = matches!(algorithm, Algorithm::Aimd { .. });
        let (window, fewest_samples) =
            if is_by_each { (Duration::ZERO, 1) } else { (Duration::from_secs(1), 10) };
        Self { algorithm, initial: 20, least: 20, most: 200, window, fewest_samples }
    }
}
