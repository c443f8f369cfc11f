//! `check`, and verbs that need no mesh.

use crate::program::{Folder, run};

#[test]
fn check_tells_every_problem_at_once() {
    let folder = Folder::with(
        "version = 1\n[authorization]\ndefault = \"maybe\"\n\
         [service.token]\nendpoints = [\"nowhere\"]\ntimeuot = \"2s\"\n",
    );
    let text = folder.run(&["check"]);
    assert_eq!((text.code, text.stdout.as_str()), (2, ""));
    for wanted in ["AM-C005", "AM-C004", "AM-C001", "did you mean `timeout`?", "mesh.toml:6"] {
        assert!(text.stderr.contains(wanted), "{wanted} in {}", text.stderr);
    }
    let json = folder.run(&["check", "-o", "json"]);
    assert_eq!((json.code, json.json()["ok"].as_bool()), (2, Some(false)));
    let problems = json.json()["problems"].clone();
    let codes: Vec<_> = problems.as_array().unwrap().iter().map(|one| &one["code"]).collect();
    assert_eq!(codes, ["AM-C005", "AM-C004", "AM-C001"]);
}

#[test]
fn warnings_are_a_no_only_where_none_are_wanted() {
    let service = "[service.token]\nendpoints = [\"127.0.0.1:1\"]\ntimeout = \"1s\"\n\
                   retry = { attempts = 3, per_try = \"900ms\" }\n";
    let folder = Folder::with(&format!("version = 1\n{service}"));
    let lenient = folder.run(&["check"]);
    assert_eq!(lenient.code, 0, "{}", lenient.stderr);
    assert!(lenient.stderr.contains("AM-C071"), "{}", lenient.stderr);
    let strict = folder.run(&["check", "--strict", "-o", "json"]);
    assert_eq!((strict.code, &strict.json()["ok"]), (1, &false.into()));
}

#[test]
fn a_file_that_is_not_there_is_bad_input() {
    let folder = tempfile::tempdir().unwrap();
    for verb in ["check", "run"] {
        let named = run(folder.path(), &[verb, "missing.toml"]);
        assert_eq!(named.code, 2);
        assert!(named.stderr.contains("missing.toml"), "{}", named.stderr);
    }
}

#[test]
fn a_wrong_command_line_is_bad_input() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&["runn"][..], &["run", "--workers", "0"], &["status", "--admin", "here"]] {
        let wrong = run(folder.path(), arguments);
        assert_eq!(wrong.code, 2, "{arguments:?}: {}", wrong.stderr);
    }
}

#[test]
fn without_a_mesh_the_verbs_that_ask_one_say_so() {
    let folder = Folder::serving("[service.token]\nendpoints = [\"127.0.0.1:1\"]\n");
    let verbs: [&[&str]; 6] =
        [&["status"], &["services"], &["instances"], &["breaker", "list"], &["reload"], &["watch"]];
    for verb in verbs {
        let asked = folder.run(verb);
        assert_eq!((asked.code, asked.stdout.as_str()), (3, ""), "{verb:?}");
        assert!(asked.stderr.contains("authmesh run"), "{verb:?}: {}", asked.stderr);
    }
    let nowhere = tempfile::tempdir().unwrap();
    let asked = run(nowhere.path(), &["status"]);
    assert_eq!(asked.code, 3);
    assert!(asked.stderr.contains("--admin"), "{}", asked.stderr);
}

#[test]
fn pages_for_packagers_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let script = run(folder.path(), &["completions", "bash"]);
    assert!(script.code == 0 && script.stdout.contains("complete -F _authmesh"));
    let page = run(folder.path(), &["man"]);
    assert!(page.code == 0 && page.stdout.contains(".TH authmesh"));
    assert!(page.stdout.contains("AUTHMESH_ADMIN"), "the options of verbs stand in it");
}

#[test]
fn the_file_that_the_readme_shows_is_the_one_it_runs_and_has_no_faults() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let file = format!("{root}/examples/mesh.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let readme = std::fs::read_to_string(format!("{root}/README.md")).unwrap();
    assert!(readme.contains(&format!("```toml\n{text}```")));
    let run = Folder::with("").run(&["check", &file, "--files", "--strict"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
}
