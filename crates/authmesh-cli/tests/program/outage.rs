//! A real server is killed and comes back under load, and no request is lost.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crate::program::{Folder, until};

const CLIENTS: usize = 40;
const REQUESTS: usize = 10_000;

#[test]
fn ten_thousand_requests_survive_a_killed_and_restarted_nginx() {
    let folder = Folder::with("");
    let ports = [free_port(), free_port(), free_port()];
    let mut servers = ports.map(|port| Nginx::start(&folder, port));
    let endpoints = ports.map(|port| format!("\"127.0.0.1:{port}\"")).join(", ");
    folder.write(&folder.serving_text(&format!(
        "[service.token]\nendpoints = [{endpoints}]\nhealth = {{ path = \"/\", interval = \"500ms\" }}\n"
    )));
    let (mesh, address) = folder.start_and_find("listener web");

    let [asked, in_flight, ended, failed] = [const { AtomicUsize::new(0) }; 4];
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                let mut stream = connect(&address);
                while asked.fetch_add(1, Ordering::Relaxed) < REQUESTS {
                    in_flight.fetch_add(1, Ordering::Relaxed);
                    let answer = exchange(&mut stream);
                    if !matches!(&answer, Ok(head) if head.starts_with("HTTP/1.1 200 ")) {
                        println!("failed: {answer:?}");
                        failed.fetch_add(1, Ordering::Relaxed);
                        stream = connect(&address);
                    }
                    in_flight.fetch_sub(1, Ordering::Relaxed);
                    ended.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        until_ended(&ended, REQUESTS / 4);
        let flying = in_flight.load(Ordering::Relaxed);
        servers[0].kill();
        println!("killed one of three servers with {flying} requests in flight");
        until_ended(&ended, REQUESTS / 2);
        servers[0] = Nginx::start(&folder, ports[0]);
    });
    assert_eq!((ended.into_inner(), failed.into_inner()), (REQUESTS, 0), "(ended, failed)");
    mesh.signal("-TERM");
    assert!(mesh.end().success());
}

/// nginx, one process, answering everything with 200.
struct Nginx(Child);

impl Nginx {
    fn start(folder: &Folder, port: u16) -> Self {
        let place = folder.path(&port.to_string());
        std::fs::create_dir_all(&place).unwrap();
        let config = place.join("nginx.conf");
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {}/{kind};", place.display()))
            .join(" ");
        let text = format!(
            "daemon off; master_process off; pid {0}/pid; error_log {0}/error.log;\n\
             events {{}}\n\
             http {{ access_log off; {temporary} server {{ listen 127.0.0.1:{port}; \
             location / {{ return 200 \"hello\"; }} }} }}\n",
            place.display()
        );
        std::fs::write(&config, text).unwrap();
        let child = Command::new("/usr/sbin/nginx")
            .arg("-c")
            .arg(&config)
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("nginx: {error}; run `cargo xtask setup`"));
        let server = Self(child);
        until(|| TcpStream::connect(("127.0.0.1", port)), Result::is_ok).unwrap();
        server
    }

    /// Ends it as a crash would: `kill` is SIGKILL.
    fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // The one that was killed has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A connection on which an answer that does not come is a failure.
fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

/// Sends one request on a connection that is kept, reads its answer to the end, returns its head.
fn exchange(stream: &mut TcpStream) -> io::Result<String> {
    stream.write_all(b"GET / HTTP/1.1\r\nhost: token\r\n\r\n")?;
    let mut answer = Vec::new();
    let mut buffer = [0; 4_096];
    loop {
        let read = stream.read(&mut buffer)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        answer.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&answer);
        if let Some((head, body)) = text.split_once("\r\n\r\n")
            && head.contains(&format!("content-length: {}", body.len()))
        {
            return Ok(head.to_owned());
        }
    }
}

/// Waits until so many requests have ended; each does, well or not.
fn until_ended(ended: &AtomicUsize, wanted: usize) {
    while ended.load(Ordering::Relaxed) < wanted {
        thread::yield_now();
    }
}
