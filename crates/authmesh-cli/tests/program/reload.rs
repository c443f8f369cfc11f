//! A running mesh and a file that changes.

use crate::backend::Backend;
use crate::http::get;
use crate::program::{Folder, Program, command, until};

fn service(backend: &Backend) -> String {
    format!("[service.token]\nendpoints = [\"{}\"]\n", backend.address)
}

#[test]
fn a_hang_up_signal_puts_the_new_file_in_force_and_keeps_the_sockets() {
    let (one, two) = (Backend::named("one"), Backend::named("two"));
    let folder = Folder::serving(&service(&one));
    let mesh = folder.start();
    let web = mesh.address("listener web");
    assert_eq!(get(&web, "/").body, "one");

    folder.write(&folder.serving_text(&service(&two)));
    mesh.signal("-HUP");
    until(|| get(&web, "/"), |reply| reply.body == "two");
    let status = folder.run(&["status", "-o", "json"]).json();
    assert_eq!(
        (&status["last_reload"]["ok"], &status["reload_failures"]),
        (&true.into(), &0.into())
    );
}

#[test]
fn a_changed_file_is_read_without_being_told() {
    let (one, two) = (Backend::named("one"), Backend::named("two"));
    let folder = Folder::serving(&service(&one));
    let mesh = folder.start();
    let web = mesh.address("listener web");
    folder.write(&folder.serving_text(&service(&two)));
    mesh.hear("the file was read again");
    until(|| get(&web, "/"), |reply| reply.body == "two");
}

#[test]
fn a_bad_file_changes_nothing_and_its_problems_are_told() {
    let backend = Backend::named("token");
    let folder = Folder::serving(&service(&backend));
    let mesh = folder.start();
    let (web, metrics) = (mesh.address("listener web"), mesh.address("door metrics"));
    let admin = format!("unix:{}", folder.admin_socket().display());
    folder.write(&folder.serving_text("[service.token]\nendpoint = []\n"));

    let reload = folder.run(&["reload", "--admin", &admin, "-o", "json"]);
    assert_eq!(reload.code, 2);
    assert!(reload.stderr.contains("did you mean `endpoints`?"), "{}", reload.stderr);
    let problems = reload.json()["problems"].clone();
    assert_eq!(problems[1]["code"], "AM-C001", "{problems}");

    assert_eq!(get(&web, "/").body, "token");
    let status = folder.run(&["status", "--admin", &admin, "-o", "json"]);
    let last = status.json()["last_reload"].clone();
    assert!(status.code == 0 && last["ok"] == false, "{last}");
    assert!(last["error"].as_str().unwrap().contains("AM-C001"), "{last}");
    let failures = get(&metrics, "/metrics").body;
    assert!(
        failures.lines().any(
            |line| line.starts_with("authmesh_reload_failures_total ") && !line.ends_with(" 0")
        )
    );
}

#[test]
fn doors_open_move_and_close_with_the_file() {
    let backend = Backend::named("token");
    let folder = Folder::serving(&service(&backend));
    let mesh = folder.start();
    let metrics = mesh.address("door metrics");
    let text = folder.serving_text(&service(&backend));
    let elsewhere = folder.path("people.sock");
    let moved = text
        .replace("admin.sock", "people.sock")
        .replace("[metrics]\naddress = \"127.0.0.1:0\"\n", "");
    folder.write(&moved);
    mesh.signal("-HUP");
    until(|| folder.run(&["status"]), |status| status.code == 0);
    assert!(elsewhere.exists() && !folder.admin_socket().exists());
    until(|| std::net::TcpStream::connect(&metrics).is_err(), |is_closed| *is_closed);
}

#[test]
fn watch_tells_what_happens() {
    let (one, two) = (Backend::named("one"), Backend::named("two"));
    let folder = Folder::serving(&service(&one));
    let mesh = folder.start();
    mesh.hear("authmesh: door admin");
    let watch = Program::start(command(&folder.path(""), &["watch", "-o", "json"]));
    watch.hear("watching");
    folder.write(&folder.serving_text(&service(&two)));
    mesh.signal("-HUP");
    let joined = watch.hear("\"joined\"");
    let event: serde_json::Value = serde_json::from_str(&joined).unwrap();
    assert_eq!((&event["service"], &event["kind"]), (&"token".into(), &"joined".into()));
    assert!(event["instance"].as_str().unwrap().contains(&two.address.to_string()), "{event}");
    mesh.signal("-TERM");
    assert_eq!(mesh.end().code(), Some(0));
    assert_eq!(watch.end().code(), Some(0), "the end of the mesh ends the watch");
}
