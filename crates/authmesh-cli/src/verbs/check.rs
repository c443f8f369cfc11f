//! `check`: tells everything that is wrong with a file.

use authmesh::config::{self, Files, Severity};
use serde_json::json;

use crate::arguments::Check;
use crate::ending::{Ending, Failure};
use crate::mesh_file::mesh_file;
use crate::print;

/// Reads the file and tells what was found.
pub(crate) fn check(check: Check) -> Result<Ending, Failure> {
    let file = mesh_file(check.file)?;
    let files = if check.files { Files::Look } else { Files::Trust };
    let (problems, summary, is_right) = match config::load(&file, files) {
        Ok(loaded) => {
            let (services, routes) = (loaded.config.services.len(), loaded.config.routes.len());
            let listeners = loaded.config.network.listeners.len();
            let summary = format!(
                "{} is right: services {services}, listeners {listeners}, routes {routes}",
                file.display()
            );
            (loaded.warnings, summary, true)
        }
        Err(problems) => (problems, format!("{} cannot be used", file.display()), false),
    };
    let warnings = problems.count(Severity::Warning);
    if check.output.is_json() {
        let found = json!({
            "file": file.display().to_string(),
            "ok": is_right && !(check.strict && warnings > 0),
            "errors": problems.count(Severity::Error),
            "warnings": warnings,
            "problems": problems.to_json(),
        });
        print::asked(&found.to_string());
    } else {
        print::report(&problems);
    }
    print::words(&summary);
    Ok(match is_right {
        false => Ending::BadInput,
        true if check.strict && warnings > 0 => Ending::No,
        true => Ending::Done,
    })
}
