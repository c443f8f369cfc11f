//! What the mesh says of itself: counted once, told once.

mod counters;
mod event;

pub(crate) use counters::{Counted, OperationCounters};
pub use counters::{LATENCY_BOUNDS_MS, OperationMetrics};
pub(crate) use event::EventSender;
pub use event::{Event, EventKind, EventReceiver};
