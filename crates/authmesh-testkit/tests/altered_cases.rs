//! Cases of balancing, health and discovery: which pass, and that each of them would notice a
//! wrong value.

#![expect(clippy::unwrap_used, reason = "helpers of tests; a fault here fails the test")]

use std::fs;

use authmesh_testkit::scenarios::{Verdict, run};
use serde_json::{Value, json};

/// The cases that must pass, by topic.
const PASSING: [(&str, &[&str]); 3] = [
    (
        "load_balancer",
        &[
            "swrr-002",
            "swrr-003",
            "swrr-004",
            "swrr-005",
            "swrr-006",
            "stride-001",
            "stride-003",
            "stride-004",
            "stride-010",
            "stride-012",
            "lr-003",
            "lr-004",
            "p2c-001",
            "p2c-004",
            "neg-002",
        ],
    ),
    ("health", &["HC-ENV-02", "HC-ENV-04", "HC-ENV-06", "HC-ENV-08", "HC-HAP-01", "HC-HAP-02"]),
    ("discovery", &["ID-02"]),
];

fn cases(topic: &str) -> Vec<Value> {
    let path = format!("{}/cases/{topic}.json", env!("CARGO_MANIFEST_DIR"));
    let file: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    file.as_array().or_else(|| file["cases"].as_array()).unwrap().clone()
}

fn verdict(topic: &str, case: &Value) -> Verdict {
    run(topic, &json!([case]), &[]).unwrap().remove(0).verdict
}

#[test]
fn the_cases_that_are_ours_pass_and_no_other_claims_to() {
    for (topic, passing) in PASSING {
        let passed: Vec<String> = cases(topic)
            .iter()
            .filter(|case| verdict(topic, case) == Verdict::Passed)
            .map(|case| case["id"].as_str().unwrap().to_owned())
            .collect();
        let mut passing = passing.to_vec();
        passing.sort_by_key(|id| cases(topic).iter().position(|case| case["id"] == **id));
        assert_eq!(passed, passing, "{topic}");
    }
}

#[test]
fn each_passing_case_fails_once_any_compared_value_is_altered() {
    for (topic, passing) in PASSING {
        for case in
            cases(topic).iter().filter(|case| passing.contains(&case["id"].as_str().unwrap()))
        {
            let places = compared(topic, case);
            assert!(!places.is_empty(), "{case}");
            for place in places {
                let mut copy = case.clone();
                let value = copy.pointer_mut(&place).unwrap();
                *value = altered(topic, value);
                let verdict = verdict(topic, &copy);
                assert!(
                    matches!(verdict, Verdict::Failed(_)),
                    "{} {place}: {verdict:?}",
                    case["id"]
                );
            }
        }
    }
}

#[test]
fn what_is_not_understood_is_unsupported() {
    for (topic, passing) in PASSING {
        let known = cases(topic);
        let known = known.iter().find(|case| case["id"] == passing[0]).unwrap();
        let mut unknown_key = known.clone();
        unknown_key["expect_color"] = json!("red");
        let mut unknown_group = known.clone();
        for key in ["group", "area", "model"] {
            if unknown_group.get(key).is_some() {
                unknown_group[key] = json!("weather");
            }
        }
        for case in [unknown_key, unknown_group, json!({ "id": "empty" }), json!(7)] {
            let verdict = verdict(topic, &case);
            assert!(matches!(verdict, Verdict::Unsupported(_)), "{topic} {verdict:?}");
        }
    }
}

/// Where the values stand that a case compares.
fn compared(topic: &str, case: &Value) -> Vec<String> {
    let mut places = Vec::new();
    if topic == "load_balancer" {
        for (key, expected) in case["expect"].as_object().unwrap() {
            match expected {
                _ if ["with_replacement", "traefik"].contains(&key.as_str()) => {}
                Value::Array(items) => {
                    places.extend((0..items.len()).map(|item| format!("/expect/{key}/{item}")));
                }
                _ => places.push(format!("/expect/{key}")),
            }
        }
    } else {
        for (number, step) in case["steps"].as_array().unwrap().iter().enumerate() {
            for key in ["health", "state", "transition", "effect"] {
                if step.get(key).is_some() {
                    places.push(format!("/steps/{number}/{key}"));
                }
            }
        }
    }
    places
}

/// Another value of the same kind, beyond any tolerance and below any bound.
fn altered(topic: &str, value: &Value) -> Value {
    match value {
        Value::String(word) => json!(match word.as_str() {
            "UP" => "DOWN",
            "DOWN" => "UP",
            "healthy" => "unhealthy",
            "unhealthy" => "healthy",
            "changed" => "unchanged",
            "pending" | "unchanged" => "changed",
            _ => "applied",
        }),
        number if topic == "health" => json!(number.as_u64().unwrap() + 1_000),
        number => json!(number.as_f64().unwrap() - 1_000.0),
    }
}
