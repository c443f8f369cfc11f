//! Tokens of a running mesh: keys come from a server, a document or a file, are exchanged, and outlive
//! the outage of their issuer within a bound.
#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use authmesh::jwt::{
    KeySource, KeyWait, MeshTokens, Provider, RefreshPolicy, TokenFault, TokenPolicy, Unverified,
};
use authmesh_testkit::tokens::{IssuerServer, Mood, SigningKey, claims};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

const AUDIENCE: &str = "https://login.example";

/// Longer than any wait here is; a test that hangs ends by its own limit.
const LONG: Duration = Duration::from_secs(60);

/// Cooldowns short enough to be waited for.
const QUICK: RefreshPolicy = RefreshPolicy {
    interval: RefreshPolicy::DEFAULT_INTERVAL,
    stale_if_error: Duration::from_secs(5),
    cooldown: Duration::from_secs(1),
};

fn key(id: &str) -> SigningKey {
    SigningKey::new(id).unwrap()
}

fn provider(server: &IssuerServer, keys: KeySource) -> Provider {
    let tokens = TokenPolicy::new(&server.issuer(), &[AUDIENCE]);
    Provider::new("corp", tokens, keys)
}

fn at_url(server: &IssuerServer) -> Provider {
    provider(server, KeySource::Url(server.keys_url().into()))
}

async fn tokens(provider: &Provider) -> Arc<MeshTokens> {
    let tokens = MeshTokens::none();
    tokens.adopt(std::slice::from_ref(provider));
    tokens.ready(LONG).await;
    tokens
}

fn token(server: &IssuerServer, key: &SigningKey, subject: &str) -> String {
    key.token(&claims(&server.issuer(), AUDIENCE, subject, &json!({}))).unwrap()
}

/// What comes of a token, in a word.
async fn judged(tokens: &Arc<MeshTokens>, token: &str) -> &'static str {
    match tokens.verifier().verify_or_wait(token).await {
        Ok(_) => "believed",
        Err(Unverified::Faulty(fault)) => fault.word(),
        Err(Unverified::Unavailable) => "unavailable",
        Err(Unverified::Awaited(_)) => "awaited",
    }
}

/// Asks until something else comes of it; bounded by the test's own limit.
async fn until(tokens: &Arc<MeshTokens>, token: &str, word: &str) {
    while judged(tokens, token).await != word {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_the_issuer_is_believed_and_no_other() {
    let (one, other) = (key("one"), key("one"));
    let server = IssuerServer::start(&[&one]).unwrap();
    let tokens = tokens(&at_url(&server)).await;
    let sound = token(&server, &one, "alice");
    for _ in 0..3 {
        let believed = tokens.verifier().verify(&sound).unwrap();
        assert_eq!(believed.claims.subject().as_str(), "alice");
        assert!(!believed.forwards);
    }
    let forged = token(&server, &other, "alice");
    assert!(tokens.verifier().believe(&forged).is_none(), "and is not counted");
    assert_eq!(judged(&tokens, &forged).await, "bad_signature");
    assert!(tokens.verifier().believe(&sound).is_some(), "nor is this");
    let elsewhere = claims("https://elsewhere", AUDIENCE, "alice", &json!({}));
    assert_eq!(judged(&tokens, &one.token(&elsewhere).unwrap()).await, "wrong_issuer");
    assert_eq!(judged(&tokens, "a.b").await, "malformed");
    assert_eq!(server.asked(), 1, "none of them caused a fetch");
    let status = tokens.status().remove(0);
    assert_eq!((status.standing, status.keys, status.is_usable()), ("fresh", 1, true));
    let counted: Vec<_> =
        status.tokens.iter().map(|counted| (counted.result, counted.count)).collect();
    assert_eq!(counted, [("ok", 3), ("malformed", 1), ("wrong_issuer", 1), ("bad_signature", 1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_found_by_the_document_of_the_issuer_itself() {
    let one = key("one");
    let server = IssuerServer::start(&[&one]).unwrap();
    let provider = provider(&server, KeySource::Discovery);
    assert_eq!(judged(&tokens(&provider).await, &token(&server, &one, "a")).await, "believed");
    server.say_issuer("https://evil.example");
    let tokens = tokens(&provider).await;
    assert_eq!(judged(&tokens, &token(&server, &one, "a")).await, "unavailable");
    let status = tokens.status().remove(0);
    assert_eq!(status.fault.unwrap(), "the discovery document is of another issuer");
    assert_eq!((status.standing, server.asked()), ("missing", 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_key_is_fetched_once_for_all_who_ask_and_an_old_one_goes_at_once() {
    let (one, two) = (key("one"), key("two"));
    let server = IssuerServer::start(&[&one]).unwrap();
    let tokens = tokens(&Provider { refresh: QUICK, ..at_url(&server) }).await;
    let (old, new) = (token(&server, &one, "a"), token(&server, &two, "b"));
    assert_eq!(judged(&tokens, &old).await, "believed");
    assert_eq!(judged(&tokens, &new).await, "unknown_kid", "it was fetched just now");
    server.set_keys(&[&two]);
    let before = server.asked();
    let asking = (0..50).map(|_| {
        let (tokens, new) = (Arc::clone(&tokens), new.clone());
        tokio::spawn(async move { until(&tokens, &new, "believed").await })
    });
    for asked in asking.collect::<Vec<_>>() {
        asked.await.unwrap();
    }
    assert_eq!(server.asked(), before + 1, "one flight");
    assert_eq!(judged(&tokens, &old).await, "unknown_kid", "its key was taken back");
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_names_cause_no_more_than_one_fetch_in_a_cooldown() {
    let (one, other) = (key("one"), key("other"));
    let server = IssuerServer::start(&[&one]).unwrap();
    let tokens = tokens(&at_url(&server)).await;
    for name in ["", "two", "three", "../one"] {
        assert_eq!(judged(&tokens, &token(&server, &key(name), "a")).await, "unknown_kid");
    }
    assert_eq!(judged(&tokens, &token(&server, &other, "a")).await, "unknown_kid");
    assert_eq!(server.asked(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_outlive_their_issuer_until_the_bound_and_come_back() {
    let one = key("one");
    let server = IssuerServer::start(&[&one]).unwrap();
    let tokens = tokens(&Provider { refresh: QUICK, ..at_url(&server) }).await;
    let sound = token(&server, &one, "a");
    server.set_mood(Mood::Failing);
    let asked = server.asked();
    server.wait_until_asked(asked + 1);
    assert_eq!(judged(&tokens, &sound).await, "believed", "by the keys that came before");
    until(&tokens, &sound, "unavailable").await;
    let status = tokens.status().remove(0);
    assert_eq!((status.standing, status.is_usable()), ("ended", false));
    assert_eq!(status.fault.unwrap(), "the answer is 500, not 200");
    server.set_mood(Mood::Well);
    until(&tokens, &sound, "believed").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issuer_that_stalls_holds_nobody_beyond_the_bound() {
    let one = key("one");
    let server = IssuerServer::start(&[&one]).unwrap();
    server.set_mood(Mood::Silent);
    let tokens = MeshTokens::none();
    tokens.adopt(&[at_url(&server)]);
    server.wait_until_asked(1);
    // The issuer never answers, so that this ends shows that a bound was kept.
    let limit = KeyWait::LONGEST * 20;
    let asked = tokio::time::timeout(limit, judged(&tokens, &token(&server, &one, "a"))).await;
    assert_eq!(asked.unwrap(), "unavailable");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_no_key_set_changes_nothing() {
    let one = key("one");
    let server = IssuerServer::start(&[&one]).unwrap();
    let refresh = RefreshPolicy { stale_if_error: LONG, ..QUICK };
    let tokens = tokens(&Provider { refresh, ..at_url(&server) }).await;
    let (sound, stray) = (token(&server, &one, "a"), token(&server, &key("two"), "a"));
    for (mood, fault) in [
        (Mood::Elsewhere, "the answer is 302, not 200"),
        (Mood::Endless, "the answer is too long"),
        (Mood::Empty, "the key set holds no key with a name"),
    ] {
        server.set_mood(mood);
        // A token whose key is unknown asks for the keys.
        while tokens.status()[0].fault.as_deref() != Some(fault) {
            assert_ne!(judged(&tokens, &stray).await, "believed");
        }
        assert_eq!(judged(&tokens, &sound).await, "believed", "{mood:?}");
        assert_eq!(judged(&tokens, &stray).await, "unavailable", "nobody can say");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_on_disk_stands_in_for_the_issuer_at_a_start() {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("corp.jwks");
    let one = key("one");
    let server = IssuerServer::start(&[&one]).unwrap();
    let provider = Provider { copy: Some(text(&copy)), ..at_url(&server) };
    drop(tokens(&provider).await);
    server.set_mood(Mood::Failing);
    let sound = token(&server, &one, "a");
    assert_eq!(judged(&tokens(&provider).await, &sound).await, "believed");
    let without = Provider { copy: None, ..provider };
    assert_eq!(judged(&tokens(&without).await, &sound).await, "unavailable");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_keys_from_elsewhere_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("corp.jwks");
    let one = key("one");
    let server = IssuerServer::start(&[&one]).unwrap();
    let provider = Provider { copy: Some(text(&copy)), ..at_url(&server) };
    let running = tokens(&provider).await;
    server.set_mood(Mood::Failing);
    let sound = token(&server, &one, "a");
    let discovered = Provider { keys: KeySource::Discovery, ..provider.clone() };
    let authorities = Some(text(&folder.path().join("ca.pem")));
    for moved in [discovered, Provider { authorities, ..provider.clone() }] {
        assert_eq!(judged(&tokens(&moved).await, &sound).await, "unavailable");
        running.adopt(std::slice::from_ref(&moved));
        assert_eq!(judged(&running, &sound).await, "unavailable");
    }
    assert_eq!(judged(&tokens(&provider).await, &sound).await, "believed");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_come_from_a_file_too() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys.json");
    let (one, two) = (key("one"), key("two"));
    let server = IssuerServer::start(&[]).unwrap();
    fs::write(&file, json!({ "keys": [one.public()] }).to_string()).unwrap();
    let provider = Provider { refresh: QUICK, ..provider(&server, KeySource::File(text(&file))) };
    let tokens = tokens(&provider).await;
    assert_eq!(judged(&tokens, &token(&server, &one, "a")).await, "believed");
    fs::write(&file, json!({ "keys": [two.public()] }).to_string()).unwrap();
    until(&tokens, &token(&server, &two, "a"), "believed").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_provider_keeps_its_keys_and_judges_anew() {
    let one = key("one");
    let server = IssuerServer::start(&[&one]).unwrap();
    let provider = at_url(&server);
    let tokens = tokens(&provider).await;
    let sound = token(&server, &one, "a");
    assert_eq!(judged(&tokens, &sound).await, "believed");
    let mut other = provider.clone();
    other.tokens.audiences = vec!["https://other.example".into()];
    tokens.adopt(&[other]);
    assert_eq!(
        judged(&tokens, &sound).await,
        "wrong_audience",
        "what was remembered is not believed"
    );
    tokens.adopt(&[provider]);
    assert_eq!(judged(&tokens, &sound).await, "believed");
    assert_eq!(server.asked(), 1);
    tokens.adopt(&[]);
    assert_eq!(judged(&tokens, &sound).await, TokenFault::WrongIssuer.word());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_providers_each_judges_the_tokens_that_name_it() {
    let (one, two) = (key("same"), key("same"));
    let servers = [IssuerServer::start(&[&one]).unwrap(), IssuerServer::start(&[&two]).unwrap()];
    let tokens = MeshTokens::none();
    let named = |name: &str, server| Provider { name: name.into(), ..at_url(server) };
    tokens.adopt(&[named("one", &servers[0]), named("two", &servers[1])]);
    assert!(tokens.ready(LONG).await.is_empty());
    assert_eq!(judged(&tokens, &token(&servers[0], &one, "a")).await, "believed");
    assert_eq!(judged(&tokens, &token(&servers[1], &two, "a")).await, "believed");
    // The key of one issuer proves nothing of another, whatever both call it.
    assert_eq!(judged(&tokens, &token(&servers[1], &one, "a")).await, "bad_signature");
    let stray = one.token(&claims("https://nobody", AUDIENCE, "a", &json!({}))).unwrap();
    assert_eq!(judged(&tokens, &stray).await, "wrong_issuer");
    let strays: Vec<_> = tokens.strays().iter().map(|counted| counted.result).collect();
    assert_eq!(strays, ["ok", "wrong_issuer"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_proves_itself_by_the_authorities_that_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let (ours, theirs) = (folder.path().join("ours.pem"), folder.path().join("theirs.pem"));
    let authority = authority();
    fs::write(&ours, authority.pem()).unwrap();
    fs::write(&theirs, self::authority().pem()).unwrap();
    let one = key("one");
    let address = serve_encrypted(&authority, json!({ "keys": [one.public()] }).to_string()).await;
    let provider = |host: &str, authorities: Option<&Path>| {
        let issuer = format!("https://{host}:{}", address.port());
        let keys = KeySource::Url(format!("{issuer}/keys").into());
        let authorities = authorities.map(text);
        let tokens = TokenPolicy::new(&issuer, &[AUDIENCE]);
        Provider { authorities, ..Provider::new("corp", tokens, keys) }
    };
    for (host, authorities, standing) in [
        ("localhost", Some(&*ours), "fresh"),
        ("127.0.0.1", Some(&*ours), "fresh"),
        ("localhost", Some(&*theirs), "missing"),
        // The certificate names other hosts.
        ("[::ffff:127.0.0.1]", Some(&*ours), "missing"),
        // No authority of the system vouches for it.
        ("localhost", None, "missing"),
        ("localhost", Some(Path::new("/nowhere.pem")), "missing"),
    ] {
        let provider = provider(host, authorities);
        let tokens = tokens(&provider).await;
        let status = tokens.status().remove(0);
        assert_eq!(status.standing, standing, "{host} {authorities:?} {status:?}");
        let counted: Vec<_> = status.fetches.iter().map(|counted| counted.result).collect();
        let wanted: &[_] = if standing == "fresh" { &["ok"] } else { &["ok", "unproved"] };
        assert_eq!(counted, wanted, "{status:?}");
    }
}

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// Answers every request over TLS with `body`, as a server that `authority` vouches for.
async fn serve_encrypted(
    authority: &CertifiedIssuer<'static, KeyPair>,
    body: String,
) -> SocketAddr {
    let key = KeyPair::generate().unwrap();
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let cert = CertificateParams::new(names).unwrap().signed_by(&key, authority).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // A client that does not believe us says so and leaves.
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut asked = Vec::new();
            while !asked.ends_with(b"\r\n\r\n")
                && stream.read_buf(&mut asked).await.unwrap_or(0) > 0
            {}
            stream.write_all(answer.as_bytes()).await.ok();
            stream.shutdown().await.ok();
        }
    });
    address
}

fn text(path: &Path) -> Box<str> {
    path.to_str().unwrap().into()
}
