//! `dump` and `schema`: what a file means, and what a file may say.

use authmesh::config::{self, Files};

use crate::arguments::{Dump, DumpForm};
use crate::ending::{Ending, Failure};
use crate::mesh_file::mesh_file;
use crate::print;

/// Writes down what a file means. Secrets are not fetched, so none can be shown.
pub(crate) fn dump(dump: Dump) -> Result<Ending, Failure> {
    let file = mesh_file(dump.file)?;
    let loaded = match config::load(&file, Files::Trust) {
        Ok(loaded) => loaded,
        Err(problems) => {
            print::report(&problems);
            return Err(Failure::bad_input(format!("{} cannot be used", file.display())));
        }
    };
    print::report(&loaded.warnings);
    match dump.output {
        DumpForm::Toml => print::asked(&loaded.to_toml()),
        DumpForm::Json => print::asked(&loaded.to_json().to_string()),
    }
    Ok(Ending::Done)
}

/// Writes the JSON Schema of the file.
pub(crate) fn schema() -> Result<Ending, Failure> {
    print::asked(&config::schema_text());
    Ok(Ending::Done)
}
