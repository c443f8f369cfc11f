//! `run`: carries traffic until told to stop.

use std::path::Path;

use authmesh::config::{self, Files, Loaded, Version, Versions};

use crate::arguments::Run;
use crate::ending::{Ending, Failure};
use crate::mesh_file::{mesh_file, state_folder};
use crate::print;
use crate::running::{Plan, logs, serve};

/// Reads the file, starts the mesh, and serves until a signal or a person ends it.
pub(crate) fn run(run: Run) -> Result<Ending, Failure> {
    let file = mesh_file(run.file)?;
    logs::begin(&run.log, run.log_format)?;
    let state = state_folder(&run.state, &file);
    let loaded = match config::load(&file, Files::Look) {
        Ok(loaded) => loaded.with_acceptances_as_warnings(config::today()),
        Err(problems) => {
            print::report(&problems);
            if !run.last_good {
                return Err(Failure::bad_input(format!("{} cannot be used", file.display())));
            }
            print::words(&format!("{} cannot be used: the last good one is", file.display()));
            last_good(&file, &state)?
        }
    };
    print::report(&loaded.warnings);
    let versions = Versions::open(state);
    let workers = run
        .workers
        .map_or_else(|| std::thread::available_parallelism().map_or(1, usize::from), usize::from);
    // The main thread carries the mesh's own tasks; traffic has the workers' threads.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(Failure::bad_input)?.block_on(serve(Plan { file, loaded, versions, workers }))
}

/// The last good configuration of `file`. The file is watched, so that mending it is enough.
fn last_good(file: &Path, state: &Path) -> Result<Loaded, Failure> {
    let Some(version) = Version::last_good(state) else {
        let place = state.display();
        return Err(Failure::bad_input(format!("no last good configuration is in {place}")));
    };
    let folder = file.parent().unwrap_or(Path::new(""));
    let mut loaded = version.load(folder, Files::Look).map_err(|problems| {
        print::report(&problems);
        Failure::bad_input(format!("version {} cannot be used either", version.number))
    })?;
    loaded.files = vec![file.to_path_buf()];
    Ok(loaded)
}
