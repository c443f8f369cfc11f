//! The lines of `diff` and the table of `versions`.

use authmesh::config::Change;
use serde_json::Value;

use super::table::{Table, printable};

/// One change on a line; `place` is where it stands.
pub(crate) fn change(change: &Change, place: Option<&str>) -> String {
    let side = |side: &Option<String>| side.clone().unwrap_or_else(|| "(not written)".to_owned());
    let (before, after) = (side(&change.before), side(&change.after));
    let place = place.map(|place| format!("  {place}")).unwrap_or_default();
    let effect = change.effect.word();
    printable(&format!("{effect:8}  {}: {before} → {after}{place}", change.path))
}

/// The versions in an answer.
pub(crate) fn versions(answer: &Value) -> String {
    let mut table = Table::new(&["VERSION", "AT", "IN FORCE", "CAUSE"]);
    for version in answer["versions"].as_array().map(Vec::as_slice).unwrap_or_default() {
        let text = |key: &str| version[key].as_str().unwrap_or_default().to_owned();
        let in_force = if version["in_force"] == true { "yes" } else { "" };
        table.row([version["version"].to_string(), text("at"), in_force.to_owned(), text("cause")]);
    }
    table.lines("")
}
