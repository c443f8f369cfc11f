//! What clients speak: HTTP/1.1 and HTTP/2, in the clear and over TLS, asked by curl.

use std::process::Command;

use crate::backend::Backend;
use crate::program::Folder;

#[test]
fn each_protocol_carries_requests_in_the_clear_and_over_tls() {
    let backend = Backend::named("token");
    let folder = Folder::with("");
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(folder.path("cert.pem"), made.cert.pem()).unwrap();
    std::fs::write(folder.path("key.pem"), made.signing_key.serialize_pem()).unwrap();
    close_to_others(&folder.path("key.pem"));
    folder.write(&folder.serving_text(&format!(
        "[[listener]]\nname = \"secure\"\naddress = \"127.0.0.1:0\"\nforward_to = \"token\"\n\
         tls = {{ mode = \"server\" }}\n\
         [identity]\ncert = \"cert.pem\"\nkey = \"key.pem\"\n\
         [service.token]\nendpoints = [\"{}\"]\n",
        backend.address
    )));
    let mesh = folder.start();
    let port = |listener| mesh.address(listener).rsplit(':').next().unwrap().to_owned();
    let (clear, secure) = (port("listener web"), port("listener secure"));
    let trust = format!("--cacert={}", folder.path("cert.pem").display());

    for (url, flags, version) in [
        (format!("http://localhost:{clear}/"), vec!["--http1.1"], "1.1"),
        (format!("http://localhost:{clear}/"), vec!["--http2-prior-knowledge"], "2"),
        (format!("https://localhost:{secure}/"), vec!["--http1.1", &trust], "1.1"),
        (format!("https://localhost:{secure}/"), vec!["--http2", &trust], "2"),
    ] {
        let answer = curl(&url, &flags);
        assert_eq!(answer, format!("token 200 {version}"), "{url} {flags:?}");
    }
}

/// The body, the status and the version of HTTP that curl saw.
fn curl(url: &str, flags: &[&str]) -> String {
    let flags: Vec<_> = flags.iter().flat_map(|flag| flag.split('=')).collect();
    let out = Command::new("curl")
        .args(["--silent", "--show-error", "--ipv4", "--max-time", "20"])
        .args(["--write-out", " %{http_code} %{http_version}"])
        .args(flags)
        .arg(url)
        .output()
        .unwrap_or_else(|error| panic!("curl: {error}; run `cargo xtask setup`"));
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

fn close_to_others(file: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600)).unwrap();
}
