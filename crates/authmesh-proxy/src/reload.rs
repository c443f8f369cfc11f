//! Reads the file again and puts what it says in force; whatever is wrong, the old one stays.

use std::path::Path;

use authmesh::BuildError;
use authmesh::config::{self, Files, Loaded};
use serde_json::json;

use crate::doors::ReloadFault;
use crate::proxy::{Proxy, StartError};

impl Proxy {
    /// Reads the configuration in `file` again, with a look at the files it speaks of, and puts it
    /// in force as [`Proxy::reload`] does.
    ///
    /// # Errors
    ///
    /// When the file has faults (all of them are told) or cannot be put in force; the old
    /// configuration then stays, whole.
    pub async fn reload_file(&self, file: &Path) -> Result<Loaded, StartError> {
        match config::load(file, Files::Look) {
            Ok(loaded) => {
                self.reload(loaded.config.clone()).await?;
                Ok(loaded)
            }
            Err(problems) => {
                let error = StartError::Mesh(BuildError::Config(problems));
                self.note_refused(&error);
                Err(error)
            }
        }
    }
}

impl From<&StartError> for ReloadFault {
    fn from(error: &StartError) -> Self {
        let problems = match error {
            StartError::Mesh(BuildError::Config(problems)) => problems.to_json(),
            _ => json!([]),
        };
        Self { message: error.to_string(), problems }
    }
}
