//! At whose expense a service's requests are tried again: a bucket that requests fill.

use alloc::boxed::Box;

use crate::sync::{AtomicU64, Ordering};
use crate::{Lane, Moment};

/// How many retries a service can still afford.
///
/// A token bucket without a lock. Each request adds a fifth of a retry, each second adds ten, each
/// retry takes one, and the bucket holds what ten seconds without requests add: 100. It starts
/// full. So retries add at most a fifth to the load of a service that fails everything (and ten a
/// second, so that a quiet service can retry at all), and a fault cannot feed itself.
///
/// Nothing is written as time passes. What has ever come in is a line that only rises: time plus
/// requests. What has gone out is a mark on that line, and the bucket is the distance between
/// them, at most the capacity. A mark that fell further behind is moved up when it is next used;
/// that is the same as spilling what did not fit when it came, because only withdrawals lower the
/// bucket. (The generic cell rate algorithm, ITU-T I.371, with requests beside time.)
#[derive(Debug)]
pub struct Budget {
    /// How many requests each lane has seen.
    requests: Box<[Requests]>,
    /// The mark: everything below it was spent or spilled, in parts.
    spent: AtomicU64,
}

/// One lane's count, on a cache line of its own.
#[derive(Debug)]
#[repr(align(64))]
struct Requests(AtomicU64);

impl Budget {
    /// The most retries it holds.
    pub const CAPACITY: u64 = 100;
    /// Thousandths of a retry: the unit of the line.
    const PARTS: u64 = 1_000;
    const PARTS_HELD: u64 = Self::CAPACITY * Self::PARTS;
    const PARTS_PER_REQUEST: u64 = Self::PARTS / 5;
    /// Ten retries a second.
    const NANOS_PER_PART: u64 = 1_000_000_000 / (10 * Self::PARTS);

    /// A full budget for callers in `lanes` lanes; 0 is taken as 1.
    #[must_use]
    pub fn new(lanes: usize) -> Self {
        Self {
            requests: (0..lanes.max(1)).map(|_| Requests(AtomicU64::new(0))).collect(),
            spent: AtomicU64::new(0),
        }
    }

    /// Counts a request (not a retry): a fifth of a retry comes in.
    pub fn deposit(&self, lane: Lane) {
        let shard = lane.shard(self.requests.len());
        if let Some(Requests(count)) = self.requests.get(shard) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Takes one retry out; `false`, and nothing taken, if there is less than one.
    #[must_use]
    pub fn try_withdraw(&self, now: Moment) -> bool {
        let line = self.line(now);
        let mut spent = self.spent.load(Ordering::Relaxed);
        loop {
            let held = held(line, spent);
            if held < Self::PARTS {
                return false;
            }
            let mark = line - held + Self::PARTS;
            // Nothing else is published through the mark, so no order beyond its own is needed.
            match self.spent.compare_exchange_weak(
                spent,
                mark,
                Ordering::Relaxed,
                Ordering::Relaxed,
            ) {
                Ok(_) => return true,
                Err(newer) => spent = newer,
            }
        }
    }

    /// How many retries could be taken now.
    #[must_use]
    pub fn available(&self, now: Moment) -> u64 {
        held(self.line(now), self.spent.load(Ordering::Relaxed)) / Self::PARTS
    }

    /// Everything that has come in until `now`, in parts; the first fill included.
    ///
    /// It would overflow after 3 000 years of a million requests a second.
    fn line(&self, now: Moment) -> u64 {
        let requests = self
            .requests
            .iter()
            .fold(0_u64, |sum, Requests(count)| sum.saturating_add(count.load(Ordering::Relaxed)));
        (Self::PARTS_HELD + now.as_nanos() / Self::NANOS_PER_PART)
            .saturating_add(requests.saturating_mul(Self::PARTS_PER_REQUEST))
    }
}

/// What is in the bucket when the line stands at `line` and the mark at `spent`.
fn held(line: u64, spent: u64) -> u64 {
    // A caller whose reading of the clock is older than the mark sees an empty bucket.
    line.saturating_sub(spent).min(Budget::PARTS_HELD)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use std::vec::Vec;

    use super::*;

    fn drain(budget: &Budget, now: Moment) -> u64 {
        (0..=Budget::CAPACITY).take_while(|_| budget.try_withdraw(now)).count() as u64
    }

    #[test]
    fn it_starts_full_at_any_moment_and_holds_no_more_after_a_year() {
        for start in [Moment::START, Moment::from_millis(365 * 86_400_000)] {
            let budget = Budget::new(1);
            assert_eq!(budget.available(start), 100);
            assert_eq!(drain(&budget, start), 100);
        }
    }

    #[test]
    fn five_requests_pay_for_one_retry() {
        let budget = Budget::new(1);
        drain(&budget, Moment::START);
        for _ in 0..4 {
            budget.deposit(Lane::FIRST);
        }
        assert!(!budget.try_withdraw(Moment::START));
        budget.deposit(Lane::FIRST);
        assert!(budget.try_withdraw(Moment::START));
        assert!(!budget.try_withdraw(Moment::START));
    }

    #[test]
    fn ten_retries_a_second_come_without_requests() {
        let budget = Budget::new(1);
        drain(&budget, Moment::START);
        assert!(!budget.try_withdraw(Moment::from_millis(99)));
        assert!(budget.try_withdraw(Moment::from_millis(100)));
        assert_eq!(budget.available(Moment::from_millis(1_100)), 10);
    }

    #[test]
    fn a_clock_that_steps_back_lends_nothing() {
        let budget = Budget::new(1);
        assert_eq!(drain(&budget, Moment::from_millis(60_000)), 100);
        assert!(!budget.try_withdraw(Moment::START));
        assert_eq!(budget.available(Moment::START), 0);
    }

    #[test]
    fn threads_together_take_exactly_what_there_is() {
        const THREADS: u16 = 4;
        const REQUESTS: u64 = 5_000;
        let budget = Budget::new(2);
        let mut taken: u64 = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS)
                .map(|lane| {
                    let budget = &budget;
                    scope.spawn(move || {
                        (0..REQUESTS)
                            .filter(|_| {
                                budget.deposit(Lane::new(lane));
                                budget.try_withdraw(Moment::START)
                            })
                            .count() as u64
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        taken += drain(&budget, Moment::START);
        // Each withdraws as often as it deposits, so after the first moments the bucket is nearly
        // empty: at most what it holds can have spilled, and nothing can have come from nowhere.
        let came_in = Budget::CAPACITY + u64::from(THREADS) * REQUESTS / 5;
        assert!(taken <= came_in, "{taken} of {came_in}");
        assert!(taken >= came_in - Budget::CAPACITY, "{taken} of {came_in}");
    }

    #[derive(Clone, Copy, Debug)]
    enum Step {
        Request,
        Retry,
        Wait(u64),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            4 => Just(Step::Request),
            4 => Just(Step::Retry),
            1 => (0_u64..500_000_000).prop_map(Step::Wait),
        ];
        proptest::collection::vec(step, 0..800)
    }

    proptest! {
        /// The oracle is the bucket as one would write it with a lock: it overflows when it fills.
        #[test]
        fn it_equals_a_bucket_that_spills_at_once(steps in steps(), start in 0_u64..10_000_000_000) {
            // In parts of 1/1000 retry; time moves in whole parts so that neither side rounds.
            let mut now = start / Budget::NANOS_PER_PART * Budget::NANOS_PER_PART;
            let budget = Budget::new(3);
            let mut level = 100_000_u64;
            for (turn, step) in steps.into_iter().enumerate() {
                match step {
                    Step::Request => {
                        budget.deposit(Lane::new(turn as u16));
                        level = (level + 200).min(100_000);
                    }
                    Step::Wait(nanos) => {
                        let parts = nanos / Budget::NANOS_PER_PART;
                        now += parts * Budget::NANOS_PER_PART;
                        level = (level + parts).min(100_000);
                    }
                    Step::Retry => {
                        let affordable = level >= 1_000;
                        prop_assert_eq!(budget.try_withdraw(Moment::from_nanos(now)), affordable);
                        if affordable {
                            level -= 1_000;
                        }
                    }
                }
                prop_assert_eq!(budget.available(Moment::from_nanos(now)), level / 1_000);
            }
        }
    }
}
