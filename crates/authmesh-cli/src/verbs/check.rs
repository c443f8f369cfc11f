//! `check`: tells everything that is wrong with a file.

use std::path::Path;

use authmesh::config::{self, Files, Loaded, Online, Problems, Severity};
use serde_json::json;

use crate::arguments::{Check, CheckForm};
use crate::ending::{Ending, Failure};
use crate::mesh_file::mesh_file;
use crate::{print, show};

/// What was found, and what to say at the end.
struct Found {
    problems: Problems,
    summary: String,
    /// Whether the file can be used.
    is_right: bool,
    /// What was seen on the network, if it was looked at.
    online: Option<Online>,
}

/// Reads the file and tells what was found.
pub(crate) fn check(check: Check) -> Result<Ending, Failure> {
    let file = mesh_file(check.file)?;
    // Whom the mesh proves itself to on the network, it does with these files.
    let files = if check.files || check.online { Files::Look } else { Files::Trust };
    let found = match config::load(&file, files) {
        Ok(loaded) => look(&file, loaded, check.online)?,
        Err(problems) => Found::unusable(&file, problems, check.online),
    };
    let warnings = found.problems.count(Severity::Warning);
    let is_well = found.online.as_ref().is_none_or(|online| online.is_well);
    let is_refused = (check.strict && warnings > 0) || !is_well;
    match check.output {
        CheckForm::Text => {
            let seen = found.online.as_ref().map(show::online).unwrap_or_default();
            print::asked_bytes(seen.as_bytes());
            print::report(&found.problems);
        }
        CheckForm::Github => print::asked_bytes(found.problems.to_github().as_bytes()),
        CheckForm::Json => {
            let json = json!({
                "file": file.display().to_string(),
                "ok": found.is_right && !is_refused,
                "errors": found.problems.count(Severity::Error),
                "warnings": warnings,
                "problems": found.problems.to_json(),
                "online": found.online,
            });
            print::asked(&json.to_string());
        }
    }
    print::words(&found.summary);
    Ok(match found.is_right {
        false => Ending::BadInput,
        true if is_refused => Ending::No,
        true => Ending::Done,
    })
}

fn look(file: &Path, mut loaded: Loaded, is_online: bool) -> Result<Found, Failure> {
    if let Err(problems) = loaded.acceptances_hold(config::today()) {
        return Ok(Found::unusable(file, problems, is_online));
    }
    let (services, routes) = (loaded.config.services.len(), loaded.config.routes.len());
    let listeners = loaded.config.network.listeners.len();
    let mut summary = format!(
        "{} is right: services {services}, listeners {listeners}, routes {routes}",
        file.display()
    );
    let mut online = None;
    if is_online {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let seen = runtime.map_err(Failure::bad_input)?.block_on(loaded.look_online());
        let all = seen.endpoints.len() + seen.not_looked_at;
        summary += &format!(", endpoints reached {} of {all}", seen.reached());
        online = Some(seen);
    }
    Ok(Found { problems: loaded.warnings, summary, is_right: true, online })
}

impl Found {
    fn unusable(file: &Path, problems: Problems, is_online: bool) -> Self {
        let mut summary = format!("{} cannot be used", file.display());
        if is_online {
            summary += "; the network was not looked at";
        }
        Self { problems, summary, is_right: false, online: None }
    }
}
