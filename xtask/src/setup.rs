//! Installs what tests and benches need from Debian's packages, where it may; else says what is
//! missing.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::command;
use crate::say::say;

/// What the caller is about to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// Run the tests.
    Tests,
    /// Run tests and benches.
    Everything,
}

/// One program: its name, Debian's package, what it is for, whether tests need it.
struct Tool {
    program: &'static str,
    package: &'static str,
    purpose: &'static str,
    for_tests: bool,
}

const TOOLS: [Tool; 6] = [
    Tool { program: "nginx", package: "nginx", purpose: "a real server upstream", for_tests: true },
    Tool { program: "curl", package: "curl", purpose: "a real client", for_tests: true },
    Tool {
        program: "openssl",
        package: "openssl",
        purpose: "a second opinion on certificates",
        for_tests: true,
    },
    Tool { program: "haproxy", package: "haproxy", purpose: "a real peer", for_tests: true },
    Tool { program: "wrk", package: "wrk", purpose: "load over HTTP/1.1", for_tests: false },
    Tool {
        program: "h2load",
        package: "nghttp2-client",
        purpose: "load over HTTP/2",
        for_tests: false,
    },
];

/// Asked by Debian's packages before they start a service.
const START_POLICY: &str = "/usr/sbin/policy-rc.d";

/// Makes sure that every program is there.
pub(crate) fn run(need: Need) -> Result<()> {
    let needed = TOOLS.iter().filter(|tool| tool.for_tests || need == Need::Everything);
    let missing: Vec<&Tool> =
        needed.filter(|tool| command::find_program(tool.program).is_none()).collect();
    if missing.is_empty() {
        say("set-up: nothing is missing");
        return Ok(());
    }
    for tool in &missing {
        say(format!("set-up: `{}` is missing ({})", tool.program, tool.purpose));
    }
    let packages: Vec<&str> = missing.iter().map(|tool| tool.package).collect();
    let by_hand = format!("apt-get install --no-install-recommends {}", packages.join(" "));
    if command::find_program("apt-get").is_none() {
        bail!("this is no Debian; install the programs named above and try again");
    }
    if !is_root()? {
        bail!("only root may install packages; run `sudo {by_hand}` and try again");
    }
    install(&packages).with_context(|| format!("installing failed; try `{by_hand}` by hand"))?;
    match missing.iter().find(|tool| command::find_program(tool.program).is_none()) {
        Some(tool) => bail!("`{}` is still missing after `{by_hand}`", tool.program),
        None => Ok(()),
    }
}

/// Installs packages without letting them start a service.
fn install(packages: &[&str]) -> Result<()> {
    let before = running()?;
    let _no_services = NoServices::hold()?;
    let apt = |words: &[&str]| {
        let mut command = Command::new("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive").args(["-qq", "-o", "Acquire::Retries=3"]);
        command.args(words);
        command::run(&mut command, "is the package mirror reachable?")
    };
    apt(&["update"])?;
    apt(&[&["install", "-y", "--no-install-recommends"], packages].concat())?;
    let started: Vec<String> =
        running()?.into_iter().filter(|process| !before.contains(process)).collect();
    if !started.is_empty() {
        bail!("a package started a service ({}); stop it and try again", started.join(", "));
    }
    Ok(())
}

/// Forbids packages to start services while it lives.
struct NoServices {
    is_ours: bool,
}

impl NoServices {
    fn hold() -> Result<Self> {
        let is_ours = !Path::new(START_POLICY).exists();
        if is_ours {
            use std::os::unix::fs::PermissionsExt;
            fs::write(START_POLICY, "#!/bin/sh\nexit 101\n")?;
            fs::set_permissions(START_POLICY, fs::Permissions::from_mode(0o755))?;
        }
        Ok(Self { is_ours })
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if self.is_ours && fs::remove_file(START_POLICY).is_err() {
            say(format!("set-up: {START_POLICY} could not be removed; remove it by hand"));
        }
    }
}

/// The running processes that bear the name of one of the programs, as `name (process number)`.
fn running() -> Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let entry = entry?;
        // A process may end between being listed and being read.
        let Ok(name) = fs::read_to_string(entry.path().join("comm")) else { continue };
        if TOOLS.iter().any(|tool| tool.program == name.trim()) {
            found.push(format!("{} ({})", name.trim(), entry.file_name().to_string_lossy()));
        }
    }
    Ok(found)
}

fn is_root() -> Result<bool> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("Uid:"));
    Ok(line.and_then(|ids| ids.split_whitespace().nth(1)) == Some("0"))
}
