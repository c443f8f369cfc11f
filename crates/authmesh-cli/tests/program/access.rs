//! Access rules decide over real sockets, tell what they did, and change under open connections.

use http::StatusCode;
use http_body_util::Empty;
use hyper::body::Bytes;
use hyper_util::rt::{TokioExecutor, TokioIo};

use crate::backend::Backend;
use crate::http::{Reply, ask, ask_unix, get};
use crate::program::{Folder, accepting};

/// A folder whose mesh has these rules and one service.
fn ruled(backend: &Backend, rules: &str) -> Folder {
    let folder = Folder::with("");
    folder.write(&text(&folder, backend, rules));
    folder
}

fn text(folder: &Folder, backend: &Backend, rules: &str) -> String {
    let service = format!("[service.token]\nendpoints = [\"{}\"]\n{rules}\n", backend.address);
    folder.serving_text(&service).replace("[authorization]\ndefault = \"allow\"\n", "")
}

/// Sends a request with these fields; those of one connection are added.
fn send(address: &str, line: &str, fields: &[&str]) -> Reply {
    let fields: String = fields.iter().map(|field| format!("{field}\r\n")).collect();
    ask(address, &format!("{line} HTTP/1.1\r\n{fields}connection: close\r\n\r\n"))
}

/// The status, and the reason told.
fn answer(reply: &Reply) -> (u16, Option<&str>) {
    let reason = reply.head.lines().find_map(|line| line.strip_prefix("x-authmesh-reason: "));
    (reply.status, reason)
}

const PASSED: (u16, Option<&str>) = (200, None);
const UNSPOKEN: (u16, Option<&str>) = (403, Some("no_allow_rule"));
const DENIED: (u16, Option<&str>) = (403, Some("denied_by"));

#[test]
fn rules_decide_by_address_method_path_host_and_header() {
    let backend = Backend::named("token");
    let folder = ruled(
        &backend,
        r#"
[[policy]]
name = "local-reads"
action = "allow"
service = "token"
ip_blocks = ["127.0.0.0/8"]
hosts = ["token.example"]
methods = ["GET"]
paths = ["/keys", "/users/{*}/keys", "/open/**"]
not_when = { "header.x-debug" = ["*"] }

[[policy]]
name = "elsewhere"
action = "allow"
ip_blocks = ["10.0.0.0/8"]

[[policy]]
name = "no-admin"
action = "deny"
paths = ["/open/admin/**"]

[[policy]]
name = "blue"
action = "allow"
from = "anyone"
paths = ["/tenant"]
when = { "header.x-tenant" = ["blue", "green-*"] }
"#,
    );
    let (_mesh, web) = folder.start_and_find("listener web");
    let host = "host: token.example";
    for (line, fields, wanted) in [
        ("GET /keys", &[host][..], PASSED),
        ("GET /keys", &["host: TOKEN.example.:8443"], PASSED),
        ("GET /keys", &["host: other.example"], UNSPOKEN),
        ("POST /keys", &[host, "content-length: 0"], UNSPOKEN),
        ("GET /keys/", &[host], UNSPOKEN),
        ("GET /users/7/keys?x=/open", &[host], PASSED),
        ("GET /users/7/8/keys", &[host], UNSPOKEN),
        ("GET /open/x", &[host], PASSED),
        ("GET /open/x", &[host, "x-debug: 1"], UNSPOKEN),
        ("GET /open/admin/x", &[host], DENIED),
        ("GET /open/%61dmin/x", &[host], DENIED),
        ("GET /open/y/../admin//x", &[host], DENIED),
        ("GET /open/../other", &[host], UNSPOKEN),
        ("GET /open/a%2fadmin", &[host], (400, Some("bad_request"))),
        ("GET /tenant", &["host: a", "x-tenant: blue"], PASSED),
        ("GET /tenant", &["host: a", "x-tenant: green-1"], PASSED),
        ("GET /tenant", &["host: a", "x-tenant: red"], UNSPOKEN),
        ("GET /tenant", &["host: a", "x-tenant: blue", "x-tenant: red"], UNSPOKEN),
        ("GET /tenant", &["host: a", "x-tenant: blue", "connection: x-tenant"], UNSPOKEN),
        ("GET /tenant", &["host: a"], UNSPOKEN),
    ] {
        let reply = send(&web, line, fields);
        assert_eq!(answer(&reply), wanted, "{line} {fields:?}");
        if wanted.0 == 403 {
            assert!(reply.body.starts_with("{\"error\":\"forbidden\",\"request_id\":"));
        }
    }
    let local = "GET /keys HTTP/1.1\r\nhost: token.example\r\nconnection: close\r\n\r\n";
    let unaddressed = ask_unix(&folder.path("local.sock"), local);
    assert_eq!(answer(&unaddressed), UNSPOKEN, "a peer on a Unix socket has no address");
}

#[test]
fn the_address_of_the_client_is_believed_only_from_trusted_proxies() {
    let backend = Backend::named("token");
    let rule = "[[policy]]\nname = 'office'\naction = 'allow'\n\
                remote_ip_blocks = ['203.0.113.0/24']\n";
    let folder = ruled(&backend, rule);
    let (mesh, web) = folder.start_and_find("listener web");
    let asked = |fields: &[&str]| {
        let fields = [&["host: a"], fields].concat();
        let reply = send(&web, "GET /", &fields);
        (reply.status, answer(&reply).1.map(str::to_owned))
    };
    let forwarded = "x-forwarded-for: 203.0.113.9";
    assert_eq!(asked(&[forwarded]).0, 403, "nobody is trusted yet");
    let trusting = format!("{rule}[headers]\ntrusted_proxies = ['127.0.0.1']\n");
    let trusting = text(&folder, &backend, &trusting);
    folder.write(&accepting("headers.trusted_proxies", &trusting));
    mesh.signal("-HUP");
    mesh.hear("the file was read again");
    assert_eq!(asked(&[forwarded]), (200, None));
    assert_eq!(asked(&["x-forwarded-for: 203.0.113.9, 198.51.100.1"]).0, 403);
    assert_eq!(asked(&["x-forwarded-for: 198.51.100.1"]).0, 403);
    assert_eq!(asked(&[]).0, 403);
}

#[test]
fn a_caller_that_proves_nothing_is_told_to_where_an_identity_is_wanted() {
    let backend = Backend::named("token");
    let rules = "[[policy]]\nname = 'web'\naction = 'allow'\npaths = ['/login']\n\
                 from = ['spiffe://corp.example/web']\n";
    let folder = ruled(&backend, rules);
    let (_mesh, web) = folder.start_and_find("listener web");
    let forged = "x-authmesh-identity: spiffe://corp.example/web";
    let reply = send(&web, "GET /login", &["host: a", forged]);
    assert_eq!(answer(&reply), (401, Some("authn_missing")));
    assert!(reply.head.contains("\r\nwww-authenticate: certificate\r\n"), "{}", reply.head);
    assert!(reply.body.starts_with("{\"error\":\"unauthorized\","), "{}", reply.body);
    assert_eq!(answer(&send(&web, "GET /other", &["host: a", forged])), UNSPOKEN);
}

#[test]
fn what_no_route_takes_is_refused_like_the_rest_unless_a_rule_allows_everything() {
    let backend = Backend::named("token");
    let route = "[[listener]]\nname = 'routed'\naddress = '127.0.0.1:0'\n[[route]]\nname = 'r'\n\
                 listener = 'routed'\npaths = ['/known']\nservice = 'token'\n";
    let rule = |service: &str| {
        format!("[[policy]]\nname = 'all'\naction = 'allow'\nfrom = 'anyone'\n{service}\n{route}")
    };
    let folder = ruled(&backend, &rule("service = 'token'"));
    let (mesh, web) = folder.start_and_find("listener routed");
    assert_eq!(answer(&send(&web, "GET /known", &["host: a"])), PASSED);
    assert_eq!(answer(&send(&web, "GET /unknown", &["host: a"])), UNSPOKEN);
    let wider = text(&folder, &backend, &rule(""));
    folder.write(&accepting("policy.all.service", &wider));
    mesh.signal("-HUP");
    mesh.hear("the file was read again");
    assert_eq!(send(&web, "GET /unknown", &["host: a"]).status, 404);
}

#[test]
fn a_changed_rule_decides_about_the_next_request_of_an_open_connection() {
    let backend = Backend::named("token");
    let rule = |action: &str| {
        let extra = if action == "allow" { "from = 'anyone'" } else { "" };
        format!(
            "[[policy]]\nname = 'all'\naction = 'allow'\nfrom = 'anyone'\n\
             [[policy]]\nname = 'login'\naction = '{action}'\npaths = ['/login']\n{extra}\n"
        )
    };
    let folder = ruled(&backend, &rule("allow"));
    let (mesh, web) = folder.start_and_find("listener web");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let connect =
            || async { TokioIo::new(tokio::net::TcpStream::connect(&web).await.unwrap()) };
        let request = || {
            let request = hyper::Request::get("http://a/login").header("host", "a");
            request.body(Empty::<Bytes>::new()).unwrap()
        };
        let (mut one, connection) =
            hyper::client::conn::http1::handshake(connect().await).await.unwrap();
        tokio::spawn(connection);
        let (mut two, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), connect().await)
                .await
                .unwrap();
        tokio::spawn(connection);
        assert_eq!(one.send_request(request()).await.unwrap().status(), StatusCode::OK);
        assert_eq!(two.send_request(request()).await.unwrap().status(), StatusCode::OK);

        folder.write(&text(&folder, &backend, &rule("deny")));
        mesh.signal("-HUP");
        mesh.hear("the file was read again");
        one.ready().await.unwrap();
        assert_eq!(one.send_request(request()).await.unwrap().status(), StatusCode::FORBIDDEN);
        assert_eq!(two.send_request(request()).await.unwrap().status(), StatusCode::FORBIDDEN);
    });
}

#[test]
fn refusals_are_counted_and_told_and_rules_in_shadow_only_tell() {
    let backend = Backend::named("token");
    let rules = "[[policy]]\nname = 'all'\naction = 'allow'\nfrom = 'anyone'\n\
                 [[policy]]\nname = 'no-admin'\naction = 'deny'\npaths = ['/admin/**']\n\
                 [[policy]]\nname = 'soon'\naction = 'deny'\nmode = 'shadow'\npaths = ['/old']\n";
    let folder = ruled(&backend, rules);
    let (mesh, web) = folder.start_and_find("listener web");
    let metrics = mesh.address("door metrics");
    for _ in 0..3 {
        assert_eq!(answer(&send(&web, "GET /admin/x", &["host: a"])), DENIED);
    }
    assert_eq!(answer(&send(&web, "GET /old", &["host: a"])), PASSED);
    mesh.hear("access rules refused requests");
    mesh.hear("a policy in shadow mode would have changed the answer");
    let text = get(&metrics, "/metrics").body;
    for line in [
        "authmesh_access_refusals_total{service=\"token\",reason=\"denied_by\"} 3",
        "authmesh_access_refusals_total{service=\"token\",reason=\"no_allow_rule\"} 0",
        "authmesh_access_shadow_total{service=\"token\"} 1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
    }
}

#[test]
fn explain_names_the_rule_and_its_line() {
    let backend = Backend::named("token");
    let rules = "[[policy]]\nname = 'web'\naction = 'allow'\nfrom = 'anyone'\nservice = 'token'\n\
                 paths = ['/login/**']\n\
                 [[policy]]\nname = 'no-admin'\naction = 'deny'\npaths = ['/login/admin/**']\n";
    let folder = ruled(&backend, rules);
    let mesh = folder.start();
    mesh.hear("authmesh: door admin");
    let explain = |request: &str, rest: &[&str]| {
        let asked = ["explain", "access", request, "--service", "token"];
        folder.run(&[&asked, rest].concat())
    };
    let line = |name: &str| {
        let text = std::fs::read_to_string(folder.path("mesh.toml")).unwrap();
        let wanted = format!("name = '{name}'");
        format!("mesh.toml:{}", text.lines().position(|line| line == wanted).unwrap() + 1)
    };
    let allowed = explain("GET /login/x", &["--address", "10.0.0.1", "--host", "a:80"]);
    assert_eq!(allowed.code, 0, "{}", allowed.stderr);
    assert!(allowed.stdout.contains("allowed by policy `web`"), "{}", allowed.stdout);
    assert!(allowed.stdout.contains(&line("web")), "{}", allowed.stdout);
    assert!(allowed.stdout.contains("no: the path is another"), "{}", allowed.stdout);

    let denied = explain("GET /login/x/../admin/y", &["-o", "json"]);
    let report = denied.json();
    assert_eq!((denied.code, &report["reason"]), (1, &"denied_by".into()), "{report}");
    assert_eq!(report["path"], "/login/admin/y");
    assert!(report["rule"]["origin"].as_str().unwrap().ends_with(&line("no-admin")), "{report}");

    for wrong in [
        explain("login", &[]),
        explain("GET /a%2fb", &[]),
        explain("GET /", &["--host", "a b"]),
        explain("GET /", &["--header", "nothing"]),
        folder.run(&["explain", "access", "GET /", "--service", "nobody"]),
    ] {
        assert_eq!(wrong.code, 2, "{} {}", wrong.stdout, wrong.stderr);
    }
}

#[test]
fn policy_tests_say_yes_or_no_and_a_file_whose_tests_fail_is_not_served() {
    let rules = "version = 1\n[service.token]\nendpoints = ['127.0.0.1:1']\n\
                 [[policy]]\nname = 'web'\naction = 'allow'\nfrom = 'anyone'\npaths = ['/login']\n";
    let test = |path: &str, expect: &str| {
        format!(
            "[[policy_test]]\nname = '{path} {expect}'\nservice = 'token'\n\
             request = 'GET {path}'\nexpect = '{expect}'\n"
        )
    };
    let folder =
        Folder::with(&format!("{rules}{}{}", test("/login", "allow"), test("/admin", "deny")));
    let good = folder.run(&["policy", "test"]);
    assert_eq!(good.code, 0, "{}", good.stderr);
    assert!(good.stdout.contains("ok   /login allow: allowed by policy `web`"), "{}", good.stdout);
    assert!(good.stderr.contains("2 passed, 0 failed"), "{}", good.stderr);
    assert_eq!(folder.run(&["check"]).code, 0);

    folder.write(&format!("{rules}{}{}", test("/login", "allow"), test("/admin", "allow")));
    let bad = folder.run(&["policy", "test", "-o", "json"]);
    let report = bad.json();
    assert_eq!((bad.code, &report["failed"]), (1, &1.into()), "{report}");
    assert_eq!(report["tests"][1]["passed"], false);
    assert_eq!(report["tests"][1]["found"], "denied, as no policy allows it");
    for verb in ["check", "run"] {
        let refused = folder.run(&[verb]);
        assert_eq!(refused.code, 2);
        assert!(refused.stderr.contains("AM-C054"), "{}", refused.stderr);
    }
    folder.write("version = 1\n[[policy]]\n");
    assert_eq!(folder.run(&["policy", "test"]).code, 2);
}

#[test]
fn the_page_about_access_shows_what_the_program_says() {
    let page = include_str!("../../../../docs/access.md");
    let block = |fence: &str, number: usize| {
        let block = page.split(fence).nth(number).unwrap();
        block.split("```").next().unwrap().trim_start_matches('\n').to_owned()
    };
    let folder = Folder::with(&block("```toml", 1));
    let check = folder.run(&["check", "--strict"]);
    assert_eq!(check.code, 0, "{}", check.stderr);
    folder.write(&(block("```toml", 1) + &block("```toml", 2)));
    let check = folder.run(&["check", "--strict"]);
    assert_eq!(check.code, 0, "{}", check.stderr);
    folder.write(&block("```toml", 1));
    let shown = block("```text", 1);
    assert_eq!(
        format!("$ authmesh policy test\n{}", folder.run(&["policy", "test"]).stdout),
        shown
    );

    let admin = folder.admin_socket().display().to_string();
    let served = block("```toml", 1).replace("127.0.0.1:8080", "127.0.0.1:0");
    folder.write(&format!("{served}\n[admin]\nsocket = \"{admin}\"\n"));
    let mesh = folder.start();
    mesh.hear("authmesh: door admin");
    let asked = ["explain", "access", "POST /login/admin/users", "--service", "login"];
    let explained = folder.run(&[&asked[..], &["--address", "10.1.2.3"]].concat());
    let shown = block("```text", 2);
    let shown = shown.split_once('\n').unwrap().1;
    assert_eq!(explained.stdout, shown);
}
