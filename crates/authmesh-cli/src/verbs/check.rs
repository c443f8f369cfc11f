//! `check`: tells everything that is wrong with a file.

use std::path::Path;

use authmesh::config::{self, Files, Loaded, Problems, Severity};
use serde_json::json;

use crate::arguments::{Check, CheckForm};
use crate::ending::{Ending, Failure};
use crate::mesh_file::mesh_file;
use crate::print;

/// What was found, and what to say at the end.
struct Found {
    problems: Problems,
    summary: String,
    /// Whether the file can be used.
    is_right: bool,
    /// How many endpoints were asked for and not reached.
    unreached: usize,
}

/// Reads the file and tells what was found.
pub(crate) fn check(check: Check) -> Result<Ending, Failure> {
    let file = mesh_file(check.file)?;
    let files = if check.files { Files::Look } else { Files::Trust };
    let found = match config::load(&file, files) {
        Ok(loaded) => look(&file, loaded, check.online)?,
        Err(problems) => Found::unusable(&file, problems),
    };
    let warnings = found.problems.count(Severity::Warning);
    let is_refused = (check.strict && warnings > 0) || found.unreached > 0;
    match check.output {
        CheckForm::Text => print::report(&found.problems),
        CheckForm::Github => print::asked_bytes(found.problems.to_github().as_bytes()),
        CheckForm::Json => {
            let json = json!({
                "file": file.display().to_string(),
                "ok": found.is_right && !is_refused,
                "errors": found.problems.count(Severity::Error),
                "warnings": warnings,
                "problems": found.problems.to_json(),
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
        return Ok(Found::unusable(file, problems));
    }
    let (services, routes) = (loaded.config.services.len(), loaded.config.routes.len());
    let listeners = loaded.config.network.listeners.len();
    let mut summary = format!(
        "{} is right: services {services}, listeners {listeners}, routes {routes}",
        file.display()
    );
    let mut unreached = 0;
    if is_online {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let looked = runtime.map_err(Failure::bad_input)?.block_on(loaded.look_online());
        unreached = looked.1;
        summary += &format!(", endpoints reached {} of {}", looked.0, looked.0 + looked.1);
    }
    Ok(Found { problems: loaded.warnings, summary, is_right: true, unreached })
}

impl Found {
    fn unusable(file: &Path, problems: Problems) -> Self {
        let summary = format!("{} cannot be used", file.display());
        Self { problems, summary, is_right: false, unreached: 0 }
    }
}
