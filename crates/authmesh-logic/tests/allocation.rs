//! What a breaker takes from the heap: all of it when it is built, nothing on the way of a call.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::hint::black_box;
use std::time::Duration;

use authmesh_logic::circuit_breaker::{
    AdvancedCircuitBreaker, CircuitBreaker, Command, Policy, Window,
};
use authmesh_logic::outcome::{Outcome, OutcomeKind};
use authmesh_logic::{Dice, Lane, Moment};

/// Counts the allocations of each thread and their bytes, and leaves them to the system.
struct Counting;

thread_local! {
    static TAKEN: Cell<(usize, usize)> = const { Cell::new((0, 0)) };
}

#[expect(unsafe_code, reason = "a global allocator is unsafe by its trait; this one passes on")]
// SAFETY: every call goes to the system's allocator as it came; the count touches no memory of it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // A thread that ends may allocate after its counter is gone; nobody asks it any more.
        let _ = TAKEN.try_with(|taken| {
            let (count, bytes) = taken.get();
            taken.set((count + 1, bytes + layout.size()));
        });
        // SAFETY: as the caller of this function promised.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as the caller of this function promised.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// How many allocations `work` made, and of how many bytes.
fn taken(work: impl FnOnce()) -> (usize, usize) {
    let before = TAKEN.get();
    work();
    let after = TAKEN.get();
    (after.0 - before.0, after.1 - before.1)
}

/// Every outcome there is, in time and slow.
fn outcomes() -> impl Iterator<Item = Outcome> {
    let slow = |outcome: Outcome| [outcome, outcome.slow()];
    OutcomeKind::ALL.into_iter().flat_map(move |kind| slow(Outcome::of(kind)))
}

/// Leads a breaker of either kind through calls, trips, refusals, trials, a ramp and commands.
macro_rules! lead_through_its_life {
    ($breaker:expr, $policy:expr) => {{
        let (breaker, policy, dice) = (&$breaker, &$policy, &mut Dice::seeded(2));
        let mut now = Moment::START;
        for (round, outcome) in (0..40).flat_map(|round| outcomes().map(move |it| (round, it))) {
            let lane = Lane::new(round);
            now = now + Duration::from_millis(300);
            if let (Ok(permit), _) = breaker.try_acquire(policy, lane, dice, now) {
                black_box(breaker.record(policy, lane, permit, outcome, now));
            }
            if let (Ok(permit), _) = breaker.try_acquire(policy, lane, dice, now) {
                breaker.cancel(permit);
            }
            black_box((breaker.state(policy, now), breaker.counts(policy, now)));
            black_box(breaker.would_admit(policy, now));
        }
        for command in [Command::Open, Command::HalfOpen, Command::ForceOpen(None)] {
            black_box(breaker.command(policy, command, now));
            black_box(breaker.try_acquire(policy, Lane::FIRST, dice, now).0.is_ok());
        }
    }};
}

#[test]
fn i8_neither_admitting_nor_recording_nor_refusing_allocates() {
    assert_eq!(taken(|| drop(black_box(Box::new(1_u64)))), (1, 8), "the counter counts");
    for window in [Policy::standard().window, Window::Count { calls: 50 }] {
        for shards in [1, 4] {
            let policy = Policy { window, ..Policy::standard() };
            let dice = &mut Dice::seeded(1);
            let breaker = AdvancedCircuitBreaker::new(&policy, shards, dice, Moment::START);
            assert_eq!(taken(|| lead_through_its_life!(breaker, policy)), (0, 0));
        }
    }
    let policy = Policy::standard();
    let breaker = CircuitBreaker::new(&mut Dice::seeded(1), Moment::START);
    assert_eq!(taken(|| lead_through_its_life!(breaker, policy)), (0, 0));
}

#[test]
fn a_hundred_thousand_breakers_at_rest_take_at_most_256_bytes_each() {
    const BREAKERS: usize = 100_000;
    let (policy, dice) = (Policy::standard(), &mut Dice::seeded(1));
    assert_eq!(policy.window, Window::Time { length: Duration::from_secs(10), buckets: 10 });
    let mut breakers = Vec::new();
    let (_, bytes) = taken(|| {
        breakers.reserve_exact(BREAKERS);
        let new = || AdvancedCircuitBreaker::new(&policy, 1, dice, Moment::START);
        breakers.extend(std::iter::repeat_with(new).take(BREAKERS));
    });
    assert!(bytes <= 256 * BREAKERS, "{} bytes each", bytes / BREAKERS);
    // They are whole: the last one opens like any other, and takes nothing more.
    let last = &breakers[BREAKERS - 1];
    assert_eq!(taken(|| lead_through_its_life!(last, policy)), (0, 0));
    assert!(size_of::<CircuitBreaker>() <= 32);
}
