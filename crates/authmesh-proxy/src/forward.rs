//! The way of a request: hygiene, route, authorization, the mesh, and back.

use std::borrow::Cow;
use std::convert::Infallible;
use std::sync::Arc;

use authmesh::worker::{BodyBounds, RequestBody, ResponseBody, with_dice};
use authmesh_logic::hygiene::{self, Client, forward};
use authmesh_logic::routing;
use http::header::{self, HeaderMap, HeaderName};
use http::uri::PathAndQuery;
use http::{HeaderValue, Request, Response, StatusCode, Uri};
use hyper::body::{Body, Incoming};

use crate::access::Stop;
use crate::entrance::Entrance;
use crate::fields::{HeaderFields, head_of};
use crate::judged::Judged;
use crate::onward::{Halt, Held, Onward};
use crate::peer::Peer;
use crate::refusal::Refusal;
use crate::reply::ReplyBody;
use crate::request_id::{REQUEST_ID, RequestId};
use crate::switched::{Asking, say_websocket};
use crate::table::{Destination, Table};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// Answers one request; `wrap` makes of the answer's body what the connection sends. What is to be
/// decided about the request is decided in this call; the future only waits for its service. (To
/// wrap that future in another would double its size, and it moves with every request.)
pub(crate) fn forward<W, B>(
    table: &Table,
    entrance: &Entrance<'_>,
    mut request: Request<Incoming>,
    wrap: W,
) -> impl Future<Output = Result<Response<B>, Infallible>> + Send + use<W, B>
where
    W: FnOnce(ReplyBody) -> B + Send,
{
    // Who can open a Unix socket of ours was let in by its file's mode.
    let client = entrance
        .peer
        .map(|peer| Client::of(peer.address, &table.trusted, &HeaderFields(request.headers())));
    let is_trusted = client.is_none_or(|client| client.from_trusted);
    let request_id = RequestId::of(&HeaderFields(request.headers()), is_trusted);
    let decided = decide(table, entrance, client, &request_id, &mut request);
    let bounds = BodyBounds { bytes: table.limits.body, idle: table.limits.body_idle_timeout };
    let mut request = request.map(|body| RequestBody::bounded(body, bounds));
    async move {
        let decided = match decided {
            Ok(onward) => Ok(onward),
            Err(Halt::Refused(refusal)) => Err(refusal),
            Err(Halt::Held(held)) => {
                // On the heap, so that requests that wait for nothing are not larger for it.
                Box::pin(held.go_on(&mut request, &FORWARDED_PROTO)).await
            }
        };
        let refusal = match decided {
            Ok(Onward { service, asking }) => match service.send_from(&mut request).await {
                Ok(mut response) => match clean(&mut response, asking.is_some()) {
                    Ok(()) => return Ok(pass_on(response, asking, wrap)),
                    Err(refusal) => refusal,
                },
                Err(error) => {
                    let request_id = request_id.value();
                    tracing::debug!(%error, ?request_id, "request got no answer");
                    Refusal::of(&error)
                }
            },
            Err(refusal) => refusal,
        };
        let answer = refusal.answer(&request_id.value());
        Ok(answer.map(|body| wrap(ReplyBody::Own(Some(body)))))
    }
}

/// Makes a request what may go on and finds where to, or says why it may not.
fn decide(
    table: &Table,
    entrance: &Entrance<'_>,
    client: Option<Client>,
    request_id: &RequestId,
    request: &mut Request<Incoming>,
) -> Result<Onward, Halt> {
    let destination = admit(table, entrance, request)?;
    let forwarded_for = forwarded_for(request.headers(), entrance.peer, client);
    let upgrade = Asking::of(request);
    name_host(request);
    join_cookies(request.headers_mut());
    renew_trace(request.headers_mut());
    rewrite(request.headers_mut(), table, client.is_none_or(|client| client.from_trusted));
    let asking = upgrade.map(|upgrade| {
        let judged = Judged::of(entrance.caller(client), destination.service(), request);
        // On the heap, as few requests ask and every one would be made larger.
        Box::new(Asking::new(upgrade, judged))
    });
    // Also where no route takes it: whoever may not pass does not learn which routes there are.
    let admitted = {
        let fields = HeaderFields(request.headers());
        let head = head_of(request, &fields);
        table.access.admit(entrance.caller(client), destination.service(), &head)
    };
    let then = match destination {
        Destination::Service(service) => Ok(Onward { service, asking }),
        Destination::Nowhere => Err(Refusal::new(StatusCode::NOT_FOUND, "no_endpoint")),
    };
    let admitted = match admitted {
        Ok(admitted) => admitted,
        Err(Stop::Refused(refusal)) => return Err(Halt::Refused(refusal)),
        Err(Stop::Awaiting(wait)) => {
            let (access, caller) = (Arc::clone(&table.access), entrance.caller(client).into());
            let mut said = HeaderMap::new();
            say_whence(&mut said, table, entrance, forwarded_for, request_id.value());
            return Err(Halt::Held(Box::new(Held { access, wait, caller, then, said })));
        }
    };
    let onward = then?;
    admitted.tell(request.headers_mut());
    say_whence(request.headers_mut(), table, entrance, forwarded_for, request_id.value());
    if onward.asking.is_some() {
        say_websocket(request.headers_mut());
    }
    Ok(onward)
}

/// Refuses what must not travel, gives the path its normal form, and finds where the request goes.
fn admit(
    table: &Table,
    entrance: &Entrance<'_>,
    request: &mut Request<Incoming>,
) -> Result<Destination, Refusal> {
    let limits = &table.limits;
    let fields = HeaderFields(request.headers());
    let head = head_of(request, &fields);
    hygiene::request::check(&head, &entrance.bounds(limits)).map_err(|refused| Refusal {
        close: refused.close,
        ..Refusal::new(
            StatusCode::from_u16(refused.status).unwrap_or(StatusCode::BAD_REQUEST),
            if refused.fault.is_limit() { "limit" } else { "bad_request" },
        )
    })?;
    if let (Some(most), Some(bytes)) = (limits.body, request.body().size_hint().exact())
        && bytes > most
    {
        return Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "limit").closing());
    }

    let bad_path = Refusal::new(StatusCode::BAD_REQUEST, "bad_request");
    // `OPTIONS *` asks about the server as a whole and has no path.
    let path = match head.path {
        "*" => Cow::Borrowed("*"),
        path => hygiene::path::normalise(path).map_err(|_| bad_path)?,
    };
    let host = routing::host_of(hygiene::request::authority(&head));
    let destination = table.find(entrance.listener, head.method, host, &path);
    // What was matched is what is sent. A normal form can be borrowed and shorter: `/a/..` is `/`.
    let changed = (path != head.path).then(|| path.into_owned());
    if let Some(path) = changed {
        let uri = with_path(request.uri(), &path).ok_or(bad_path)?;
        *request.uri_mut() = uri;
    }
    Ok(destination)
}

fn with_path(uri: &Uri, path: &str) -> Option<Uri> {
    let target = match uri.query() {
        Some(query) => PathAndQuery::try_from(format!("{path}?{query}")),
        None => PathAndQuery::try_from(path),
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(target.ok()?);
    Uri::from_parts(parts).ok()
}

/// Lets `Host` say whom the target named: that is who the route was found for (RFC 9112 §3.2.2).
fn name_host(request: &mut Request<Incoming>) {
    if let Some(authority) = request.uri().authority()
        && let Ok(host) = HeaderValue::from_str(authority.as_str())
    {
        request.headers_mut().insert(header::HOST, host);
    }
}

/// Makes one list of cookies that came in several fields, as HTTP/2 lets clients send them: whoever
/// reads HTTP/1 reads one field (RFC 9113 §8.2.3).
fn join_cookies(headers: &mut HeaderMap) {
    let crumbs = headers.get_all(header::COOKIE);
    if crumbs.iter().nth(1).is_none() {
        return;
    }
    let crumbs: Vec<&[u8]> = crumbs.iter().map(HeaderValue::as_bytes).collect();
    // Each part is lawful in a field, and so is what joins them.
    if let Ok(whole) = HeaderValue::from_bytes(&crumbs.join(&b"; "[..])) {
        headers.insert(header::COOKIE, whole);
    }
}

/// Begins a new trace where the one that came cannot be carried on (W3C Trace Context §4.3).
fn renew_trace(headers: &mut HeaderMap) {
    let mut traces = headers.get_all(TRACEPARENT).iter();
    let Some(trace) = traces.next() else { return };
    if traces.next().is_none() && hygiene::is_traceparent(trace.as_bytes()) {
        return;
    }
    let [high, low, parent] = with_dice(|dice| [dice.bits(), dice.bits(), dice.bits()]);
    // Neither identity may be zero.
    let text = format!("00-{high:016x}{:016x}-{:016x}-00", low | 1, parent | 1);
    headers.remove(TRACESTATE);
    if let Ok(trace) = HeaderValue::try_from(text) {
        headers.insert(TRACEPARENT, trace);
    }
}

/// Strips what must not travel upstream. What we say ourselves is added afterwards, so that nothing
/// a client names in `Connection` can remove it.
fn rewrite(headers: &mut HeaderMap, table: &Table, is_trusted: bool) {
    let asks_for_trailers = forward::asks_for_trailers(&HeaderFields(headers));
    strip_named_by_connection(headers);
    strip(headers, |name| {
        let is_identity = hygiene::is_same_field(table.identity_header.as_str(), name.as_str());
        forward::travels_upstream(name.as_str(), is_trusted) && !is_identity
    });
    if asks_for_trailers {
        headers.insert(header::TE, HeaderValue::from_static("trailers"));
    }
}

/// Says where the request came from, who sent it as far as that is proved, and what it is called.
fn say_whence(
    headers: &mut HeaderMap,
    table: &Table,
    entrance: &Entrance<'_>,
    forwarded_for: Option<HeaderValue>,
    request_id: HeaderValue,
) {
    if let Some(list) = forwarded_for {
        headers.insert(FORWARDED_FOR, list);
    }
    if let Some(identity) = entrance.identity_field {
        headers.insert(table.identity_header.clone(), identity.clone());
    }
    let scheme = if entrance.is_tls { "https" } else { "http" };
    headers.entry(FORWARDED_PROTO).or_insert(HeaderValue::from_static(scheme));
    headers.insert(REQUEST_ID, request_id);
}

/// The list of addresses the request came by, the peer's at its end.
fn forwarded_for(
    headers: &HeaderMap,
    peer: Option<&Peer>,
    client: Option<Client>,
) -> Option<HeaderValue> {
    let (peer, client) = (peer?, client?);
    if client.is_peer_alone(peer.address) {
        return Some(peer.text.clone());
    }
    let mut list = String::new();
    client.write_forwarded_for(peer.address, &HeaderFields(headers), &mut list);
    HeaderValue::from_maybe_shared(bytes::Bytes::from(list)).ok()
}

/// Makes an answer one that may leave: nothing of the inner connection. `is_asking`: the client
/// asked to go on as WebSocket.
fn clean<B>(response: &mut Response<B>, is_asking: bool) -> Result<(), Refusal> {
    let status = response.status().as_u16();
    let fields = HeaderFields(response.headers());
    let bounds = hygiene::response::Bounds::default();
    let asked = is_asking.then_some(hygiene::WEBSOCKET.as_bytes());
    let Ok(verdict) = hygiene::response::check(status, &fields, asked, &bounds) else {
        return Err(Refusal::new(StatusCode::BAD_GATEWAY, "upstream_reset"));
    };
    let headers = response.headers_mut();
    if !verdict.length_travels {
        headers.remove(header::CONTENT_LENGTH);
    }
    strip_named_by_connection(headers);
    strip(headers, |name| forward::travels_downstream(name.as_str()));
    // The protocol towards the client is ours to choose, not the endpoint's.
    *response.version_mut() = http::Version::default();
    Ok(())
}

/// The answer with the body that the connection sends.
fn pass_on<B>(
    mut response: Response<ResponseBody>,
    asking: Option<Box<Asking>>,
    wrap: impl FnOnce(ReplyBody) -> B,
) -> Response<B> {
    match asking.zip(response.body_mut().take_tunnel()) {
        None => response.map(|body| wrap(ReplyBody::Upstream(body))),
        Some((asking, tunnel)) => {
            say_websocket(response.headers_mut());
            response.map(|_| wrap(ReplyBody::Switched(Some(Box::new(asking.granted(tunnel))))))
        }
    }
}

fn strip_named_by_connection(headers: &mut HeaderMap) {
    let mut values = headers.get_all(header::CONNECTION).iter();
    match (values.next(), values.next()) {
        (None, _) => return,
        (Some(only), None) if is_option_alone(only) => {
            headers.remove(header::CONNECTION);
            return;
        }
        _ => {}
    }
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .flat_map(|value| hygiene::connection_names(value.as_bytes()))
        .filter_map(|name| name.parse().ok())
        .collect();
    headers.remove(header::CONNECTION);
    for name in named {
        headers.remove(name);
    }
}

/// Whether a `Connection` says how long it lasts and names no field: `close` is reserved as a name
/// (RFC 9110 §16.3.1), and `Keep-Alive` travels in no case.
fn is_option_alone(connection: &HeaderValue) -> bool {
    let value = connection.as_bytes();
    value.eq_ignore_ascii_case(b"keep-alive") || value.eq_ignore_ascii_case(b"close")
}

/// Removes the fields that may not travel. Allocates only if there are any.
fn strip(headers: &mut HeaderMap, may_travel: impl Fn(&HeaderName) -> bool) {
    let doomed: Vec<HeaderName> =
        headers.keys().filter(|name| !may_travel(name)).cloned().collect();
    for name in doomed {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_in_crumbs_become_one_list() {
        let mut headers = HeaderMap::new();
        join_cookies(&mut headers);
        assert!(headers.is_empty());
        for crumb in ["a=1", "b=2", "c=3; d=4"] {
            headers.append(header::COOKIE, HeaderValue::from_static(crumb));
        }
        join_cookies(&mut headers);
        let joined: Vec<_> = headers.get_all(header::COOKIE).iter().collect();
        assert_eq!(joined, ["a=1; b=2; c=3; d=4"]);
    }

    #[test]
    fn a_trace_is_carried_on_or_begun_anew() {
        let sound = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let cases: [(&[&str], bool); 4] =
            [(&[], true), (&[sound], true), (&["00-xyz"], false), (&[sound, sound], false)];
        for (sent, is_carried_on) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(TRACESTATE, HeaderValue::from_static("a=1"));
            for trace in sent {
                headers.append(TRACEPARENT, HeaderValue::from_static(trace));
            }
            renew_trace(&mut headers);
            let traces: Vec<_> = headers.get_all(TRACEPARENT).iter().collect();
            assert_eq!(headers.contains_key(TRACESTATE), is_carried_on, "{sent:?}");
            assert_eq!(traces == sent, is_carried_on, "{sent:?}");
            assert!(traces.iter().all(|trace| hygiene::is_traceparent(trace.as_bytes())));
        }
    }

    #[test]
    fn fields_named_by_connection_go_with_it() {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONNECTION, HeaderValue::from_static("close, x-secret"));
        headers.insert("x-secret", HeaderValue::from_static("1"));
        headers.insert("x-public", HeaderValue::from_static("2"));
        strip_named_by_connection(&mut headers);
        assert!(!headers.contains_key("x-secret") && headers.contains_key("x-public"));
    }
}
