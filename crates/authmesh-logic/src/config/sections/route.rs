//! Reads which requests go to which service, and how they are treated there.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::retry::{Retry, read_retry};
use crate::config::findings::Written;
use crate::config::reader::Reader;
use crate::config::{Classifier, Code, Problem, RouteConfig};
use crate::retry::OperationClass;

/// Classifiers that are known and not yet built.
const LATER: [&str; 4] = ["oauth2", "grpc", "ldap", "radius"];

/// A route as read, with what is compared once the services are known.
pub(in crate::config) struct ReadRoute {
    pub(in crate::config) route: RouteConfig,
    pub(in crate::config) retry: Option<Retry>,
}

pub(in crate::config) fn read_route(mut reader: Reader<'_, '_>) -> Option<Written<ReadRoute>> {
    let name = reader.name("name");
    if let Some(name) = &name {
        reader.findings.route_names.push(name.with(name.value.to_string()));
    }
    let operation = reader.name("operation");
    if !reader.has("name") {
        reader.required("operation", operation);
    }
    let listener = reader.name("listener").map(|listener| {
        let listener = listener.with(listener.value.to_string());
        reader.findings.listeners_meant.push(listener.clone());
        listener.value
    });
    let hosts = each_text(&mut reader, "hosts", is_host, Code::NotAllowed, HOST);
    let paths = each_text(&mut reader, "paths", is_path_pattern, Code::WildcardInside, PATH);
    let methods = each_text(&mut reader, "methods", is_method, Code::NotAllowed, METHOD);
    let service = reader.service("service");
    let service = reader.required("service", service);
    let classes = OperationClass::ALL.map(|class| (class.word(), class));
    let class = reader.choice("class", &classes, &[]).map(|class| class.value);
    reader.choice("classifier", &[("http", ())], &LATER);
    let timeout = reader.duration("timeout").map(|time| time.value);
    let retry = read_retry(&mut reader);
    let span = reader.span();
    reader.deny_rest();
    let value = |text: Written<&str>| text.value.to_string();
    let route = RouteConfig {
        name: name.or(operation).map(value)?,
        listener,
        hosts,
        paths,
        methods,
        service: service?.value,
        operation: operation.or(name).map(value)?,
        class,
        classifier: Classifier::Http,
        timeout,
        retry: retry.as_ref().map(|retry| retry.policy),
    };
    Some(Written { value: ReadRoute { route, retry }, key: span, span })
}

const HOST: &str = "a host is a name in lower case without a port, or `*.` and such a name";
const PATH: &str = "a path pattern begins with `/` or `*`; `{*}` and `{**}` are whole segments, \
                    and `*` stands at its beginning or end only";
const METHOD: &str = "a method is written in upper case";

/// The texts of an array, each of which must pass `is_lawful`.
fn each_text(
    reader: &mut Reader<'_, '_>,
    key: &'static str,
    is_lawful: fn(&str) -> bool,
    code: Code,
    sentence: &str,
) -> Vec<String> {
    let Some(texts) = reader.strings(key) else { return Vec::new() };
    if reader.is_empty_array(key) {
        let sentence = format!("`{key}` is empty, which means any and not none");
        let problem = Problem::new(Code::NotAllowed, texts.span, sentence);
        reader.report(problem.help(format!("leave `{key}` out")));
    }
    let mut lawful = Vec::new();
    for text in texts.value {
        if is_lawful(text.value) {
            lawful.push(text.value.to_string());
        } else {
            reader.report(Problem::new(code, text.span, sentence));
        }
    }
    lawful
}

fn is_host(text: &str) -> bool {
    let name = text.strip_prefix("*.").unwrap_or(text);
    let is_address = name
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
        .is_some_and(|text| text.parse::<core::net::Ipv6Addr>().is_ok());
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(|byte| {
                byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte)
            })
    };
    is_address || (name.len() <= 253 && name.split('.').all(is_label))
}

fn is_method(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_uppercase() || b"-_".contains(&byte))
}

fn is_path_pattern(text: &str) -> bool {
    let starts = text.starts_with('/') || text.starts_with('*');
    let visible = text.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#".contains(&byte));
    let mut segments = text.split('/').peekable();
    let mut is_first = true;
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        let plain = match segment {
            "{*}" | "{**}" => "",
            "**" if is_last => "",
            _ => {
                let text = segment.strip_prefix('*').filter(|_| is_first).unwrap_or(segment);
                text.strip_suffix('*').filter(|_| is_last).unwrap_or(text)
            }
        };
        if plain.contains(['*', '{', '}']) {
            return false;
        }
        is_first = false;
    }
    starts && visible
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_patterns_have_wildcards_only_where_they_are_understood() {
        for lawful in ["/", "/login", "/x/**", "/{*}/keys", "/a/{**}/b", "*", "*.json", "/x*"] {
            assert!(is_path_pattern(lawful), "{lawful}");
        }
        for faulty in ["", "login", "/a*b", "/x*/y", "/**/x", "/{id}", "/a?b", "/a#", "/a b", "/{*"]
        {
            assert!(!is_path_pattern(faulty), "{faulty}");
        }
    }

    #[test]
    fn hosts_are_names_without_a_port() {
        for lawful in ["login.example", "*.example", "localhost", "10.0.0.1", "[::1]"] {
            assert!(is_host(lawful), "{lawful}");
        }
        for faulty in ["", "*", "Login.example", "login.example:80", "a..b", "a.*.b", "::1"] {
            assert!(!is_host(faulty), "{faulty}");
        }
    }
}
