//! Starts a program on one core, waits until it serves, and ends it with all its descendants.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::command::find_program;
use crate::stopwatch::wait_until;

/// How long a program may take to serve.
const START_LIMIT: Duration = Duration::from_secs(15);

/// How long a program may take to end once asked.
const STOP_LIMIT: Duration = Duration::from_secs(5);

/// How long one answer may take while waiting for a program to serve.
const ANSWER_LIMIT: Duration = Duration::from_secs(1);

/// A running program; ended when dropped.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
}

impl Running {
    /// Starts `words` on `core`; what it prints goes to `log`. It ends with this program too.
    pub(crate) fn start(words: &[String], core: usize, log: &Path) -> Result<Self> {
        let [program, arguments @ ..] = words else { bail!("no program to start") };
        let file =
            File::create(log).with_context(|| format!("{} is not writable", log.display()))?;
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "TERM", "taskset", "-c", &core.to_string(), program])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .process_group(0)
            .spawn()
            .context("setpriv and taskset (Debian's util-linux) could not be started")?;
        Ok(Self { child })
    }

    /// Waits until it answers `GET path` with 200 at this port; else says what it printed.
    pub(crate) fn wait_until_it_serves(&mut self, port: u16, path: &str, log: &Path) -> Result<()> {
        self.wait_until(|| answers(port, path), log)
    }

    /// Waits until it takes connections at this port; else says what it printed.
    pub(crate) fn wait_until_it_listens(&mut self, port: u16, log: &Path) -> Result<()> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        self.wait_until(|| TcpStream::connect_timeout(&address, ANSWER_LIMIT).is_ok(), log)
    }

    fn wait_until(&mut self, is_there: impl Fn() -> bool, log: &Path) -> Result<()> {
        let child = &mut self.child;
        let mut has_ended = false;
        let serves = wait_until(START_LIMIT, || {
            has_ended = !matches!(child.try_wait(), Ok(None));
            has_ended || is_there()
        });
        if has_ended || !serves {
            let printed = std::fs::read_to_string(log).unwrap_or_default();
            let lines: Vec<&str> = printed.lines().rev().take(10).collect();
            let last: Vec<&str> = lines.into_iter().rev().collect();
            let what = if has_ended { "ended at once" } else { "does not answer" };
            bail!("it {what}; it printed:\n{}", last.join("\n"));
        }
        Ok(())
    }

    /// Its process number.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal to it alone, or with `-` before its number to all it started.
    fn signal(&self, name: &str, before: &str) {
        // The program of that name, as a shell's own may not know groups. It may have ended by itself.
        let of = format!("{before}{}", self.id());
        let mut kill = Command::new("kill");
        let _ = kill.args([&format!("-{name}"), "--", &of]).stderr(Stdio::null()).status();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.signal("TERM", "");
        wait_until(STOP_LIMIT, || !matches!(self.child.try_wait(), Ok(None)));
        // What did not end, and what it left behind.
        self.signal("KILL", "-");
        let _ = self.child.wait();
    }
}

/// Ports of loopback that nobody uses now.
pub(crate) fn free_ports<const N: usize>() -> Result<[u16; N]> {
    let mut held = Vec::with_capacity(N);
    let mut ports = [0; N];
    for port in &mut ports {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no port is free")?;
        *port = listener.local_addr()?.port();
        held.push(listener);
    }
    Ok(ports)
}

/// A program that must be there; else how to get it.
pub(crate) fn required(program: &str) -> Result<String> {
    let found = find_program(program);
    let path = found.with_context(|| format!("{program} is missing; run `cargo xtask setup`"))?;
    Ok(path.to_string_lossy().into_owned())
}

fn answers(port: u16, path: &str) -> bool {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect_timeout(&address, ANSWER_LIMIT)?;
        stream.set_read_timeout(Some(ANSWER_LIMIT))?;
        let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        stream.write_all(head.as_bytes())?;
        let mut answer = [0; 12];
        stream.read_exact(&mut answer)?;
        Ok(answer == *b"HTTP/1.1 200")
    };
    ask().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_ends_with_its_descendants() {
        let folder = tempfile::tempdir().unwrap();
        let child = folder.path().join("child");
        let script = format!("cat /dev/zero > /dev/null & echo $! > {}; wait", child.display());
        let words = ["sh", "-c", &script].map(str::to_owned);
        let running = Running::start(&words, 0, &folder.path().join("log")).unwrap();
        let number = || std::fs::read_to_string(&child).unwrap_or_default().trim().to_owned();
        assert!(wait_until(START_LIMIT, || !number().is_empty()));
        let id = running.id();
        drop(running);
        let is_gone = |id: &str| !Path::new("/proc").join(id).join("exe").exists();
        assert!(is_gone(&id.to_string()));
        assert!(wait_until(STOP_LIMIT, || is_gone(&number())));
    }

    #[test]
    fn a_program_that_ends_at_once_is_told_with_what_it_printed() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let words = ["sh", "-c", "echo the port is taken; exit 1"].map(str::to_owned);
        let mut running = Running::start(&words, 0, &log).unwrap();
        let [port] = free_ports().unwrap();
        let error = running.wait_until_it_serves(port, "/", &log).unwrap_err().to_string();
        assert!(error.contains("ended at once") && error.contains("the port is taken"), "{error}");
    }

    #[test]
    fn free_ports_differ() {
        let ports: [u16; 4] = free_ports().unwrap();
        let mut sorted = ports.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted.len(), 4);
    }
}
