//! Where atomics come from: the one place that a model checker changes.

#[cfg(not(any(authmesh_loom, authmesh_shuttle)))]
pub(crate) use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

#[cfg(authmesh_loom)]
pub(crate) use loom::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
#[cfg(authmesh_shuttle)]
pub(crate) use shuttle::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

/// Stands where code relies on the one order of all sequentially consistent accesses: of two calls
/// that each write and then read what the other writes, at least one sees the other.
///
/// The accesses themselves give that order, so nothing is done here.
#[cfg(not(authmesh_loom))]
pub(crate) const fn total_order() {}

/// Loom gives such accesses less order than the language does; here it gets the fence instead.
#[cfg(authmesh_loom)]
pub(crate) fn total_order() {
    if !crate::mutant::is(crate::mutant::Mutant::NoTotalOrder) {
        loom::sync::atomic::fence(Ordering::SeqCst);
    }
}
