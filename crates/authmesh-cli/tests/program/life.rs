//! The life of a running mesh: it starts, carries requests, and ends as it is told.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::thread;

use crate::backend::Backend;
use crate::http::{ask_unix, get};
use crate::program::{Folder, Program, command, until};

#[test]
fn requests_go_through_by_tcp_and_by_unix_socket() {
    let backend = Backend::named("token");
    let folder = Folder::serving(&service(&backend));
    let mesh = folder.start();
    let reply = get(&mesh.address("listener web"), "/introspect");
    assert_eq!((reply.status, reply.body.as_str()), (200, "token"));
    let request = "GET / HTTP/1.1\r\nhost: token\r\nconnection: close\r\n\r\n";
    assert_eq!(ask_unix(&folder.path("local.sock"), request).body, "token");
}

#[test]
fn a_port_in_use_ends_the_start_with_a_clear_word() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for door in [
        format!("[metrics]\naddress = \"{address}\"\n"),
        format!("[[listener]]\nname = \"web\"\naddress = \"{address}\"\nforward_to = \"token\"\n"),
    ] {
        let folder = Folder::with(&format!(
            "version = 1\n[authorization]\ndefault = \"allow\"\n{door}\
             [service.token]\nendpoints = [\"127.0.0.1:1\"]\n"
        ));
        let run = folder.run(&["run"]);
        assert_eq!(run.code, 2, "{}", run.stderr);
        let help = "another process listens there";
        assert!(run.stderr.contains(&address) && run.stderr.contains(help), "{}", run.stderr);
    }
}

#[test]
fn a_term_signal_lets_requests_in_flight_finish() {
    let (backend, arrivals) = Backend::waiting("token");
    let folder = Folder::serving(&service(&backend));
    let mesh = folder.start();
    let (web, metrics) = (mesh.address("listener web"), mesh.address("door metrics"));
    let asking = thread::spawn({
        let web = web.clone();
        move || get(&web, "/slow")
    });
    let waiting = arrivals.recv().unwrap();
    mesh.signal("-TERM");
    let ready = until(|| get(&metrics, "/readyz"), |reply| reply.status == 503);
    assert_eq!(ready.json()["missing"][0]["step"], "drain");
    assert_eq!(get(&metrics, "/healthz").status, 200);
    assert_eq!(folder.run(&["status", "-o", "json"]).json()["draining"], true);

    drop(waiting);
    let reply = asking.join().unwrap();
    assert_eq!((reply.status, reply.body.as_str()), (200, "token"));
    assert_eq!(mesh.end().code(), Some(0));
    assert!(!folder.admin_socket().exists() && !folder.path("local.sock").exists());
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let (backend, arrivals) = Backend::waiting("token");
    let folder = Folder::serving(&service(&backend));
    let mesh = folder.start();
    let web = mesh.address("listener web");
    let asking = thread::spawn(move || std::panic::catch_unwind(|| get(&web, "/slow")).is_err());
    let waiting = arrivals.recv().unwrap();
    mesh.signal("-INT");
    mesh.hear("stopping");
    mesh.signal("-INT");
    assert_eq!(mesh.end().code(), Some(130));
    assert!(!folder.admin_socket().exists() && !folder.path("local.sock").exists());
    assert!(asking.join().unwrap(), "the request was cut off");
    drop(waiting);
}

#[test]
fn a_start_that_fails_or_is_given_up_leaves_no_file_behind() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = Folder::serving("[service.token]\nendpoints = [\"127.0.0.1:1\"]\n");
    let address = format!("address = \"{}\"", taken.local_addr().unwrap());
    let text = folder.serving_text("[service.token]\nendpoints = [\"127.0.0.1:1\"]\n");
    // The last place to be opened is the one that is taken.
    let more = format!("[[listener]]\nname = \"z\"\n{address}\nforward_to = \"token\"\n");
    folder.write(&format!("{text}{more}"));
    assert_eq!(folder.run(&["run"]).code, 2);
    assert!(!folder.admin_socket().exists() && !folder.path("local.sock").exists());

    // A file of instances that is not there keeps the start waiting for a while.
    folder.write(&folder.serving_text("[service.token]\ndiscover = { file = \"none.toml\" }\n"));
    let mesh = folder.start();
    mesh.hear("door open");
    mesh.signal("-INT");
    assert_eq!(mesh.end().code(), Some(130));
    assert!(!folder.admin_socket().exists() && !folder.path("local.sock").exists());
}

#[test]
fn silent_peers_at_the_doors_do_not_hold_up_the_end() {
    let backend = Backend::named("token");
    let folder = Folder::serving(&service(&backend));
    let (mesh, metrics) = folder.start_and_find("door metrics");
    let silent = TcpStream::connect(&metrics).unwrap();
    let mut halfway = TcpStream::connect(&metrics).unwrap();
    halfway.write_all(b"GET /metrics HT").unwrap();
    let people = UnixStream::connect(folder.admin_socket()).unwrap();
    assert_eq!(get(&metrics, "/healthz").status, 200);
    mesh.signal("-TERM");
    assert_eq!(mesh.end().code(), Some(0));
    drop((silent, halfway, people));
}

#[test]
fn one_peer_cannot_take_every_place_at_a_door_for_good() {
    let backend = Backend::named("token");
    let folder = Folder::serving(&service(&backend));
    let (_mesh, metrics) = folder.start_and_find("door metrics");
    let crowd: Vec<_> = (0..100).map(|_| TcpStream::connect(&metrics).unwrap()).collect();
    // Those beyond the bound are closed, not kept waiting.
    let mut last = crowd.last().unwrap();
    assert_eq!(last.read(&mut [0; 1]).unwrap(), 0);
    drop(crowd);
    until(
        || std::panic::catch_unwind(|| get(&metrics, "/healthz").status).unwrap_or(0),
        |status| *status == 200,
    );
}

#[test]
fn the_service_manager_is_told() {
    let backend = Backend::named("token");
    let folder = Folder::serving(&service(&backend));
    let path = folder.path("notify.sock");
    let manager = UnixDatagram::bind(&path).unwrap();
    let hear = || {
        let mut buffer = [0; 64];
        let length = manager.recv(&mut buffer).unwrap();
        String::from_utf8(buffer[..length].to_vec()).unwrap()
    };
    let mut command = command(folder.path("").as_path(), &["run"]);
    command.env("NOTIFY_SOCKET", &path);
    let mesh = Program::start(command);
    assert_eq!(hear(), "READY=1");
    mesh.signal("-HUP");
    assert!(hear().starts_with("RELOADING=1\nMONOTONIC_USEC="));
    assert_eq!(hear(), "READY=1");
    mesh.signal("-TERM");
    assert_eq!(hear(), "STOPPING=1");
    assert_eq!(mesh.end().code(), Some(0));
}

fn service(backend: &Backend) -> String {
    format!("[service.token]\nendpoints = [\"{}\"]\n", backend.address)
}

#[test]
fn a_start_that_waits_says_for_what() {
    let folder = Folder::serving("[service.token]\ndiscover = { file = \"not-there.json\" }\n");
    let mesh = folder.start();
    let status = until(|| folder.run(&["status", "-o", "json"]), |status| status.code == 1);
    let missing = status.json()["missing"].clone();
    let steps: Vec<_> = missing.as_array().unwrap().iter().map(|one| &one["step"]).collect();
    assert_eq!(steps[..4], ["discovery", "health", "listeners", "discovery:token"], "{missing}");
    assert!(missing[0]["reason"].as_str().unwrap().contains("5 s"), "{missing}");
    mesh.signal("-TERM");
    assert_eq!(mesh.end().code(), Some(130), "a start that is given up is an interruption");
}
