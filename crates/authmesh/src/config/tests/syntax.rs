//! A text that is not TOML is refused where it stops being it, and the rest is still read.

use crate::config::parse;

fn found(text: &str) -> Vec<(&'static str, usize, usize)> {
    let problems = parse(text, "mesh.toml").unwrap_err();
    problems
        .iter()
        .map(|problem| {
            let place = problems.place(problem.span);
            (problem.code.text(), place.line, place.column)
        })
        .collect()
}

const LOGIN: &str = "[service.login]\nendpoints = ['127.0.0.1:3000']\n";

#[test]
fn each_fault_of_the_text_has_its_code_and_place() {
    for (head, wanted) in [
        ("version = 1\nversion = 1\n", ("AM-C002", 2, 1)),
        ("version = 1\n[limits]\n[limits]\n", ("AM-C002", 3, 1)),
        ("version = 1\n[limits]\nbody = 'off'\nbody = 'off'\n", ("AM-C002", 4, 1)),
        ("version = 1\nlimits = { body = 1, body = 2 }\n", ("AM-C002", 2, 22)),
        ("version = 1\n[[listener]\nname = 'x'\n", ("AM-C008", 2, 1)),
        ("version = 1\n\n  [limits\n", ("AM-C008", 3, 3)),
        ("version = 1\nlimits = \n", ("AM-C008", 2, 10)),
        ("version = \"1\"\n", ("AM-C003", 1, 11)),
        ("version = 2\n", ("AM-C010", 1, 11)),
        ("\n", ("AM-C010", 1, 1)),
        ("\u{feff}version = 2\n", ("AM-C010", 1, 11)),
    ] {
        let text = format!("{head}{LOGIN}");
        assert_eq!(found(&text).first(), Some(&wanted), "{text}");
    }
}

#[test]
fn faults_far_from_the_damage_are_told_and_follow_ups_are_not() {
    let text = "version = 1\n[[listener]\nname = 'in'\n[network]\n[limits]\nheaders = 'many'\n";
    assert_eq!(found(text), [("AM-C008", 2, 1), ("AM-C003", 6, 11)]);
}

#[test]
fn a_deeply_nested_text_is_a_fault_and_not_a_crash() {
    for text in [
        "a = ".to_owned() + &"[".repeat(50_000),
        "a = ".to_owned() + &"{ a = ".repeat(50_000),
        format!("{} = 1", vec!["a"; 50_000].join(".")),
        format!("[{}]", vec!["a"; 50_000].join(".")),
    ] {
        assert!(parse(&text, "t").is_err());
    }
}
