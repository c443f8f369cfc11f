//! A secret that is planted wherever one can stand is seen nowhere: not in the log at its loudest, not
//! in errors, dumps, metrics, events, versions or the state. What a panic says is tried where the
//! program withholds it, in `src/panics.rs`: nothing that is planted here can make it panic.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::backend::Backend;
use crate::http::get;
use crate::program::{Folder, Program, Run, command};

/// What nobody may see. It is another in each run.
fn canary() -> String {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/uuid").unwrap();
    id.trim().replace('-', "")
}

/// What a run of a verb wrote.
fn said(run: &Run) -> String {
    format!("{}\n{}", run.stdout, run.stderr)
}

#[test]
fn a_secret_that_is_planted_is_seen_nowhere() {
    let canary = canary();
    println!("the canary is {canary}");
    let backend = Backend::named("token");
    let folder = Folder::with("");
    std::fs::write(folder.path("secret"), format!("{canary}\n")).unwrap();
    let closed = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(folder.path("secret"), closed).unwrap();
    let text = |token: &str| {
        folder
            .serving_text(&format!("[service.token]\nendpoints = [\"{}\"]\n", backend.address))
            .replace(
                &format!("socket = \"{}\"", folder.admin_socket().display()),
                &format!("address = \"127.0.0.1:0\"\ntoken = {token}"),
            )
    };
    folder.write(&text("{ file = \"secret\" }"));
    let mesh =
        Program::start(command(&folder.path(""), &["run", "--workers", "2", "--log", "trace"]));
    let (web, metrics) = (mesh.address("listener web"), mesh.address("door metrics"));
    let admin = format!("http://{}", mesh.address("door admin"));
    let ask = |arguments: &[&str]| {
        let mut command = command(&folder.path(""), arguments);
        command.env("AUTHMESH_ADMIN", &admin).env("AUTHMESH_ADMIN_TOKEN", &canary);
        output(command)
    };

    let mut seen = Vec::new();
    let watch = {
        let mut watching = command(&folder.path(""), &["watch", "-o", "json"]);
        watching.env("AUTHMESH_ADMIN", &admin).env("AUTHMESH_ADMIN_TOKEN", &canary);
        Program::start(watching)
    };
    watch.hear("watching");
    assert_eq!(get(&web, "/").status, 200);
    for verb in [
        &["status"][..],
        &["status", "-o", "json"],
        &["services", "-o", "json"],
        &["breaker", "list"],
        &["versions", "-o", "json"],
        &["diff", "-o", "json"],
        &["dump"],
        &["dump", "-o", "json"],
        &["check", "--files"],
        &["reload"],
    ] {
        let run = ask(verb);
        assert_eq!(run.code, 0, "{verb:?}: {}", run.stderr.replace(&canary, "•"));
        seen.push(said(&run));
    }
    // The secret itself where its reference belongs, in every form that TOML has, and cut off.
    for faulty in [
        format!("\"{canary}\""),
        format!("'{canary}'"),
        format!("\"\"\"\n{canary}\"\"\""),
        format!("[\"{canary}\"]"),
        format!("{{ value = \"{canary}\" }}"),
        format!("{{ file = \"secret\", password = \"{canary}\" }}"),
        format!("\"{canary}"),
        canary.clone(),
    ] {
        folder.write(&text(&faulty));
        for verb in [
            &["check"][..],
            &["check", "-o", "json"],
            &["check", "-o", "github"],
            &["dump"],
            &["diff"],
            &["reload", "-o", "json"],
        ] {
            let run = ask(verb);
            assert_eq!(run.code, 2, "{verb:?} of {}", faulty.replace(&canary, "•"));
            seen.push(said(&run));
        }
    }
    seen.push(said(&ask(&["status", "-o", "json"])));
    seen.push(get(&metrics, "/metrics").body);
    seen.push(get(&metrics, "/readyz").body);
    let mut guess = command(&folder.path(""), &["status", "--admin", &admin]);
    guess.env("AUTHMESH_ADMIN_TOKEN", format!("{canary}x"));
    seen.push(said(&output(guess)));
    for entry in std::fs::read_dir(folder.path(".authmesh/mesh.toml")).unwrap() {
        seen.push(std::fs::read_to_string(entry.unwrap().path()).unwrap());
    }
    mesh.signal("-TERM");
    mesh.hear("stopping");
    watch.hear("the mesh ended");
    seen.extend([mesh.everything(), watch.everything()]);
    for said in seen {
        assert!(!said.contains(&canary), "{}", said.replace(&canary, "<the canary>"));
    }
}

fn output(mut command: Command) -> Run {
    let output = command.output().unwrap();
    Run {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}
