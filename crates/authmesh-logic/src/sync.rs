//! Where atomics come from: the one place that a model checker changes.

pub(crate) use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering, fence};
