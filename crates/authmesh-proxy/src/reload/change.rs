//! Puts a checked configuration in force, unless it would protect less and nobody answers for that.

use std::path::{Path, PathBuf};

use authmesh::BuildError;
use authmesh::config::{self, Change, Effect, Files, Loaded, Problem, Problems, Versions};
use serde_json::{Value, json};

use crate::doors::{Push, ReloadFault};
use crate::proxy::{Proxy, StartError};

/// What a change of the configuration did.
#[derive(Clone, Debug)]
pub struct Changed {
    /// The number of the version that is in force now.
    pub version: u64,
    /// What is different from before, the weaker changes first.
    pub changes: Vec<Change>,
    /// What is worth knowing: the warnings of the file, and listeners that moved.
    pub problems: Problems,
}

impl Proxy {
    /// Begins to number the configurations in force and to keep them in `versions`; `loaded` is the
    /// first, and was read from `file`. What it changes of the last good one is told in the log.
    pub async fn keep_versions(&self, file: &Path, loaded: &Loaded, versions: Versions) {
        if let Some(last) = versions.last()
            && let Ok(last) = last.load(Path::new(""), Files::Trust)
        {
            tell(&loaded.changes_from(&last.settings));
        }
        self.in_force().begin(file.to_path_buf(), versions);
        self.enter(loaded.clone(), "start".to_owned(), true).await;
    }

    /// Puts `loaded` in force as [`Proxy::reload`] does, if it protects no less than the
    /// configuration in force, or says itself until when that is accepted.
    pub(super) async fn change(
        &self,
        loaded: &Loaded,
        cause: String,
        is_of_file: bool,
        takes_weaker: bool,
    ) -> Result<Changed, StartError> {
        let changes = match self.in_force().settings() {
            Some(before) if takes_weaker => Ok(loaded.changes_from(&before)),
            Some(before) => loaded.changes_allowed(&before, config::today()),
            None => Ok(Vec::new()),
        };
        let changes = changes.map_err(|problems| self.refuse(problems))?;
        self.reload(loaded.config.clone()).await?;
        tell(&changes);
        let moves = loaded.moves(&changes);
        for Problem { code, sentence, note, .. } in &moves {
            tracing::info!(%code, note, "{sentence}");
        }
        if self.in_force().settings().is_some() {
            self.enter(loaded.clone(), cause, is_of_file).await;
        }
        let problems = loaded.warnings.and(&moves);
        Ok(Changed { version: self.in_force().number(), changes, problems })
    }

    /// Puts a configuration in force that somebody brought to the door for people.
    ///
    /// # Errors
    ///
    /// When it has faults, protects less, cannot be put in force, or another is in force than the
    /// one it was made for.
    pub async fn put(&self, push: &Push) -> Result<Changed, ReloadFault> {
        let in_force = self.in_force().number();
        if push.instead_of != in_force {
            return Err(ReloadFault::another_in_force(in_force));
        }
        let file = self.in_force().file();
        let folder: PathBuf = std::path::absolute(&file)
            .ok()
            .and_then(|file| file.parent().map(Path::to_path_buf))
            .unwrap_or_default();
        let loaded = config::parse_in(&push.text, &push.name, &folder, Files::Look);
        let loaded = loaded.map_err(|problems| ReloadFault::from(&self.refuse(problems)))?;
        let changed = self.change(&loaded, push.cause.clone(), false, push.takes_weaker).await;
        changed.map_err(|error| ReloadFault::from(&error))
    }

    pub(super) fn refuse(&self, problems: Problems) -> StartError {
        let error = StartError::Mesh(BuildError::Config(problems));
        self.note_refused(&error);
        error
    }

    /// Keeping a version waits for the disk, so it is done beside the mesh's own tasks.
    async fn enter(&self, loaded: Loaded, cause: String, is_of_file: bool) {
        let in_force = self.in_force().clone();
        let keeping =
            tokio::task::spawn_blocking(move || in_force.enter(loaded, &cause, is_of_file));
        // A panic in it was reported where it happened.
        let _ = keeping.await;
    }
}

impl Changed {
    /// As JSON: `version`, `changes` with `key`, `before`, `after`, `effect`, and `problems`; these
    /// once more for people as `message`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let change = |change: &Change| {
            json!({
                "key": change.path,
                "before": change.before,
                "after": change.after,
                "effect": change.effect.word(),
            })
        };
        let changes: Vec<Value> = self.changes.iter().map(change).collect();
        let message =
            if self.problems.is_empty() { String::new() } else { self.problems.to_string() };
        json!({
            "version": self.version,
            "changes": changes,
            "problems": self.problems.to_json(),
            "message": message,
        })
    }
}

impl From<&StartError> for ReloadFault {
    fn from(error: &StartError) -> Self {
        let problems = match error {
            StartError::Mesh(BuildError::Config(problems)) => problems.to_json(),
            _ => json!([]),
        };
        Self::refused(error.to_string(), problems)
    }
}

fn tell(changes: &[Change]) {
    for Change { path, before, after, effect, .. } in changes {
        let (before, after) = (before.as_deref(), after.as_deref());
        match effect {
            Effect::Weaker => tracing::warn!(key = path, before, after, "protects less"),
            Effect::Stronger => tracing::info!(key = path, before, after, "protects more"),
            Effect::Neutral => tracing::info!(key = path, before, after, "changed"),
        }
    }
}
