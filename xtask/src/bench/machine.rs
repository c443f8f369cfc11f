//! Facts of the machine and the peers that a figure is meaningless without.

use std::fs;
use std::process::Command;

use anyhow::{Result, bail};
use serde_json::{Value, json};

use crate::command::find_program;

/// The machine: no names, no places.
pub(crate) fn facts() -> Result<Value> {
    let processors = fs::read_to_string("/proc/cpuinfo")?;
    let model = processors.lines().find(|line| line.starts_with("model name"));
    let model = model.and_then(|line| line.split(':').nth(1)).map_or("unknown", str::trim);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    let kernel: Vec<&str> = kernel.trim().split(['.', '-']).take(2).collect();
    Ok(json!({ "cores": cores(), "processor": model, "kernel": kernel.join(".") }))
}

/// Refuses a machine on which the proxy and its load would share a core.
pub(crate) fn require_two_cores() -> Result<()> {
    if cores() < 2 {
        bail!("this bench wants two cores: one for the proxy, one for its load and upstreams");
    }
    Ok(())
}

/// The versions of the peers, as they tell them.
pub(crate) fn versions() -> Value {
    let told = |program: &str, word: &str| {
        let path = find_program(program)?;
        let output = Command::new(path).arg(word).output().ok()?;
        let text = [output.stdout, output.stderr].concat();
        version(&String::from_utf8_lossy(&text))
    };
    json!({
        "haproxy": told("haproxy", "-v"),
        "nginx": told("nginx", "-v"),
        "wrk": told("wrk", "-v"),
        "h2load": told("h2load", "--version"),
    })
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The first word that looks like a version: digits, a dot, digits.
fn version(text: &str) -> Option<String> {
    let looks_like_one = |word: &&str| {
        let mut parts = word.split('.');
        let is_number = |part: Option<&str>| {
            part.is_some_and(|part| part.starts_with(|c: char| c.is_ascii_digit()))
        };
        is_number(parts.next()) && is_number(parts.next())
    };
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '.'));
    words.map(|word| word.trim_matches('.')).find(looks_like_one).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_what_programs_tell() {
        for (text, told) in [
            ("HAProxy version 2.6.12-1+deb12u2 2025/04/16 - https://haproxy.org/", "2.6.12"),
            ("nginx version: nginx/1.22.1", "1.22.1"),
            ("wrk debian/4.1.0-3+b2 [epoll] Copyright (C) 2012 Will Glozer", "4.1.0"),
            ("h2load nghttp2/1.52.0", "1.52.0"),
        ] {
            assert_eq!(version(text).as_deref(), Some(told));
        }
        assert_eq!(version("no version 7"), None);
    }
}
