//! Importing the library runs nothing: no thread before the first touch, no allocation by it.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::hint::black_box;
use std::{fs, io};

use authmesh::{circuit_breaker, config, discovery, health, load_balancer};

/// Counts the allocations of each thread and leaves them to the system.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

#[expect(unsafe_code, reason = "a global allocator is unsafe by its trait; this one passes on")]
// SAFETY: every call goes to the system's allocator as it came; the count touches no memory of it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // A thread that ends may allocate after its counter is gone; nobody asks it any more.
        let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
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

fn allocations(work: impl FnOnce()) -> usize {
    let before = ALLOCATIONS.get();
    work();
    ALLOCATIONS.get() - before
}

fn threads() -> io::Result<usize> {
    Ok(fs::read_dir("/proc/self/task")?.count())
}

/// Something callable of every topic, so that all of them are linked.
fn touch_every_topic() {
    black_box(circuit_breaker::Policy::standard as fn() -> _);
    black_box(<discovery::ServiceName as std::str::FromStr>::from_str as fn(&_) -> _);
    black_box(<load_balancer::Policy as Default>::default as fn() -> _);
    black_box(health::Policy::of as fn(_) -> _);
    black_box(<config::MeshConfig as Default>::default as fn() -> _);
    black_box(circuit_breaker::Policy::standard());
    black_box(load_balancer::Policy::default());
}

#[test]
fn importing_starts_no_thread_and_allocates_nothing() -> io::Result<()> {
    assert_eq!(allocations(|| drop(black_box(Box::new(1_u8)))), 1, "the counter counts");
    let before = threads()?;
    assert!(before <= 2, "{before} threads: more than the runner's own and this test's");
    assert_eq!(allocations(touch_every_topic), 0);
    assert_eq!(threads()?, before);
    Ok(())
}
