//! Writes problems down as annotations of GitHub Actions.

use std::fmt::Write;

use authmesh_logic::config::Severity;

use super::Problems;

impl Problems {
    /// A line for each problem: `::error file=…,line=…,col=…,title=…::sentence`.
    #[must_use]
    pub fn to_github(&self) -> String {
        let mut lines = String::new();
        for problem in self {
            let place = self.place(problem.span);
            let level = match problem.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Info => "notice",
            };
            let texts = [Some(&problem.sentence), problem.note.as_ref(), problem.help.as_ref()];
            let message: Vec<&str> = texts.into_iter().flatten().map(String::as_str).collect();
            // Writing to a text cannot fail.
            let _ = writeln!(
                lines,
                "::{level} file={},line={},col={},title={}::{}",
                escaped(place.file, true),
                place.line,
                place.column,
                problem.code,
                escaped(&message.join("\n"), false),
            );
        }
        lines
    }
}

/// What would end a property or the line is written as its number.
fn escaped(text: &str, is_property: bool) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '%' | '\r' | '\n' => escaped.push_str(&format!("%{:02X}", u32::from(char))),
            ':' | ',' if is_property => escaped.push_str(&format!("%{:02X}", u32::from(char))),
            _ if char.is_control() => escaped.push('\u{fffd}'),
            _ => escaped.push(char),
        }
    }
    escaped
}
