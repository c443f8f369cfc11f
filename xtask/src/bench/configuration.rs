//! The configurations of the proxies that are compared, and of their upstream, alike where they can be.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::load::{HEALTH, LARGE, SMALL};

/// The trust domain of the certificates that secure proxies show.
pub(crate) const TRUST_DOMAIN: &str = "bench.example";

/// The size of the small answer and of the large one.
const SMALL_BYTES: usize = 195;
const LARGE_BYTES: usize = 64 * 1024;

/// nginx's as the upstream: one worker on four ports and four Unix sockets; where it lies.
pub(crate) fn upstream(folder: &Path, ports: [u16; 4], sockets: &[PathBuf; 4]) -> Result<String> {
    let ports = ports.map(|port| format!("listen 127.0.0.1:{port} backlog=4096;"));
    let sockets =
        sockets.each_ref().map(|socket| format!("listen unix:{} backlog=4096;", socket.display()));
    let listens = [ports, sockets].as_flattened().join(" ");
    fs::write(folder.join(LARGE.trim_start_matches('/')), "x".repeat(LARGE_BYTES))?;
    let http = format!(
        "server {{ {listens} root {root};\n\
         location = {SMALL} {{ return 200 '{body}'; }}\n\
         location = {HEALTH} {{ return 200 'ok'; }} }}\n",
        root = folder.display(),
        body = "x".repeat(SMALL_BYTES)
    );
    nginx_file(folder, &http)
}

/// Ours: every feature that the document names. With a folder of certificates `http1` takes mutual TLS.
pub(crate) fn mesh(
    [http1, http2, metrics]: [u16; 3],
    to: &[String; 4],
    certificates: Option<&Path>,
) -> String {
    let listener = |name: &str, port: u16, mode: &str| {
        format!(
            "[[listener]]\nname = \"{name}\"\naddress = \"127.0.0.1:{port}\"\nprotocol = \"http\"\n\
             tls = {{ mode = \"{mode}\" }}\nforward_to = \"upstream\"\n\n"
        )
    };
    let identity = certificates.map_or_else(String::new, |folder| {
        let folder = folder.display();
        format!(
            "[identity]\ntrust_domain = \"{TRUST_DOMAIN}\"\ncert = \"{folder}/gate.pem\"\n\
             key = \"{folder}/gate.key\"\nbundle = \"{folder}/bundle.pem\"\n\n"
        )
    });
    let mode = if certificates.is_some() { "mutual" } else { "plaintext" };
    format!(
        "version = 1\n\n[authorization]\ndefault = \"allow\"\n\n\
         [metrics]\naddress = \"127.0.0.1:{metrics}\"\n\n{identity}{}{}\
         [service.upstream]\nendpoints = {to:?}\n\
         health = {{ path = \"{HEALTH}\", interval = \"2s\" }}\n",
        listener("http1", http1, mode),
        listener("http2", http2, "plaintext")
    )
}

/// HAProxy's. Its library knows no key exchange that outlasts quantum computers.
pub(crate) fn haproxy(
    http1: u16,
    http2: u16,
    to: &[String; 4],
    certificates: Option<&Path>,
) -> String {
    let (library, entry) = certificates.map_or_else(Default::default, |folder| {
        let folder = folder.display();
        (
            "  tune.ssl.cachesize 0\n  ssl-default-bind-options ssl-min-ver TLSv1.3 no-tls-tickets\n",
            format!(
                " ssl crt {folder}/gate.both ca-file {folder}/bundle.pem verify required \
                 curves X25519 alpn http/1.1"
            ),
        )
    });
    let servers: Vec<String> =
        (1..).zip(to).map(|(n, to)| format!("  server s{n} {to}\n")).collect();
    format!(
        "global\n  nbthread 1\n  maxconn 4000\n{library}\
         defaults\n  mode http\n  timeout connect 1s\n  timeout client 1h\n  timeout server 1h\n  \
         timeout http-keep-alive 1h\n  option http-keep-alive\n  option forwardfor\n  \
         http-reuse always\n\
         frontend http1\n  bind 127.0.0.1:{http1} backlog 4096{entry}\n  default_backend upstream\n\
         frontend http2\n  bind 127.0.0.1:{http2} proto h2\n  default_backend upstream\n\
         backend upstream\n  balance leastconn\n  option httpchk GET {HEALTH}\n  \
         default-server check inter 2s fall 3 rise 1 pool-max-conn 512 pool-purge-delay 60s\n{}",
        servers.concat()
    )
}

/// nginx's as a proxy; where it lies.
pub(crate) fn nginx(
    folder: &Path,
    http1: u16,
    http2: u16,
    to: &[String; 4],
    certificates: Option<&Path>,
) -> Result<String> {
    let (entry, tls) = certificates.map_or_else(Default::default, |folder| {
        let folder = folder.display();
        (
            " ssl",
            format!(
                "ssl_certificate {folder}/gate.pem; ssl_certificate_key {folder}/gate.key;\n\
                 ssl_client_certificate {folder}/bundle.pem; ssl_verify_client on;\n\
                 ssl_protocols TLSv1.3; ssl_ecdh_curve X25519; ssl_session_cache off; \
                 ssl_session_tickets off;\n"
            ),
        )
    });
    let servers = to.each_ref().map(|to| format!("server {to};")).join(" ");
    let http = format!(
        "proxy_buffer_size 16k; proxy_buffers 8 64k; proxy_busy_buffers_size 128k;\n\
         upstream upstream {{ least_conn; {servers} keepalive 512; \
         keepalive_requests 1000000000; keepalive_timeout 1h; }}\n\
         {tls}server {{ listen 127.0.0.1:{http1}{entry} backlog=4096; listen 127.0.0.1:{http2} http2;\n\
         location / {{ proxy_pass http://upstream; proxy_http_version 1.1; \
         proxy_set_header Connection ''; proxy_set_header Host $host; \
         proxy_set_header X-Forwarded-For $remote_addr; }} }}\n"
    );
    nginx_file(folder, &http)
}

/// Writes a configuration of nginx that needs no folder but its own; where it lies.
fn nginx_file(folder: &Path, http: &str) -> Result<String> {
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let temporary: Vec<String> = temporary
        .iter()
        .map(|name| format!("{name}_temp_path {}/{name};\n", folder.display()))
        .collect();
    let text = format!(
        "worker_processes 1; daemon off; pid {}/pid; error_log stderr error;\n\
         worker_rlimit_nofile 16384; events {{ worker_connections 8192; }}\n\
         http {{\naccess_log off; keepalive_requests 1000000000; keepalive_timeout 1h;\n\
         sendfile on; tcp_nopush on; tcp_nodelay on; default_type text/plain; \
         open_file_cache max=100;\n{}{http}}}\n",
        folder.display(),
        temporary.concat()
    );
    let file = folder.join("nginx.conf");
    fs::write(&file, text)?;
    Ok(file.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mesh_file_is_toml_with_every_upstream_and_its_features_on() {
        let to = [1, 2, 3, 4].map(|port| format!("127.0.0.1:{port}"));
        let secure = mesh([5, 6, 7], &to, Some(Path::new("/tls")));
        let secure: toml::Table = secure.parse().unwrap();
        assert_eq!(secure["listener"][0]["tls"]["mode"].as_str(), Some("mutual"));
        let table: toml::Table = mesh([5, 6, 7], &to, None).parse().unwrap();
        let service = &table["service"]["upstream"];
        assert_eq!(service["endpoints"].as_array().unwrap().len(), 4);
        assert!(service.get("health").is_some() && table.contains_key("metrics"));
        assert_eq!(table["listener"].as_array().unwrap().len(), 2);
    }
}
