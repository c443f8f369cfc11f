//! Tokens decide over real sockets: whose they are, what they say, and how long their issuer's keys
//! outlive it.

use authmesh_testkit::tokens::{IssuerServer, Mood, SigningKey, claims};
use serde_json::{Value, json};

use crate::backend::Backend;
use crate::http::{Reply, ask, get};
use crate::program::{Folder, Program, until};

const AUDIENCE: &str = "https://token.example";

/// A mesh with one token provider and an issuer beside it.
struct Scene {
    folder: Folder,
    backend: Backend,
    issuer: IssuerServer,
    key: SigningKey,
}

/// Who may do what by which token.
const RULES: &str = r#"
[[policy]]
name = "humans-read"
action = "allow"
service = "token"
jwt = "corp"
paths = ["/me", "/hold"]
when = { "claim.scope" = ["profile:read"] }

[[policy]]
name = "not-mallory"
action = "deny"
jwt = "corp"
when = { "claim.sub" = ["mallory"] }

[[policy]]
name = "open"
action = "allow"
service = "token"
from = "anyone"
paths = ["/open"]

[[policy_test]]
service = "token"
request = "GET /me"
expect = "allow"
by = "humans-read"
jwt = "corp"
claims = { sub = "alice", scope = "profile:read profile:write" }
"#;

impl Scene {
    fn new() -> Self {
        let key = SigningKey::new("one").unwrap();
        let issuer = IssuerServer::start(&[&key]).unwrap();
        Self { folder: Folder::with(""), backend: Backend::echoing(), issuer, key }
    }

    /// Writes the file; `keys` stands behind the place of the keys, `more` in the provider.
    fn write(&self, keys: &str, more: &str) {
        let provider = format!(
            "[jwt.corp]\nissuer = \"{}\"\naudiences = [\"{AUDIENCE}\"]\n\
             jwks = {{ discover = true{keys} }}\n{more}\n",
            self.issuer.issuer(),
        );
        let service = format!("[service.token]\nendpoints = [\"{}\"]\n", self.backend.address);
        let text = self.folder.serving_text(&format!("{service}{provider}{RULES}"));
        self.folder.write(&text.replace("[authorization]\ndefault = \"allow\"\n", ""));
    }

    fn start(&self) -> (Program, String) {
        self.folder.start_and_find("listener web")
    }

    fn token(&self, subject: &str, beside: &Value) -> String {
        signed(&self.key, &self.issuer, subject, beside)
    }
}

fn signed(key: &SigningKey, issuer: &IssuerServer, subject: &str, beside: &Value) -> String {
    let mut all = json!({ "scope": "profile:read profile:write" });
    for (name, value) in beside.as_object().unwrap() {
        all[name] = value.clone();
    }
    key.token(&claims(&issuer.issuer(), AUDIENCE, subject, &all)).unwrap()
}

fn send(address: &str, path: &str, fields: &[&str]) -> Reply {
    let fields: String = fields.iter().map(|field| format!("{field}\r\n")).collect();
    ask(address, &format!("GET {path} HTTP/1.1\r\nhost: a\r\n{fields}connection: close\r\n\r\n"))
}

fn with_token(address: &str, path: &str, token: &str) -> Reply {
    send(address, path, &[&format!("authorization: Bearer {token}")])
}

/// The value of a field of an answer, or of a request that was echoed.
fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut values = head.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    let value = values.next();
    assert!(values.next().is_none(), "`{name}` comes more than once");
    value
}

/// The status, the reason told, and the challenge.
fn answer(reply: &Reply) -> (u16, Option<&str>, Option<&str>) {
    let of = |name| field(&reply.head, name);
    (reply.status, of("x-authmesh-reason"), of("www-authenticate"))
}

const BARE: &str = "bearer realm=\"authmesh\"";
const INVALID: (u16, Option<&str>, Option<&str>) =
    (401, Some("authn_invalid"), Some("bearer realm=\"authmesh\", error=\"invalid_token\""));
const MISSING: (u16, Option<&str>, Option<&str>) = (401, Some("authn_missing"), Some(BARE));
const UNAVAILABLE: (u16, Option<&str>, Option<&str>) = (503, Some("authn_unavailable"), None);

#[test]
fn a_token_lets_in_whom_its_claims_say_and_is_never_told_to_anybody() {
    let scene = Scene::new();
    scene.write("", "");
    let mut command = crate::program::command(scene.folder.path(".").as_path(), &["run"]);
    command.env("RUST_LOG", "trace");
    let mesh = Program::start(command);
    let (web, metrics) = (mesh.address("listener web"), mesh.address("door metrics"));
    let alice = scene.token("alice", &json!({}));

    let spoof = ["x-authmesh-subject: admin", &format!("authorization: Bearer {alice}")];
    let passed = send(&web, "/me", &spoof);
    assert_eq!(passed.status, 200);
    assert_eq!(field(&passed.body, "x-authmesh-subject"), Some("alice"));
    assert_eq!(field(&passed.body, "authorization"), None, "it does not travel on");

    let stranger = SigningKey::new("one").unwrap();
    let forged = signed(&stranger, &scene.issuer, "alice", &json!({}));
    for (token, wanted) in [
        (forged.as_str(), INVALID),
        ("a.b.c", INVALID),
        (&scene.token("alice", &json!({ "aud": "https://other" })), INVALID),
        (&scene.token("alice", &json!({ "exp": 1 })), INVALID),
        (&scene.token("alice", &json!({ "scope": "other" })), (403, Some("no_allow_rule"), None)),
        (&scene.token("mallory", &json!({})), (403, Some("denied_by"), None)),
    ] {
        let reply = with_token(&web, "/me", token);
        assert_eq!(answer(&reply), wanted, "{token}");
    }
    assert_eq!(answer(&send(&web, "/me", &[])), MISSING);
    assert_eq!(answer(&send(&web, "/me", &["authorization: Basic YTpi"])), MISSING);
    assert_eq!(answer(&send(&web, &format!("/me?access_token={alice}"), &[])), MISSING);
    let two = [format!("authorization: Bearer {alice}"), "authorization: Bearer x".to_owned()];
    let twice = send(&web, "/me", &[&two[0], &two[1]]);
    assert_eq!(answer(&twice), (400, Some("bad_request"), None));

    // Where a rule about tokens may deny, a token must be sound, whoever else may pass.
    assert_eq!(answer(&with_token(&web, "/open", &forged)), INVALID);
    assert_eq!(send(&web, "/open", &["authorization: Basic YTpi"]).status, 200);

    let text = get(&metrics, "/metrics").body;
    for line in [
        "authmesh_tokens_total{kind=\"corp\",result=\"ok\"} 3",
        "authmesh_tokens_total{kind=\"corp\",result=\"bad_signature\"} 2",
        "authmesh_tokens_total{kind=\"corp\",result=\"expired\"} 1",
        "authmesh_tokens_total{kind=\"\",result=\"missing_token\"} 4",
        "authmesh_jwks_fetches_total{kind=\"corp\",result=\"ok\"} 1",
        "authmesh_jwks_keys{kind=\"corp\"} 1",
        "authmesh_access_refusals_total{service=\"token\",reason=\"authn_invalid\"} 5",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
    }
    mesh.signal("-TERM");
    let said = mesh.everything();
    for secret in [alice.as_str(), forged.as_str(), alice.rsplit('.').next().unwrap()] {
        assert!(!said.contains(secret) && !text.contains(secret));
    }
}

#[test]
fn a_rule_in_shadow_leaves_tokens_to_the_service() {
    let scene = Scene::new();
    scene.write("", "");
    let soon = "[[policy]]\nname = \"soon\"\naction = \"deny\"\nmode = \"shadow\"\njwt = \"corp\"\n\
                when = { \"claim.sub\" = [\"mallory\"] }\n";
    let text = std::fs::read_to_string(scene.folder.path("mesh.toml")).unwrap();
    let (before, rest) = text.split_once("[[policy]]\nname = \"not-mallory\"").unwrap();
    let (_, after) = rest.split_once("[[policy]]").unwrap();
    scene.folder.write(&format!("{before}{soon}[[policy]]{after}"));
    let (mesh, web) = scene.start();
    let stranger = SigningKey::new("one").unwrap();
    let forged = signed(&stranger, &scene.issuer, "alice", &json!({}));
    let unknown = signed(&SigningKey::new("two").unwrap(), &scene.issuer, "alice", &json!({}));
    for token in [scene.token("alice", &json!({})), forged, unknown, "a.b.c".to_owned()] {
        let passed = with_token(&web, "/open", &token);
        assert_eq!(passed.status, 200, "{token}");
        let travelled = format!("Bearer {token}");
        assert_eq!(field(&passed.body, "authorization"), Some(travelled.as_str()));
        assert_eq!(field(&passed.body, "x-authmesh-subject"), None);
    }
    assert_eq!(with_token(&web, "/open", &scene.token("mallory", &json!({}))).status, 200);
    mesh.hear("a policy in shadow mode would have changed the answer");
    let with_rule = with_token(&web, "/me", &scene.token("alice", &json!({})));
    assert_eq!(field(&with_rule.body, "x-authmesh-subject"), Some("alice"));
}

#[test]
fn a_token_that_is_forwarded_travels_on_with_its_subject() {
    let scene = Scene::new();
    scene.write("", "forward = true");
    let (_mesh, web) = scene.start();
    let token = scene.token("alice", &json!({}));
    let passed = with_token(&web, "/me", &token);
    assert_eq!(field(&passed.body, "authorization"), Some(format!("Bearer {token}").as_str()));
    assert_eq!(field(&passed.body, "x-authmesh-subject"), Some("alice"));
}

#[test]
fn a_new_key_is_fetched_while_the_first_request_by_it_waits() {
    let scene = Scene::new();
    scene.write(", cooldown = \"1s\"", "");
    let (_mesh, web) = scene.start();
    assert_eq!(with_token(&web, "/me", &scene.token("alice", &json!({}))).status, 200);
    let new = SigningKey::new("two").unwrap();
    let token = signed(&new, &scene.issuer, "bob", &json!({}));
    assert_eq!(answer(&with_token(&web, "/me", &token)), INVALID, "it was fetched just now");
    scene.issuer.set_keys(&[&new]);
    let before = scene.issuer.asked();
    let passed = until(|| with_token(&web, "/me", &token), |reply| reply.status == 200);
    assert_eq!(field(&passed.body, "x-authmesh-subject"), Some("bob"));
    assert_eq!(field(&passed.body, "x-forwarded-for"), Some("127.0.0.1"));
    assert_eq!(scene.issuer.asked(), before + 1, "one fetch");
}

#[test]
fn keys_outlive_their_issuer_until_the_bound_is_over_and_come_back() {
    let scene = Scene::new();
    scene.write(", cooldown = \"1s\", stale_if_error = \"5s\"", "");
    let (mesh, web) = scene.start();
    let metrics = mesh.address("door metrics");
    let token = scene.token("alice", &json!({}));
    assert_eq!(with_token(&web, "/me", &token).status, 200);
    scene.issuer.set_mood(Mood::Failing);
    mesh.hear("the keys of the issuer do not come");
    assert_eq!(with_token(&web, "/me", &token).status, 200, "by the keys that came before");
    let status = scene.folder.run(&["status", "-o", "json"]).json();
    assert_eq!(status["tokens"][0]["standing"], "stale", "{status}");

    let ended = until(|| with_token(&web, "/me", &token), |reply| reply.status != 200);
    assert_eq!(answer(&ended), UNAVAILABLE);
    assert!(field(&ended.head, "retry-after").is_some());
    assert_eq!(send(&web, "/open", &[]).status, 200, "the rest goes on");
    let ready = get(&metrics, "/readyz");
    assert_eq!(ready.status, 503);
    assert_eq!(ready.json()["missing"][0]["step"], "keys:corp");
    assert!(scene.folder.run(&["status"]).stdout.contains("ended"));

    scene.issuer.set_mood(Mood::Well);
    until(|| with_token(&web, "/me", &token).status, |status| *status == 200);
    until(|| get(&metrics, "/readyz").status, |status| *status == 200);
}

#[test]
fn an_issuer_that_is_silent_from_the_start_holds_nothing_up_but_its_own_tokens() {
    let scene = Scene::new();
    scene.issuer.set_mood(Mood::Silent);
    scene.write("", "");
    let (mesh, web) = scene.start();
    mesh.hear("going on without the keys of this token provider");
    assert_eq!(send(&web, "/open", &[]).status, 200);
    let token = scene.token("alice", &json!({}));
    assert_eq!(answer(&with_token(&web, "/me", &token)), UNAVAILABLE);
    assert_eq!(answer(&send(&web, "/me", &[])), MISSING);
}

#[test]
fn explain_takes_a_token_that_is_written_out() {
    let scene = Scene::new();
    scene.write("", "");
    let (_mesh, _web) = scene.start();
    let explain = |more: &[&str]| {
        let asked = ["explain", "access", "GET /me", "--service", "token"];
        scene.folder.run(&[&asked[..], more].concat())
    };
    let sound = ["--jwt", "corp", "--claim", "sub=alice", "--claim", "scope=profile:read"];
    assert_eq!(explain(&sound).code, 0);
    assert_eq!(explain(&["--jwt", "corp", "--claim", "sub=alice"]).code, 1);
    assert_eq!(explain(&[]).code, 1);
    assert_eq!(explain(&["--jwt", "nobody"]).code, 2);
}
