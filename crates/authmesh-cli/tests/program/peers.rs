//! Other programs as peers of mutual TLS: curl and openssl call, nginx and HAProxy call and are
//! called. The certificates are those that `authmesh ca` makes.

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;

use crate::backend::Backend;
use crate::http::get;
use crate::program::{Folder, Program, until};

const DOMAIN: &str = "corp.example";

/// A folder with an authority and a certificate for each of `names`.
fn folder(names: &[&str]) -> Folder {
    let folder = Folder::with("");
    let made = folder.run(&["ca", "init", DOMAIN]);
    assert_eq!(made.code, 0, "{}", made.stderr);
    for name in names {
        let id = format!("/{name}");
        let issued = folder.run(&["ca", "issue", &id, "--host", "localhost", "-o", "json"]);
        assert_eq!(issued.code, 0, "{}", issued.stderr);
        assert_eq!(issued.json()["id"], format!("spiffe://{DOMAIN}/{name}"));
    }
    folder
}

/// A running mesh `gate` that takes callers with a certificate on this port.
fn mesh(folder: &Folder, port: u16, service: &str) -> Program {
    folder.write(&folder.serving_text(&format!(
        "[identity]\ntrust_domain = \"{DOMAIN}\"\ncert = \"gate.pem\"\nkey = \"gate.key\"\n\
         bundle = \"bundle.pem\"\n[[listener]]\nname = \"secure\"\naddress = \"127.0.0.1:{port}\"\n\
         forward_to = \"token\"\ntls = {{ mode = \"mutual\" }}\n[service.token]\n{service}\n"
    )));
    let mesh = folder.start();
    mesh.address("listener secure");
    mesh
}

/// A port nobody listens on.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A program that ends with the test.
struct Peer(Child);

impl Peer {
    fn start(folder: &Folder, program: &str, arguments: &[&str]) -> Self {
        let child = Command::new(program)
            .args(arguments)
            .current_dir(folder.path(""))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let missing = |error| panic!("{program}: {error}; run `cargo xtask setup`");
        Self(child.unwrap_or_else(missing))
    }
}

impl Peer {
    /// Waits until it listens on this port, as long as it runs.
    fn listens(&mut self, port: u16) {
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(self.0.try_wait().unwrap().is_none(), "it ended instead of listening");
            thread::yield_now();
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn curl_and_openssl_call_with_a_certificate_and_get_nothing_without() {
    let folder = folder(&["gate", "web"]);
    let (backend, port) = (Backend::named("token"), free_port());
    let _mesh = mesh(&folder, port, &format!("endpoints = [\"{}\"]", backend.address));
    let curl = |flags: &[&str]| {
        let mut command = Command::new("curl");
        command.args(["--silent", "--ipv4", "--max-time", "20", "--cacert", "bundle.pem"]);
        command.args(["--write-out", " %{http_code} %{http_version}"]).args(flags);
        command.arg(format!("https://localhost:{port}/")).current_dir(folder.path(""));
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    let shown = ["--cert", "web.pem", "--key", "web.key"];
    assert_eq!(curl(&[&shown[..], &["--http1.1"]].concat()), "token 200 1.1");
    assert_eq!(curl(&[&shown[..], &["--http2"]].concat()), "token 200 2");
    assert!(curl(&[]).starts_with(" 000"), "without a certificate");
    assert!(curl(&[&shown[..], &["--tls-max", "1.2"]].concat()).starts_with(" 000"), "too old");

    let openssl = |arguments: &str, input: &str| {
        let mut command = Command::new("sh");
        let script = format!("printf '{input}' | timeout 20 openssl {arguments} 2>&1");
        command.args(["-c", &script]).current_dir(folder.path(""));
        String::from_utf8_lossy(&command.output().unwrap().stdout).into_owned()
    };
    let request = "GET / HTTP/1.1\\r\\nhost: localhost\\r\\nconnection: close\\r\\n\\r\\n";
    let call = format!(
        "s_client -quiet -ign_eof -connect localhost:{port} -CAfile bundle.pem \
         -verify_return_error -verify_hostname localhost"
    );
    let said = openssl(&format!("{call} -cert web.pem -key web.key"), request);
    assert!(said.contains("HTTP/1.1 200") && said.contains("token"), "{said}");
    let said = openssl(&call, request);
    assert!(!said.contains("HTTP/1.1") && said.contains("alert certificate required"), "{said}");
    let verified = openssl("verify -x509_strict -CAfile bundle.pem web.pem", "");
    assert!(verified.contains("web.pem: OK"), "{verified}");
}

#[test]
fn what_the_authority_may_not_name_nobody_believes() {
    let folder = folder(&[]);
    let issued = folder.run(&["ca", "issue", "/bad", "--host", "bank.example"]);
    assert_eq!(issued.code, 0, "{}", issued.stderr);
    let verified = Command::new("openssl")
        .args(["verify", "-CAfile", "bundle.pem", "bad.pem"])
        .current_dir(folder.path(""))
        .output()
        .unwrap();
    assert!(!verified.status.success());
    let words = String::from_utf8_lossy(&verified.stderr).into_owned();
    assert!(words.contains("permitted subtree violation"), "{words}");
    folder.write(&folder.serving_text(&format!(
        "[identity]\ntrust_domain = \"{DOMAIN}\"\ncert = \"bad.pem\"\nkey = \"bad.key\"\n\
         bundle = \"bundle.pem\"\n[service.token]\nendpoints = [\"127.0.0.1:9\"]\n"
    )));
    let checked = folder.run(&["check", "--files"]);
    assert_eq!(checked.code, 2);
    let words = checked.stderr;
    assert!(words.contains("AM-T012") && words.contains("name_constraint"), "{words}");
}

#[test]
fn a_rotated_authority_is_believed_with_what_it_issued_before() {
    let folder = folder(&["gate", "old"]);
    let (backend, port) = (Backend::named("token"), free_port());
    let _mesh = mesh(&folder, port, &format!("endpoints = [\"{}\"]", backend.address));
    assert_eq!(folder.run(&["ca", "init", DOMAIN]).code, 2, "the old one is not written over");
    assert_eq!(folder.run(&["ca", "rotate"]).code, 0);
    // Writes the new bundle beside it, which the running mesh sees.
    assert_eq!(folder.run(&["ca", "issue", "spiffe://corp.example/new"]).code, 0);
    assert_eq!(folder.run(&["ca", "issue", "spiffe://other.example/new"]).code, 2);
    for name in ["new", "old"] {
        let ask = || {
            let mut curl = Command::new("curl");
            curl.args(["--silent", "--ipv4", "--max-time", "20", "--cacert", "bundle.pem"]);
            let (cert, key) = (format!("{name}.pem"), format!("{name}.key"));
            curl.args(["--cert", &cert, "--key", &key]).arg(format!("https://localhost:{port}/"));
            let output = curl.current_dir(folder.path("")).output().unwrap();
            String::from_utf8(output.stdout).unwrap()
        };
        until(ask, |answer| answer == "token");
    }
    let status = folder.run(&["status"]);
    assert!(status.stdout.contains("identity  spiffe://corp.example/gate"), "{}", status.stdout);
}

/// A mesh that calls the peer as `peer` on one port and is called by it on another: what each side
/// says of the other.
fn both_ways(folder: &Folder, name: &str, start: impl Fn(u16, u16, u16) -> Peer) {
    let (called, calling, mesh_port) = (free_port(), free_port(), free_port());
    let mut peer = start(called, calling, mesh_port);
    peer.listens(called);
    let service =
        format!("endpoints = [\"127.0.0.1:{called}\"]\nidentity = \"spiffe://{DOMAIN}/{name}\"\n");
    let mesh = mesh(folder, mesh_port, &service);
    let web = mesh.address("listener web");
    let answer = get(&web, "/");
    assert_eq!(answer.status, 200, "{} {}", answer.head, answer.body);
    assert!(answer.body.contains("SUCCESS"), "the peer verified the mesh: {}", answer.body);
    // The peer calls the mesh, which calls the peer: both directions in one request.
    let answer = get(&format!("127.0.0.1:{calling}"), "/");
    assert_eq!(answer.status, 200, "{} {}", answer.head, answer.body);

    drop(mesh);
    let wrong = service.replace(&format!("/{name}"), "/somebody");
    let mesh = self::mesh(folder, mesh_port, &wrong);
    let answer = get(&mesh.address("listener web"), "/");
    assert_eq!(answer.status, 503);
    assert!(answer.head.contains("x-authmesh-reason: identity_mismatch"), "{}", answer.head);
}

#[test]
fn nginx_calls_and_is_called_by_mutual_tls() {
    let folder = folder(&["gate", "nginx"]);
    both_ways(&folder, "nginx", |called, calling, mesh| {
        let text = format!(
            "daemon off; master_process off; pid nginx.pid; error_log stderr;\n\
             events {{}}\nhttp {{\naccess_log off;\nserver {{\nlisten 127.0.0.1:{called} ssl;\n\
             ssl_certificate nginx.pem; ssl_certificate_key nginx.key; ssl_protocols TLSv1.3;\n\
             ssl_client_certificate bundle.pem; ssl_verify_client on;\n\
             location / {{ return 200 \"$ssl_client_verify\"; }}\n}}\n\
             server {{\nlisten 127.0.0.1:{calling};\nlocation / {{\n\
             proxy_pass https://127.0.0.1:{mesh}; proxy_http_version 1.1;\n\
             proxy_ssl_certificate nginx.pem; proxy_ssl_certificate_key nginx.key;\n\
             proxy_ssl_trusted_certificate bundle.pem; proxy_ssl_verify on;\n\
             proxy_ssl_name localhost; proxy_ssl_protocols TLSv1.3;\n}}\n}}\n}}\n"
        );
        std::fs::write(folder.path("nginx.conf"), text).unwrap();
        let here = folder.path("").display().to_string();
        Peer::start(&folder, "nginx", &["-p", &here, "-c", "nginx.conf"])
    });
}

#[test]
fn haproxy_calls_and_is_called_by_mutual_tls() {
    let folder = folder(&["gate", "haproxy"]);
    let [cert, key] = ["haproxy.pem", "haproxy.key"]
        .map(|name| std::fs::read_to_string(folder.path(name)).unwrap());
    std::fs::write(folder.path("haproxy.both"), cert + &key).unwrap();
    both_ways(&folder, "haproxy", |called, calling, mesh| {
        let text = format!(
            "global\n ssl-default-bind-options ssl-min-ver TLSv1.3\n\
             defaults\n mode http\n timeout connect 5s\n timeout client 20s\n timeout server 20s\n\
             frontend called\n bind 127.0.0.1:{called} ssl crt haproxy.both ca-file bundle.pem \
             verify required alpn http/1.1\n\
             http-request return status 200 content-type text/plain lf-string \
             \"%[ssl_c_verify,iif(FAILED,SUCCESS)]\"\n\
             frontend calling\n bind 127.0.0.1:{calling}\n default_backend mesh\n\
             backend mesh\n server mesh 127.0.0.1:{mesh} ssl crt haproxy.both ca-file bundle.pem \
             verify required verifyhost localhost alpn http/1.1\n"
        );
        std::fs::write(folder.path("haproxy.cfg"), text).unwrap();
        Peer::start(&folder, "haproxy", &["-db", "-f", "haproxy.cfg"])
    });
}

#[test]
fn what_registers_by_a_certificate_is_called_by_it_also_after_a_crash() {
    let folder = folder(&["gate", "token", "other"]);
    let [own, others, door, port] = [free_port(), free_port(), free_port(), free_port()];
    let server = |port: u16, name: &str| {
        format!(
            "server {{\nlisten 127.0.0.1:{port} ssl;\nssl_certificate {name}.pem; \
             ssl_certificate_key {name}.key;\nssl_client_certificate bundle.pem; \
             ssl_verify_client on;\nlocation / {{ return 200 \"{name}\"; }}\n}}\n"
        )
    };
    let servers = server(own, "token") + &server(others, "other");
    let text = format!(
        "daemon off; master_process off; pid nginx.pid; error_log stderr;\n\
         events {{}}\nhttp {{\naccess_log off; ssl_protocols TLSv1.3;\n{servers}}}\n"
    );
    std::fs::write(folder.path("nginx.conf"), text).unwrap();
    let here = folder.path("").display().to_string();
    let mut nginx = Peer::start(&folder, "nginx", &["-p", &here, "-c", "nginx.conf"]);
    nginx.listens(own);
    let start = || {
        let service = format!(
            "discover = {{ registry = true }}\n[registry]\nkind = \"embedded\"\n\
             address = \"127.0.0.1:{door}\"\ntls = {{ mode = \"mutual\" }}\n\
             persist = \"records\"\nidentities = {{ \"spiffe://{DOMAIN}/token\" = \"token\" }}\n"
        );
        mesh(&folder, port, &service)
    };
    let register = |name: &str, port: u16| {
        let (cert, key) = (format!("{name}.pem"), format!("{name}.key"));
        let facts = format!("{{\"addresses\":[\"127.0.0.1:{port}\"],\"ttl_s\":3600}}");
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--ipv4", "--max-time", "20", "--cacert", "bundle.pem"]);
        curl.args(["--cert", &cert, "--key", &key, "--request", "PUT", "--data", &facts]);
        curl.args(["--output", "/dev/null", "--write-out", "%{http_code}"]);
        curl.arg(format!("https://localhost:{door}/v1/registry/token/t1"));
        let output = curl.current_dir(folder.path("")).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let program = start();
    assert_eq!(register("other", others), "403", "it is not named");
    assert_eq!(register("token", own), "200");
    let asked = |program: &Program| get(&program.address("listener web"), "/");
    until(|| asked(&program), |answer| answer.status == 200 && answer.body == "token");
    program.signal("-KILL");
    program.end();

    let program = start();
    until(|| asked(&program), |answer| answer.status == 200 && answer.body == "token");
    // It says that it is where somebody else is.
    assert_eq!(register("token", others), "200");
    let refused = until(|| asked(&program), |answer| answer.status == 503);
    assert!(refused.head.contains("x-authmesh-reason: identity_mismatch"), "{}", refused.head);
}
