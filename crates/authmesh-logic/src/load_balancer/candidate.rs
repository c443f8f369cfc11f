//! What a load balancer must know of an endpoint.

use alloc::sync::Arc;

use crate::discovery::Weight;

/// An endpoint, as far as choosing it is concerned. Each answer is read at the moment of the
/// choice, so it should cost no more than a relaxed load.
pub trait Candidate {
    /// The cost of what it has in flight: requests, or the sum of their declared costs.
    fn load(&self) -> u64;

    /// Its share.
    fn weight(&self) -> Weight;

    /// Whether it may take a request now.
    fn admits(&self) -> bool;
}

impl<C: Candidate + ?Sized> Candidate for &C {
    fn load(&self) -> u64 {
        (**self).load()
    }

    fn weight(&self) -> Weight {
        (**self).weight()
    }

    fn admits(&self) -> bool {
        (**self).admits()
    }
}

impl<C: Candidate + ?Sized> Candidate for Arc<C> {
    fn load(&self) -> u64 {
        (**self).load()
    }

    fn weight(&self) -> Weight {
        (**self).weight()
    }

    fn admits(&self) -> bool {
        (**self).admits()
    }
}

#[cfg(test)]
pub(super) mod double {
    //! An endpoint that is what it says.
    use super::*;

    #[derive(Clone, Copy, Debug)]
    pub(in super::super) struct Endpoint {
        pub(in super::super) load: u64,
        pub(in super::super) weight: Weight,
        pub(in super::super) admits: bool,
    }

    impl Endpoint {
        pub(in super::super) fn weighing(hundredths: u16) -> Self {
            Self { load: 0, weight: Weight::hundredths(hundredths), admits: true }
        }

        pub(in super::super) fn loaded(load: u64) -> Self {
            Self { load, ..Self::weighing(100) }
        }
    }

    impl Candidate for Endpoint {
        fn load(&self) -> u64 {
            self.load
        }

        fn weight(&self) -> Weight {
            self.weight
        }

        fn admits(&self) -> bool {
            self.admits
        }
    }
}
