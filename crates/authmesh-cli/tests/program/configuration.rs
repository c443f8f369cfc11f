//! The verbs that are about the configuration: what a file means, what it changes, what was before.

use std::os::unix::fs::PermissionsExt;

use crate::backend::Backend;
use crate::http::{ask_unix, get};
use crate::program::{Folder, Program, accepting, command, until};

fn service(backend: &Backend) -> String {
    format!("[service.token]\nendpoints = [\"{}\"]\n", backend.address)
}

/// A running mesh whose admin door is open and whose first version is kept.
fn started(folder: &Folder) -> Program {
    let mesh = folder.start();
    mesh.hear("authmesh: door admin");
    mesh
}

#[test]
fn the_file_that_init_writes_is_right_and_starts() {
    let folder = Folder::empty();
    let init = folder.run(&["init"]);
    assert_eq!(init.code, 0, "{}", init.stderr);
    let again = folder.run(&["init"]);
    assert_eq!(again.code, 2, "a file that is there is not replaced: {}", again.stderr);
    let check = folder.run(&["check", "--files", "--strict"]);
    assert_eq!(check.code, 0, "{}", check.stderr);
    let mesh = folder.start();
    assert!(mesh.address("listener local").starts_with("127.0.0.1:"));
    let ready = get(&mesh.address("door metrics"), "/readyz");
    assert_eq!(ready.status, 200, "{}", ready.body);
    assert_eq!(folder.run(&["status"]).code, 0);
    assert_eq!(folder.run(&["diff"]).code, 0);
}

#[test]
fn a_dump_is_a_file_that_means_the_same() {
    let folder = Folder::serving("[service.token]\nendpoints = [\"127.0.0.1:1\"]\n");
    let dump = folder.run(&["dump"]);
    assert_eq!(dump.code, 0, "{}", dump.stderr);
    assert!(dump.stdout.contains("endpoints = [\"127.0.0.1:1\"]  # "), "{}", dump.stdout);
    std::fs::write(folder.path("dumped.toml"), &dump.stdout).unwrap();
    assert_eq!(folder.run(&["check", "dumped.toml", "--strict"]).code, 0);
    let json = folder.run(&["dump", "-o", "json"]).json();
    let settings = json["settings"].as_array().unwrap();
    let body = settings.iter().find(|setting| setting["key"] == "limits.body").unwrap();
    assert_eq!((&body["value"], &body["origin"]), (&"\"1MiB\"".into(), &"default".into()));
    folder.write("version = 3\n");
    assert_eq!(folder.run(&["dump"]).code, 2);
}

#[test]
fn the_schema_is_the_one_in_the_documents() {
    let schema = Folder::empty().run(&["schema"]);
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/mesh.schema.json");
    let is_current = schema.stdout == std::fs::read_to_string(file).unwrap();
    assert!(schema.code == 0 && is_current, "docs/mesh.schema.json is another");
}

#[test]
fn diff_marks_each_change_and_a_weaker_one_is_refused_until_accepted() {
    let backend = Backend::named("token");
    let folder = Folder::serving(&service(&backend));
    let mesh = started(&folder);
    let web = mesh.address("listener web");
    let same = folder.run(&["diff", "-o", "json"]);
    assert_eq!((same.code, &same.json()["changes"]), (0, &serde_json::json!([])));

    let weaker = format!("{}[limits]\nbody = \"off\"\nheaders = 50\n", service(&backend));
    folder.write(&folder.serving_text(&weaker));
    let diff = folder.run(&["diff"]);
    assert_eq!(diff.code, 1, "{}", diff.stderr);
    let lines: Vec<&str> = diff.stdout.lines().collect();
    assert!(lines[0].starts_with("weaker    limits.body: \"1MiB\" → \"off\"  "), "{}", diff.stdout);
    assert!(lines[1].starts_with("stronger  limits.headers: 100 → 50  "), "{}", diff.stdout);
    assert!(diff.stderr.contains("refuse this file: 1 change protects less"), "{}", diff.stderr);

    let refused = folder.run(&["reload"]);
    assert_eq!(refused.code, 2);
    for wanted in ["AM-C056", "`limits.body`", "mesh.toml:", "accept_weaker = [\"limits.body: "] {
        assert!(refused.stderr.contains(wanted), "{wanted} in {}", refused.stderr);
    }
    assert_eq!(folder.run(&["diff"]).code, 1, "the old configuration is in force");
    assert_eq!(get(&web, "/").body, "token");

    let accepted = accepting("limits.body", &folder.serving_text(&weaker));
    folder.write(&accepted);
    let reload = folder.run(&["reload"]);
    assert_eq!(reload.code, 0, "{}", reload.stderr);
    mesh.hear("protects less");
    assert_eq!(folder.run(&["diff"]).code, 0);

    let (head, rest) = accepted.split_once(" until ").unwrap();
    folder.write(&format!("{head} until 2026-01-31{}", &rest["2026-01-31".len()..]));
    let ended = folder.run(&["check", "-o", "json"]);
    assert_eq!((ended.code, &ended.json()["problems"][0]["code"]), (2, &"AM-C057".into()));
}

#[test]
fn versions_are_kept_and_one_can_be_put_in_force_again() {
    let (one, two) = (Backend::named("one"), Backend::named("two"));
    let folder = Folder::serving(&service(&one));
    let mesh = started(&folder);
    let web = mesh.address("listener web");
    assert_eq!(folder.run(&["rollback"]).code, 1, "there is none before the first");
    folder.write(&folder.serving_text(&service(&two)));
    assert_eq!(folder.run(&["reload"]).code, 0);
    until(|| get(&web, "/"), |reply| reply.body == "two");

    let versions = folder.run(&["versions", "-o", "json"]).json();
    let cause = |index: usize| versions["versions"][index]["cause"].clone();
    assert_eq!((cause(0), cause(1)), ("reload".into(), "start".into()));
    assert_eq!(versions["versions"][0]["in_force"], true);
    assert!(folder.run(&["versions"]).stdout.contains("reload"));

    let rollback = folder.run(&["rollback", "-o", "json"]);
    assert_eq!((rollback.code, &rollback.json()["version"]), (0, &3.into()), "{}", rollback.stderr);
    until(|| get(&web, "/"), |reply| reply.body == "one");
    assert_eq!(folder.run(&["diff"]).code, 1, "the file says something else now");
    let table = folder.run(&["versions"]).stdout;
    assert!(table.contains("rollback to version 1, by "), "{table}");
    assert_eq!(folder.run(&["rollback", "77"]).code, 1);
    let again = folder.run(&["rollback", "3", "-o", "json"]);
    assert_eq!((again.code, &again.json()["changes"]), (0, &serde_json::json!([])));
    assert!(again.stderr.contains("in force already"), "{}", again.stderr);

    let kept = folder.path(".authmesh/mesh.toml");
    for entry in std::fs::read_dir(&kept).unwrap() {
        assert_eq!(entry.unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
    mesh.signal("-TERM");
    assert_eq!(mesh.end().code(), Some(0));

    // Without a running mesh, the last good one is what a file is compared with.
    folder.write(&folder.serving_text(&service(&one)));
    assert_eq!(folder.run(&["diff"]).code, 0);
    folder.write("version = 1\n[broken\n");
    assert_eq!(folder.run(&["run"]).code, 2);
    let last_good = Program::start(command(&folder.path(""), &["run", "--last-good"]));
    assert_eq!(get(&last_good.address("listener web"), "/").body, "one");
    // Mending the file is enough.
    folder.write(&folder.serving_text(&service(&two)));
    last_good.hear("the file was read again");
}

#[test]
fn a_rollback_to_a_weaker_version_wants_a_reason() {
    let backend = Backend::named("token");
    let folder = Folder::serving(&service(&backend));
    let _mesh = started(&folder);
    folder.write(&folder.serving_text(&format!("{}[limits]\nbody = 7\n", service(&backend))));
    assert_eq!(folder.run(&["reload"]).code, 0);
    let refused = folder.run(&["rollback"]);
    assert_eq!(refused.code, 2);
    assert!(refused.stderr.contains("--weaker"), "{}", refused.stderr);
    let taken = folder.run(&["rollback", "--weaker", "uploads fail"]);
    assert_eq!(taken.code, 0, "{}", taken.stderr);
    let table = folder.run(&["versions"]).stdout;
    assert!(table.contains("weaker accepted: uploads fail"), "{table}");
}

#[test]
fn a_configuration_is_put_only_in_the_place_of_the_one_it_was_made_for() {
    let (one, two) = (Backend::named("one"), Backend::named("two"));
    let folder = Folder::serving(&service(&one));
    let mesh = started(&folder);
    let web = mesh.address("listener web");
    let request = |verb: &str, head: &str, body: &str| {
        let length = body.len();
        let text = format!(
            "{verb} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{head}\
             content-length: {length}\r\n\r\n{body}"
        );
        ask_unix(&folder.admin_socket(), &text)
    };
    let now = request("GET /v1/config", "", "");
    assert!(now.head.contains("etag: \"1\""), "{}", now.head);
    assert_eq!(now.json()["is_of_file"], true);
    let text = now.json()["text"].as_str().unwrap().to_owned();
    let text = text.replace(&one.address.to_string(), &two.address.to_string());
    assert_eq!(request("POST /v1/config", "", &text).status, 428);
    assert_eq!(request("POST /v1/config", "if-match: \"9\"\r\n", &text).status, 412);
    assert_eq!(get(&web, "/").body, "one");
    let bad = request("POST /v1/config", "if-match: \"1\"\r\n", "version = 2\n");
    assert_eq!((bad.status, &bad.json()["problems"][0]["code"]), (422, &"AM-C010".into()));
    let put = request("POST /v1/config", "if-match: \"1\"\r\n", &text);
    assert_eq!((put.status, &put.json()["version"]), (200, &2.into()), "{}", put.body);
    assert_eq!(put.json()["changes"][0]["key"], "service.token.endpoints");
    until(|| get(&web, "/"), |reply| reply.body == "two");
    assert_eq!(request("GET /v1/config", "", "").json()["is_of_file"], false);
    assert_eq!(request("GET /v1/config/versions/1", "", "").json()["in_force"], false);
    assert_eq!(request("GET /v1/config/versions/8", "", "").status, 404);
    assert_eq!(request("DELETE /v1/config", "", "").status, 405);
}

#[test]
fn check_looks_on_the_network_when_asked_and_writes_annotations() {
    let backend = Backend::named("token");
    let text = format!(
        "version = 1\n[service.token]\nendpoints = [\"{}\", \"unix:/nowhere/at/all\"]\n",
        backend.address
    );
    let folder = Folder::with(&text);
    assert_eq!(folder.run(&["check", "--strict"]).code, 0);
    let online = folder.run(&["check", "--online", "-o", "json"]);
    assert_eq!(online.code, 1, "{}", online.stderr);
    let problem = online.json()["problems"][0].clone();
    assert_eq!((&problem["code"], &problem["line"]), (&"AM-N001".into(), &3.into()));
    assert!(online.stderr.contains("endpoints reached 1 of 2"), "{}", online.stderr);
    let seen = &online.json()["online"]["endpoints"];
    assert_eq!((&seen[0]["status"], &seen[1]["is_reached"]), (&200.into(), &false.into()));
    assert_eq!(seen[1]["problems"], serde_json::json!(["AM-N001"]));
    let table = folder.run(&["check", "--online"]).stdout;
    let unreached = table.lines().nth(2).unwrap_or_default();
    assert!(
        unreached.contains("unix:/nowhere/at/all") && unreached.ends_with("AM-N001"),
        "{table}"
    );
    let github = folder.run(&["check", "--online", "-o", "github"]);
    let line = "::warning file=./mesh.toml,line=3,col=";
    assert!(github.code == 1 && github.stdout.starts_with(line), "{}", github.stdout);

    folder.write("version = 1\n[service.token]\ntimeuot = \"2s\"\n");
    let github = folder.run(&["check", "-o", "github"]);
    assert_eq!(github.code, 2);
    let line = github.stdout.lines().nth(1).unwrap_or_default();
    assert!(
        line.starts_with("::error file=./mesh.toml,line=3,col=1,title=AM-C001::unknown key"),
        "{}",
        github.stdout
    );
    assert!(line.ends_with("%0Adid you mean `timeout`?"), "{}", github.stdout);
}
