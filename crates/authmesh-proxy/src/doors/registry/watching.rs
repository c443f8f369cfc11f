//! Answers who waits for a change: once, or again and again as server-sent events.

use std::time::Duration;

use authmesh::discovery::{Registry, ServiceName, View, Wish};
use http::{HeaderMap, Response, StatusCode, header};
use http_body_util::{BodyExt, Empty};
use tokio::sync::watch;

use super::asker::Asker;
use super::door::may_not_look;
use super::view::ViewText;
use crate::doors::answer::{Answer, json};
use crate::doors::stream::{QUIET, QUIET_LIMIT, Teller, event_stream};

/// How long a request waits for a change.
const WAIT_LIMIT: Duration = Duration::from_secs(30);

/// Somebody who waits for what comes after a revision.
pub(super) struct Watcher {
    /// Asked again after every wait: a wait outlives the rule it began under.
    pub(super) asker: Asker,
    pub(super) registry: Registry,
    pub(super) service: ServiceName,
    pub(super) seen: u64,
    pub(super) closing: watch::Receiver<bool>,
}

impl Watcher {
    /// Answers as the request accepts it.
    pub(super) async fn answer(mut self, headers: &HeaderMap) -> Answer {
        let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
        if accept.is_some_and(|accept| accept.contains("text/event-stream")) {
            // What a browser sends when it comes back to a stream that broke.
            let last =
                headers.get("last-event-id").and_then(|last| last.to_str().ok()?.parse().ok());
            self.seen = last.unwrap_or(self.seen);
            return event_stream(self);
        }
        let waited = self.wait(WAIT_LIMIT).await;
        if !self.asker.may(Wish::Look) {
            return may_not_look(&self.asker.who);
        }
        match waited {
            Some(Some(view)) => json(StatusCode::OK, &ViewText::of(&self.service, &view)),
            Some(None) | None => unchanged(),
        }
    }

    /// The next view; `Some(None)` when `limit` has passed, `None` when the door closes.
    async fn wait(&mut self, limit: Duration) -> Option<Option<View>> {
        let changed = self.registry.changed(&self.service, self.seen);
        tokio::select! {
            biased;
            _ = self.closing.wait_for(|closing| *closing) => None,
            view = tokio::time::timeout(limit, changed) => Some(view.ok()),
        }
    }
}

impl Teller for Watcher {
    async fn next(mut self) -> Option<(String, Self)> {
        let waited = self.wait(QUIET_LIMIT).await?;
        if !self.asker.may(Wish::Look) {
            return None;
        }
        let Some(view) = waited else {
            return Some((QUIET.to_owned(), self));
        };
        self.seen = view.revision;
        let text = serde_json::to_string(&ViewText::of(&self.service, &view)).ok()?;
        Some((format!("id: {}\nevent: view\ndata: {text}\n\n", view.revision), self))
    }
}

fn unchanged() -> Answer {
    let mut answer = Response::new(Empty::new().boxed_unsync());
    *answer.status_mut() = StatusCode::NOT_MODIFIED;
    answer
}
