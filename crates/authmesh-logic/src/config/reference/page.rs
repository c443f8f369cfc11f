//! The reference as a page of documentation.

use alloc::format;
use alloc::string::{String, ToString};

use super::{Fallback, Key, Section, Standing};
use crate::config::Code;

const HEAD: &str = "\
# The configuration file

Generated from the table that the reader obeys; the tests compare it with the program.

One file in TOML, `mesh.toml`. Every problem is reported at once, with its place. What is not
listed here is refused.

**Units.** A duration is a text with units, the larger first: `250ms`, `2s`, `1m30s`, `1h`, `7d`. A
size is a number of bytes, or a text with `B`, `KiB`, `MiB` or `GiB`. A share is a text in percent:
`50%`, `0.5%`. A name has lower-case letters, digits, `-`, `_` and `.`. An address is `ip:port`,
`[ip6]:port` or `unix:/absolute/path`.

**Weaker** marks, for a setting of security, the change that protects less.
";

/// The page `docs/config.md`: every section, key, type, default and code.
#[must_use]
pub fn reference() -> String {
    let mut page = HEAD.to_string();
    for section in super::SECTIONS.iter().copied().flatten() {
        write_section(&mut page, section);
    }
    page.push_str("\n## Codes\n\n| code | severity | meaning |\n|---|---|---|\n");
    for code in Code::ALL {
        let severity = code.severity().word();
        page.push_str(&format!("| `{code}` | {severity} | {} |\n", code.meaning()));
    }
    page
}

fn write_section(page: &mut String, section: &Section) {
    page.push_str(&format!("\n## {}\n\n", heading(section.heading)));
    if !section.text.is_empty() {
        page.push_str(&format!("{}\n\n", section.text));
    }
    page.push_str("| key | takes | default | meaning |\n|---|---|---|---|\n");
    for key in section.keys.iter().filter(|key| key.standing == Standing::Read) {
        page.push_str(&row(key));
    }
    let mut later = section.keys.iter().filter(|key| key.standing != Standing::Read).peekable();
    if later.peek().is_some() {
        page.push_str("\nNot enforced by this version, so refused (`AM-C099`):\n\n");
    }
    for key in later {
        if let Standing::NotYet(instead) = key.standing {
            page.push_str(&format!("- `{}`: {instead}\n", key.name));
        }
    }
}

fn row(key: &Key) -> String {
    let fallback = match key.fallback {
        Fallback::Required => "required".to_string(),
        Fallback::Nothing => "–".to_string(),
        Fallback::Example => format!("`{}`", key.example),
        Fallback::Depends(words) => words.to_string(),
    };
    let weaker = key.weaker.map(|weaker| weaker.words(key.kind));
    let weaker = weaker.map_or_else(String::new, |words| format!(" Weaker: {words}."));
    let example = match key.fallback {
        Fallback::Example => String::new(),
        _ => format!(" Example: `{}`.", key.example),
    };
    format!("| `{}` | {} | {fallback} | {}{weaker}{example} |\n", key.name, key.kind, key.sentence)
}

fn heading(text: &str) -> String {
    if text.starts_with('[') { format!("`{text}`") } else { text.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{env, fs};

    #[test]
    fn docs_config_md_is_current() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/config.md");
        if env::var_os("AUTHMESH_WRITE").is_some_and(|value| value == "1") {
            fs::write(path, reference()).unwrap();
        }
        let page = fs::read_to_string(path).unwrap_or_default();
        assert!(page == reference(), "docs/config.md is old: run this test with AUTHMESH_WRITE=1");
    }
}
