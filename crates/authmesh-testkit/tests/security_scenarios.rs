//! The cases of security that play against a real proxy pass, and each of them would notice a wrong
//! value.

#![expect(clippy::unwrap_used, reason = "helpers of tests; a fault here fails the test")]

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use authmesh_testkit::scenarios::{Verdict, run};
use serde_json::{Value, json};

/// The groups that are played, and how a case of each is altered.
const GROUPS: [(&str, Alter); 5] = [
    ("http1_request", alter_http1_request),
    ("http1_response", alter_http1_response),
    ("http2", alter_http2),
    ("headers", alter_headers),
    ("path_normalisation", alter_path),
];

/// What is known to differ; `docs/decisions/the-request-lane.md` says why.
const KNOWN: [&str; 1] = ["H2-028"];

/// Copies of what is expected, each with one compared value altered.
type Alter = fn(&Value) -> Vec<Value>;

/// Players at a time: a case waits more than it works.
const PLAYERS: usize = 8;

#[test]
fn no_case_that_is_played_fails_but_the_known_ones() {
    let cases = cases();
    assert!(cases.len() > 150, "{}", cases.len());
    for (case, verdict) in cases.iter().zip(play(&cases)) {
        let is_known = KNOWN.contains(&case["id"].as_str().unwrap());
        let has_failed = matches!(verdict, Verdict::Failed(_));
        assert_eq!(has_failed, is_known, "{}: {verdict:?}", case["id"]);
    }
}

#[test]
fn each_case_fails_once_any_compared_value_is_altered() {
    let cases = cases();
    let passed = cases.iter().zip(play(&cases)).filter(|(_, verdict)| *verdict == Verdict::Passed);
    let altered: Vec<Value> = passed
        .flat_map(|(case, _)| {
            let group = case["group"].as_str().unwrap();
            let (_, alter) = GROUPS.iter().find(|(known, _)| *known == group).unwrap();
            let altered = alter(&case["expect"]);
            assert!(!altered.is_empty(), "{}", case["id"]);
            altered.into_iter().map(|expect| {
                let mut copy = case.clone();
                copy["expect"] = expect;
                copy
            })
        })
        .collect();
    for (case, verdict) in altered.iter().zip(play(&altered)) {
        assert!(matches!(verdict, Verdict::Failed(_)), "{case:?}: {verdict:?}");
    }
}

#[test]
fn what_is_not_understood_is_unsupported() {
    for (case, key, value) in [
        ("H1-003", "/expect/color", json!("red")),
        ("H1-003", "/input/listener", json!("tls")),
        ("R1-004", "/expect/authmesh_strict", json!("502, and a song")),
        ("H2-001", "/expect/authmesh_strict", json!("a song")),
        ("H2-086", "/input/pattern", json!("SONG")),
        ("HDR-001", "/expect/authmesh_strict/upstream", json!("a song")),
        ("PATH-002", "/input/policy", json!("DENY songs")),
    ] {
        let mut case = cases().into_iter().find(|known| known["id"] == case).unwrap();
        let (parent, name) = key.rsplit_once('/').unwrap();
        case.pointer_mut(parent).unwrap()[name] = value;
        let verdict = play(std::slice::from_ref(&case)).remove(0);
        assert!(matches!(verdict, Verdict::Unsupported(_)), "{key}: {verdict:?}");
    }
}

fn cases() -> Vec<Value> {
    let path = format!("{}/cases/security.json", env!("CARGO_MANIFEST_DIR"));
    let file: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let is_played = |case: &&Value| GROUPS.iter().any(|(group, _)| case["group"] == *group);
    file["cases"].as_array().unwrap().iter().filter(is_played).cloned().collect()
}

/// Plays every case; the verdicts in their order.
fn play(cases: &[Value]) -> Vec<Verdict> {
    let next = AtomicUsize::new(0);
    let mut verdicts: Vec<(usize, Verdict)> = thread::scope(|scope| {
        let player = || {
            let mut verdicts = Vec::new();
            while let Some((place, case)) =
                Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|at| Some((at, cases.get(at)?)))
            {
                let report = run("security", &json!({ "cases": [case] }), &[]).unwrap().remove(0);
                verdicts.push((place, report.verdict));
            }
            verdicts
        };
        let players: Vec<_> = (0..PLAYERS).map(|_| scope.spawn(player)).collect();
        players.into_iter().flat_map(|player| player.join().unwrap()).collect()
    });
    verdicts.sort_by_key(|(place, _)| *place);
    verdicts.into_iter().map(|(_, verdict)| verdict).collect()
}

fn with(expect: &Value, key: &str, value: impl Into<Value>) -> Value {
    let mut copy = expect.clone();
    *copy.pointer_mut(key).unwrap() = value.into();
    copy
}

fn alter_http1_request(expect: &Value) -> Vec<Value> {
    let mut altered = vec![with(expect, "/status", vec![299])];
    if let Some(close) = expect["close"].as_bool() {
        altered.push(with(expect, "/close", !close));
    }
    altered
}

fn alter_http1_response(expect: &Value) -> Vec<Value> {
    let is_refused = expect["authmesh_strict"].as_str().unwrap().starts_with("502");
    let other = if is_refused { "abort downstream" } else { "502" };
    vec![with(expect, "/authmesh_strict", other)]
}

fn alter_http2(expect: &Value) -> Vec<Value> {
    let other = match expect["authmesh_strict"].as_str().unwrap() {
        "accept" => "reject 400".to_owned(),
        text if text.starts_with("forward one") => text.replace("a=1", "a=2"),
        _ => "accept".to_owned(),
    };
    vec![with(expect, "/authmesh_strict", other)]
}

fn alter_headers(expect: &Value) -> Vec<Value> {
    let expected = expect["authmesh_strict"].as_object().unwrap();
    let alter = |(key, value): (&String, &Value)| {
        let other = match key.as_str() {
            "status" => json!(value.as_u64().unwrap() + 1),
            "client_ip" => json!("198.51.100.9"),
            "upstream" => match value.as_str().unwrap().split_once(": ") {
                Some((name, _)) => json!(format!("{name}: another")),
                None => json!("host: another"),
            },
            _ => json!("another"),
        };
        with(expect, &format!("/authmesh_strict/{key}"), other)
    };
    expected.iter().map(alter).collect()
}

fn alter_path(expect: &Value) -> Vec<Value> {
    let other = if expect["authmesh_strict"] == "allow" { "deny_403" } else { "allow" };
    let mut altered = vec![with(expect, "/authmesh_strict", other)];
    if let Some(form) = expect["normal_form"].as_str() {
        altered.push(with(expect, "/normal_form", format!("{form}x")));
    }
    altered
}
