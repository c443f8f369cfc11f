//! The cases of identity pass, none is skipped, and each would notice a wrong value.

#![expect(clippy::unwrap_used, reason = "helpers of tests; a fault here fails the test")]

use std::fs;

use authmesh_testkit::scenarios::{Verdict, run};
use serde_json::{Value, json};

const GROUPS: [&str; 2] = ["spiffe_id", "x509_svid"];

fn file() -> Value {
    let path = format!("{}/cases/security.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn every_case_of_identity_passes() {
    for group in GROUPS {
        let reports = run("security", &file(), &[group]).unwrap();
        assert!(reports.len() > 10, "{group}");
        for report in reports {
            assert_eq!(report.verdict, Verdict::Passed, "{report:?}");
        }
    }
}

#[test]
fn each_case_of_identity_fails_once_a_compared_value_is_altered() {
    let file = file();
    for case in file["cases"].as_array().unwrap() {
        if !GROUPS.contains(&case["group"].as_str().unwrap()) {
            continue;
        }
        for key in ["authmesh_strict", "trust_domain", "path", "reason", "spiffe_id"] {
            let Some(value) = case["expect"][key].as_str() else { continue };
            let mut altered = case.clone();
            altered["expect"][key] = match value {
                "accept" => json!("reject"),
                "reject" => json!("accept"),
                other => json!(format!("{other}x")),
            };
            let only = json!({ "meta": file["meta"], "cases": [altered] });
            let reports = run("security", &only, &[]).unwrap();
            assert!(matches!(reports[0].verdict, Verdict::Failed(_)), "{key}: {reports:?}");
        }
    }
}

#[test]
fn a_case_of_identity_with_an_unknown_key_is_unsupported() {
    let file = file();
    for group in GROUPS {
        let cases = file["cases"].as_array().unwrap();
        let mut case = cases.iter().find(|case| case["group"] == group).unwrap().clone();
        case["expect"]["colour"] = json!("red");
        let only = json!({ "meta": file["meta"], "cases": [case] });
        let reports = run("security", &only, &[]).unwrap();
        assert!(matches!(reports[0].verdict, Verdict::Unsupported(_)), "{reports:?}");
    }
}
