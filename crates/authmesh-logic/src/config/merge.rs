//! Puts included files beside the main one: they add services, routes, listeners and access
//! rules, and touch nothing else that protects the mesh.

use alloc::format;
use alloc::vec::Vec;

use super::findings::Findings;
use super::tree::{Entry, Node, Span, Table, Tree, Value};
use super::{Code, Problem};

/// What an included file may add to.
const ADDITIVE: [&str; 7] =
    ["jwt", "listener", "policy", "policy_test", "rate", "route", "service"];

/// The version of the format that this program understands.
pub const VERSION: i64 = 1;

pub(super) fn merged(trees: Vec<Tree>, findings: &mut Findings) -> Table {
    let mut trees = trees.into_iter();
    let mut root = trees.next().map(|tree| tree.root).unwrap_or_default();
    for tree in trees {
        for (key, entry) in tree.root {
            if ADDITIVE.contains(&key.as_str()) {
                match root.get_mut(&key) {
                    Some(known) => add(&key, known, entry, findings),
                    None => {
                        root.insert(key, entry);
                    }
                }
            } else {
                match key.as_str() {
                    "version" => report_version(&entry.node, findings),
                    // Its files were read already.
                    "include" if matches!(entry.node.value, Value::Array(_)) => {}
                    _ => findings.report(main_only(&key, &entry)),
                }
            }
        }
    }
    root
}

/// Reports a version of the format that is not understood.
pub(super) fn report_version(node: &Node, findings: &mut Findings) {
    let problem = match node.value {
        Value::Integer(VERSION) => return,
        Value::Integer(_) => {
            let sentence = format!("this program understands version {VERSION}");
            Problem::new(Code::Version, node.span, sentence)
        }
        _ => {
            let sentence = format!("expected an integer, found {}", node.value.kind());
            Problem::new(Code::WrongType, node.span, sentence)
        }
    };
    findings.report(problem.help(format!("version = {VERSION}")));
}

fn add(section: &str, known: &mut Entry, added: Entry, findings: &mut Findings) {
    match (&mut known.node.value, added.node.value) {
        (Value::Array(known), Value::Array(added)) => known.extend(added),
        (Value::Table(known), Value::Table(added)) => {
            for (name, entry) in added {
                match known.get(&name) {
                    Some(first) => {
                        findings.report(twice(section, &name, entry.key, first.key));
                    }
                    None => {
                        known.insert(name, entry);
                    }
                }
            }
        }
        // One of the two has the wrong type. The main file's is reported by its reader.
        (_, value) => {
            let sentence = format!("`{section}` is {} here and not elsewhere", value.kind());
            findings.report(Problem::new(Code::WrongType, added.node.span, sentence));
        }
    }
}

fn twice(section: &str, name: &str, again: Span, first: Span) -> Problem {
    let sentence = format!("the name `{name}` is used twice in `{section}`");
    Problem::new(Code::NameTwice, again, sentence).again(first, "first used here")
}

fn main_only(key: &str, entry: &Entry) -> Problem {
    let place = match entry.node.value {
        Value::Table(_) => entry.node.span,
        _ => entry.key,
    };
    Problem::new(Code::MainFileOnly, place, format!("`{key}` belongs into the main file"))
        .note("an included file may add services, routes, listeners and policies, and nothing else")
}
