//! The unit that runs a mesh under systemd.

use std::process::Command;

use crate::program::Folder;

/// The most that the unit may expose, in tenths of what systemd counts to ten.
const MOST_EXPOSURE: &str = "--threshold=20";

#[test]
fn the_unit_is_lawful_and_gives_few_rights() {
    let unit = concat!(env!("CARGO_MANIFEST_DIR"), "/../../packaging/authmesh.service");
    let text = std::fs::read_to_string(unit).unwrap();
    // A configuration that is refused ends with 2, and is not tried again.
    for wanted in ["RestartPreventExitStatus=2", "NoNewPrivileges=yes", "LimitCORE=0"] {
        assert!(text.lines().any(|line| line == wanted), "{wanted}");
    }
    let folder = Folder::empty();
    let copy = folder.path("authmesh.service");
    std::fs::write(&copy, text.replace("/usr/bin/authmesh", env!("CARGO_BIN_EXE_authmesh")))
        .unwrap();
    for arguments in
        [&["verify", "--man=no"][..], &["security", "--offline=yes", "--no-pager", MOST_EXPOSURE]]
    {
        match Command::new("systemd-analyze").args(arguments).arg(&copy).output() {
            Ok(output) => {
                let said = String::from_utf8_lossy(&output.stderr);
                assert!(output.status.success() && said.is_empty(), "{arguments:?}: {output:?}");
            }
            Err(error) => println!("not tried, for there is no systemd-analyze here: {error}"),
        }
    }
}
