//! Gathers samples of many cores until the limit is moved by them.

use core::time::Duration;

use super::estimate::Sample;
use crate::sync::{AtomicU32, AtomicU64, Ordering};

/// Samples since the limit moved last.
#[derive(Debug, Default)]
pub(super) struct Samples {
    /// `microseconds:40 | samples:24` in one word, so that the mean is of whole samples.
    sums: AtomicU64,
    in_flight: AtomicU32,
    dropped: AtomicU32,
}

const COUNT_BITS: u32 = 24;
const COUNT_MASK: u64 = (1 << COUNT_BITS) - 1;

/// A sample of a call that took longer counts as this, so that sums keep within their field.
const LONGEST: Duration = Duration::from_secs(60);

/// No more samples than this are gathered: they have said what there is to say.
const MOST_SAMPLES: u64 = 16_000;

impl Samples {
    pub(super) fn add(&self, sample: &Sample) {
        self.in_flight.fetch_max(sample.in_flight, Ordering::Relaxed);
        if sample.dropped {
            self.dropped.store(1, Ordering::Relaxed);
        }
        if self.count() < MOST_SAMPLES {
            let micros = sample.took.min(LONGEST).as_micros() as u64;
            self.sums.fetch_add(micros.max(1) << COUNT_BITS | 1, Ordering::Relaxed);
        }
    }

    pub(super) fn count(&self) -> u64 {
        self.sums.load(Ordering::Relaxed) & COUNT_MASK
    }

    /// The mean of what was gathered, and gathering starts anew; `None` if nothing was.
    pub(super) fn take(&self) -> Option<Sample> {
        let sums = self.sums.swap(0, Ordering::Relaxed);
        let in_flight = self.in_flight.swap(0, Ordering::Relaxed);
        let dropped = self.dropped.swap(0, Ordering::Relaxed) != 0;
        let micros = (sums >> COUNT_BITS).checked_div(sums & COUNT_MASK)?;
        Some(Sample { took: Duration::from_micros(micros), in_flight, dropped })
    }
}
