//! Tells requests that a web page may have made a browser send.

use std::net::IpAddr;

use http::{HeaderMap, HeaderValue, header};

/// Whether a page of another site sent it. Browsers set these fields themselves; a page cannot
/// leave them out.
pub(crate) fn is_from_web_page(headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    headers.contains_key(header::ORIGIN) || !matches!(site, None | Some(b"none" | b"same-origin"))
}

/// Whether `Host` is this machine by its own names, and not by one that was made to point to it.
pub(crate) fn is_named_loopback(headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
    let Ok(authority) = http::uri::Authority::try_from(host.as_bytes()) else { return false };
    let name = authority.host();
    let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    name.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}
