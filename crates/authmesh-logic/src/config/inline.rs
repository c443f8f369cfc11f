//! Finds secrets and `${…}` in any text of the file, whether its key is known or not.

use super::findings::Findings;
use super::tree::{Node, Span, Table, Value};
use super::{Code, Problem};

/// How the name of a key ends whose value is a secret.
const SECRET_ENDINGS: [&str; 9] = [
    "api_key",
    "apikey",
    "passphrase",
    "passwd",
    "password",
    "private_key",
    "pwd",
    "secret",
    "token",
];

/// What the text of a private key contains.
pub const PRIVATE_KEY: &str = "PRIVATE KEY-----";

/// How a key begins that names a workload, which may end like the name of a secret.
pub const WORKLOAD: &str = "spiffe://";

/// Whether a value under this key is a secret, going by its name.
#[must_use]
pub fn names_secret(key: &str) -> bool {
    // Compared from behind and without regard to case or the kind of dash.
    let same = |a: u8, b: u8| a.to_ascii_lowercase() == b || (a == b'-' && b == b'_');
    let ends_so = |ending: &&str| {
        let ending = ending.as_bytes();
        let key = key.as_bytes();
        key.len() >= ending.len()
            && key[key.len() - ending.len()..].iter().zip(ending).all(|(&a, &b)| same(a, b))
    };
    !key.starts_with(WORKLOAD) && SECRET_ENDINGS.iter().any(ends_so)
}

/// The keys of a reference, whose values are not the secret.
pub const REFERENCE_KEYS: [&str; 3] = ["credential", "env", "file"];

/// Sections whose tables have names of the user's making: a service may be called `token`.
const NAMED_TABLES: [&str; 2] = ["jwt", "service"];

/// Reports what stands in the tree of a file.
pub(super) fn report_inline(root: &Table, findings: &mut Findings) {
    for (key, entry) in root {
        match &entry.node.value {
            Value::Table(named) if NAMED_TABLES.contains(&key.as_str()) => {
                for entry in named.values() {
                    report_value(&entry.node, false, findings);
                }
            }
            _ => report_value(&entry.node, names_secret(key), findings),
        }
    }
}

fn report_table(table: &Table, findings: &mut Findings) {
    for (key, entry) in table {
        report_value(&entry.node, names_secret(key), findings);
    }
}

fn report_value(node: &Node, is_secret: bool, findings: &mut Findings) {
    match &node.value {
        Value::String(text) => report_text(text, node.span, is_secret, findings),
        Value::Integer(_) | Value::Float(_) if is_secret => report_secret(node.span, findings),
        Value::Array(nodes) => {
            for node in nodes {
                report_value(node, is_secret, findings);
            }
        }
        Value::Table(table) if is_secret => {
            for (key, entry) in table {
                report_value(&entry.node, !REFERENCE_KEYS.contains(&key.as_str()), findings);
            }
        }
        Value::Table(table) => report_table(table, findings),
        _ => {}
    }
}

fn report_text(text: &str, span: Span, is_secret: bool, findings: &mut Findings) {
    if text.contains("${") {
        findings.report(
            Problem::new(Code::EnvironmentSyntax, span, "`${…}` is not replaced in this file")
                .help("{ env = \"NAME\" } where a secret is wanted; write other values out"),
        );
    } else if is_secret || text.contains(PRIVATE_KEY) {
        report_secret(span, findings);
    }
}

fn report_secret(span: Span, findings: &mut Findings) {
    findings.report(
        Problem::new(Code::InlineSecret, span, "a secret must not stand in the file")
            .note("files are copied, shown and kept; a secret in one has to be replaced")
            .help(
                "{ file = \"/run/secrets/NAME\" }, { env = \"NAME\" } or { credential = \"NAME\" }",
            ),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_known_by_the_end_of_its_name() {
        for secret in ["token", "client_secret", "Client-Secret", "db_password", "API_KEY"] {
            assert!(names_secret(secret), "{secret}");
        }
        for harmless in ["spiffe://corp.example/token", "key", "token_url", "secrets", "paths", ""]
        {
            assert!(!names_secret(harmless), "{harmless}");
        }
    }
}
