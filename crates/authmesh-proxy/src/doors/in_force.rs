//! The configuration in force with its number, and those before it.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use authmesh::config::{Loaded, Settings, Version, Versions};
use authmesh::worker::Clock;
use serde_json::{Value, json};

use super::time_text::time_text;

/// The configuration in force and its history. Cheap to clone.
#[derive(Clone)]
pub(crate) struct InForce(Arc<Mutex<History>>);

struct History {
    file: PathBuf,
    /// Nothing before a file was put in force.
    loaded: Option<Loaded>,
    number: u64,
    since: SystemTime,
    /// Whether it is what the file said when it was last read.
    is_of_file: bool,
    versions: Versions,
}

impl InForce {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(History {
            file: PathBuf::new(),
            loaded: None,
            number: 0,
            since: Clock.time_of_day(),
            is_of_file: true,
            versions: Versions::in_memory(),
        })))
    }

    /// From now on, versions are kept here.
    pub(crate) fn begin(&self, file: PathBuf, versions: Versions) {
        let mut history = self.lock();
        history.file = file;
        history.versions = versions;
    }

    /// Notes that a configuration has come into force, and keeps it. Touches the disk.
    pub(crate) fn enter(&self, loaded: Loaded, cause: &str, is_of_file: bool) {
        let at = Clock.time_of_day();
        let mut history = self.lock();
        let kept = history.versions.keep(&loaded, cause, at);
        let number = history.versions.last().map_or(0, |last| last.number);
        if number != history.number {
            history.since = at;
        }
        history.number = number;
        history.is_of_file = is_of_file;
        history.loaded = Some(loaded);
        drop(history);
        match kept {
            Ok(_) => tracing::info!(version = number, cause, "configuration in force"),
            Err(error) => tracing::warn!(
                %error,
                version = number,
                "configuration in force; it could not be kept on disk, name a folder with `--state`"
            ),
        }
    }

    /// The settings in force, if they came from a file.
    pub(crate) fn settings(&self) -> Option<Settings> {
        self.lock().loaded.as_ref().map(|loaded| loaded.settings.clone())
    }

    /// The number of the configuration in force; 0 before there is one.
    pub(crate) fn number(&self) -> u64 {
        self.lock().number
    }

    /// The main file.
    pub(crate) fn file(&self) -> PathBuf {
        self.lock().file.clone()
    }

    /// The number, when and why it came into force, and the whole of it, key by key and as a file.
    pub(crate) fn describe(&self) -> Option<Value> {
        let history = self.lock();
        let loaded = history.loaded.as_ref()?;
        let version = history.versions.last()?;
        let mut value = loaded.to_json();
        value["version"] = version.number.into();
        value["since"] = time_text(history.since).into();
        value["cause"] = version.cause.as_str().into();
        value["file"] = history.file.display().to_string().into();
        value["is_of_file"] = history.is_of_file.into();
        value["text"] = version.text.as_str().into();
        Some(value)
    }

    /// Every version kept, the newest first, without its text.
    pub(crate) fn list(&self) -> Value {
        let history = self.lock();
        let versions = history.versions.iter().rev();
        versions.map(|version| summary(version, history.number)).collect()
    }

    /// One version with its text.
    pub(crate) fn version(&self, number: u64) -> Option<Value> {
        let history = self.lock();
        let version = history.versions.find(number)?;
        let mut value = summary(version, history.number);
        value["text"] = version.text.as_str().into();
        Some(value)
    }

    fn lock(&self) -> MutexGuard<'_, History> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn summary(version: &Version, in_force: u64) -> Value {
    json!({
        "version": version.number,
        "at": time_text(version.at),
        "cause": version.cause,
        "in_force": version.number == in_force,
    })
}
