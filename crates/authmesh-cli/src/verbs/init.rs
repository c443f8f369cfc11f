//! `init`: writes a commented configuration file to begin with.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;

use serde_json::json;

use crate::arguments::Init;
use crate::ending::{Ending, Failure};
use crate::print;

/// The longest path of a Unix socket, in bytes (`sun_path` of unix(7), less its last).
const LONGEST_SOCKET: usize = 107;

/// How many ports are tried.
const MOST_PORTS: u16 = 100;

/// Writes the file. One that is there is left alone.
pub(crate) fn init(init: &Init) -> Result<Ending, Failure> {
    let file = std::path::absolute(&init.file).map_err(Failure::bad_input)?;
    let folder = file.parent().unwrap_or(Path::new("/"));
    let text = text(folder, free_port(8080), free_port(9464));
    let opened = OpenOptions::new().write(true).create_new(true).open(&file);
    let written = opened.and_then(|mut opened| opened.write_all(text.as_bytes()));
    written.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => Failure::bad_input(format!(
            "{} is there already\n  = help: name another file",
            file.display()
        )),
        _ => Failure::bad_input(format!("{} cannot be written: {error}", file.display())),
    })?;
    let place = init.file.display();
    if init.output.is_json() {
        print::asked(&json!({ "file": file.display().to_string() }).to_string());
    }
    print::words(&format!(
        "{place} is written; next: authmesh check {place}, authmesh run {place}"
    ));
    Ok(Ending::Done)
}

/// The first port from `first` on that nobody listens on now.
fn free_port(first: u16) -> u16 {
    let is_free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    (first..first + MOST_PORTS).find(is_free).unwrap_or(first)
}

fn text(folder: &Path, port: u16, metrics: u16) -> String {
    let socket = folder.join("admin.sock").display().to_string();
    // A folder with a strange name or a long one has no place for a socket.
    let is_lawful = socket.len() <= LONGEST_SOCKET
        && !socket.contains(|char: char| char.is_control() || "\"\\".contains(char));
    let dash = if is_lawful { "" } else { "# " };
    let socket = if is_lawful { socket.as_str() } else { "/run/authmesh/admin.sock" };
    format!(
        "# The configuration of one Authmesh. Every key: docs/config.md, or `authmesh schema`.
# After a change: `authmesh check`, `authmesh diff`, `authmesh reload`.
version = 1

# What happens to a request that no rule speaks of. \"allow\" is for a first try on this machine;
# a mesh that others can reach says \"deny\".
[authorization]
default = \"allow\"

# The door for people: `authmesh status`, `drain`, `reload`. Only the user who runs the mesh may enter.
{dash}[admin]
{dash}socket = \"{socket}\"

# The door for machines: /metrics, /healthz, /readyz.
[metrics]
address = \"127.0.0.1:{metrics}\"

# Where requests come in. Off this machine, TLS is needed: tls = {{ mode = \"server\" }} with `[identity]`.
[[listener]]
name = \"local\"
address = \"127.0.0.1:{port}\"
tls = {{ mode = \"plaintext\" }}
forward_to = \"login\"

# What a request does there is its operation: each has a breaker of its own. A request whose
# credential can be spent once is never sent twice.
[[route]]
name = \"redeem-code\"
paths = [\"/token\"]
methods = [\"POST\"]
service = \"login\"
class = \"single_use\"

# Where requests go: put the addresses of your instances here.
[service.login]
endpoints = [\"127.0.0.1:3000\"]
timeout = \"5s\"
# Once your instances answer it:
# health = {{ path = \"/healthz\", interval = \"5s\" }}

# What a client may ask for; these are the defaults.
[limits]
body = \"1MiB\"
header_timeout = \"10s\"
drain_timeout = \"30s\"
"
    )
}
