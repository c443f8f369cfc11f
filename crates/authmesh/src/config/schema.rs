//! The JSON Schema of the configuration file, made from the table that the reader obeys.
//!
//! What a key takes stands in the table in words; this file knows the words. A schema says less than
//! the reader: it is for editors, and what it lets through, `authmesh check` still judges.

use authmesh_logic::config::reference::{Fallback, Key, SECTIONS, Section, Standing, keys_of};
use serde_json::{Map, Value, json};

/// The schema as text, for people and files.
#[must_use]
pub fn schema_text() -> String {
    // A tree of plain values is always writable.
    serde_json::to_string_pretty(&schema()).unwrap_or_default() + "\n"
}

/// The schema (draft 2020-12). Every section of the reference is one of its `$defs`.
#[must_use]
pub fn schema() -> Value {
    let sections = SECTIONS.iter().copied().flatten();
    let definitions: Map<String, Value> = sections
        .map(|section| (definition(section.name).to_owned(), of_section(section)))
        .collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The configuration file of Authmesh",
        "$ref": "#/$defs/file",
        "$defs": definitions,
    })
}

fn definition(section: &str) -> &str {
    if section.is_empty() { "file" } else { section }
}

fn of_section(section: &Section) -> Value {
    let keys = || section.keys.iter().filter(|key| key.standing == Standing::Read);
    let properties: Map<String, Value> =
        keys().map(|key| (key.name.to_owned(), of_key(section, key))).collect();
    let required: Vec<&str> =
        keys().filter(|key| key.fallback == Fallback::Required).map(|key| key.name).collect();
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

fn of_key(section: &Section, key: &Key) -> Value {
    let mut schema = of_kind(key.kind, section.name, key.name).unwrap_or_else(|| json!({}));
    schema["description"] = key.sentence.into();
    if let Some(default) = default(key) {
        schema["default"] = default;
    }
    schema
}

fn default(key: &Key) -> Option<Value> {
    let is_value = key.fallback == Fallback::Example;
    // A value of TOML that is a text, a number or a truth is one of JSON as well.
    is_value.then(|| serde_json::from_str(key.example).ok()).flatten()
}

/// What the words of a kind mean; `None` if one of them is not known.
fn of_kind(kind: &str, section: &str, key: &str) -> Option<Value> {
    let Some(list) = kind.strip_prefix("array of ") else {
        return of_alternatives(kind, section, key);
    };
    let (list, word) = match list.split_once(" or `") {
        Some((list, word)) => (list, Some(word.trim_end_matches('`'))),
        None => (list, None),
    };
    let item = of_alternatives(list.trim_end_matches('s'), section, key)
        .or_else(|| of_alternatives(list, section, key))?;
    let array = json!({ "type": "array", "items": item });
    Some(match word {
        Some(word) => json!({ "anyOf": [array, { "enum": [word] }] }),
        None => array,
    })
}

/// `duration or `off``, `integer, 1 to 10`, `` `a`, `b` or `c` ``.
fn of_alternatives(kind: &str, section: &str, key: &str) -> Option<Value> {
    let parts: Vec<&str> = kind.split(" or ").collect();
    let mut words = Vec::new();
    let mut schemas = Vec::new();
    for part in parts {
        if part.starts_with('`') {
            words.extend(part.split(", ").map(|word| word.trim_matches('`')));
        } else {
            schemas.push(of_one(part, section, key)?);
        }
    }
    match words[..] {
        [] => {}
        ["true"] => schemas.push(json!({ "const": true })),
        _ => schemas.push(json!({ "enum": words })),
    }
    match schemas.len() {
        1 => schemas.pop(),
        _ => Some(json!({ "anyOf": schemas })),
    }
}

fn of_one(kind: &str, section: &str, key: &str) -> Option<Value> {
    let (word, range) = kind.split_once(", ").unwrap_or((kind, ""));
    let (first, _) = word.split_once(' ').unwrap_or((word, ""));
    Some(match first {
        "duration" => json!({ "type": "string", "pattern": "^([0-9]+(d|h|m|s|ms))+$" }),
        "size" => json!({ "anyOf": [
            { "type": "integer", "minimum": 0 },
            { "type": "string", "pattern": "^[0-9]+(B|KiB|MiB|GiB)$" },
        ] }),
        "share" => json!({ "type": "string", "pattern": "^[0-9]+(\\.[0-9]{1,3})?%$" }),
        "integer" => of_integer(range),
        "number" => json!({ "type": "number" }),
        "boolean" => json!({ "type": "boolean" }),
        "secret" => json!({ "$ref": "#/$defs/secret" }),
        "status" => json!({ "type": ["integer", "string"] }),
        "table" => of_table(section, key),
        "tables" if word.contains("by name") => {
            json!({ "type": "object", "additionalProperties": of_table(section, key) })
        }
        "tables" => json!({ "type": "array", "items": of_table(section, key) }),
        "IP" | "SPIFFE" | "absolute" | "address" | "addresse" | "field" | "header" | "host"
        | "ip:port" | "listener" | "loopback" | "method" | "name" | "network" | "path"
        | "pattern" | "policy" | "service" | "strategy" | "text" | "trust" | "unix:/path"
        | "word" => {
            json!({ "type": "string" })
        }
        _ => return None,
    })
}

fn of_integer(range: &str) -> Value {
    let mut schema = json!({ "type": "integer", "minimum": 0 });
    if let Some((least, most)) = range.split_once(" to ")
        && let (Ok(least), Ok(most)) = (least.parse::<u64>(), most.parse::<u64>())
    {
        schema["minimum"] = least.into();
        schema["maximum"] = most.into();
    }
    schema
}

/// A table is described by the section of its own, of its name, or of the last word of its name.
fn of_table(section: &str, key: &str) -> Value {
    let last = key.rsplit('_').next().unwrap_or(key);
    let names = [format!("{section}.{key}"), key.to_owned(), last.to_owned()];
    match names.iter().find(|name| keys_of(name).next().is_some()) {
        Some(name) => json!({ "$ref": format!("#/$defs/{name}") }),
        None => json!({ "type": "object" }),
    }
}

#[cfg(test)]
mod tests {
    use std::{env, fs};

    use super::*;

    #[test]
    fn docs_mesh_schema_json_is_current() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/mesh.schema.json");
        if env::var_os("AUTHMESH_WRITE").is_some_and(|value| value == "1") {
            fs::write(path, schema_text()).unwrap();
        }
        let file = fs::read_to_string(path).unwrap_or_default();
        assert!(file == schema_text(), "{path} is old: run this test with AUTHMESH_WRITE=1");
    }

    #[test]
    fn every_kind_of_the_reference_is_understood() {
        for section in SECTIONS.iter().copied().flatten() {
            for key in section.keys.iter().filter(|key| key.standing == Standing::Read) {
                let schema = of_kind(key.kind, section.name, key.name);
                assert!(
                    schema.is_some(),
                    "`{}` takes \"{}\": say it in words that schema.rs knows, or teach it the word",
                    key.name,
                    key.kind
                );
            }
        }
    }

    /// The part of JSON Schema that is used here, patterns aside.
    fn fits(schema: &Value, root: &Value, value: &Value) -> bool {
        if let Some(name) = schema["$ref"].as_str() {
            return fits(&root["$defs"][name.trim_start_matches("#/$defs/")], root, value);
        }
        if let Some(any) = schema["anyOf"].as_array() {
            return any.iter().any(|one| fits(one, root, value));
        }
        if let Some(words) = schema["enum"].as_array() {
            return words.contains(value);
        }
        if schema.get("const").is_some() {
            return schema["const"] == *value;
        }
        let is_type = |name: &Value| match name.as_str().unwrap_or_default() {
            "string" => value.is_string(),
            "integer" => value.is_i64(),
            "number" => value.is_number(),
            "boolean" => value.is_boolean(),
            "array" => value
                .as_array()
                .is_some_and(|items| items.iter().all(|item| fits(&schema["items"], root, item))),
            "object" => value.as_object().is_some_and(|entries| {
                let is_known = |(key, value): (&String, &Value)| match schema["properties"].get(key)
                {
                    Some(known) => fits(known, root, value),
                    None => match schema.get("additionalProperties") {
                        Some(Value::Bool(any)) => *any,
                        Some(other) => fits(other, root, value),
                        None => true,
                    },
                };
                let required = schema["required"].as_array().map(Vec::as_slice).unwrap_or_default();
                let has = |key: &Value| entries.contains_key(key.as_str().unwrap());
                entries.iter().all(is_known) && required.iter().all(has)
            }),
            other => panic!("{other}"),
        };
        match &schema["type"] {
            Value::Array(types) => types.iter().any(is_type),
            Value::Null => true,
            name => is_type(name),
        }
    }

    fn json_of(text: &str) -> Value {
        fn value(node: &toml::de::DeValue<'_>) -> Value {
            use toml::de::DeValue;
            match node {
                DeValue::String(text) => json!(text),
                DeValue::Integer(number) => json!(number.as_str().parse::<i64>().unwrap()),
                DeValue::Float(number) => json!(number.as_str().parse::<f64>().unwrap()),
                DeValue::Boolean(truth) => json!(truth),
                DeValue::Datetime(time) => json!(time.to_string()),
                DeValue::Array(items) => items.iter().map(|item| value(item.get_ref())).collect(),
                DeValue::Table(table) => table
                    .iter()
                    .map(|(key, entry)| (key.get_ref().to_string(), value(entry.get_ref())))
                    .collect(),
            }
        }
        value(&toml::de::DeValue::Table(toml::de::DeTable::parse(text).unwrap().into_inner()))
    }

    #[test]
    fn lawful_files_fit_and_misspelt_ones_do_not() {
        let root = schema();
        let lawful = crate::config::tests::WHOLE;
        assert!(fits(&root, &root, &json_of(lawful)));
        for (from, to) in [
            ("timeout = \"2s\"", "timeuot = \"2s\""),
            ("version = 1", "version = \"1\""),
            ("protocol = \"http2\"", "protocol = \"http3\""),
            ("connections = \"off\"", "connections = \"none\""),
            ("name = \"inbound\"", ""),
            ("{ tcp = true }", "{ tcp = false }"),
        ] {
            assert!(lawful.contains(from));
            assert!(!fits(&root, &root, &json_of(&lawful.replace(from, to))), "{from} → {to}");
        }
    }
}
