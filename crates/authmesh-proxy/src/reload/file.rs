//! Reads the file again and puts what it says in force.

use std::path::Path;

use authmesh::config::{self, Files, Loaded};

use super::change::Changed;
use crate::proxy::{Proxy, StartError};

impl Proxy {
    /// Reads the configuration in `file` again, with a look at the files it speaks of, and puts it
    /// in force as [`Proxy::reload`] does. Where versions are kept, one that protects less than the
    /// configuration in force must say until when that is accepted. What it did is told beside it.
    ///
    /// # Errors
    ///
    /// When the file has faults (all of them are told), protects less or cannot be put in force; the
    /// old configuration then stays, whole.
    pub async fn reload_file(&self, file: &Path) -> Result<(Loaded, Changed), StartError> {
        let loaded = config::load(file, Files::Look).map_err(|problems| self.refuse(problems))?;
        let changed = self.change(&loaded, "reload".to_owned(), true, false).await?;
        Ok((loaded, changed))
    }
}
