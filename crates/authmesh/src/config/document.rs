//! Parses one text of TOML into the tree that the reader walks, keeping every fault.

use std::ops::Range;

use authmesh_logic::config::{Code, Entry, Node, Problem, Span, Table, Tree, Value};
use toml::Spanned;
use toml::de::{DeTable, DeValue, Error};

/// The most faults of one text that are told: one fault often begets the next.
const MOST_FAULTS: usize = 100;

/// The tree of `text`, and what is wrong with the text itself.
pub(super) fn parsed(file: u16, text: &str) -> (Tree, Vec<Problem>) {
    let (root, faults) = DeTable::parse_recoverable(text);
    let mut problems = Vec::new();
    let mut damage = Vec::new();
    for fault in &faults {
        let problem = problem(file, text, fault);
        if problem.code == Code::Syntax {
            damage.push(problem.span);
        }
        if problems.len() < MOST_FAULTS {
            problems.push(problem);
        }
    }
    (Tree { file, root: table(file, root.get_ref()), damage }, problems)
}

fn problem(file: u16, text: &str, fault: &Error) -> Problem {
    let range = fault.span().unwrap_or(0..0);
    if fault.message() == "duplicate key" {
        let key = text.get(range.clone()).unwrap_or_default();
        return match header_around(text, &range) {
            Some(header) => {
                let name = text[header.clone()].trim_matches(['[', ']']).trim();
                let sentence = format!("table `{name}` is written twice");
                Problem::new(Code::Duplicate, span(file, header), sentence)
            }
            None => {
                let sentence = format!("key `{key}` is written twice");
                Problem::new(Code::Duplicate, span(file, range), sentence)
            }
        };
    }
    // An unclosed header is shown from its beginning: where it ends, nothing is to be seen.
    let is_header = fault.message().starts_with("unclosed") && fault.message().contains("table, ");
    let header = if is_header { header_around(text, &range) } else { None };
    Problem::new(Code::Syntax, span(file, header.unwrap_or(range)), fault.message())
}

/// The header of a table that stands on the line of `range`.
fn header_around(text: &str, range: &Range<usize>) -> Option<Range<usize>> {
    let start = text.get(..range.start)?.rfind('\n').map_or(0, |end| end + 1);
    let line = text[start..].split('\n').next().unwrap_or_default();
    let indent = line.len() - line.trim_start().len();
    let header = line.trim().split('#').next().unwrap_or_default().trim_end();
    header.starts_with('[').then_some(start + indent..start + indent + header.len())
}

fn table(file: u16, table: &DeTable<'_>) -> Table {
    let entry = |(key, value): (&Spanned<_>, &Spanned<_>)| {
        let name: &std::borrow::Cow<'_, str> = key.get_ref();
        let entry = Entry { key: span(file, key.span()), node: node(file, value) };
        (name.clone().into_owned(), entry)
    };
    table.iter().map(entry).collect()
}

fn node(file: u16, value: &Spanned<DeValue<'_>>) -> Node {
    let read = match value.get_ref() {
        DeValue::String(text) => Value::String(text.clone().into_owned()),
        // Beyond 64 bits is beyond every range that is asked for.
        DeValue::Integer(number) => {
            let beyond = if number.as_str().starts_with('-') { i64::MIN } else { i64::MAX };
            let number = i64::from_str_radix(number.as_str(), number.radix());
            Value::Integer(number.unwrap_or(beyond))
        }
        DeValue::Float(number) => Value::Float(number.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(value) => Value::Boolean(*value),
        DeValue::Datetime(_) => Value::Datetime,
        DeValue::Array(values) => {
            Value::Array(values.iter().map(|value| node(file, value)).collect())
        }
        DeValue::Table(entries) => Value::Table(table(file, entries)),
    };
    Node { span: span(file, value.span()), value: read }
}

/// The size of a text is bounded far below what 32 bits hold.
fn span(file: u16, range: Range<usize>) -> Span {
    let at = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
    Span { file, start: at(range.start), end: at(range.end) }
}
