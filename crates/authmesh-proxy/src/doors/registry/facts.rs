//! Reads what an instance says of itself when it registers.

use std::collections::BTreeMap;
use std::time::Duration;

use authmesh::discovery::{Address, DEFAULT_TTL, Instance, InstanceId, Weight};
use serde_json::Value;

use super::body::{Fault, Fields};

/// The facts of instance `id`, and the time to live it asks for.
pub(super) fn facts(id: InstanceId, fields: Fields) -> Result<(Instance, Duration), Fault> {
    let mut addresses = Vec::new();
    let (mut zone, mut version) = (None, None);
    let (mut weight, mut metadata) = (Weight::ONE, BTreeMap::new());
    let (mut incarnation, mut ttl) = (0, DEFAULT_TTL);
    for (key, value) in fields.0 {
        match key.as_str() {
            "addresses" => addresses = read_addresses(&value)?,
            "zone" => zone = word(&key, value)?,
            "version" => version = word(&key, value)?,
            "weight" => {
                let shares = value.as_f64().and_then(Weight::shares);
                weight = shares.ok_or_else(|| wanted("weight", "shares from 0.1 to 10", &value))?;
            }
            "metadata" => metadata = read_metadata(value)?,
            "ttl_s" => {
                let seconds = value.as_u64();
                let seconds = seconds.ok_or_else(|| wanted("ttl_s", "whole seconds", &value))?;
                ttl = Duration::from_secs(seconds);
            }
            "incarnation" => {
                let number = value.as_u64();
                incarnation =
                    number.ok_or_else(|| wanted("incarnation", "a whole number", &value))?;
            }
            _ => {
                return Err(Fault::bad(format!(
                    "unknown key `{key}`; there are addresses, zone, weight, version, metadata, \
                     ttl_s and incarnation"
                )));
            }
        }
    }
    let Some(first) = addresses.first().cloned() else {
        return Err(Fault::bad("`addresses` is missing: give [\"ip:port\"] or [\"unix:/path\"]"));
    };
    let instance = Instance::at(first);
    let instance =
        Instance { id, incarnation, addresses, zone, weight, version, metadata, ..instance };
    Ok((instance, ttl))
}

fn read_addresses(value: &Value) -> Result<Vec<Address>, Fault> {
    let texts = value.as_array().ok_or_else(|| wanted("addresses", "an array of texts", value))?;
    let address = |text: &Value| {
        let text = text.as_str().ok_or_else(|| wanted("addresses", "an array of texts", text))?;
        text.parse().map_err(|fault| Fault::bad(format!("`addresses` has \"{text}\": {fault}")))
    };
    texts.iter().map(address).collect()
}

fn read_metadata(value: Value) -> Result<BTreeMap<String, String>, Fault> {
    let Value::Object(object) = value else {
        return Err(wanted("metadata", "an object of texts", &value));
    };
    let pair = |(key, value)| match value {
        Value::String(text) => Ok((key, text)),
        other => Err(wanted(&format!("metadata.{key}"), "a text", &other)),
    };
    object.into_iter().map(pair).collect()
}

/// A text that may be left out, or be null.
fn word(key: &str, value: Value) -> Result<Option<Box<str>>, Fault> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.into())),
        other => Err(wanted(key, "a text", &other)),
    }
}

/// Says what was wanted; what came is named by its kind, or by its value where that is short.
fn wanted(key: &str, wanted: &str, value: &Value) -> Fault {
    let found = match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) => "a truth value".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(_) => "a text".to_owned(),
        Value::Array(_) => "an array".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    };
    Fault::bad(format!("`{key}` must be {wanted}, and is {found}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(Instance, Duration), String> {
        let id = "token-1".parse().unwrap();
        let fields = Fields::parse(text.as_bytes());
        fields.and_then(|fields| facts(id, fields)).map_err(|fault| fault.message)
    }

    #[test]
    fn every_key_is_read() {
        let (instance, ttl) = read(
            r#"{"addresses":["10.0.0.7:8443","unix:/run/token.sock"],"zone":"a","weight":0.5,
                "version":"2.4","metadata":{"build":"41c2"},"ttl_s":10,"incarnation":7}"#,
        )
        .unwrap();
        assert_eq!(instance.id.as_str(), "token-1");
        assert_eq!((instance.addresses.len(), instance.incarnation), (2, 7));
        assert_eq!(
            (instance.zone.as_deref(), instance.version.as_deref()),
            (Some("a"), Some("2.4"))
        );
        assert_eq!(instance.weight, Weight::hundredths(50));
        assert_eq!(instance.metadata["build"], "41c2");
        assert_eq!(ttl, Duration::from_secs(10));

        let (instance, ttl) = read(r#"{"addresses":["10.0.0.7:1"],"zone":null}"#).unwrap();
        assert_eq!((instance.zone, instance.weight, ttl), (None, Weight::ONE, DEFAULT_TTL));
    }

    #[test]
    fn each_fault_names_its_key() {
        let table = [
            ("", "the body must be a JSON object: EOF"),
            ("[]", "the body must be a JSON object: invalid type: sequence, expected an object"),
            ("{}", "`addresses` is missing"),
            (r#"{"addresses":[]}"#, "`addresses` is missing"),
            (
                r#"{"addresses":["a"],"addresses":["b"]}"#,
                "the body must be a JSON object: key `addresses` stands twice",
            ),
            (
                r#"{"addresses":"10.0.0.7:1"}"#,
                "`addresses` must be an array of texts, and is a text",
            ),
            (r#"{"addresses":["login"]}"#, "`addresses` has \"login\": neither"),
            (r#"{"address":["10.0.0.7:1"]}"#, "unknown key `address`; there are addresses"),
            (r#"{"weight":0}"#, "`weight` must be shares from 0.1 to 10, and is 0"),
            (r#"{"weight":"1"}"#, "`weight` must be shares from 0.1 to 10, and is a text"),
            (r#"{"ttl_s":1.5}"#, "`ttl_s` must be whole seconds, and is 1.5"),
            (r#"{"incarnation":-1}"#, "`incarnation` must be a whole number, and is -1"),
            (r#"{"zone":7}"#, "`zone` must be a text, and is 7"),
            (r#"{"metadata":{"a":{}}}"#, "`metadata.a` must be a text, and is an object"),
        ];
        for (text, message) in table {
            let fault = read(text).unwrap_err();
            assert!(fault.starts_with(message), "{text}: {fault}");
        }
    }
}
