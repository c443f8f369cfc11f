//! Reads instances from TOML; the first fault ends it, with its line.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use crate::discovery::{Address, Instance, InstanceId, Weight};
use crate::identity::SpiffeId;

/// What is wrong, and where.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// The line, the first is 1.
    pub(super) line: usize,
    /// A sentence.
    pub(super) what: String,
}

/// A fault at a place of the text, before the place is made a line.
type At = (Range<usize>, String);

/// The instances that `text` lists.
pub(super) fn instances(text: &str) -> Result<Vec<Instance>, Fault> {
    read(text).map_err(|(place, what)| {
        let before = &text.as_bytes()[..place.start.min(text.len())];
        Fault { line: 1 + before.iter().filter(|byte| **byte == b'\n').count(), what }
    })
}

fn read(text: &str) -> Result<Vec<Instance>, At> {
    let document = DeTable::parse(text)
        .map_err(|fault| (fault.span().unwrap_or_default(), fault.message().to_owned()))?;
    // A file caught while it is being written is often empty; that must not remove everybody.
    if !document.get_ref().contains_key("instance") {
        if let Some((key, _)) = document.get_ref().iter().next() {
            return Err(unknown(key));
        }
        return Err((0..0, "it lists nobody: if that is meant, write `instance = []`".to_owned()));
    }
    let mut instances = Vec::new();
    let mut seen = BTreeMap::new();
    for (key, value) in document.get_ref() {
        if key.get_ref() != "instance" {
            return Err(unknown(key));
        }
        for entry in array(key.get_ref(), value)? {
            let table = entry.get_ref().as_table().ok_or_else(|| not_a("a table", entry))?;
            let instance = instance(table, entry.span())?;
            match seen.entry(instance.id.clone()) {
                Entry::Vacant(place) => place.insert(()),
                Entry::Occupied(_) => {
                    return Err((entry.span(), format!("instance `{}` stands twice", instance.id)));
                }
            };
            instances.push(instance);
        }
    }
    Ok(instances)
}

fn instance(table: &DeTable<'_>, place: Range<usize>) -> Result<Instance, At> {
    let mut id = None;
    let mut addresses = Vec::new();
    let (mut identity, mut zone, mut version) = (None, None, None);
    let mut weight = Weight::ONE;
    let mut metadata = BTreeMap::new();
    for (key, value) in table {
        match key.get_ref().as_ref() {
            "id" => id = Some(parsed::<InstanceId>("id", value)?),
            "address" | "addresses" if !addresses.is_empty() => {
                let what = "`address` and `addresses` stand side by side: keep one".to_owned();
                return Err((key.span(), what));
            }
            "address" => addresses.push(parsed("address", value)?),
            "addresses" => {
                for each in array("addresses", value)? {
                    addresses.push(parsed::<Address>("addresses", each)?);
                }
            }
            "identity" => identity = Some(workload(value)?),
            "zone" => zone = Some(text("zone", value)?.into()),
            "version" => version = Some(text("version", value)?.into()),
            "weight" => weight = shares(value)?,
            "metadata" => metadata = texts(value)?,
            _ => return Err(unknown(key)),
        }
    }
    let Some(first) = addresses.first() else {
        return Err((place, "an instance needs `address = \"ip:port\"`".to_owned()));
    };
    let mut instance = Instance::at(first.clone());
    if let Some(id) = id {
        instance.id = id;
    }
    Ok(Instance { addresses, identity, zone, weight, version, metadata, ..instance })
}

/// The SPIFFE ID of a workload: nobody could prove to be a trust domain.
fn workload(value: &Spanned<DeValue<'_>>) -> Result<SpiffeId, At> {
    let id: SpiffeId = parsed("identity", value)?;
    match id.path() {
        "" => Err((
            value.span(),
            format!("`identity` is \"{id}\": it names a trust domain and no workload"),
        )),
        _ => Ok(id),
    }
}

fn texts(value: &Spanned<DeValue<'_>>) -> Result<BTreeMap<String, String>, At> {
    let table = value.get_ref().as_table().ok_or_else(|| not_a("a table of texts", value))?;
    let pair = |(key, value): (&Spanned<_>, _)| {
        let key: &std::borrow::Cow<'_, str> = key.get_ref();
        Ok((key.to_string(), text(key, value)?.to_owned()))
    };
    table.iter().map(pair).collect()
}

fn shares(value: &Spanned<DeValue<'_>>) -> Result<Weight, At> {
    let number: Option<f64> = match value.get_ref() {
        DeValue::Integer(number) if number.radix() == 10 => number.as_str().parse().ok(),
        DeValue::Float(number) => number.as_str().parse().ok(),
        _ => None,
    };
    number.and_then(Weight::shares).ok_or_else(|| not_a("shares from 0.1 to 10, as in 1.5", value))
}

fn parsed<T>(key: &str, value: &Spanned<DeValue<'_>>) -> Result<T, At>
where
    T: std::str::FromStr<Err: std::fmt::Display>,
{
    let text = text(key, value)?;
    text.parse().map_err(|fault| (value.span(), format!("`{key}` is \"{text}\": {fault}")))
}

fn text<'a>(key: &str, value: &'a Spanned<DeValue<'_>>) -> Result<&'a str, At> {
    value.get_ref().as_str().ok_or_else(|| not_a(&format!("`{key}` as a text"), value))
}

fn array<'a, 'i>(key: &str, value: &'a Spanned<DeValue<'i>>) -> Result<&'a DeArray<'i>, At> {
    value.get_ref().as_array().ok_or_else(|| not_a(&format!("`{key}` as an array"), value))
}

fn unknown(key: &Spanned<std::borrow::Cow<'_, str>>) -> At {
    (key.span(), format!("unknown key `{}`", key.get_ref()))
}

fn not_a(wanted: &str, value: &Spanned<DeValue<'_>>) -> At {
    (value.span(), format!("expected {wanted}, found {}", value.get_ref().type_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_read() {
        let read = instances(
            r#"
[[instance]]
id = "token-1"
addresses = ["10.0.0.7:8443", "unix:/run/token.sock"]
identity = "spiffe://corp.example/token"
zone = "a"
weight = 2
version = "2.4.1"
metadata = { build = "41c2" }

[[instance]]
address = "10.0.0.8:8443"
weight = 0.5
"#,
        )
        .unwrap();
        let [first, second] = &read[..] else { panic!("{read:?}") };
        assert_eq!(first.id.as_str(), "token-1");
        assert_eq!(first.addresses.len(), 2);
        let identity = "spiffe://corp.example/token".parse().unwrap();
        assert_eq!((&first.identity, &second.identity), (&Some(identity), &None));
        assert_eq!((first.zone.as_deref(), first.version.as_deref()), (Some("a"), Some("2.4.1")));
        assert_eq!(first.weight.as_hundredths(), 200);
        assert_eq!(first.metadata["build"], "41c2");
        assert_eq!(second.id.as_str(), "10.0.0.8:8443");
        assert_eq!(second.weight.as_hundredths(), 50);
    }

    #[test]
    fn nobody_is_listed_only_on_purpose() {
        assert_eq!(instances("instance = []"), Ok(Vec::new()));
        for text in ["", "\n\n", "# nothing yet\n"] {
            assert_eq!(instances(text).unwrap_err().line, 1, "{text:?}");
        }
    }

    #[test]
    fn each_fault_names_its_line() {
        let address = "[[instance]]\naddress = \"127.0.0.1:1\"\n";
        let cases = [
            ("[[instance]]\nid = 7", 2, "expected `id` as a text, found integer"),
            ("\n\n[[instances]]", 3, "unknown key `instances`"),
            ("[[instance]]\nzone = \"a\"", 1, "an instance needs `address = \"ip:port\"`"),
            ("[[instance]]\naddress = \"login\"", 2, "`address` is \"login\": neither"),
            ("[[instance]]\nadress = \"127.0.0.1:1\"", 2, "unknown key `adress`"),
            (&format!("{address}identity = \"token\""), 3, "`identity` is \"token\": "),
            (&format!("{address}identity = \"spiffe://a\""), 3, "names a trust domain and no"),
            (&format!("{address}weight = 0"), 3, "expected shares from 0.1 to 10"),
            (&format!("{address}weight = \"1\""), 3, "expected shares from 0.1 to 10"),
            (&format!("{address}metadata = {{ a = 1 }}"), 3, "expected `a` as a text"),
            (&format!("{address}addresses = []"), 3, "side by side"),
            (&format!("{address}{address}"), 3, "`127.0.0.1:1` stands twice"),
            ("[[instance]\n", 1, ""),
            ("instance = 1", 1, "expected `instance` as an array, found integer"),
        ];
        for (text, line, what) in cases {
            let fault = instances(text).unwrap_err();
            assert_eq!(fault.line, line, "{text}: {fault:?}");
            assert!(fault.what.contains(what), "{text}: {fault:?}");
        }
    }
}
