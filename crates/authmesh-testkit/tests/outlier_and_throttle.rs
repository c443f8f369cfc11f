//! The cases of outlier ejection, throttles and limiters pass, and each would notice a wrong value.

#![expect(clippy::unwrap_used, reason = "helpers of tests; a fault here fails the test")]

use authmesh_testkit::scenarios::{Verdict, run};
use serde_json::{Value, json};

const TOPIC: &str = "outlier_and_throttle";

fn cases() -> Vec<Value> {
    let path = format!("{}/cases/{TOPIC}.json", env!("CARGO_MANIFEST_DIR"));
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    file.as_array().unwrap().clone()
}

fn verdict(case: &Value) -> Verdict {
    run(TOPIC, &json!([case]), &[]).unwrap().remove(0).verdict
}

#[test]
fn every_case_passes() {
    let cases = cases();
    assert_eq!(cases.len(), 25);
    for case in cases {
        assert_eq!(verdict(&case), Verdict::Passed, "{}", case["name"]);
    }
}

#[test]
fn each_case_fails_once_any_compared_value_is_altered() {
    for case in cases() {
        let mut altered = 0;
        for step in 0..case["steps"].as_array().unwrap().len() {
            let expectations = case["steps"][step].as_object().unwrap().keys();
            for key in expectations.filter(|key| key.starts_with("expect_")) {
                let mut copy = case.clone();
                let value = &mut copy["steps"][step][key];
                *value = match &*value {
                    Value::Array(hosts) if hosts.is_empty() => json!([0]),
                    Value::Array(_) => json!([]),
                    number if number.is_u64() => json!(number.as_u64().unwrap() + 1),
                    number => json!(number.as_f64().unwrap() + 0.001),
                };
                altered += 1;
                let verdict = verdict(&copy);
                assert!(matches!(verdict, Verdict::Failed(_)), "{} {verdict:?}", case["name"]);
            }
        }
        assert!(altered > 0, "{}", case["name"]);
    }
}

#[test]
fn what_is_not_understood_is_unsupported() {
    for case in cases() {
        for (path, word) in [("/config/color", "red"), ("/steps/0/color", "red"), ("/kind", "x")] {
            let mut copy = case.clone();
            let (parent, key) = path.rsplit_once('/').unwrap();
            copy.pointer_mut(parent).unwrap()[key] = json!(word);
            let verdict = verdict(&copy);
            assert!(matches!(verdict, Verdict::Unsupported(_)), "{path} {verdict:?}");
        }
    }
}
