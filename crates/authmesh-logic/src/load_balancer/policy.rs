//! How an endpoint is chosen.

/// The settings of one load balancer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// How an endpoint is chosen.
    pub strategy: Strategy,
}

/// How an endpoint is chosen among those that may take the request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Strategy {
    /// The endpoint with the least load per weight: all are looked at up to 8, beyond that two
    /// distinct ones drawn at random.
    #[default]
    LeastLoaded,
    /// In turn, by weight, smoothly.
    RoundRobin,
}

impl Strategy {
    /// Every strategy.
    pub const ALL: [Self; 2] = [Self::LeastLoaded, Self::RoundRobin];

    /// The word used in configuration, metrics and JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::LeastLoaded => "least_loaded",
            Self::RoundRobin => "round_robin",
        }
    }
}
