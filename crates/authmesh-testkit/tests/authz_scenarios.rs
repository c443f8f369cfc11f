//! The cases of access rules pass, but for those that a decision names, and each would notice another
//! answer.

#![expect(clippy::unwrap_used, reason = "helpers of tests; a fault here fails the test")]

use std::fs;

use authmesh_testkit::scenarios::{Report, Verdict, run};
use serde_json::{Value, json};

fn cases() -> Vec<Value> {
    let path = format!("{}/cases/security.json", env!("CARGO_MANIFEST_DIR"));
    let file: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let cases = file["cases"].as_array().unwrap().iter();
    cases.filter(|case| case["group"] == "authz").cloned().collect()
}

fn report(case: &Value) -> Report {
    run("security", &json!({ "cases": [case] }), &[]).unwrap().remove(0)
}

#[test]
fn all_cases_of_access_rules_pass_but_the_two_that_ours_cannot_express() {
    let reports: Vec<Report> = cases().iter().map(report).collect();
    assert_eq!(reports.len(), 40);
    let unsupported = ["AUTHZ-064", "AUTHZ-067"];
    for report in reports {
        match report.verdict {
            Verdict::Passed => {}
            Verdict::Unsupported(_) if unsupported.contains(&&*report.name) => {}
            _ => panic!("{report:?}"),
        }
    }
}

#[test]
fn each_case_of_access_rules_fails_once_a_compared_value_is_altered() {
    let mut altered_cases = 0;
    for case in cases().iter().filter(|case| report(case).verdict == Verdict::Passed) {
        altered_cases += 1;
        let (mut word, mut rule) = (case.clone(), case.clone());
        let other = if case["expect"]["authmesh_strict"] == "allow" { "deny" } else { "allow" };
        word["expect"]["authmesh_strict"] = json!(other);
        let other = case["expect"]["decided_by"].as_str().map_or(json!("x"), |_| json!(null));
        rule["expect"]["decided_by"] = other;
        for altered in [word, rule] {
            assert!(matches!(report(&altered).verdict, Verdict::Failed(_)), "{altered}");
        }
    }
    assert_eq!(altered_cases, 38);
}

#[test]
fn what_a_case_of_access_rules_says_and_ours_cannot_is_unsupported() {
    let case = cases()[1].clone();
    let mut key = case.clone();
    key["input"]["policies"][0]["colour"] = json!("red");
    let mut action = case.clone();
    action["input"]["policies"][0]["action"] = json!("CUSTOM");
    let mut condition = case;
    condition["input"]["policies"][0]["rules"][0]["when"] =
        json!([{ "key": "connection.sni", "values": ["a"] }]);
    for case in [key, action, condition] {
        assert!(matches!(report(&case).verdict, Verdict::Unsupported(_)), "{case}");
    }
}
