//! What the mesh says of itself: counted once, told once.

mod counters;
mod event;
mod metrics;

pub use counters::LATENCY_BOUNDS_MS;
pub(crate) use counters::{Counted, EndpointBreakerCounters, OperationCounters};
pub(crate) use event::EventSender;
pub use event::{Event, EventKind, EventReceiver};
pub use metrics::{
    AdmissionMetrics, EndpointBreakersMetrics, InstanceMetrics, MeshMetrics, OperationMetrics,
    ServiceMetrics,
};
