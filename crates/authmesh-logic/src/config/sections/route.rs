//! Reads which requests go to which service, and how they are treated there.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::retry::{Retry, read_retry};
use crate::concurrency::Priority;
use crate::config::findings::Written;
use crate::config::reader::Reader;
use crate::config::{Classifier, Code, Problem, RouteConfig};
use crate::retry::OperationClass;
use crate::routing::{HostPattern, Pattern, PatternError};

/// Classifiers of protocols that no listener speaks: a program tells their outcome itself.
const LATER: [&str; 2] = ["ldap", "radius"];

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
    let hosts = each(&mut reader, "hosts", host, Code::NotAllowed);
    let paths = each(&mut reader, "paths", path, Code::WildcardInside);
    let methods = each(&mut reader, "methods", method, Code::NotAllowed);
    let service = reader.service("service");
    let service = reader.required("service", service);
    let classes = OperationClass::ALL.map(|class| (class.word(), class));
    let class = reader.choice("class", &classes, &[]).map(|class| class.value);
    let classifiers = Classifier::ALL.map(|classifier| (classifier.word(), classifier));
    let classifier = reader.choice("classifier", &classifiers, &LATER);
    let most = u32::from(Priority::LEAST.number());
    let priority = reader.count("priority", 0..=most).map(|priority| priority.value);
    let quota = reader.name("quota").map(|quota| quota.value.to_string());
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
        classifier: classifier.map(|classifier| classifier.value).unwrap_or_default(),
        priority: priority
            .and_then(|number| Priority::new(u8::try_from(number).ok()?))
            .unwrap_or_default(),
        quota,
        timeout,
        retry: retry.as_ref().map(|retry| retry.policy),
    };
    Some(Written { value: ReadRoute { route, retry }, key: span, span })
}

const HOST: &str = "a host is a name in lower case without a port, or `*.` and such a name";
const PATH: &str = "a path pattern begins with `/` or `*`; `{*}` and `{**}` are whole segments, \
                    and `*` stands at its beginning or end only";
const NOT_NORMAL: &str = "this path is not in normal form (`//`, a dot segment, a needless `%`), so \
                          no request would match it";
const METHOD: &str = "a method is written in upper case";

/// The values of an array's texts, or what is wrong with them.
pub(super) fn each<T>(
    reader: &mut Reader<'_, '_>,
    key: &'static str,
    read: fn(&str) -> Result<T, &'static str>,
    code: Code,
) -> Vec<T> {
    let Some(texts) = reader.strings(key) else { return Vec::new() };
    if reader.is_empty_array(key) {
        let sentence = format!("`{key}` is empty, which means any and not none");
        let problem = Problem::new(Code::NotAllowed, texts.span, sentence);
        reader.report(problem.help(format!("leave `{key}` out")));
    }
    let mut values = Vec::new();
    for text in texts.value {
        match read(text.value) {
            Ok(value) => values.push(value),
            Err(sentence) => reader.report(Problem::new(code, text.span, sentence)),
        }
    }
    values
}

pub(super) fn host(text: &str) -> Result<HostPattern, &'static str> {
    let has_capitals = text.bytes().any(|byte| byte.is_ascii_uppercase());
    HostPattern::parse(text).ok().filter(|_| !has_capitals).ok_or(HOST)
}

/// The file knows `**` as the end of a pattern only; in the middle it is written `{**}`.
pub(super) fn path(text: &str) -> Result<Pattern, &'static str> {
    if text.split('/').rev().skip(1).any(|segment| segment == "**") {
        return Err(PATH);
    }
    Pattern::parse(text).map_err(|fault| match fault {
        PatternError::NotNormal => NOT_NORMAL,
        PatternError::NotAbsolute
        | PatternError::WildcardInsideSegment
        | PatternError::WildcardTwice => PATH,
    })
}

pub(super) fn method(text: &str) -> Result<String, &'static str> {
    let is_lawful = !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_uppercase() || b"-_".contains(&byte));
    is_lawful.then(|| text.to_string()).ok_or(METHOD)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_patterns_have_wildcards_only_where_they_are_understood() {
        for lawful in ["/", "/login", "/x/**", "/{*}/keys", "/a/{**}/b", "*", "*.json", "/x*"] {
            assert!(path(lawful).is_ok(), "{lawful}");
        }
        for faulty in [
            "", "login", "/a*b", "/x*/y", "/**/x", "/{id}", "/a?b", "/a#", "/a b", "/{*", "/a//b",
            "/%61",
        ] {
            assert!(path(faulty).is_err(), "{faulty}");
        }
    }

    #[test]
    fn hosts_are_names_without_a_port() {
        for lawful in ["login.example", "*.example", "localhost", "10.0.0.1", "[::1]"] {
            assert!(host(lawful).is_ok(), "{lawful}");
        }
        for faulty in ["", "*", "Login.example", "login.example:80", "a..b", "a.*.b", "::1"] {
            assert!(host(faulty).is_err(), "{faulty}");
        }
    }
}
