//! Breakers in the hands of an operator.

use crate::backend::Backend;
use crate::http::get;
use crate::program::{Folder, Program, command, until};

#[test]
fn an_operator_holds_a_breaker_by_hand_and_everybody_sees_who_and_why() {
    let backend = Backend::named("token");
    let service = format!("[service.token]\nendpoints = [\"{}\"]\n", backend.address);
    let folder = Folder::serving(&service);
    let mesh = folder.start();
    let (web, metrics) = (mesh.address("listener web"), mesh.address("door metrics"));
    assert_eq!(get(&web, "/").status, 200);
    let watch = Program::start(command(&folder.path(""), &["watch", "-o", "json"]));
    watch.hear("watching");

    let told = ["breaker", "force-open", "token/default", "--why", "a drill", "--for", "10m"];
    let forced = folder.run(&told);
    assert_eq!(forced.code, 0, "{}", forced.stderr);
    assert!(forced.stdout.contains("forced_open for 10 min by uid"), "{}", forced.stdout);
    let refused = get(&web, "/");
    assert!(refused.status == 503 && refused.head.contains("x-authmesh-reason: breaker_open"));
    let commanded = watch.hear("breaker_commanded");
    for wanted in ["\"force_open\"", "\"a drill\"", "\"uid ", "600000"] {
        assert!(commanded.contains(wanted), "{wanted} in {commanded}");
    }
    watch.hear("\"forced_open\"");

    // A change of the file that gives the breaker other windows leaves the hand where it is.
    folder.write(&folder.serving_text(&format!("{service}breaker = {{ window = \"1m\" }}\n")));
    assert_eq!(folder.run(&["reload"]).code, 0);
    let state = || {
        let listed = folder.run(&["breaker", "list", "-o", "json"]).json();
        listed["breakers"][0].clone()
    };
    assert_eq!(get(&web, "/").status, 503);
    let held = state();
    assert_eq!((&held["key"], &held["state"]), (&"token/default".into(), &"forced_open".into()));
    assert_eq!(held["manual"]["why"], "a drill");
    assert!(held["manual"]["ends_in_ms"].as_u64().unwrap() > 500_000);
    let text = get(&metrics, "/metrics").body;
    let labels = r#"service="token",operation="default""#;
    let states = text.lines().filter(|line| line.starts_with("authmesh_breaker_state{"));
    let ones: Vec<_> = states.filter(|line| line.ends_with(" 1")).collect();
    assert_eq!(ones, [format!("authmesh_breaker_state{{{labels},state=\"forced_open\"}} 1")]);
    let kind = r#"state="forced_open",kind="closed_to_forced_open",reason="operator""#;
    let entered = format!("authmesh_breaker_transitions_total{{{labels},{kind}}} 1");
    assert!(text.lines().any(|line| line == entered), "{entered} in\n{text}");
    let held = format!("authmesh_breaker_state_seconds_total{{{labels},state=\"forced_open\"}} ");
    let seconds = |text: &str| -> f64 {
        let spent = text.lines().find_map(|line| line.strip_prefix(&held));
        spent.and_then(|spent| spent.parse().ok()).unwrap_or_else(|| panic!("{held} in\n{text}"))
    };
    assert!(seconds(&text) > 0.0 && seconds(&get(&metrics, "/metrics").body) > seconds(&text));

    for (verb, word) in [("shadow", "metrics_only"), ("disable", "disabled")] {
        let run = folder.run(&["breaker", verb, "token/default", "--why", "a trial"]);
        assert_eq!((run.code, &state()["state"]), (0, &word.into()), "{}", run.stderr);
        assert_eq!(get(&web, "/").status, 200);
    }
    assert_eq!(folder.run(&["breaker", "reset", "token/default", "--why", "over"]).code, 0);
    assert!(state()["state"] == "closed" && state()["manual"].is_null());
}

#[test]
fn what_breakers_did_is_told_in_numbers() {
    // Nobody listens there.
    let folder = Folder::serving(
        "[service.token]\nendpoints = [\"127.0.0.1:1\"]\nretry = \"off\"\n\
         breaker = { consecutive_failures = 3, wait = \"1h\", longest_wait = \"1h\" }\n\
         endpoint_breaker = { consecutive_failures = 2, wait = \"1ms\", trials = 1 }\n",
    );
    let mesh = folder.start();
    let (web, metrics) = (mesh.address("listener web"), mesh.address("door metrics"));
    let tripped = "authmesh_breaker_transitions_total{service=\"token\",operation=\"default\",\
                   state=\"open\",kind=\"closed_to_open\",reason=\"consecutive_failures\"} 1\n";
    let scrape = || {
        get(&web, "/");
        get(&metrics, "/metrics").body
    };
    let text = until(scrape, |text| text.contains(tripped));
    let (endpoint, operation) = (r#"service="token""#, r#"service="token",operation="default""#);
    for line in [
        r#"transitions_total{SERVICE,state="open",kind="closed_to_open",reason="consecutive_failures"} 1"#,
        r#"transitions_total{SERVICE,state="half_open",kind="open_to_half_open",reason="wait_ended"} 1"#,
        r#"transitions_total{SERVICE,state="open",kind="half_open_to_open",reason="trials_failed"} 1"#,
        r#"trials_total{SERVICE,result="failed"} 1"#,
        r#"trials_total{SERVICE,result="passed"} 0"#,
    ] {
        let line = format!("authmesh_endpoint_breaker_{}", line.replace("SERVICE", endpoint));
        assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
    }
    let open = format!("authmesh_breaker_state{{{operation},state=\"open\"}} 1");
    assert!(text.lines().any(|found| found == open), "{open} in\n{text}");
    assert!(text.contains("\nauthmesh_events_missed_total 0\n"), "{text}");
}

#[test]
fn a_command_runs_out_by_itself_and_holds_single_instances_too() {
    let backend = Backend::named("token");
    let endpoint = backend.address.to_string();
    let folder = Folder::serving(&format!("[service.token]\nendpoints = [\"{endpoint}\"]\n"));
    let mesh = folder.start();
    let web = mesh.address("listener web");
    let key = format!("token@{endpoint}");
    let forced =
        folder.run(&["breaker", "force-open", &key, "--why", "x", "--for", "200ms", "-o", "json"]);
    assert_eq!(forced.code, 0, "{}", forced.stderr);
    assert_eq!(forced.json()["breaker"]["key"], key);
    until(|| get(&web, "/").status, |status| *status == 200);
}

#[test]
fn a_command_without_a_reason_a_breaker_or_an_end_is_refused() {
    let folder = Folder::serving("[service.token]\nendpoints = [\"127.0.0.1:1\"]\n");
    let _mesh = folder.start_and_find("door admin");
    for (arguments, code, says) in [
        (&["token/default"][..], 2, "--why"),
        (&["token/default", "--why", " "], 2, "`why`"),
        (&["token/default", "--why", "x", "--for", "soon"], 2, "wanted: a time"),
        (&["token/default", "--why", "x", "--for", "8d"], 2, "7 days"),
        (&["token", "--why", "x"], 2, "SERVICE/OPERATION"),
        (&["token/nobody", "--why", "x"], 1, "token/nobody"),
        (&["nobody/default", "--why", "x"], 1, "nobody/default"),
        (&["token@nobody", "--why", "x"], 1, "token@nobody"),
    ] {
        let run = folder.run(&[&["breaker", "force-open"], arguments].concat());
        assert_eq!(run.code, code, "{arguments:?} {}", run.stderr);
        assert!(run.stderr.contains(says), "{says} in {}", run.stderr);
    }
}
