//! Reads the body of a request as one JSON object, within bounds, no key twice.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use http::StatusCode;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde_json::Value;

/// The largest body, in bytes.
const MOST_BODY_BYTES: usize = 64 * 1024;

/// How long a body may take.
const BODY_LIMIT: Duration = Duration::from_secs(10);

/// Why a request is refused: a status, and a sentence that names the key and the mend.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) status: StatusCode,
    pub(super) message: String,
}

impl Fault {
    pub(super) fn bad(message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, message: message.into() }
    }
}

/// The keys of an object, each once.
#[derive(Debug)]
pub(super) struct Fields(pub(super) BTreeMap<String, Value>);

impl Fields {
    /// Reads a body to its end.
    pub(super) async fn read(body: Incoming) -> Result<Self, Fault> {
        let body = Limited::new(body, MOST_BODY_BYTES).collect();
        let body = tokio::time::timeout(BODY_LIMIT, body).await.map_err(|_| Fault {
            status: StatusCode::REQUEST_TIMEOUT,
            message: format!("the body did not come within {} s", BODY_LIMIT.as_secs()),
        })?;
        let body = body.map_err(|fault| match fault.is::<LengthLimitError>() {
            true => Fault {
                status: StatusCode::PAYLOAD_TOO_LARGE,
                message: format!("the body may have {MOST_BODY_BYTES} bytes at most"),
            },
            false => Fault::bad("the body was cut short"),
        })?;
        Self::parse(&body.to_bytes())
    }

    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Fault> {
        serde_json::from_slice(bytes)
            .map_err(|fault| Fault::bad(format!("the body must be a JSON object: {fault}")))
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
        let mut fields = BTreeMap::new();
        while let Some((key, value)) = map.next_entry::<String, Value>()? {
            // Which of the two was meant nobody can know.
            if fields.contains_key(&key) {
                return Err(A::Error::custom(format_args!("key `{key}` stands twice")));
            }
            fields.insert(key, value);
        }
        Ok(Fields(fields))
    }
}
