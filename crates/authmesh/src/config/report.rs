//! Writes problems down for a person: the sentence, the line with the place marked, what to do.

use std::fmt::{self, Write};

use authmesh_logic::config::{Problem, Severity, Span};

use super::problems::Problems;
use super::source::printable;

/// The most characters of a line that are shown.
const WIDEST_LINE: usize = 160;

pub(super) fn write(problems: &Problems, out: &mut fmt::Formatter<'_>) -> fmt::Result {
    for problem in problems {
        write_problem(problems, problem, out)?;
        out.write_char('\n')?;
    }
    write_counts(problems, out)
}

fn write_problem(
    problems: &Problems,
    problem: &Problem,
    out: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    let severity = problem.severity.word();
    writeln!(out, "{severity}[{}]: {}", problem.code, plain(&problem.sentence))?;
    let place = problems.place(problem.span);
    let margin = " ".repeat(place.line.to_string().len());
    writeln!(out, "{margin}--> {place}")?;
    if let Some((line, before, marked)) = cut(problems, problem.span) {
        writeln!(out, "{margin} |")?;
        writeln!(out, "{} | {line}", place.line)?;
        writeln!(out, "{margin} | {}{}", " ".repeat(before), "^".repeat(marked))?;
    }
    for (span, what) in &problem.again {
        writeln!(out, "{margin}--> {} {}", problems.place(*span), plain(what))?;
    }
    for (word, text) in [("note", &problem.note), ("help", &problem.help)] {
        let Some(text) = text else { continue };
        for (index, line) in text.lines().enumerate() {
            let head = if index == 0 { format!("= {word}:") } else { " ".repeat(word.len() + 3) };
            writeln!(out, "{margin} {head} {}", plain(line))?;
        }
    }
    Ok(())
}

/// The part of a line that is shown, how many characters stand before the mark, and its length.
fn cut(problems: &Problems, span: Span) -> Option<(String, usize, usize)> {
    let source = problems.source(span).filter(|source| !source.is_empty())?;
    let (line, before) = source.line(span.start, WIDEST_LINE / 2);
    let marked = source.width(span.start, span.end).clamp(1, WIDEST_LINE / 2);
    Some((line, before, marked))
}

fn write_counts(problems: &Problems, out: &mut fmt::Formatter<'_>) -> fmt::Result {
    let severities = [Severity::Error, Severity::Warning, Severity::Info];
    let mut counted =
        severities.map(|severity| (problems.count(severity), severity.word())).into_iter();
    let mut separator = "";
    for (count, word) in counted.by_ref().filter(|(count, _)| *count > 0) {
        let plural = if count == 1 { "" } else { "s" };
        write!(out, "{separator}{count} {word}{plural}")?;
        separator = ", ";
    }
    Ok(())
}

/// A text of ours with what came from the file made harmless.
fn plain(text: &str) -> String {
    text.chars().map(printable).collect()
}
