//! Shows what the access rules say of a request.

use serde_json::Value;

use super::state::{list, text_of};
use super::table::{Table, printable};

/// The decision, then each rule that was asked and what was in its way.
pub(crate) fn access(report: &Value) -> String {
    let mut text = text_of(&report["words"]);
    let origin = text_of(&report["rule"]["origin"]);
    if report["rule"]["origin"].is_string() && !origin.is_empty() {
        text += &format!(" ({origin})");
    }
    text = printable(&text) + "\n";
    if report["changed_by_shadow"].is_object() {
        let name = text_of(&report["changed_by_shadow"]["name"]);
        text += &printable(&format!("policy `{name}` in shadow mode would have changed that"));
        text.push('\n');
    }
    let mut table = Table::new(&["POLICY", "ACTION", "MODE", "HOLDS", "WHERE"]);
    for rule in list(&report["rules"]) {
        let holds = match rule["holds"] == true {
            true => "yes".to_owned(),
            false => format!("no: {}", text_of(&rule["why_not"])),
        };
        table.row([
            text_of(&rule["name"]),
            text_of(&rule["action"]),
            text_of(&rule["mode"]),
            holds,
            text_of(&rule["origin"]),
        ]);
    }
    if !list(&report["rules"]).is_empty() {
        text += "\n";
        text += &table.lines("");
    }
    text
}
