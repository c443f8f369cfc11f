//! The tables of `status`, `services`, `instances`, `breaker list` and the lines of `watch`.

use serde_json::Value;

use super::table::{Table, printable};

/// The whole state of a mesh.
pub(crate) fn status(report: &Value) -> String {
    let ready = if report["ready"] == true { "ready" } else { "not ready" };
    let mut text = format!(
        "authmesh {}  pid {}  since {}  {ready}\n",
        text_of(&report["version"]),
        report["pid"],
        text_of(&report["since"]),
    );
    for missing in list(&report["missing"]) {
        text += &format!(
            "  missing  {}: {} (since {})\n",
            printable(&text_of(&missing["step"])),
            printable(&text_of(&missing["reason"])),
            text_of(&missing["since"]),
        );
    }
    if report["last_reload"].is_object() {
        let reload = &report["last_reload"];
        let end = match reload["ok"] == true {
            true => "in force".to_owned(),
            false => format!("refused\n{}", indented(&text_of(&reload["error"]))),
        };
        text += &format!("  last reload  {}: {end}\n", text_of(&reload["at"]));
    }
    let mut places = Table::new(&["OPEN", "NAME", "ADDRESS"]);
    for (kind, places_of) in [("listener", "listeners"), ("door", "doors")] {
        for place in list(&report[places_of]) {
            places.row([kind.to_owned(), text_of(&place["name"]), text_of(&place["address"])]);
        }
    }
    text += &format!("\n{}", places.lines(""));
    text += &identity(&report["identity"]);
    text += &tokens(&report["tokens"]);
    text += &format!("\nclient connections  {}\n", report["connections"]);
    text += &format!("\n{}", services(report));
    text += &format!("\n{}", breakers_of_operations(report));
    text += &format!("\n{}", instances(report));
    text
}

/// Who the mesh is, and the age of every certificate; nothing if it has no identity.
fn identity(identity: &Value) -> String {
    if !identity.is_object() {
        return String::new();
    }
    let id = identity["id"].as_str().unwrap_or("not of a trust domain");
    let mut text = format!("\nidentity  {}\n", printable(id));
    for fault in ["unusable", "refused"] {
        if let Some(words) = identity[fault].as_str() {
            text += &format!("  {fault}\n{}\n", indented(words));
        }
    }
    let mut table = Table::new(&["CERTIFICATE", "STANDING", "AGE", "LEFT", "FILE"]);
    for certificate in list(&identity["certificates"]) {
        let seconds =
            |key: &str| time(&Value::from(certificate[key].as_u64().unwrap_or(0) * 1_000));
        table.row([
            text_of(&certificate["kind"]),
            text_of(&certificate["standing"]),
            seconds("age_s"),
            seconds("left_s"),
            text_of(&certificate["file"]),
        ]);
    }
    text + &table.lines("")
}

/// The token providers and how old their keys are; nothing if there is none.
fn tokens(tokens: &Value) -> String {
    if list(tokens).is_empty() {
        return String::new();
    }
    let mut table =
        Table::new(&["TOKENS OF", "STANDING", "KEYS", "AGE", "USABLE FOR", "ISSUER", "FAULT"]);
    for provider in list(tokens) {
        let seconds = |key: &str| match provider[key].as_u64() {
            Some(seconds) => time(&Value::from(seconds * 1_000)),
            None => String::new(),
        };
        table.row([
            text_of(&provider["name"]),
            text_of(&provider["standing"]),
            text_of(&provider["keys"]),
            seconds("age_s"),
            seconds("usable_for_s"),
            text_of(&provider["issuer"]),
            provider["fault"].as_str().map(printable).unwrap_or_default(),
        ]);
    }
    format!("\n{}", table.lines(""))
}

/// The services in `report`.
pub(crate) fn services(report: &Value) -> String {
    let mut table = Table::new(&[
        "SERVICE",
        "ROUTABLE",
        "MODE",
        "STRATEGY",
        "IN FLIGHT",
        "CONNECTIONS",
        "SOURCE",
    ]);
    for service in list(&report["services"]) {
        let source = match (service["source_lost"].is_object(), service["known"] == true) {
            (true, _) => {
                let lost = &service["source_lost"];
                format!("lost for {}: {}", time(&lost["for_ms"]), text_of(&lost["reason"]))
            }
            (false, true) => format!("revision {}", service["revision"]),
            (false, false) => "nothing heard yet".to_owned(),
        };
        table.row([
            text_of(&service["name"]),
            format!("{} of {}", service["routable"], service["total"]),
            text_of(&service["mode"]),
            text_of(&service["strategy"]),
            text_of(&service["in_flight"]),
            text_of(&service["connections"]),
            source,
        ]);
    }
    filled(&table, "no services\n")
}

/// The instances of the services in `report`.
pub(crate) fn instances(report: &Value) -> String {
    let mut table = Table::new(&[
        "SERVICE",
        "INSTANCE",
        "ADDRESS",
        "STATE",
        "HEALTH",
        "FOR",
        "WEIGHT",
        "IN FLIGHT",
        "BREAKER",
        "WHY",
    ]);
    for service in list(&report["services"]) {
        for instance in list(&service["instances"]) {
            table.row([
                text_of(&service["name"]),
                text_of(&instance["id"]),
                text_of(&instance["address"]),
                text_of(&instance["state"]),
                text_of(&instance["health"]),
                time(&instance["health_for_ms"]),
                text_of(&instance["weight"]),
                text_of(&instance["in_flight"]),
                breaker_word(&instance["breaker"]),
                text_of(&instance["reason"]),
            ]);
        }
    }
    filled(&table, "no instances\n")
}

/// The list of breakers in `report`.
pub(crate) fn breakers(report: &Value) -> String {
    let mut table =
        Table::new(&["BREAKER", "STATE", "CALLS", "FAILURES", "SLOW", "FAILURES IN A ROW"]);
    for breaker in list(&report["breakers"]) {
        table.row(breaker_row(text_of(&breaker["key"]), breaker));
    }
    filled(&table, "no breakers yet\n")
}

/// One event, on a line.
pub(crate) fn event(event: &Value) -> String {
    let mut line = format!(
        "{}  {}  {}",
        text_of(&event["at"]),
        text_of(&event["service"]),
        text_of(&event["kind"])
    );
    let known = ["at", "service", "kind"];
    for (name, value) in event.as_object().into_iter().flatten() {
        if !known.contains(&name.as_str()) {
            line += &format!("  {name}={}", text_of(value));
        }
    }
    printable(&line)
}

fn breakers_of_operations(report: &Value) -> String {
    let mut table =
        Table::new(&["OPERATION", "BREAKER", "CALLS", "FAILURES", "SLOW", "FAILURES IN A ROW"]);
    for service in list(&report["services"]) {
        for operation in list(&service["operations"]) {
            let key = format!("{}/{}", text_of(&service["name"]), text_of(&operation["name"]));
            table.row(breaker_row(key, &operation["breaker"]));
        }
    }
    filled(&table, "no operation was used yet\n")
}

fn breaker_row(key: String, breaker: &Value) -> [String; 6] {
    [
        key,
        breaker_word(breaker),
        text_of(&breaker["calls"]),
        text_of(&breaker["failures"]),
        text_of(&breaker["slow"]),
        text_of(&breaker["consecutive_failures"]),
    ]
}

fn breaker_word(breaker: &Value) -> String {
    let word = text_of(&breaker["state"]);
    let manual = &breaker["manual"];
    if manual.is_object() {
        let (who, why) = (text_of(&manual["who"]), text_of(&manual["why"]));
        return format!("{word} for {} by {who}: {why}", time(&manual["ends_in_ms"]));
    }
    match breaker["opens_for_ms"].is_u64() {
        true => format!("{word} for {}", time(&breaker["opens_for_ms"])),
        false => word,
    }
}

fn filled(table: &Table, instead: &str) -> String {
    if table.is_empty() { instead.to_owned() } else { table.lines("") }
}

pub(super) fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

pub(super) fn text_of(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn indented(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(|line| format!("    {}", printable(line))).collect();
    lines.join("\n")
}

/// A time in milliseconds, as people say it.
pub(super) fn time(millis: &Value) -> String {
    let Some(millis) = millis.as_u64() else { return String::new() };
    // What is left of ten minutes a moment later is still ten minutes.
    let (seconds, minutes) = (millis / 1_000, (millis + 30_000) / 60_000);
    match (seconds, minutes) {
        (0, _) => format!("{millis} ms"),
        (1..10, _) => format!("{seconds}.{} s", millis / 100 % 10),
        (10..60, _) => format!("{seconds} s"),
        (_, ..60) => format!("{minutes} min"),
        (_, ..2_880) => format!("{} h", minutes / 60),
        (_, minutes) => format!("{} d", minutes / 1_440),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_status_shows_what_is_missing_and_why() {
        let text = status(&json!({
            "version": "0.1.0", "pid": 7, "since": "2026-01-01T00:00:00.000Z", "ready": false,
            "missing": [{ "step": "endpoints:token", "reason": "it has no instance",
                          "since": "2026-01-01T00:00:01.000Z" }],
            "listeners": [{ "name": "web", "address": "127.0.0.1:80" }],
            "connections": 0,
            "services": [{
                "name": "token", "known": true, "revision": 3, "routable": 0, "total": 1,
                "mode": "fail_closed", "strategy": "least_loaded", "in_flight": 0, "connections": 0,
                "operations": [],
                "instances": [{
                    "id": "a", "address": "127.0.0.1:1", "state": "draining", "health": "unknown",
                    "health_for_ms": 61_000, "weight": 1.0, "in_flight": 0,
                    "breaker": { "state": "open", "opens_for_ms": 1_500 },
                    "reason": "an operator lets it finish",
                }],
            }],
        }));
        for wanted in [
            "not ready",
            "missing  endpoints:token: it has no instance (since 2026-01-01T00:00:01.000Z)",
            "listener  web   127.0.0.1:80",
            "0 of 1",
            "1 min",
            "open for 1.5 s",
            "an operator lets it finish",
        ] {
            assert!(text.contains(wanted), "{wanted} in\n{text}");
        }
    }

    #[test]
    fn a_time_has_one_unit() {
        for (millis, words) in [
            (7, "7 ms"),
            (1_590, "1.5 s"),
            (45_000, "45 s"),
            (61_000, "1 min"),
            (599_900, "10 min"),
            (7_199_900, "2 h"),
            (172_800_000, "2 d"),
        ] {
            assert_eq!(time(&millis.into()), words);
        }
    }
}
