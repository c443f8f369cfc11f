//! Cases of what is wrong with a configuration file: under which code, how grave, and where.

use authmesh::config::{Problems, parse};
use serde_json::Value;

use crate::scenarios::Verdict;

/// What is compared.
const COMPARED: [&str; 6] = ["code", "codes", "severity", "line", "column", "must_not_contain"];

/// Reading matter: how others would word it, and why.
const WORDS: [&str; 4] = ["message_contains", "hint_contains", "byte_span", "note"];

/// The code of a case that expects several.
const SEVERAL: &str = "MULTI";

/// The code of a case that expects nothing to be wrong.
const NOTHING: &str = "OK";

/// Runs one case.
pub(super) fn run(case: &Value, _: &Value) -> Verdict {
    let unsupported = |why: String| Verdict::Unsupported(why);
    let Some(expected) = case["expect"].as_object() else {
        return unsupported("it expects nothing".to_owned());
    };
    let known = |key: &&String| COMPARED.contains(&key.as_str()) || WORDS.contains(&key.as_str());
    if let Some(key) = expected.keys().find(|key| !known(key)) {
        return unsupported(format!("the expectation {key}"));
    }
    let input = &case["input"];
    let (Some("toml"), Some(text)) = (input["kind"].as_str(), input["document"].as_str()) else {
        return unsupported("an input that is no document of TOML".to_owned());
    };
    let problems = match parse(text, "mesh.toml") {
        Ok(loaded) => loaded.warnings,
        Err(problems) => problems,
    };
    match compare(&case["expect"], &problems) {
        Ok(()) => Verdict::Passed,
        Err(difference) => Verdict::Failed(difference),
    }
}

fn compare(expected: &Value, problems: &Problems) -> Result<(), String> {
    if let Some(secret) = expected["must_not_contain"].as_str() {
        let shown = [problems.to_string(), format!("{problems:?}"), problems.to_json().to_string()];
        if shown.iter().any(|shown| shown.contains(secret)) {
            return Err("expected a secret not to be shown, got it in the report".to_owned());
        }
    }
    let code = expected["code"].as_str().unwrap_or_default();
    let found = found(problems);
    if code == NOTHING {
        let is_lawful = found.is_empty() && expected["severity"] == "ok";
        let wanted = "expected nothing to be wrong and the severity ok";
        return if is_lawful { Ok(()) } else { Err(format!("{wanted}, got {found:?}")) };
    }
    let codes: Vec<&str> = match (code, expected["codes"].as_array()) {
        (SEVERAL, Some(codes)) => codes.iter().filter_map(Value::as_str).collect(),
        (SEVERAL, None) => return Err("expected several codes, and named none".to_owned()),
        (_, Some(_)) => return Err("expected one code, and named several".to_owned()),
        (_, None) => vec![code],
    };
    if let Some(code) = codes.iter().find(|code| !found.iter().any(|problem| problem.0 == **code)) {
        return Err(format!("expected {code}, got {found:?}"));
    }
    let severity = expected["severity"].as_str().unwrap_or_default();
    let place = |key: &str, at: usize| expected.get(key).is_none_or(|wanted| *wanted == at);
    let fits = |&(code, found, line, column): &(&str, &str, usize, usize)| {
        let is_here = place("line", line) && place("column", column);
        codes.contains(&code) && found == severity && is_here
    };
    if found.iter().any(fits) {
        return Ok(());
    }
    let (line, column) = (&expected["line"], &expected["column"]);
    Err(format!("expected {severity} {codes:?} at {line}:{column}, got {found:?}"))
}

/// Every problem: code, severity, line, column.
fn found(problems: &Problems) -> Vec<(&'static str, &'static str, usize, usize)> {
    let told = |problem: &authmesh::config::Problem| {
        let place = problems.place(problem.span);
        (problem.code.text(), problem.severity.word(), place.line, place.column)
    };
    problems.iter().map(told).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn verdict(expect: &Value) -> Verdict {
        let document = "version = 1\n[service.a]\nendpoints = ['127.0.0.1:1']\ntimeuot = '2s'\n";
        let input = json!({ "kind": "toml", "document": document });
        run(&json!({ "input": input, "expect": expect }), &Value::Null)
    }

    #[test]
    fn each_value_that_is_compared_matters() {
        let expect = json!({
            "code": "AM-C001", "severity": "error", "line": 4, "column": 1,
            "must_not_contain": "hunter2", "message_contains": "in other words",
        });
        assert_eq!(verdict(&expect), Verdict::Passed);
        for (key, other) in [
            ("code", json!("AM-C002")),
            ("severity", json!("warning")),
            ("line", json!(5)),
            ("column", json!(2)),
            ("must_not_contain", json!("timeuot")),
            ("codes", json!(["AM-C001"])),
        ] {
            let mut altered = expect.clone();
            altered[key] = other;
            assert!(matches!(verdict(&altered), Verdict::Failed(_)), "{key}");
        }
        let mut unknown = expect;
        unknown["colour"] = json!("red");
        assert!(matches!(verdict(&unknown), Verdict::Unsupported(_)));
        let nothing = json!({ "code": "OK", "severity": "ok" });
        assert!(matches!(verdict(&nothing), Verdict::Failed(_)));
        let several =
            json!({ "code": "MULTI", "codes": ["AM-C001", "AM-C005"], "severity": "error" });
        assert!(matches!(verdict(&several), Verdict::Failed(_)));
    }
}
