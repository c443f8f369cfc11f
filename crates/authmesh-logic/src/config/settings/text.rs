//! Writes a value as TOML.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::config::tree::Value;

/// The value as TOML on one line.
#[must_use]
pub fn toml_text(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => format!("{number:?}"),
        Value::Boolean(value) => value.to_string(),
        // No key takes one, so none is in a configuration without errors.
        Value::Datetime => "1970-01-01".to_string(),
        Value::Array(values) => {
            let values: Vec<String> = values.iter().map(|node| toml_text(&node.value)).collect();
            format!("[{}]", values.join(", "))
        }
        Value::Table(table) if table.is_empty() => "{}".to_string(),
        Value::Table(table) => {
            let entry = |(key, entry): (&String, &crate::config::Entry)| {
                format!("{} = {}", key_text(key), toml_text(&entry.node.value))
            };
            let entries: Vec<String> = table.iter().map(entry).collect();
            format!("{{ {} }}", entries.join(", "))
        }
    }
}

/// A key as TOML, in quotes where it needs them.
pub(super) fn key_text(key: &str) -> String {
    let is_bare = !key.is_empty()
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if is_bare { key.to_string() } else { quoted(key) }
}

fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for char in text.chars() {
        match char {
            '"' | '\\' => quoted.extend(['\\', char]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            _ if char.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(char))),
            _ => quoted.push(char),
        }
    }
    quoted.push('"');
    quoted
}
