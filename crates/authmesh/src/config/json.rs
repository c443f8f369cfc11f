//! Writes problems down for a program.

use serde_json::{Value, json};

use super::problems::Problems;

impl Problems {
    /// The problems as a JSON array. Each has `code`, `severity`, `file`, `line`, `column`,
    /// `sentence`, `note`, `help` (both may be null) and `again`, a list of further places.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let problem = |problem: &super::Problem| {
            let place = self.place(problem.span);
            let again: Vec<Value> = problem
                .again
                .iter()
                .map(|(span, what)| {
                    let place = self.place(*span);
                    json!({
                        "file": place.file,
                        "line": place.line,
                        "column": place.column,
                        "what": what,
                    })
                })
                .collect();
            json!({
                "code": problem.code.text(),
                "severity": problem.severity.word(),
                "file": place.file,
                "line": place.line,
                "column": place.column,
                "sentence": problem.sentence,
                "note": problem.note,
                "help": problem.help,
                "again": again,
            })
        };
        self.iter().map(problem).collect()
    }
}
