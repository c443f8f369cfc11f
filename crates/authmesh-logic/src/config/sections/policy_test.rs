//! Reads a request that the access rules are tried with.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;
use core::net::IpAddr;

use super::policy::read_provider_meant;
use crate::authorization::{AccessCase, Action, CaseError, WrittenFields, WrittenToken};
use crate::config::findings::Written;
use crate::config::reader::Reader;
use crate::config::tree::{Entry, Value};
use crate::config::{Code, Origin, PolicyTest, Problem};
use crate::identity::SpiffeId;
use crate::jwt::Provider;

pub(in crate::config) fn read_policy_test(
    mut reader: Reader<'_, '_>,
    providers: &[Provider],
) -> Option<Written<PolicyTest>> {
    let name = reader.string("name").map(|name| name.value.into());
    let service = reader.service("service");
    let service = reader.required("service", service);
    let request = reader.string("request");
    let request = reader.required("request", request);
    let host = reader.string("host");
    let identity = identity(&mut reader);
    let peer = address(&mut reader, "address");
    let client = address(&mut reader, "remote_address");
    let port = port(&mut reader);
    let fields = fields(&mut reader);
    let token = token(&mut reader, providers);
    let expectations = [Action::Allow, Action::Deny].map(|action| (action.word(), action));
    let expect = reader.choice("expect", &expectations, &[]);
    let expect = reader.required("expect", expect);
    let by = reader.name("by").map(|by| {
        reader.findings.policies_meant.push(by.with(by.value.to_string()));
        by.value.into()
    });
    let case = request.zip(service).and_then(|(request, service)| {
        match AccessCase::new(service.value, request.value) {
            Ok(case) => Some(case),
            Err(fault) => {
                reader.report(faulty(fault, &request));
                None
            }
        }
    });
    let case = match (case, host) {
        (Some(case), Some(host)) => match case.at_host(host.value) {
            Ok(case) => Some(case),
            Err(fault) => {
                reader.report(faulty(fault, &host));
                None
            }
        },
        (case, _) => case,
    };
    let span = reader.span();
    reader.deny_rest();
    let mut case = case?;
    (case.identity, case.fields, case.token) = (identity, fields, token);
    (case.peer, case.client, case.port) = (peer, client, port);
    let origin = Origin::default();
    let test = PolicyTest { name, case, expect: expect?.value, by, origin };
    Some(Written { value: test, key: span, span })
}

fn faulty(fault: CaseError, text: &Written<&str>) -> Problem {
    let sentence = match fault {
        CaseError::Form => "a request is a method, a space and a path",
        CaseError::Method => "a request with this method is refused before rules are asked",
        CaseError::Path => "a request with this path is refused before rules are asked",
        CaseError::Host => "this is not a host",
    };
    let problem = Problem::new(Code::NotAllowed, text.span, sentence);
    if fault == CaseError::Host { problem } else { problem.help("\"POST /login\"") }
}

/// A whole identity: a caller has no wildcard.
fn identity(reader: &mut Reader<'_, '_>) -> Option<Box<str>> {
    let text = reader.string("from")?;
    if text.value.parse::<SpiffeId>().is_err() {
        let problem = Problem::new(Code::BadSpiffeId, text.span, "this is not a SPIFFE ID");
        reader.report(problem.help("\"spiffe://TRUST_DOMAIN/NAME\""));
        return None;
    }
    Some(text.value.into())
}

fn address(reader: &mut Reader<'_, '_>, key: &'static str) -> Option<IpAddr> {
    let text = reader.string(key)?;
    let address = text.value.parse().ok();
    if address.is_none() {
        let problem = Problem::new(Code::BadAddress, text.span, "this is not an IP address");
        reader.report(problem.help("\"10.1.2.3\""));
    }
    address
}

fn port(reader: &mut Reader<'_, '_>) -> Option<u16> {
    let entry = reader.take("port")?;
    let Value::Integer(number) = entry.node.value else {
        reader.wrong_type(&entry.node, "an integer");
        return None;
    };
    let port = u16::try_from(number).ok().filter(|port| *port > 0);
    if port.is_none() {
        let sentence = "a port is a number from 1 to 65535";
        reader.report(Problem::new(Code::NotAllowed, entry.node.span, sentence));
    }
    port
}

/// A token that was believed: one of a provider, with these claims.
fn token(reader: &mut Reader<'_, '_>, providers: &[Provider]) -> Option<WrittenToken> {
    let claims = reader.take("claims");
    if let Some(entry) = claims.filter(|_| !reader.has("jwt")) {
        let problem = Problem::new(Code::Missing, entry.key, "`claims` needs `jwt`");
        reader.report(problem.note("claims are of a token").help("jwt = \"PROVIDER\""));
    }
    let texts = claims.map(|entry| each_text(reader, entry)).unwrap_or_default();
    let provider = read_provider_meant(reader, providers)?;
    let mut token = WrittenToken { issuer: provider.tokens.issuer.clone(), claims: Vec::new() };
    for (name, text) in texts {
        match token.claims.iter_mut().find(|(known, _)| **known == *name) {
            Some((_, texts)) => texts.push(text.into()),
            None => token.claims.push((name.into(), Vec::from([text.into()]))),
        }
    }
    Some(token)
}

fn fields(reader: &mut Reader<'_, '_>) -> WrittenFields {
    let Some(entry) = reader.take("headers") else { return WrittenFields::default() };
    let texts = each_text(reader, entry).into_iter();
    WrittenFields(
        texts.map(|(name, text)| (name.to_ascii_lowercase().into(), text.into())).collect(),
    )
}

/// Each text of a table whose values are texts and lists of texts, with its key.
fn each_text<'tree>(
    reader: &mut Reader<'tree, '_>,
    entry: &'tree Entry,
) -> Vec<(&'tree str, &'tree str)> {
    let Value::Table(table) = &entry.node.value else {
        reader.wrong_type(&entry.node, "a table");
        return Vec::new();
    };
    let mut found = Vec::new();
    for (name, entry) in table {
        let values = match &entry.node.value {
            Value::Array(nodes) => &nodes[..],
            _ => core::slice::from_ref(&entry.node),
        };
        for node in values {
            match &node.value {
                Value::String(text) => found.push((name.as_str(), text.as_str())),
                other => {
                    let sentence = format!("expected a string or strings, found {}", other.kind());
                    reader.report(Problem::new(Code::WrongType, node.span, sentence));
                }
            }
        }
    }
    found
}
