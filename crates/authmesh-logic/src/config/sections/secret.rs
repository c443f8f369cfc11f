//! Reads where a secret is found; a secret itself is refused elsewhere, for every key at once.

use crate::config::findings::Written;
use crate::config::reader::Reader;
use crate::config::tree::Value;
use crate::config::{Code, Problem, SecretReference};

impl Reader<'_, '_> {
    pub(super) fn secret(&mut self, key: &'static str) -> Option<Written<SecretReference>> {
        let entry = self.take(key)?;
        let span = entry.node.span;
        if matches!(entry.node.value, Value::String(_)) {
            return None;
        }
        let mut reader = self.table(key, "secret")?;
        let file = reader.path("file").map(|path| SecretReference::File(path.value.into()));
        let variable =
            reader.path("env").map(|name| SecretReference::Environment(name.value.into()));
        let credential = credential(&mut reader);
        let written = ["file", "env", "credential"].iter().filter(|key| reader.has(key)).count();
        match written {
            0 => reader.report(
                Problem::new(
                    Code::NoneOfThem,
                    span,
                    "a secret needs `file`, `env` or `credential`",
                )
                .help("{ file = \"/run/secrets/NAME\" }"),
            ),
            1 => {}
            _ => reader.report(Problem::new(
                Code::MoreThanOne,
                span,
                "a secret has one of `file`, `env` and `credential`",
            )),
        }
        reader.deny_rest();
        let value = file.or(variable).or(credential).filter(|_| written == 1)?;
        self.findings.outside.secrets.push((value.clone(), span));
        Some(Written { value, key: entry.key, span })
    }
}

fn credential(reader: &mut Reader<'_, '_>) -> Option<SecretReference> {
    let name = reader.path("credential")?;
    if !name.value.contains('/') && name.value != ".." {
        return Some(SecretReference::Credential(name.value.into()));
    }
    let sentence = "the name of a credential has no `/`";
    reader.report(Problem::new(Code::NotAllowed, name.span, sentence));
    None
}
