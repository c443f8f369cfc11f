//! Walks the operations of a snapshot.

use authmesh::telemetry::{MeshMetrics, OperationMetrics};

/// Every operation with its service's name.
pub(super) fn operations(metrics: &MeshMetrics) -> impl Iterator<Item = (&str, &OperationMetrics)> {
    metrics.services.iter().flat_map(|service| {
        service.operations.iter().map(|operation| (service.name.as_str(), operation))
    })
}
