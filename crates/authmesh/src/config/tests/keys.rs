//! The reference and the reader say the same: every key is read, and its default is the one told.

use authmesh_logic::config::MeshConfig;
use authmesh_logic::config::reference::{Fallback, Key, SECTIONS, Section, Standing};

use crate::config::{Code, Loaded, Problems, parse};

const LOGIN: &str = "[service.login]\nendpoints = ['127.0.0.1:3000']\n";

const TRUST: &str = "[identity]\ncert = 'a'\nkey = 'b'\ntrust_domain = 'd'\nbundle = 'c'\n";
const ACCESS: &str = "[authorization]\ndefault = 'deny'\n";
const CORP: &str = "[jwt.corp]\nissuer = 'https://idp'\naudiences = ['a']\n";
const POLICY: &str = "[[policy]]\nname = 'web-may-login'\naction = 'deny'\n";
const LISTENER: &str =
    "[[listener]]\nname = 'inbound'\naddress = '127.0.0.1:1'\nforward_to = 'login'\n";

/// What stands around one key, which is `@`.
fn template(section: &str, key: &str, is_off: bool) -> String {
    let text = match (section, key) {
        ("identity", "cert") => "[identity]\n@\nkey = 'b'",
        ("identity", "key") => "[identity]\n@\ncert = 'a'",
        ("identity", "trust_domain") => "[identity]\n@\ncert = 'a'\nkey = 'b'\nbundle = 'c'",
        ("identity", "bundle") => "[identity]\n@\ncert = 'a'\nkey = 'b'\ntrust_domain = 'd'",
        ("identity", "crl" | "federation") => {
            "[identity]\n@\ncert = 'a'\nkey = 'b'\ntrust_domain = 'd'\nbundle = 'c'"
        }
        ("identity", _) => "[identity]\n@\ncert = 'a'\nkey = 'b'",
        ("crl", "file") => "TRUSTcrl = { @ }",
        ("crl", _) => "TRUSTcrl = { file = 'a', @ }",
        ("federation", "bundle") => "TRUSTfederation.x = { trust_domain = 'e', @ }",
        ("federation", _) => "TRUSTfederation.x = { bundle = 'a', @ }",
        ("admin", "address") => "[admin]\n@\ntoken = { env = 'T' }",
        ("admin", "token") => "[admin]\n@\naddress = '127.0.0.1:2'",
        ("admin", "allow_uids") => "[admin]\n@\nsocket = '/run/a'",
        ("secret", _) => "[admin]\naddress = '127.0.0.1:2'\ntoken = { @ }",
        ("registry", "tls") => {
            "TRUST[registry]\nkind = 'embedded'\naddress = '127.0.0.1:1'\ndefault = 'allow'\n@"
        }
        ("registry", "identities") => {
            "[identity]\ncert = 'a'\nkey = 'b'\ntrust_domain = 'corp.example'\nbundle = 'c'\n\
             [registry]\nkind = 'embedded'\naddress = '127.0.0.1:1'\n\
             tls = { mode = 'mutual' }\n@"
        }
        ("registry.tls", _) => {
            "TRUST[registry]\nkind = 'embedded'\naddress = '127.0.0.1:1'\ndefault = 'allow'\n\
             tls = { @ }"
        }
        ("registry", "default" | "uids") => {
            "[registry]\nkind = 'embedded'\naddress = 'unix:/run/a'\n@"
        }
        ("registry", "address" | "persist" | "etcd") => "[registry]\nkind = 'embedded'\n@",
        ("listener", "name") => "[[listener]]\n@\naddress = '127.0.0.1:1'\nforward_to = 'login'",
        ("listener", "address") => "[[listener]]\n@\nname = 'a'\nforward_to = 'login'",
        ("listener", "forward_to") => "[[listener]]\n@\nname = 'a'\naddress = '127.0.0.1:1'",
        ("listener", _) => return format!("{LISTENER}@"),
        ("listener.tls", "mode") => "TRUSTLISTENERtls = { @ }",
        ("listener.tls", _) => {
            "[identity]\ncert = 'a'\nkey = 'b'\nLISTENERtls = { mode = 'server', @ }"
        }
        ("route", "name" | "operation") => "[[route]]\n@\nservice = 'login'",
        ("route", "service") => "[[route]]\n@\nname = 'r'",
        ("route", "listener") => "LISTENER[[route]]\n@\nname = 'r'\nservice = 'login'",
        ("route", _) => "[[route]]\n@\nname = 'r'\nservice = 'login'",
        ("service", "endpoints" | "discover") => "[service.login]\n@",
        ("service", "identity") => {
            "[identity]\ncert = 'a'\nkey = 'b'\ntrust_domain = 'corp.example'\nbundle = 'c'\n\
             LOGIN@"
        }
        ("service", _) => return format!("{LOGIN}@"),
        ("discover", _) => "[registry]\nkind = 'embedded'\n[service.login]\ndiscover = { @ }",
        ("breaker", "slower_than") => "LOGINendpoint_breaker = { slow_rate = '50%', @ }",
        ("breaker", "slow_rate") if !is_off => "LOGINendpoint_breaker = { slower_than = '1s', @ }",
        ("breaker", "burn_factor" | "burn_long" | "burn_short" | "burn_calls") => {
            "LOGINendpoint_breaker = { objective = '99.9%', @ }"
        }
        ("breaker", _) => "LOGINendpoint_breaker = { @ }",
        ("outlier", _) => "LOGINoutlier = { @ }",
        ("admission", "concurrency" | "throttle") => "LOGINadmission = { @ }",
        ("admission", "drop_after") => "LOGINadmission = { concurrency = 'aimd', @ }",
        ("admission", "initial_limit" | "least_limit" | "most_limit") => {
            "LOGINadmission = { concurrency = 'vegas', @ }"
        }
        ("admission", "threshold" | "most_refused" | "aggression") => {
            "LOGINadmission = { throttle = 'envoy_admission', @ }"
        }
        ("admission", _) => "LOGINadmission = { throttle = 'google_sre', @ }",
        ("health", "path" | "tcp") => "LOGINhealth = { @ }",
        ("health", _) => "LOGINhealth = { path = '/', @ }",
        ("passive", _) => "LOGINhealth = { path = '/', passive = { @ } }",
        ("balance", _) => "LOGINbalance = { @ }",
        ("retry", _) => "LOGINretry = { @ }",
        ("jwt", "issuer") => "[jwt.corp]\n@\naudiences = ['a']\njwks = 'https://idp/keys'",
        ("jwt", "audiences") => "[jwt.corp]\n@\nissuer = 'https://idp'\njwks = 'https://idp/keys'",
        ("jwt", "jwks") => "[jwt.corp]\n@\nissuer = 'https://idp'\naudiences = ['a']",
        ("jwt", _) => "CORPjwks = 'https://idp/keys'\n@",
        ("jwks", "discover" | "url" | "file") => "CORPjwks = { @ }",
        ("jwks", _) => "CORPjwks = { discover = true, @ }",
        ("policy", "jwt") => "CORPjwks = 'https://idp/keys'\nPOLICY@",
        ("policy_test", "jwt") => {
            "CORPjwks = 'https://idp/keys'\nPOLICY[[policy_test]]\nrequest = 'GET /'\n\
             service = 'login'\nexpect = 'deny'\n@"
        }
        ("policy_test", "claims") => {
            "CORPjwks = 'https://idp/keys'\nPOLICY[[policy_test]]\nrequest = 'GET /'\n\
             service = 'login'\nexpect = 'deny'\njwt = 'corp'\n@"
        }
        ("policy", "name") => "[[policy]]\n@\naction = 'deny'",
        ("policy", "action") => "[[policy]]\nname = 'p'\nfrom = 'anyone'\n@",
        ("policy", _) => "[[policy]]\nname = 'p'\naction = 'deny'\n@",
        ("policy_test", "request") => {
            "POLICY[[policy_test]]\nservice = 'login'\nexpect = 'deny'\n@"
        }
        ("policy_test", "service") => {
            "POLICY[[policy_test]]\nrequest = 'GET /'\nexpect = 'deny'\n@"
        }
        ("policy_test", "expect") => {
            "POLICY[[policy_test]]\nrequest = 'GET /'\nservice = 'login'\n@"
        }
        ("policy_test", _) => {
            "POLICY[[policy_test]]\nrequest = 'GET /'\nservice = 'login'\nexpect = 'deny'\n@"
        }
        ("", _) => "@",
        _ => return format!("[{section}]\n@"),
    };
    let texts = [
        ("TRUST", TRUST),
        ("POLICY", POLICY),
        ("LISTENER", LISTENER),
        ("LOGIN", LOGIN),
        ("CORP", CORP),
    ];
    texts.iter().fold(text.to_owned(), |text, (word, part)| text.replace(word, part))
}

/// A lawful document with `line` in the place of the key; without the key if it is empty.
pub(super) fn document(section: &str, key: &str, line: &str) -> String {
    let template = template(section, key, line.ends_with("\"off\"") || line.is_empty());
    let mut text = match line {
        "" => template.replace(", @", "").replace('@', ""),
        line => template.replace('@', line),
    };
    if (section, key) != ("", "version") {
        text.insert_str(0, "version = 1\n");
    }
    text.push('\n');
    if !text.contains("[service.") && (section, key) != ("", "service") {
        text.push_str(LOGIN);
    }
    if section != "authorization" && (section, key) != ("", "authorization") {
        text.push_str(ACCESS);
    }
    text
}

pub(super) fn every_key() -> impl Iterator<Item = (&'static Section, &'static Key)> {
    SECTIONS
        .iter()
        .copied()
        .flatten()
        .flat_map(|section| section.keys.iter().map(move |key| (section, key)))
}

/// The example of a key; nothing outside the text is included here.
pub(super) fn lawful_value(key: &Key) -> &'static str {
    if key.name == "include" { "[]" } else { key.example }
}

fn read(section: &Section, key: &Key, value: &str) -> Result<Loaded, Problems> {
    parse(&document(section.name, key.name, &format!("{} = {value}", key.name)), "mesh.toml")
}

#[test]
fn every_key_of_the_reference_is_read() {
    for (section, key) in every_key().filter(|(_, key)| key.standing == Standing::Read) {
        let read = read(section, key, lawful_value(key));
        assert!(read.is_ok(), "{} {}\n{}", section.name, key.name, read.unwrap_err());
    }
}

#[test]
fn what_is_not_enforced_is_refused_by_name() {
    for (section, key) in every_key().filter(|(_, key)| key.standing != Standing::Read) {
        let problems = read(section, key, "\"x\"").unwrap_err();
        let codes: Vec<Code> = problems.iter().map(|problem| problem.code).collect();
        assert!(codes.contains(&Code::NotEnforced), "{} {}", section.name, key.name);
        assert!(!codes.contains(&Code::UnknownKey), "{} {}", section.name, key.name);
    }
}

#[test]
fn the_defaults_told_are_the_defaults() {
    let mut told = 0;
    for (section, key) in every_key().filter(|(_, key)| key.fallback == Fallback::Example) {
        let line = format!("{} = {}", key.name, key.example);
        let written = document(section.name, key.name, &line);
        let left_out = document(section.name, key.name, "");
        let config = |text: &str| -> MeshConfig {
            parse(text, "mesh.toml").unwrap_or_else(|problems| panic!("{text}\n{problems}")).config
        };
        assert_eq!(config(&written), config(&left_out), "{} {}", section.name, key.name);
        told += 1;
    }
    assert!(told > 30, "{told} defaults were compared");
}

#[test]
fn every_reference_key_has_a_sentence() {
    for (section, key) in every_key() {
        assert!(key.sentence.ends_with('.'), "{} {}", section.name, key.name);
    }
}
