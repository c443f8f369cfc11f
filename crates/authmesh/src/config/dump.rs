//! Writes a configuration down as it is meant: every key with its origin, no secret.

use authmesh_logic::config::names_secret;
use authmesh_logic::config::reference::{Key, Standing, keys_of};
use authmesh_logic::config::settings::{Group, Setting, toml_text};
use serde_json::{Value, json};

use super::Loaded;
use super::source::printable;

/// Stands for a value that is not shown.
const HIDDEN: &str = "\"•••\"";

/// The origin of a value that is not written.
const DEFAULT: &str = "default";

impl Loaded {
    /// The whole configuration as one file, without includes: what is written, each key with its
    /// place behind it, and the defaults as comments. Read again, it means the same, wherever the
    /// file lies.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let mut text = String::new();
        for group in &self.settings.groups {
            self.write_group(&mut text, group);
        }
        for table in self.settings.absent_tables() {
            let defaults: Vec<&Key> =
                keys_of(table).filter(|key| key.is_default_a_value()).collect();
            if !defaults.is_empty() {
                text.push_str(&format!("\n# [{table}]\n"));
            }
            for key in defaults {
                text.push_str(&format!("# {} = {}  # {DEFAULT}\n", key.name, key.example));
            }
        }
        text
    }

    /// The whole configuration as JSON: `files`, and `settings`, each with `key`, `value` as TOML,
    /// and `origin` as `file:line` or `default`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let written = self.settings.iter().map(|(path, _, setting)| {
            json!({ "key": path, "value": shown(setting), "origin": self.origin(setting) })
        });
        let default = |path: String, key: &Key| json!({ "key": path, "value": key.example, "origin": DEFAULT });
        let of_groups = self.settings.groups.iter().flat_map(|group| {
            group.defaults().map(move |(path, key)| default(group.full(&path), key))
        });
        let of_absent = self.settings.absent_tables().flat_map(|table| {
            let keys = keys_of(table).filter(|key| key.is_default_a_value());
            keys.map(move |key| default(format!("{table}.{}", key.name), key))
        });
        let settings: Vec<Value> = written.chain(of_groups).chain(of_absent).collect();
        let files: Vec<String> = self.files.iter().map(|file| file.display().to_string()).collect();
        json!({ "files": files, "settings": settings })
    }

    fn write_group(&self, text: &mut String, group: &Group) {
        if !group.header.is_empty() {
            text.push_str(&format!("\n{}\n", group.header));
        }
        for setting in &group.settings {
            let line = format!("{} = {}", setting.path, shown(setting));
            text.push_str(&format!("{line}  # {}\n", self.origin(setting)));
        }
        for (path, key) in group.defaults() {
            text.push_str(&format!("# {path} = {}  # {DEFAULT}\n", key.example));
        }
    }

    /// Where a setting is written, as `file:line`.
    fn origin(&self, setting: &Setting) -> String {
        let place = self.warnings.place(setting.span);
        let file: String = place.file.chars().map(printable).collect();
        format!("{file}:{}", place.line)
    }
}

/// The value as TOML. A text under the name of a secret is not shown, whatever it is.
fn shown(setting: &Setting) -> String {
    let is_text = matches!(setting.value, authmesh_logic::config::Value::String(_));
    if is_text && names_secret(setting.key.name) && setting.key.standing == Standing::Read {
        return HIDDEN.to_owned();
    }
    toml_text(&setting.value)
}
