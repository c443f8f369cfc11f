//! What is dumped means what was read, and says where it comes from.

use proptest::prelude::*;

use super::keys::{document, every_key, lawful_value};
use super::meaning::WHOLE;
use crate::config::{Files, load, parse};
use authmesh_logic::config::reference::Standing;

/// Reads `text`, and what is dumped of it; both must mean the same and differ in no key.
fn check(text: &str) {
    let read = parse(text, "mesh.toml");
    let read = read.unwrap_or_else(|problems| panic!("{text}\n{problems}"));
    let dumped = read.to_toml();
    let again = parse(&dumped, "dump.toml");
    let again = again.unwrap_or_else(|problems| panic!("{text}\n{dumped}\n{problems}"));
    assert_eq!(read.config, again.config, "{text}\n{dumped}");
    assert_eq!(again.changes_from(&read.settings), [], "{text}\n{dumped}");
    let without_origins = |text: &str| -> Vec<String> {
        text.lines().map(|line| line.split("  # ").next().unwrap_or_default().to_owned()).collect()
    };
    assert_eq!(without_origins(&dumped), without_origins(&again.to_toml()), "dumped twice");
}

#[test]
fn a_whole_file_is_the_same_after_a_dump() {
    check(WHOLE);
}

#[test]
fn every_key_survives_a_dump() {
    for (section, key) in every_key().filter(|(_, key)| key.standing == Standing::Read) {
        let line = format!("{} = {}", key.name, lawful_value(key));
        let text = document(section.name, key.name, &line);
        check(&text);
    }
}

#[test]
fn a_dump_names_the_file_and_line_of_each_key_and_the_defaults() {
    let folder = tempfile::tempdir().unwrap();
    let (main, more) = (folder.path().join("mesh.toml"), folder.path().join("more.toml"));
    let text = "version = 1\ninclude = ['more.toml']\n[admin]\naddress = '127.0.0.1:1'\n\
                token = { file = 'secret' }\n[limits]\nbody = '2MiB'\n";
    std::fs::write(&main, text).unwrap();
    std::fs::write(&more, "[service.\"a.b\"]\nretry = {}\nendpoints = ['127.0.0.1:2']\n").unwrap();
    let loaded = load(&main, Files::Trust).unwrap();
    let (main, more) = (main.display(), more.display());
    let dumped = loaded.to_toml();
    let secret = folder.path().join("secret");
    for wanted in [
        format!("version = 1  # {main}:1"),
        format!("[limits]\nbody = \"2MiB\"  # {main}:7\n# header_timeout = \"10s\"  # default"),
        format!("token.file = {:?}  # {main}:5", secret.display().to_string()),
        format!("[service.\"a.b\"]\nendpoints = [\"127.0.0.1:2\"]  # {more}:3"),
        format!("retry = {{}}  # {more}:2"),
        "# [network]\n# connect_timeout = \"1s\"  # default".to_owned(),
    ] {
        assert!(dumped.contains(&wanted), "{wanted}\n---\n{dumped}");
    }
    assert!(!dumped.contains("include"), "{dumped}");
    let json = loaded.to_json();
    let find = |key: &str| {
        let settings = json["settings"].as_array().unwrap();
        settings.iter().find(|one| one["key"] == key).cloned().unwrap_or_default()
    };
    assert_eq!(find("limits.body")["origin"], format!("{main}:7"));
    assert_eq!(find("limits.headers")["value"], "100");
    assert_eq!(find("limits.headers")["origin"], "default");
    assert_eq!(find("network.keep_alive")["origin"], "default");
    assert_eq!(find("service.a.b.timeout")["value"], "\"5s\"");
    assert_eq!(json["files"].as_array().unwrap().len(), 2);
}

/// Lines that are lawful below a header, most of them together. Those with a `!` are needed there.
const LINES: &[(&str, &[&str])] = &[
    (
        "[limits]",
        &[
            "body = '3MiB'",
            "body = 'off'",
            "headers = 7",
            "idle_timeout = '1m'",
            "idle_timeout = '60s'",
            "streams = 5",
        ],
    ),
    ("[network]", &["keep_alive = '9s'", "pool_max_idle = 3"]),
    (
        "[headers]",
        &["trusted_proxies = ['10.0.0.0/8']", "trusted_proxies = ['::1', '10.1.0.0/16']"],
    ),
    ("[metrics]", &["!address = '127.0.0.1:9464'", "address = '0.0.0.0:9464'"]),
    (
        "[service.token]",
        &[
            "!endpoints = ['127.0.0.1:3000']",
            "endpoints = ['127.0.0.1:3000', 'unix:/a']",
            "timeout = '5s'",
            "timeout = '2s'",
            "breaker = 'off'",
            "breaker.window = '20s'",
            "breaker.failure_rate = '40%'",
            "retry = {}",
            "retry.attempts = 2",
            "retry = 'off'",
            "health = { path = '/h' }",
            "health.tcp = true",
            "health = { path = '/', passive = { failures = 4 } }",
            "balance = 'round_robin'",
            "max_age = '30s'",
        ],
    ),
    (
        "[[route]]",
        &[
            "!name = 'one'",
            "!service = 'token'",
            "!paths = ['/a']",
            "paths = ['/a', '/b/**']",
            "class = 'single_use'",
        ],
    ),
    (
        "[[route]]",
        &["!name = 'two'", "!service = 'token'", "methods = ['GET']", "class = 'idempotent'"],
    ),
    (
        "[[listener]]",
        &[
            "!name = 'in'",
            "!address = '127.0.0.1:1'",
            "address = 'unix:/b'",
            "!forward_to = 'token'",
        ],
    ),
    ("[authorization]", &["!default = 'deny'", "default = 'allow'"]),
];

/// A lawful file of some of the lines.
fn file() -> impl Strategy<Value = String> {
    let tables: Vec<_> = LINES
        .iter()
        .map(|(header, lines)| {
            let chosen = prop::sample::subsequence(lines.to_vec(), 0..=lines.len()).prop_shuffle();
            (Just((*header, *lines)), prop::bool::weighted(0.7), chosen)
        })
        .collect();
    tables.prop_map(|tables| {
        let mut text = "version = 1\n".to_owned();
        for ((header, all), is_chosen, chosen) in tables {
            // Other tables name these, or need them.
            if !is_chosen && !["[service.token]", "[authorization]"].contains(&header) {
                continue;
            }
            text.push_str(&format!("{header}\n"));
            let needed = all.iter().filter(|line| line.starts_with('!'));
            let mut keys = Vec::new();
            for line in chosen.iter().chain(needed) {
                let line = line.trim_start_matches('!');
                let key = line.split([' ', '.']).next();
                if !keys.contains(&key) {
                    text.push_str(&format!("{line}\n"));
                    keys.push(key);
                }
            }
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn what_is_dumped_means_what_was_read(text in file()) {
        check(&text);
    }

    #[test]
    fn files_that_mean_different_things_differ_in_a_key(one in file(), other in file()) {
        let (one, other) = (parse(&one, "a").unwrap(), parse(&other, "b").unwrap());
        let forth = other.changes_from(&one.settings);
        let back = one.changes_from(&other.settings);
        prop_assert_eq!(forth.is_empty(), back.is_empty());
        prop_assert_eq!(forth.len(), back.len());
        if one.config != other.config {
            prop_assert!(!forth.is_empty());
        }
    }
}
