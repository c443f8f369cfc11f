//! Where the configuration file is if none is named, and the folder of its versions.

use std::path::{Path, PathBuf};

use crate::arguments::State;
use crate::ending::Failure;

/// Where it is looked for, in this order.
const PLACES: [&str; 2] = ["./mesh.toml", "/etc/authmesh/mesh.toml"];

/// The file named, or the first that exists.
pub(crate) fn mesh_file(named: Option<PathBuf>) -> Result<PathBuf, Failure> {
    named.or_else(found).ok_or_else(|| {
        Failure::bad_input(format!(
            "there is no configuration file: neither {} nor {}\n  = help: name one, as in \
             `authmesh check conf/mesh.toml`",
            PLACES[0], PLACES[1]
        ))
    })
}

/// The folder in which the versions of `file` are kept.
pub(crate) fn state_folder(state: &State, file: &Path) -> PathBuf {
    let of_manager = || {
        // The service manager may name several folders; the first is the one of the mesh.
        let folders = std::env::var_os("STATE_DIRECTORY")?;
        std::env::split_paths(&folders).next().filter(|folder| folder.is_absolute())
    };
    let beside = || {
        let name = file.file_name().unwrap_or_default();
        file.with_file_name(".authmesh").join(name)
    };
    state.state.clone().or_else(of_manager).unwrap_or_else(beside)
}

/// The first file that exists.
pub(crate) fn found() -> Option<PathBuf> {
    PLACES.iter().map(Path::new).find(|path| path.exists()).map(Path::to_path_buf)
}
