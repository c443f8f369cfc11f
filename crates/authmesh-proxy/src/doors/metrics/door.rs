//! Answers at the door for machines: `/metrics`, `/healthz`, `/readyz`, and nothing else.

use std::sync::Arc;
use std::time::Duration;

use http::{Method, Request, StatusCode, header};
use hyper::body::Incoming;

use super::scrape::scrape;
use super::text::Format;
use crate::doors::accept::{Door, Peer};
use crate::doors::answer::{Answer, json, not_found, whole, wrong_method};
use crate::doors::readiness::Readiness;
use crate::doors::standing::Standing;

/// The door for machines.
pub(crate) struct MetricsDoor(pub(crate) Arc<Standing>);

impl Door for MetricsDoor {
    const NAME: &'static str = "metrics";

    const LONGEST_CONNECTION: Duration = Duration::from_secs(600);

    async fn answer(&self, _: Peer, request: Request<Incoming>) -> Answer {
        let path = request.uri().path();
        if !["/metrics", "/healthz", "/readyz"].contains(&path) {
            return not_found("there are /metrics, /healthz and /readyz here");
        }
        if *request.method() != Method::GET && *request.method() != Method::HEAD {
            return wrong_method("GET, HEAD");
        }
        match path {
            "/metrics" => {
                let accept = request.headers().get(header::ACCEPT);
                let accept = accept.and_then(|accept| accept.to_str().ok()).unwrap_or_default();
                let format = Format::accepted(accept);
                whole(StatusCode::OK, format.media_type(), scrape(&self.0, format))
            }
            "/readyz" => {
                let readiness = Readiness::of(&self.0, &self.0.mesh.status());
                let status = match readiness.ready {
                    true => StatusCode::OK,
                    false => StatusCode::SERVICE_UNAVAILABLE,
                };
                json(status, &readiness)
            }
            _ => whole(StatusCode::OK, "text/plain; charset=utf-8", "ok\n".to_owned()),
        }
    }
}
