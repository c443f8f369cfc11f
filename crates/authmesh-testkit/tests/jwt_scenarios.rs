//! The cases of tokens pass, each of them would notice another answer, and what a case says that ours
//! cannot is not passed over.

#![expect(clippy::unwrap_used, reason = "helpers of tests; a fault here fails the test")]

use std::fs;

use authmesh_testkit::scenarios::{Verdict, run};
use serde_json::{Value, json};

struct File {
    meta: Value,
    cases: Vec<Value>,
}

fn file() -> File {
    let path = format!("{}/cases/security.json", env!("CARGO_MANIFEST_DIR"));
    let file: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let cases = file["cases"].as_array().unwrap().iter();
    let cases = cases.filter(|case| case["group"] == "jwt").cloned().collect();
    File { meta: file["meta"].clone(), cases }
}

fn verdict(meta: &Value, case: &Value) -> Verdict {
    let file = json!({ "meta": meta, "cases": [case] });
    run("security", &file, &[]).unwrap().remove(0).verdict
}

#[test]
fn all_cases_of_tokens_pass() {
    let File { meta, cases } = file();
    assert_eq!(cases.len(), 63);
    for case in cases {
        assert_eq!(verdict(&meta, &case), Verdict::Passed, "{case}");
    }
}

#[test]
fn each_case_of_tokens_fails_once_a_compared_value_is_altered() {
    let File { meta, cases } = file();
    for case in cases {
        let is_accepted = case["expect"]["authmesh_strict"] == "accept";
        for (key, value) in [
            ("authmesh_strict", json!(if is_accepted { "reject" } else { "accept" })),
            ("http_status", json!(503)),
            ("reason", json!("another")),
        ] {
            let mut altered = case.clone();
            altered["expect"][key] = value;
            let verdict = verdict(&meta, &altered);
            assert!(matches!(verdict, Verdict::Failed(_)), "{key}: {verdict:?} {case}");
        }
    }
}

#[test]
fn what_a_case_of_tokens_says_and_ours_cannot_is_unsupported() {
    let File { meta, cases } = file();
    let with = |place: &str, value: Value| {
        let mut case = cases[0].clone();
        *case.pointer_mut(place).unwrap() = value;
        case
    };
    for case in [
        with("/input/config_overrides", json!({ "colour": "red" })),
        with("/input/config_overrides", json!({ "require": ["exp"] })),
        with("/input/kind", json!("jwe")),
        with("/input/jwks", json!("NOBODY")),
        with("/expect/spec", json!("perhaps")),
    ] {
        let verdict = verdict(&meta, &case);
        assert!(matches!(verdict, Verdict::Unsupported(_)), "{verdict:?} {case}");
    }
}
