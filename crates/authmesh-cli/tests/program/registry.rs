//! The door for workloads of a running program: who may register, and what survives its death.

use std::os::unix::fs::{MetadataExt, PermissionsExt};

use serde_json::Value;

use crate::http::{Reply, ask_unix};
use crate::program::{Folder, accepting, until};

/// How many instances are registered before the program is killed.
const INSTANCES: u16 = 20;

/// A mesh whose registry is on a Unix socket, with these further keys.
fn folder(keys: &str) -> Folder {
    let folder = Folder::serving("");
    folder.write(&text(&folder, keys));
    folder
}

fn text(folder: &Folder, keys: &str) -> String {
    folder.serving_text(&format!(
        "[registry]\nkind = \"embedded\"\naddress = \"unix:{}\"\n{keys}\n\
         [service.token]\ndiscover = {{ registry = true }}\n",
        folder.path("registry.sock").display()
    ))
}

fn send(folder: &Folder, method: &str, path: &str) -> Reply {
    let body = match method {
        "PUT" => r#"{"addresses":["127.0.0.1:9"],"ttl_s":3600}"#,
        _ => "",
    };
    let request = format!(
        "{method} /v1/registry/{path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    ask_unix(&folder.path("registry.sock"), &request)
}

fn registered(folder: &Folder) -> Vec<String> {
    let view = send(folder, "GET", "token").json();
    let ids = view["instances"].as_array().unwrap().iter();
    ids.map(|instance| instance["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_was_answered_is_there_after_the_program_was_killed() {
    let folder = folder("persist = \"records\"");
    let mesh = folder.start();
    mesh.address("door registry");
    for number in 0..INSTANCES {
        let answer = send(&folder, "PUT", &format!("token/t{number}"));
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    assert_eq!(send(&folder, "DELETE", "token/t0").status, 200);
    // At once: the last answer has just come.
    mesh.signal("-KILL");
    mesh.end();

    let mesh = folder.start();
    mesh.address("door registry");
    let after = registered(&folder);
    let mut expected: Vec<_> = (1..INSTANCES).map(|number| format!("t{number}")).collect();
    expected.sort();
    assert_eq!(after, expected);
    assert_eq!(send(&folder, "POST", "token/t1/heartbeat").status, 200, "it is still its own");
}

#[test]
fn the_socket_is_for_the_users_named_and_a_reload_names_others() {
    let folder = folder("");
    let user = std::fs::metadata(folder.path("mesh.toml")).unwrap().uid();
    let mode = || std::fs::metadata(folder.path("registry.sock")).unwrap().permissions().mode();
    let mesh = folder.start();
    mesh.address("door registry");
    assert_eq!((mode() & 0o777, send(&folder, "PUT", "token/t1").status), (0o600, 200));

    let table = |uids: &str| {
        let text = text(&folder, &format!("uids = {{ {uids} }}"));
        folder.write(&accepting("registry.uids", &text));
    };
    table(&format!("{user} = [\"login\"]"));
    let beat = || send(&folder, "POST", "token/t1/heartbeat");
    let refused = until(beat, |answer| answer.status == 403);
    assert!(refused.head.contains("x-authmesh-reason: no_allow_rule"), "{}", refused.head);
    let error: Value = refused.json();
    assert!(error["message"].as_str().unwrap().contains("`uids`"), "{error}");
    assert_eq!(mode() & 0o777, 0o666, "each connection is asked who it is");
    assert_eq!(send(&folder, "PUT", "login/l1").status, 200);
    assert_eq!(registered(&folder), ["t1"], "it may look");

    table(&format!("{} = \"token\"", user + 1));
    until(|| send(&folder, "GET", "token"), |answer| answer.status == 403);
}
