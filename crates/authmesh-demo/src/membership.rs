//! Keeps an instance in the registry while it lives, through the same door as any other program.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, header};
use http_body_util::Full;
use serde_json::{Value, json};

use crate::instance::{Fault, FaultWatch, Instance};
use crate::wire::Connections;

/// One instance's place in the registry.
pub(crate) struct Membership {
    door: Connections,
    /// Where the door is, as `Host` says it.
    host: String,
    path: String,
    address: SocketAddr,
    faults: FaultWatch,
}

/// How long an instance stays registered without a heartbeat, in seconds.
const TIME_TO_LIVE_S: u64 = 3;

/// The time between two heartbeats: two may be lost.
const BEAT: Duration = Duration::from_secs(1);

/// How long the registry may take to answer.
const PATIENCE: Duration = Duration::from_millis(500);

impl Membership {
    /// The place of an instance at the registry whose door is here.
    pub(crate) fn of(instance: &Instance, door: SocketAddr) -> Self {
        Self {
            door: Connections::to(door),
            host: door.to_string(),
            path: format!("/v1/registry/{}/{}", instance.kind().name(), instance.name()),
            address: instance.address(),
            faults: instance.faults(),
        }
    }

    /// Registers whenever the instance starts, renews while it lives, deregisters when it leaves.
    /// One that dies or stands still does neither.
    pub(crate) async fn keep(mut self) {
        let mut incarnation: u64 = 0;
        loop {
            incarnation += 1;
            self.register(incarnation).await;
            loop {
                tokio::select! {
                    fault = self.faults.until(|fault| fault.is_down()) => {
                        if fault == Fault::Leaving {
                            self.ask(Method::DELETE, &self.path, None).await;
                        }
                        break;
                    }
                    () = tokio::time::sleep(BEAT) => {}
                }
                let is_frozen = self.faults.now() == Fault::Frozen;
                if !is_frozen && !self.beat().await {
                    self.register(incarnation).await;
                }
            }
            self.faults.until(|fault| !fault.is_down()).await;
        }
    }

    async fn register(&self, incarnation: u64) {
        let facts = json!({
            "addresses": [self.address.to_string()],
            "ttl_s": TIME_TO_LIVE_S,
            "incarnation": incarnation,
        });
        self.ask(Method::PUT, &self.path, Some(&facts)).await;
    }

    async fn beat(&self) -> bool {
        self.ask(Method::POST, &format!("{}/heartbeat", self.path), None).await
    }

    /// Whether the registry said yes. If it does not, the next beat registers again.
    async fn ask(&self, method: Method, path: &str, facts: Option<&Value>) -> bool {
        let body = Full::from(facts.map(Value::to_string).unwrap_or_default());
        let request: Result<Request<Full<Bytes>>, _> = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, &self.host)
            .header(header::CONTENT_TYPE, "application/json")
            .body(body);
        let Ok(request) = request else { return false };
        let answer = tokio::time::timeout(PATIENCE, self.door.exchange(request)).await;
        matches!(answer, Ok(Ok(answer)) if answer.status == 200)
    }
}
