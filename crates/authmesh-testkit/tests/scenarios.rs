//! The cases pass, and each of them would notice a wrong value.

#![expect(clippy::unwrap_used, reason = "helpers of tests; a fault here fails the test")]

use std::fs;

use authmesh_testkit::scenarios::{TOPICS, Verdict, run};
use serde_json::{Value, json};

fn file(topic: &str) -> Value {
    let path = format!("{}/cases/{topic}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn no_case_of_any_topic_fails_and_all_of_the_circuit_breaker_pass() {
    // Those of security need sockets and have their own test.
    for topic in TOPICS.into_iter().filter(|topic| *topic != "security") {
        let reports = run(topic, &file(topic), &[]).unwrap();
        assert!(!reports.is_empty());
        for report in reports {
            let failed = matches!(report.verdict, Verdict::Failed(_));
            let must_pass = topic == "circuit_breaker";
            assert!(!failed && (!must_pass || report.verdict == Verdict::Passed), "{report:?}");
        }
    }
}

#[test]
fn each_case_of_the_circuit_breaker_fails_once_any_compared_value_is_altered() {
    for case in file("circuit_breaker").as_array().unwrap() {
        let mut altered = 0;
        for step in 0..case["steps"].as_array().unwrap().len() {
            for alter in [alter_answer, alter_state, alter_counts, alter_error] {
                let mut copy = case.clone();
                if !alter(&mut copy["steps"][step]) {
                    continue;
                }
                altered += 1;
                let reports = run("circuit_breaker", &json!([copy]), &[]).unwrap();
                assert!(matches!(reports[0].verdict, Verdict::Failed(_)), "{step} {reports:?}");
            }
        }
        assert!(altered > 0);
    }
}

#[test]
fn what_is_not_understood_is_unsupported() {
    let case = file("circuit_breaker")[0].clone();
    let mut unknown_key = case.clone();
    unknown_key["steps"][0]["expect_color"] = json!("red");
    let mut unknown_word = case;
    unknown_word["config"]["stale"] = json!("current");
    for case in [unknown_key, unknown_word, json!({ "name": "empty" }), json!(7)] {
        let reports = run("circuit_breaker", &json!([case]), &[]).unwrap();
        assert!(matches!(reports[0].verdict, Verdict::Unsupported(_)), "{reports:?}");
    }
    assert_eq!(run("weather", &json!([]), &[]), None);
    assert_eq!(run("circuit_breaker", &json!({}), &[]), None);
}

fn alter_answer(step: &mut Value) -> bool {
    let other = match step["expect"].as_str() {
        Some("permitted") => "rejected",
        Some(_) => "permitted",
        None => return false,
    };
    step["expect"] = json!(other);
    true
}

fn alter_state(step: &mut Value) -> bool {
    let other = match step["expect_state"].as_str() {
        Some("closed") => "open",
        Some(_) => "closed",
        None => return false,
    };
    step["expect_state"] = json!(other);
    true
}

fn alter_counts(step: &mut Value) -> bool {
    let Some(counts) = step.get_mut("expect_counts").and_then(Value::as_object_mut) else {
        return false;
    };
    counts.values_mut().for_each(|count| *count = json!(count.as_u64().unwrap() + 1));
    true
}

fn alter_error(step: &mut Value) -> bool {
    let error = step["expect_error"].as_bool().unwrap_or(false);
    let control = step.get("control").is_some();
    if control {
        step["expect_error"] = json!(!error);
    }
    control
}
