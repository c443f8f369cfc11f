//! Where the configuration file is, if none is named.

use std::path::{Path, PathBuf};

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

/// The first file that exists.
pub(crate) fn found() -> Option<PathBuf> {
    PLACES.iter().map(Path::new).find(|path| path.exists()).map(Path::to_path_buf)
}
