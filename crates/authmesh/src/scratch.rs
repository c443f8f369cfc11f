//! Memory that each thread reads into: what is not passed on at once is copied out of it.

use std::cell::Cell;

/// The size of the memory, in bytes.
const SIZE: usize = 64 * 1024;

thread_local! {
    static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Lends this thread's memory; what is in it is left over from others.
pub fn with_scratch<T>(play: impl FnOnce(&mut [u8]) -> T) -> T {
    // Taken out meanwhile, so that a second borrower gets memory of its own.
    let mut scratch = SCRATCH.take();
    scratch.resize(SIZE, 0);
    let result = play(&mut scratch);
    SCRATCH.set(scratch);
    result
}
