//! What happened, for people to see: bounded, and never in anybody's way.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use authmesh_logic::circuit_breaker::{Command, Transition};
use authmesh_logic::discovery::{InstanceId, ServiceName};
use authmesh_logic::health::Verdict;
use authmesh_logic::outlier::Cause;
use tokio::sync::broadcast;

/// Something that happened in a mesh.
#[derive(Clone, Debug)]
pub struct Event {
    /// When, by the time of day.
    pub at: SystemTime,
    /// To which service.
    pub service: ServiceName,
    /// What.
    pub kind: EventKind,
}

/// What happened.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum EventKind {
    /// The breaker of an operation went from one state to another.
    ServiceBreaker {
        /// The operation.
        operation: String,
        /// From where to where, and the counts that caused it.
        transition: Transition,
    },
    /// The breaker of an endpoint went from one state to another.
    EndpointBreaker {
        /// The endpoint's instance.
        instance: InstanceId,
        /// From where to where, and the counts that caused it.
        transition: Transition,
    },
    /// An operator told a breaker something; its change of state follows, if it made one.
    BreakerCommanded {
        /// Which: `SERVICE/OPERATION`, or `SERVICE@INSTANCE`.
        breaker: String,
        /// What.
        command: Command,
        /// Who.
        who: String,
        /// Why.
        why: String,
    },
    /// An instance joined.
    Joined(InstanceId),
    /// An instance was removed by its source.
    Left(InstanceId),
    /// Checks concluded something new of an instance.
    Health {
        /// The instance.
        instance: InstanceId,
        /// What was concluded.
        status: Verdict,
        /// Why, in a sentence.
        reason: String,
    },
    /// A throttled answer asked for a pause: requests of its quota are refused for this long.
    QuotaClosed {
        /// The quota: its name, or the operation's.
        quota: String,
        /// For how long.
        lasts: Duration,
    },
    /// An instance is taken out: its outcomes stand out from those of its siblings.
    Ejected {
        /// The instance.
        instance: InstanceId,
        /// By which rule.
        cause: Cause,
        /// For how long at least.
        lasts: Duration,
    },
    /// An instance stands out and stays: as many are out as may be.
    Spared {
        /// The instance.
        instance: InstanceId,
        /// By which rule.
        cause: Cause,
    },
    /// An instance that was ejected is in again.
    Returned(InstanceId),
    /// The source of instances cannot be reached; the last view stands.
    SourceLost {
        /// Why, in a sentence.
        reason: String,
    },
    /// The source of instances is reached again.
    SourceFound,
    /// Too few instances are healthy: all that are enabled take requests.
    PanicBegan,
    /// Enough instances are healthy again.
    PanicEnded,
    /// Access rules refused requests. A flood of them is one event now and then.
    Refused {
        /// Why the last one was refused.
        reason: &'static str,
        /// Which rule denied it, if one did.
        rule: Option<String>,
        /// How many were refused since this was told last.
        requests: u64,
    },
}

/// Receives events from the moment it was made.
pub struct EventReceiver {
    receiver: broadcast::Receiver<Event>,
    missed: u64,
    /// What all receivers missed together.
    missed_by_all: Arc<AtomicU64>,
}

impl EventReceiver {
    /// The next event; `None` once the mesh is gone. A receiver that falls more than
    /// [`Self::CAPACITY`] behind misses the oldest, and [`Self::missed`] says how many.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            match self.receiver.recv().await {
                Ok(event) => return Some(event),
                Err(broadcast::error::RecvError::Lagged(missed)) => {
                    self.missed += missed;
                    self.missed_by_all.fetch_add(missed, Ordering::Relaxed);
                }
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    }

    /// How many events this receiver was too slow for.
    #[must_use]
    pub const fn missed(&self) -> u64 {
        self.missed
    }

    /// How many events wait for a slow receiver.
    pub const CAPACITY: usize = 1_024;
}

/// Where events are told.
pub(crate) struct EventSender {
    sender: broadcast::Sender<Event>,
    told: AtomicU64,
    missed: Arc<AtomicU64>,
}

impl EventSender {
    pub(crate) fn new() -> Self {
        let sender = broadcast::Sender::new(EventReceiver::CAPACITY);
        Self { sender, told: AtomicU64::new(0), missed: Arc::default() }
    }

    pub(crate) fn receiver(&self) -> EventReceiver {
        let missed_by_all = Arc::clone(&self.missed);
        EventReceiver { receiver: self.sender.subscribe(), missed: 0, missed_by_all }
    }

    /// Tells whoever listens, and the log. Never waits.
    pub(crate) fn tell(&self, at: SystemTime, service: &ServiceName, kind: EventKind) {
        log(service, &kind);
        self.told.fetch_add(1, Ordering::Relaxed);
        // Nobody listening is no fault.
        let _ = self.sender.send(Event { at, service: service.clone(), kind });
    }

    pub(crate) fn told(&self) -> u64 {
        self.told.load(Ordering::Relaxed)
    }

    /// How many events receivers were too slow for.
    pub(crate) fn missed(&self) -> u64 {
        self.missed.load(Ordering::Relaxed)
    }
}

fn log(service: &ServiceName, kind: &EventKind) {
    match kind {
        EventKind::ServiceBreaker { operation, transition } => tracing::warn!(
            %service, %operation, from = transition.from.word(), to = transition.to.word(),
            cause = transition.cause.word(), "breaker of the service moved"
        ),
        EventKind::EndpointBreaker { instance, transition } => tracing::warn!(
            %service, %instance, from = transition.from.word(), to = transition.to.word(),
            cause = transition.cause.word(), "breaker of the endpoint moved"
        ),
        EventKind::BreakerCommanded { breaker, command, who, why } => tracing::warn!(
            %breaker, command = command.word(), lasts = ?command.lasts(), %who, %why,
            "breaker commanded"
        ),
        EventKind::Joined(instance) => tracing::info!(%service, %instance, "instance joined"),
        EventKind::Left(instance) => tracing::info!(%service, %instance, "instance left"),
        EventKind::Health { instance, status, reason } => tracing::warn!(
            %service, %instance, status = status.word(), %reason, "health changed"
        ),
        EventKind::QuotaClosed { quota, lasts } => {
            tracing::warn!(%service, %quota, ?lasts, "quota closed");
        }
        EventKind::Ejected { instance, cause, lasts } => tracing::warn!(
            %service, %instance, cause = cause.word(), ?lasts, "instance ejected"
        ),
        EventKind::Spared { instance, cause } => tracing::warn!(
            %service, %instance, cause = cause.word(), "instance stands out and is not ejected"
        ),
        EventKind::Returned(instance) => tracing::info!(%service, %instance, "instance returned"),
        EventKind::SourceLost { reason } => tracing::warn!(%service, %reason, "source lost"),
        EventKind::SourceFound => tracing::info!(%service, "source found again"),
        EventKind::PanicBegan => tracing::warn!(
            %service, "too few healthy instances: every enabled one takes requests"
        ),
        EventKind::PanicEnded => tracing::info!(%service, "enough healthy instances again"),
        EventKind::Refused { reason, rule, requests } => tracing::warn!(
            %service, reason, rule, requests, "access rules refused requests"
        ),
    }
}
