//! `run`: carries traffic until told to stop.

use authmesh::config::{self, Files};

use crate::arguments::Run;
use crate::ending::{Ending, Failure};
use crate::mesh_file::mesh_file;
use crate::print;
use crate::running::{Plan, logs, serve};

/// Reads the file, starts the mesh, and serves until a signal or a person ends it.
pub(crate) fn run(run: Run) -> Result<Ending, Failure> {
    let file = mesh_file(run.file)?;
    logs::begin(&run.log, run.log_format)?;
    let loaded = match config::load(&file, Files::Look) {
        Ok(loaded) => loaded,
        Err(problems) => {
            print::report(&problems);
            return Err(Failure::bad_input(format!("{} cannot be used", file.display())));
        }
    };
    print::report(&loaded.warnings);
    let workers = run
        .workers
        .map_or_else(|| std::thread::available_parallelism().map_or(1, usize::from), usize::from);
    // The main thread carries the mesh's own tasks; traffic has the workers' threads.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(Failure::bad_input)?.block_on(serve(Plan { file, loaded, workers }))
}
