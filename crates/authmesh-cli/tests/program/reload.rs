//! A running mesh and a file that changes.

use crate::backend::Backend;
use crate::http::{ask_unix, get};
use crate::program::{Folder, Program, command, until};

/// A request over a Unix socket.
const GET: &str = "GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

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
fn a_listener_that_moves_is_told_of_before_and_after() {
    let backend = Backend::named("token");
    let folder = Folder::serving(&service(&backend));
    let mesh = folder.start();
    mesh.hear("authmesh: door admin");
    let text = folder.serving_text(&service(&backend));
    let (old, new) = (folder.path("local.sock"), folder.path("there.sock"));
    let mut open = std::os::unix::net::UnixStream::connect(&old).unwrap();
    folder.write(&text.replace("local.sock", "there.sock"));
    let sentence =
        format!("listener `local` moves from `unix:{}` to `unix:{}`", old.display(), new.display());

    let diff = folder.run(&["diff"]);
    assert_eq!(diff.code, 1);
    assert!(diff.stdout.starts_with("neutral   listener.local.address: "), "{}", diff.stdout);
    for wanted in ["info[AM-C095]: ", &sentence, "finish what they carry", "mesh.toml:14:"] {
        assert!(diff.stderr.contains(wanted), "{wanted} in {}", diff.stderr);
    }
    let json = folder.run(&["diff", "-o", "json"]).json();
    let problem = &json["problems"][0];
    assert_eq!((&problem["code"], &problem["severity"]), (&"AM-C095".into(), &"info".into()));

    let reload = folder.run(&["reload"]);
    assert_eq!(reload.code, 0, "{}", reload.stderr);
    assert!(reload.stderr.contains(&sentence), "{}", reload.stderr);
    assert!(mesh.hear(&sentence).contains("AM-C095"));
    // What was open there ends, and nobody else gets in.
    assert_eq!(std::io::Read::read(&mut open, &mut [0]).unwrap(), 0);
    assert!(!old.exists() && ask_unix(&new, GET).body == "token");

    let json = folder.run(&["reload", "-o", "json"]).json();
    assert_eq!(
        (&json["changes"], &json["problems"]),
        (&serde_json::json!([]), &serde_json::json!([]))
    );
    assert_eq!((&json["ok"], &json["version"]), (&true.into(), &2.into()));
    assert_eq!(folder.run(&["check", "--strict"]).code, 0);
}

#[test]
fn listeners_may_change_places() {
    let (one, two) = (Backend::named("one"), Backend::named("two"));
    let folder = Folder::empty();
    let text = |first: &str, second: &str| {
        format!(
            "version = 1\n[authorization]\ndefault = \"allow\"\n[admin]\nsocket = \"{}\"\n\
             [[listener]]\nname = \"one\"\naddress = \"unix:{}\"\nforward_to = \"one\"\n\
             [[listener]]\nname = \"two\"\naddress = \"unix:{}\"\nforward_to = \"two\"\n\
             [service.one]\nendpoints = [\"{}\"]\n[service.two]\nendpoints = [\"{}\"]\n",
            folder.admin_socket().display(),
            folder.path(first).display(),
            folder.path(second).display(),
            one.address,
            two.address,
        )
    };
    let asked = |name: &str| ask_unix(&folder.path(name), GET).body;
    folder.write(&text("a.sock", "b.sock"));
    let mesh = folder.start();
    mesh.hear("authmesh: door admin");
    assert_eq!((asked("a.sock"), asked("b.sock")), ("one".into(), "two".into()));
    folder.write(&text("b.sock", "a.sock"));
    let reload = folder.run(&["reload"]);
    assert_eq!(reload.code, 0, "{}", reload.stderr);
    assert_eq!(reload.stderr.matches("AM-C095").count(), 2, "{}", reload.stderr);
    assert_eq!((asked("a.sock"), asked("b.sock")), ("two".into(), "one".into()));
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
