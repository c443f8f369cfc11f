//! Reads whose forwarding fields are believed, and which field carries the caller's identity.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::blocks::block;
use crate::config::findings::Written;
use crate::config::reader::Reader;
use crate::config::{Code, Problem};
use crate::hygiene::TrustedNetwork;

/// Fields with a meaning of their own, beside those that begin like [`RESERVED_BEGINNINGS`].
const RESERVED: [&str; 19] = [
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "date",
    "expect",
    "forwarded",
    "host",
    "keep-alive",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "x-request-id",
    "www-authenticate",
];

const RESERVED_BEGINNINGS: [&str; 4] = ["proxy-", "x-forwarded-", "x-authmesh-", "sec-"];

/// The one field of ours that may be named.
const IDENTITY: &str = "x-authmesh-identity";

/// What `[headers]` says.
#[derive(Default)]
pub(in crate::config) struct Headers {
    pub(in crate::config) trusted_proxies: Vec<TrustedNetwork>,
    pub(in crate::config) identity: Option<String>,
}

pub(in crate::config) fn read_headers(mut reader: Reader<'_, '_>) -> Headers {
    let mut headers = Headers::default();
    for text in reader.strings("trusted_proxies").map(|list| list.value).unwrap_or_default() {
        headers.trusted_proxies.extend(network(&mut reader, text));
    }
    if let Some(name) = reader.string("identity") {
        headers.identity = identity_field(&mut reader, name);
    }
    reader.deny_rest();
    headers
}

fn identity_field(reader: &mut Reader<'_, '_>, name: Written<&str>) -> Option<String> {
    let lower = name.value.to_ascii_lowercase();
    let is_token = !lower.is_empty()
        && lower.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if !is_token {
        let sentence = "the name of a field has letters, digits, `-` and `_`";
        reader.report(Problem::new(Code::NotAllowed, name.span, sentence));
        return None;
    }
    let reserved = RESERVED.contains(&lower.as_str())
        || RESERVED_BEGINNINGS.iter().any(|beginning| lower.starts_with(beginning));
    if reserved && lower != IDENTITY {
        let sentence = format!("`{lower}` is a reserved header field");
        reader.report(
            Problem::new(Code::ReservedHeader, name.span, sentence)
                .note("the field is taken off requests that come in and written anew")
                .help(format!("identity = \"{IDENTITY}\"")),
        );
        return None;
    }
    Some(lower)
}

fn network(reader: &mut Reader<'_, '_>, text: Written<&str>) -> Option<TrustedNetwork> {
    let block = block(reader, text)?;
    if block.prefix() == 0 {
        let sentence = "every address would be believed to be a proxy of yours";
        reader.report(
            Problem::new(Code::TrustsEveryone, text.span, sentence)
                .note("anyone could then say from which address a request comes"),
        );
        return None;
    }
    Some(TrustedNetwork { address: block.address(), prefix: block.prefix() })
}
