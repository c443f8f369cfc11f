//! The doors of a running mesh: what they say, and whom they let in.

use std::os::unix::fs::PermissionsExt;

use crate::backend::Backend;
use crate::http::{ask, ask_unix, get};
use crate::program::{Folder, command, run, until};

const LOST: &str =
    "[registry]\nkind = \"embedded\"\n[service.token]\ndiscover = { registry = true }\n";

#[test]
fn a_request_is_seen_at_every_door() {
    let backend = Backend::named("token");
    let folder =
        Folder::serving(&format!("[service.token]\nendpoints = [\"{}\"]\n", backend.address));
    let mesh = folder.start();
    let metrics = mesh.address("door metrics");
    assert_eq!(get(&mesh.address("listener web"), "/").status, 200);

    let text = get(&metrics, "/metrics").body;
    let labels = r#"service="token",operation="default""#;
    for wanted in [
        format!("authmesh_requests_total{{{labels},outcome=\"answered\"}} 1"),
        format!("authmesh_attempts_total{{{labels},outcome=\"success\"}} 1"),
        format!("authmesh_request_seconds_count{{{labels}}} 1"),
        format!("authmesh_breaker_state{{{labels},state=\"closed\"}} 1"),
        format!(
            "authmesh_breaker_transitions_total{{{labels},state=\"open\",\
             kind=\"closed_to_open\",reason=\"failure_rate\"}} 0"
        ),
        format!("authmesh_breaker_trials_total{{{labels},result=\"passed\"}} 0"),
        format!("authmesh_breaker_state_seconds_total{{{labels},state=\"open\"}} 0"),
        "authmesh_endpoint_breaker_trials_total{service=\"token\",result=\"late\"} 0".to_owned(),
        format!("authmesh_breaker_rejections_total{{{labels},reason=\"open\"}} 0"),
        "authmesh_endpoints{service=\"token\",state=\"routable\"} 1".to_owned(),
        "authmesh_balancer_picks_total{service=\"token\",strategy=\"least_loaded\"} 1".to_owned(),
        "authmesh_ready 1".to_owned(),
    ] {
        assert!(text.lines().any(|line| line == wanted), "{wanted} in\n{text}");
    }
    let again = get(&metrics, "/metrics").body;
    assert!(again.contains("outcome=\"answered\"} 1"), "asking changes nothing");

    let status = folder.run(&["status"]);
    assert_eq!(status.code, 0, "{}", status.stderr);
    assert!(status.stdout.contains("1 of 1") && status.stdout.contains("token/default"));
    let report = folder.run(&["status", "-o", "json"]).json();
    assert_eq!(report["ready"], true);
    assert_eq!(report["services"][0]["instances"][0]["state"], "routable");
    let instances = folder.run(&["instances", "token", "-o", "json"]).json();
    assert_eq!(instances["services"][0]["instances"][0]["breaker"]["state"], "closed");
    let breakers = folder.run(&["breaker", "list", "-o", "json"]).json();
    assert_eq!(breakers["breakers"][0]["key"], "token/default");
    let unknown = folder.run(&["instances", "nobody"]);
    assert!(unknown.code == 1 && unknown.stderr.contains("nobody"), "{}", unknown.stderr);
}

#[test]
fn the_door_for_machines_has_nothing_else() {
    let folder = Folder::serving(LOST);
    let (_mesh, metrics) = folder.start_and_find("door metrics");
    let metrics = metrics.as_str();
    assert_eq!(get(metrics, "/healthz").status, 200);
    for path in ["/", "/v1/status", "/v1/shutdown", "/metrics/x"] {
        assert_eq!(get(metrics, path).status, 404, "{path}");
    }
    let post = format!("POST /metrics HTTP/1.1\r\nhost: {metrics}\r\nconnection: close\r\n\r\n");
    let refused = ask(metrics, &post);
    assert!(refused.status == 405 && refused.head.contains("allow: get, head"), "{}", refused.head);
}

#[test]
fn a_service_without_instances_is_missing_with_its_reason() {
    let folder = Folder::serving(LOST);
    let (_mesh, metrics) = folder.start_and_find("door metrics");
    let ready = get(&metrics, "/readyz");
    assert_eq!(ready.status, 503);
    let missing = &ready.json()["missing"][0];
    assert_eq!(missing["step"], "endpoints:token");
    assert!(missing["reason"].is_string() && missing["since"].as_str().unwrap().ends_with('Z'));
    let status = folder.run(&["status"]);
    assert!(status.code == 1 && status.stdout.contains("endpoints:token"), "{}", status.stdout);
}

#[test]
fn the_socket_is_for_the_users_that_are_named() {
    let folder = Folder::serving(LOST);
    let (mesh, _) = folder.start_and_find("door admin");
    let mode = std::fs::metadata(folder.admin_socket()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    drop(mesh);

    let stranger = Folder::serving(LOST);
    let text = stranger.serving_text(LOST);
    stranger.write(&text.replace("[admin]\n", "[admin]\nallow_uids = [4294967294]\n"));
    let _mesh = stranger.start_and_find("door admin");
    let status = stranger.run(&["status"]);
    assert!(status.code == 1 && status.stderr.contains("may not enter"), "{}", status.stderr);
}

#[test]
fn on_tcp_the_token_is_asked_for_and_web_pages_are_refused() {
    let folder = Folder::serving(LOST);
    let token = folder.path("token");
    std::fs::write(&token, "s3cret\n").unwrap();
    std::fs::set_permissions(&token, PermissionsExt::from_mode(0o600)).unwrap();
    let socket = format!("socket = \"{}\"", folder.admin_socket().display());
    let tcp = "address = \"127.0.0.1:0\"\ntoken = { file = \"token\" }";
    folder.write(&folder.serving_text(LOST).replace(&socket, tcp));
    let (_mesh, admin) = folder.start_and_find("door admin");
    let place = format!("http://{admin}");

    let nowhere = tempfile::tempdir().unwrap();
    let without = run(nowhere.path(), &["services", "--admin", &place]);
    assert!(without.code == 1 && without.stderr.contains("--token-file"), "{}", without.stderr);
    let token = token.to_str().unwrap();
    let with = run(nowhere.path(), &["services", "--admin", &place, "--token-file", token]);
    assert_eq!(with.code, 0, "{}", with.stderr);
    let mut by_variable = command(nowhere.path(), &["services", "--admin", &place]);
    assert!(by_variable.env("AUTHMESH_ADMIN_TOKEN", "s3cret").output().unwrap().status.success());

    let asked = |host: &str, more: &str| {
        let request = format!(
            "GET /v1/status HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer s3cret\r\n{more}\
             connection: close\r\n\r\n"
        );
        ask(&admin, &request).status
    };
    assert_eq!(asked(&admin, ""), 200);
    assert_eq!(asked("evil.example", ""), 403);
    assert_eq!(asked(&admin, "origin: http://evil.example\r\n"), 403);
    assert_eq!(asked(&admin, "sec-fetch-site: cross-site\r\n"), 403);
    assert_eq!(get(&admin, "/v1/status").status, 401);
}

#[test]
fn instances_that_are_listed_are_not_decided_about() {
    let folder = Folder::serving("[service.token]\nendpoints = [\"127.0.0.1:1\"]\n");
    let _mesh = folder.start_and_find("door admin");
    for verb in [
        &["drain", "token", "127.0.0.1:1"][..],
        &["undrain", "token", "127.0.0.1:1"],
        &["quarantine", "token", "127.0.0.1:1"],
        &["weight", "token", "127.0.0.1:1", "0.5"],
        &["weight", "token", "127.0.0.1:1", "registered"],
    ] {
        let decided = folder.run(verb);
        assert!(decided.code == 1 && decided.stderr.contains("listed"), "{}", decided.stderr);
    }
    assert_eq!(folder.run(&["weight", "token", "127.0.0.1:1", "11"]).code, 2);
}

#[test]
fn the_door_for_people_says_what_it_cannot_do_and_does_the_rest() {
    let folder = Folder::serving(LOST);
    let (mesh, _) = folder.start_and_find("door admin");
    let asked = |method: &str, path: &str| {
        let request =
            format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        ask_unix(&folder.admin_socket(), &request)
    };
    for (method, path, status, error) in [
        ("POST", "/v1/explain", 400, "bad_request"),
        ("GET", "/v1/explain", 405, "wrong_method"),
        ("POST", "/v1/breakers/token%2Fdefault", 400, "bad_request"),
        ("POST", "/v1/breakers/token", 400, "bad_request"),
        ("GET", "/v1/breakers/token%2Fnobody", 404, "not_found"),
        ("DELETE", "/v1/breakers/token%2Fdefault", 405, "wrong_method"),
        ("POST", "/v1/services/token/instances/nobody/drain", 404, "not_found"),
        ("GET", "/v1/services/token/instances/nobody/drain", 405, "wrong_method"),
        ("POST", "/v1/services/token/instances/nobody/weight", 400, "bad_request"),
        ("GET", "/v1/shutdown", 405, "wrong_method"),
        ("POST", "/v1/status", 405, "wrong_method"),
        ("GET", "/v1/services/nobody", 404, "not_found"),
        ("GET", "/v1/services/token/instances/nobody", 404, "not_found"),
        ("GET", "/v2", 404, "not_found"),
        ("GET", "/v1/%zz", 400, "bad_request"),
    ] {
        let reply = asked(method, path);
        assert_eq!((reply.status, &reply.json()["error"]), (status, &error.into()), "{path}");
        assert!(reply.json()["message"].is_string(), "{path}");
    }
    assert_eq!(
        asked("GET", "/v1/services/token/instances").json()["instances"],
        serde_json::json!([])
    );
    assert_eq!(asked("POST", "/v1/reload").status, 200);
    assert_eq!(asked("POST", "/v1/shutdown").status, 202);
    assert_eq!(mesh.end().code(), Some(0));
    assert!(!folder.admin_socket().exists());
}

#[test]
fn who_registers_at_the_door_for_workloads_gets_requests() {
    let backend = Backend::named("token");
    let registry = "[registry]\nkind = \"embedded\"\naddress = \"127.0.0.1:0\"\n\
                    default = \"allow\"\n[service.token]\ndiscover = { registry = true }\n";
    let folder = Folder::serving(registry);
    let mesh = folder.start();
    let (door, web) = (mesh.address("door registry"), mesh.address("listener web"));
    assert_eq!(get(&web, "/").status, 503, "nobody is registered");

    let send = |method: &str, path: &str, body: &str| {
        let length = body.len();
        let request = format!(
            "{method} /v1/registry/token/one{path} HTTP/1.1\r\nhost: {door}\r\n\
             content-length: {length}\r\nconnection: close\r\n\r\n{body}"
        );
        ask(&door, &request)
    };
    let facts = format!("{{\"addresses\":[\"{}\"],\"ttl_s\":30}}", backend.address);
    let granted = send("PUT", "", &facts);
    assert_eq!((granted.status, &granted.json()["lease_s"]), (200, &30.into()));
    let routable = || get(&web, "/").status == 200;
    until(routable, |is_routable| *is_routable);
    assert_eq!(send("POST", "/heartbeat", "").status, 200);
    assert_eq!(send("POST", "/drain", "").status, 404, "no verb of operators is here");

    assert_eq!(send("DELETE", "", "").status, 200);
    until(routable, |is_routable| !is_routable);
    assert_eq!(send("POST", "/heartbeat", "").status, 404);
}
