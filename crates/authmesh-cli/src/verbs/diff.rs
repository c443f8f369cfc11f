//! `diff`: what a file would change of the configuration in force, and what would protect less.

use std::path::Path;

use authmesh::config::{self, Change, Code, Files, Loaded, Version};
use serde_json::json;

use crate::admin_client::AdminClient;
use crate::arguments::Diff;
use crate::ending::{Ending, Failure};
use crate::mesh_file::{mesh_file, state_folder};
use crate::{print, show};

/// Tells the changes; no is that there are some.
pub(crate) async fn diff(diff: Diff) -> Result<Ending, Failure> {
    let file = mesh_file(diff.file.clone())?;
    let loaded = match config::load(&file, Files::Trust) {
        Ok(loaded) => loaded,
        Err(problems) => {
            print::report(&problems);
            return Err(Failure::bad_input(format!("{} cannot be used", file.display())));
        }
    };
    let last_good = || Version::last_good(&state_folder(&diff.state, &file));
    let (before, what, is_running) = if diff.last_good {
        let Some(version) = last_good() else {
            let message = "no last good configuration is on disk\n  = help: name its folder with \
                           `--state`";
            return Err(Failure::new(Ending::NoMesh, message));
        };
        let what = format!("version {}, the last good one", version.number);
        (read(&version.text, &what, &file)?, what, false)
    } else {
        match running(&diff, &file).await {
            Ok((before, what)) => (before, what, true),
            Err(failure) if failure.ending() == Ending::NoMesh => match last_good() {
                Some(version) => {
                    let what = format!("version {}, the last good one: none runs", version.number);
                    (read(&version.text, &what, &file)?, what, false)
                }
                None => return Err(failure),
            },
            Err(failure) => return Err(failure),
        }
    };
    let changes = loaded.changes_from(&before.settings);
    tell(&diff, &loaded, &changes, &what);
    // A start takes it: what is not accepted is refused to a mesh that runs.
    if is_running && let Some(refusal) = refusal(&loaded, &before) {
        print::words(&refusal);
    }
    Ok(if changes.is_empty() { Ending::Done } else { Ending::No })
}

async fn running(diff: &Diff, file: &Path) -> Result<(Loaded, String), Failure> {
    let answer = AdminClient::new(&diff.asking)?.read("/v1/config").await?;
    let what = format!("version {}, running", answer["version"]);
    let text = answer["text"].as_str().unwrap_or_default();
    Ok((read(text, &what, file)?, what))
}

/// The running mesh may understand more than this program.
fn read(text: &str, what: &str, file: &Path) -> Result<Loaded, Failure> {
    let folder = file.parent().unwrap_or(Path::new(""));
    config::parse_in(text, what, folder, Files::Trust).map_err(|problems| {
        print::report(&problems);
        Failure::bad_input(format!("{what}: this program does not understand it"))
    })
}

fn tell(diff: &Diff, loaded: &Loaded, changes: &[Change], what: &str) {
    let moves = loaded.moves(changes);
    if diff.asking.output.is_json() {
        let change = |change: &Change| {
            json!({
                "key": change.path,
                "before": change.before,
                "after": change.after,
                "effect": change.effect.word(),
                "origin": change.place.map(|span| loaded.warnings.place(span).to_string()),
            })
        };
        let changes: Vec<_> = changes.iter().map(change).collect();
        let problems = moves.to_json();
        let told = json!({ "against": what, "changes": changes, "problems": problems });
        print::asked(&told.to_string());
    } else {
        for change in changes {
            let place = change.place.map(|span| loaded.warnings.place(span).to_string());
            print::asked(&show::change(change, place.as_deref()));
        }
        print::report(&moves);
    }
    let many = match changes.len() {
        0 => "no change".to_owned(),
        1 => "1 change".to_owned(),
        many => format!("{many} changes"),
    };
    print::words(&format!("{many} from {what}"));
}

/// Why the running mesh would refuse the file, in words; `None` if it would not.
fn refusal(loaded: &Loaded, before: &Loaded) -> Option<String> {
    let problems = loaded.changes_allowed(&before.settings, config::today()).err()?;
    let weaker = problems.iter().filter(|problem| problem.code == Code::Weaker).count();
    let why = match weaker {
        0 => "an acceptance in it does not hold".to_owned(),
        1 => "1 change protects less, and nobody accepted it".to_owned(),
        many => format!("{many} changes protect less, and nobody accepted them"),
    };
    Some(format!("a reload would refuse this file: {why}; it says what to write"))
}
