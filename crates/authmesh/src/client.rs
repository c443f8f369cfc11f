//! The client of one service: a `tower::Service`, cheap to clone.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use authmesh_logic::Lane;
use authmesh_logic::config::{Classifier, Protocol};
use authmesh_logic::retry::OperationClass;
use bytes::Bytes;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderValue, Request, Response, Uri, Version, header};
use http_body::Body;

use crate::error::{BoxError, Error};
use crate::pick::Picked;
use crate::raw_reply::RawReply;
use crate::raw_request::RawRequest;
use crate::request_body::RequestBody;
use crate::response_body::ResponseBody;
use crate::service::{DEFAULT_OPERATION, Service, Target, Treatment};
use crate::{pick, stack};

/// Sends requests to one service of a mesh.
///
/// Clones share their worker's connections and counters; workers of a program that has several get
/// a client each from [`Mesh::service`](crate::Mesh::service).
#[derive(Clone)]
pub struct ServiceClient {
    target: Arc<Target>,
}

impl ServiceClient {
    pub(crate) fn new(service: Arc<Service>, lane: Lane) -> Self {
        Self::of(service, DEFAULT_OPERATION, Treatment::default(), lane)
    }

    /// The name of the service.
    #[must_use]
    pub fn name(&self) -> &str {
        self.target.service.name.as_str()
    }

    /// The same service, for requests that do `operation`: they share a breaker and counters. A
    /// service has at most 256 operations; a further one counts as the default.
    #[must_use]
    pub fn operation(&self, operation: &str) -> Self {
        let Target { service, treatment, lane, .. } = &*self.target;
        Self::of(Arc::clone(service), operation, *treatment, *lane)
    }

    /// The same service and operation, for requests of this class, whatever their method; as
    /// [`OperationClass::SingleUse`] for an authorization code or a one-time password.
    #[must_use]
    pub fn class(&self, class: OperationClass) -> Self {
        self.treated(Treatment { class: Some(class), ..self.target.treatment })
    }

    /// The same service and operation, whose throttled answers close this quota and no other: what
    /// shares it, in whatever service, pauses together. It must be named by the program or its
    /// configuration, never by a request.
    #[must_use]
    pub fn quota(&self, quota: &str) -> Self {
        let Target { service, operation, treatment, lane, .. } = &*self.target;
        let (service, operation) = (Arc::clone(service), Arc::clone(operation));
        let quota = service.quota(quota);
        let target = Target { service, operation, quota, treatment: *treatment, lane: *lane };
        Self { target: Arc::new(target) }
    }

    /// The same service and operation, for requests that are treated so.
    #[must_use]
    pub fn treated(&self, treatment: Treatment) -> Self {
        let Target { service, operation, quota, lane, .. } = &*self.target;
        let (service, operation) = (Arc::clone(service), Arc::clone(operation));
        let target =
            Target { service, operation, quota: Arc::clone(quota), treatment, lane: *lane };
        Self { target: Arc::new(target) }
    }

    /// Sends a request and returns its answer once the head of it is there.
    ///
    /// The authority of the request's URI is kept as its `Host`; where it goes is the mesh's
    /// decision. Dropping the future cancels the attempt, and the endpoint is not blamed.
    ///
    /// # Errors
    ///
    /// When no answer came; [`Error::kind`] says why. An answer with a failing status is an answer.
    pub async fn send(
        &self,
        mut request: Request<RequestBody>,
    ) -> Result<Response<ResponseBody>, Error> {
        self.send_from(&mut request).await
    }

    /// The same, for a request that is taken out of its place. A head is some hundred bytes, which
    /// then move once and not through every layer.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub fn send_from<'a>(
        &'a self,
        request: &'a mut Request<RequestBody>,
    ) -> impl Future<Output = Result<Response<ResponseBody>, Error>> + Send + 'a {
        let terms = {
            let policy = &self.target.service.roster().policy;
            address(request, policy.protocol);
            policy.terms
        };
        stack::send(&self.target, terms, request)
    }

    /// Whether requests may be sent as bytes: the service speaks HTTP/1.1, and all it says of itself
    /// stands in the front of its answers.
    #[must_use]
    pub fn takes_raw(&self) -> bool {
        self.target.treatment.classifier != Classifier::Grpc
            && self.target.service.roster().policy.protocol == Protocol::Http1
    }

    /// Sends a request that is bytes, of a service that [takes them](Self::takes_raw).
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub fn send_raw<'a>(
        &'a self,
        request: &'a RawRequest,
    ) -> impl Future<Output = Result<RawReply, Error>> + Send + 'a {
        let terms = self.target.service.roster().policy.terms;
        stack::send_raw(&self.target, terms, request)
    }

    /// Lends an endpoint to a protocol the mesh does not speak.
    ///
    /// # Errors
    ///
    /// When the service has no endpoint that may take requests, or a breaker refuses.
    pub fn pick(&self) -> Result<Picked, Error> {
        pick::pick(&self.target)
    }

    fn of(service: Arc<Service>, operation: &str, treatment: Treatment, lane: Lane) -> Self {
        let operation = service.operation(operation);
        let quota = Arc::clone(&operation.quota);
        Self { target: Arc::new(Target { service, operation, quota, treatment, lane }) }
    }
}

impl<B> tower_service::Service<Request<B>> for ServiceClient
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<ResponseBody>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Error>> + Send>>;

    /// Always ready: who may not send learns it from the answer.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let client = self.clone();
        let request = request.map(RequestBody::streamed);
        Box::pin(async move { client.send(request).await })
    }
}

impl std::fmt::Debug for ServiceClient {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("ServiceClient")
            .field("service", &self.target.service.name.as_str())
            .field("operation", &self.target.operation.name)
            .finish_non_exhaustive()
    }
}

/// Gives the request's head the form its protocol wants: HTTP/1.1 a path and `Host`, HTTP/2 a whole
/// URI and no `Host`.
fn address(request: &mut Request<RequestBody>, protocol: Protocol) {
    match protocol {
        Protocol::Http1 => {
            *request.version_mut() = Version::HTTP_11;
            if request.uri().authority().is_some() {
                let parts = std::mem::take(request.uri_mut()).into_parts();
                if !request.headers().contains_key(header::HOST)
                    && let Some(authority) = parts.authority
                    && let Ok(host) = HeaderValue::from_str(authority.as_str())
                {
                    request.headers_mut().insert(header::HOST, host);
                }
                *request.uri_mut() = parts.path_and_query.map_or_else(Uri::default, Uri::from);
            }
        }
        Protocol::Http2 => {
            *request.version_mut() = Version::HTTP_2;
            let headers = request.headers_mut();
            // There is no change of protocol in HTTP/2 (RFC 9113 §8.6); it stays a request.
            headers.remove(header::CONNECTION);
            headers.remove(header::UPGRADE);
            let host = headers.remove(header::HOST);
            let mut parts = std::mem::take(request.uri_mut()).into_parts();
            parts.scheme = Some(Scheme::HTTP);
            let host = host.and_then(|host| Authority::from_maybe_shared(host).ok());
            parts.authority =
                parts.authority.or(host).or_else(|| Some(Authority::from_static("localhost")));
            parts.path_and_query.get_or_insert_with(|| PathAndQuery::from_static("/"));
            // All three parts are there and each is valid, so the whole is.
            *request.uri_mut() = Uri::from_parts(parts).unwrap_or_default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addressed(uri: &str, host: Option<&str>, protocol: Protocol) -> (String, Option<String>) {
        let mut request = Request::new(RequestBody::empty());
        *request.uri_mut() = uri.parse().unwrap();
        if let Some(host) = host {
            request.headers_mut().insert(header::HOST, host.parse().unwrap());
        }
        address(&mut request, protocol);
        let host = request.headers().get(header::HOST);
        (request.uri().to_string(), host.map(|host| host.to_str().unwrap().to_owned()))
    }

    #[test]
    fn each_protocol_gets_the_head_it_wants() {
        let host = |text: &str| Some(text.to_owned());
        let http1 = |uri, host| addressed(uri, host, Protocol::Http1);
        assert_eq!(http1("http://token/a?b=c", None), ("/a?b=c".into(), host("token")));
        assert_eq!(http1("/a", Some("login")), ("/a".into(), host("login")));
        assert_eq!(http1("http://token/a", Some("login")), ("/a".into(), host("login")));

        let http2 = |uri, host| addressed(uri, host, Protocol::Http2);
        assert_eq!(http2("http://token/a", None), ("http://token/a".into(), None));
        assert_eq!(http2("/a", Some("login:80")), ("http://login:80/a".into(), None));
        assert_eq!(http2("/a", None), ("http://localhost/a".into(), None));
    }
}
