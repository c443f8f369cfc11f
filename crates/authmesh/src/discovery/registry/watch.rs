//! A source that watches one service of a registry.

use super::Registry;
use crate::discovery::{NextUpdate, ServiceName, Source, Update};

/// Says what a registry knows of one service, and each change.
#[derive(Clone, Debug)]
pub struct Watch {
    registry: Registry,
    service: ServiceName,
    seen: Option<u64>,
}

impl Watch {
    pub(super) const fn new(registry: Registry, service: ServiceName) -> Self {
        Self { registry, service, seen: None }
    }
}

impl Source for Watch {
    fn next(&mut self) -> NextUpdate<'_> {
        Box::pin(async {
            let view = match self.seen {
                None => self.registry.list(&self.service),
                Some(seen) => self.registry.changed(&self.service, seen).await,
            };
            self.seen = Some(view.revision);
            Update::View(view)
        })
    }
}
