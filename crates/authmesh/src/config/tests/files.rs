//! The look at the files of this machine: certificates, keys, secrets.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::config::{Files, load};

fn write(path: &Path, text: &str, mode: u32) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[test]
fn certificate_key_and_secret_are_looked_at_only_when_asked() {
    let own = rcgen::generate_simple_self_signed(["login.example".to_owned()]).unwrap();
    let other = rcgen::generate_simple_self_signed(["login.example".to_owned()]).unwrap();
    let (cert, key) = (own.cert.pem(), own.signing_key.serialize_pem());
    let foreign = other.signing_key.serialize_pem();
    let folder = tempfile::tempdir().unwrap();
    let main = folder.path().join("mesh.toml");
    let text = "version = 1\n[identity]\ncert = 'a.pem'\nkey = 'a.key'\n[admin]\n\
                address = '127.0.0.1:9901'\ntoken = { file = 'token' }\n";
    fs::write(&main, text).unwrap();
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for (cert, key, key_mode, token, token_mode, wanted) in [
        (&*cert, &*key, 0o600, "hunter2", 0o400, &[][..]),
        (&cert, &key, 0o640, "hunter2", 0o600, &["AM-T020 4:7"]),
        (&cert, &foreign, 0o600, "hunter2", 0o600, &["AM-T013 4:7"]),
        (&cert, "", 0o600, "hunter2", 0o600, &["AM-T014 4:7"]),
        (&cert, &cert, 0o600, "hunter2", 0o600, &["AM-T014 4:7"]),
        ("", &key, 0o600, "hunter2", 0o600, &["AM-T012 3:8"]),
        (broken, &key, 0o600, "hunter2", 0o600, &["AM-T012 3:8"]),
        (&cert, &key, 0o600, "hunter2", 0o644, &["AM-C034 7:9"]),
        (&cert, &key, 0o600, "", 0o600, &["AM-C033 7:9"]),
    ] {
        write(&folder.path().join("a.pem"), cert, 0o644);
        write(&folder.path().join("a.key"), key, key_mode);
        write(&folder.path().join("token"), token, token_mode);
        let found = match load(&main, Files::Look) {
            Ok(_) => Vec::new(),
            Err(problems) => {
                assert!(!problems.to_string().contains("hunter2"));
                let place = |span| problems.place(span);
                let line = |problem: &super::super::Problem| {
                    let place = place(problem.span);
                    format!("{} {}:{}", problem.code, place.line, place.column)
                };
                problems.iter().map(line).collect()
            }
        };
        assert_eq!(found, wanted);
        assert!(load(&main, Files::Trust).is_ok());
    }
    for name in ["a.pem", "a.key", "token"] {
        let path = folder.path().join(name);
        let kept = fs::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        let problems = load(&main, Files::Look).unwrap_err();
        assert!(problems.iter().any(|problem| problem.code.text() == "AM-C090"), "{problems}");
        fs::write(&path, kept).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    }
}

#[test]
fn a_secret_that_cannot_be_had_is_named_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let (main, secret) = (folder.path().join("mesh.toml"), folder.path().join("token"));
    write(&secret, "hunter2", 0o644);
    let path = secret.display();
    for (reference, sentence, help) in [
        (
            "{ env = 'AUTHMESH_NO_SUCH' }",
            "`AUTHMESH_NO_SUCH` is not set in the environment".to_owned(),
            None,
        ),
        (
            "{ credential = 'token' }",
            "`$CREDENTIALS_DIRECTORY` is not set, so there is no credential `token`".to_owned(),
            Some("LoadCredential=token:/etc/authmesh/token   # in the unit of systemd".to_owned()),
        ),
        (
            "{ file = 'token' }",
            format!("`{path}`: others than its owner can read a secret (mode 0644)"),
            Some(format!("chmod 600 {path}")),
        ),
    ] {
        let admin = format!("[admin]\naddress = '127.0.0.1:9901'\ntoken = {reference}\n");
        fs::write(&main, format!("version = 1\n{admin}")).unwrap();
        let problems = load(&main, Files::Look).unwrap_err();
        let problem = problems.iter().next().unwrap();
        assert_eq!((&problem.sentence, &problem.help), (&sentence, &help), "{reference}");
    }
}

#[test]
fn the_files_of_a_token_provider_are_looked_at() {
    let own = rcgen::generate_simple_self_signed(["idp.example".to_owned()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let main = folder.path().join("mesh.toml");
    let (keys, ca) = (folder.path().join("keys"), folder.path().join("ca.pem"));
    let provider = |name: &str, jwks: &str| {
        format!(
            "[jwt.{name}]\nissuer = 'https://{name}'\naudiences = ['a']\njwks = {jwks}\n\
             [[policy]]\nname = '{name}'\naction = 'allow'\njwt = '{name}'\n"
        )
    };
    let one = provider("one", "{ file = 'keys' }");
    let two = provider("two", "{ discover = true, ca = 'ca.pem' }");
    fs::write(&main, format!("version = 1\n{one}{two}")).unwrap();
    let set = r#"{"keys":[{"kty":"EC","kid":"a"}]}"#;
    let pem = own.cert.pem();
    for (set, pem, wanted) in [
        (set, pem.as_str(), &[][..]),
        ("{\"keys\":[]}", &pem, &["AM-C090 5:17"]),
        ("{}", &pem, &["AM-C090 5:17"]),
        (set, "", &["AM-T012 13:32"]),
    ] {
        write(&keys, set, 0o644);
        write(&ca, pem, 0o644);
        let found: Vec<_> = match load(&main, Files::Look) {
            Ok(_) => Vec::new(),
            Err(problems) => problems
                .iter()
                .map(|problem| {
                    let place = problems.place(problem.span);
                    format!("{} {}:{}", problem.code, place.line, place.column)
                })
                .collect(),
        };
        assert_eq!(found, wanted, "{set} {pem}");
        assert!(load(&main, Files::Trust).is_ok());
    }
    fs::remove_file(&keys).unwrap();
    assert!(load(&main, Files::Look).is_err());
}
