//! Reads how the instances of a service are checked.

use alloc::format;
use alloc::vec::Vec;
use core::time::Duration;

use crate::Ratio;
use crate::config::findings::Written;
use crate::config::reader::Reader;
use crate::config::tree::{Node, Value};
use crate::config::values::{is_off, put};
use crate::config::{Code, Problem};
use crate::health::{Check, EjectOnFirst, Passive, Policy};

/// Kinds of checks that are known and not yet built; they are refused by name.
const LATER: [&str; 6] = ["grpc", "ldap", "redis", "exec", "ttl", "agent"];

pub(super) fn read_health(mut reader: Reader<'_, '_>) -> Option<Policy> {
    let check = read_check(&mut reader);
    let mut policy = Policy::of(check.clone().unwrap_or(Check::Tcp));
    put(&mut policy.interval, reader.duration("interval"));
    policy.failing_interval = policy.failing_interval.min(policy.interval);
    put(&mut policy.failing_interval, reader.duration("failing_interval"));
    put(&mut policy.timeout, reader.duration("timeout"));
    put(&mut policy.rise, reader.count("rise", 1..=100));
    put(&mut policy.fall, reader.count("fall", 1..=100));
    if let Some(jitter) = reader.share("jitter") {
        policy.jitter_percent = whole_percent(&mut reader, jitter);
    }
    policy.passive = read_passive(&mut reader);
    policy.eject_on_first = read_eject_on_first(&mut reader, &policy);
    if policy.failing_interval > policy.interval {
        let sentence = "`failing_interval` is longer than `interval`";
        let problem = Problem::new(Code::NotAllowed, reader.span(), sentence);
        reader.report(problem.note("a failing instance is checked more often, not less"));
    }
    reader.deny_rest();
    check.map(|_| policy)
}

fn read_check(reader: &mut Reader<'_, '_>) -> Option<Check> {
    let path = reader.string("path");
    let tcp = reader.boolean("tcp");
    let host = reader.string("host");
    let has_expect = reader.has("expect");
    let expect = reader.array("expect");
    if let Some(tcp) = tcp.filter(|tcp| !tcp.value) {
        let sentence = "`tcp` takes `true`; leave it out instead";
        reader.report(Problem::new(Code::NotAllowed, tcp.span, sentence));
    }
    match (reader.has("path"), reader.has("tcp")) {
        (false, false) if LATER.iter().any(|kind| reader.has(kind)) => return None,
        (false, false) => {
            let sentence = format!("{} needs `path` or `tcp`", reader.title());
            let problem = Problem::new(Code::NoneOfThem, reader.span(), sentence);
            reader.report(problem.help("path = \"/healthz\""));
            return None;
        }
        (true, true) => {
            let sentence = format!("{} has either `path` or `tcp`, not both", reader.title());
            let place = tcp.map_or(reader.span(), |tcp| tcp.key);
            reader.report(Problem::new(Code::MoreThanOne, place, sentence));
        }
        (false, true) => {
            if let Some(host) = &host {
                reader.no_effect(host.key, "host", "with `tcp`");
            }
            if let Some(expect) = &expect {
                reader.no_effect(expect.key, "expect", "with `tcp`");
            }
            return Some(Check::Tcp);
        }
        (true, false) => {}
    }
    let path = path?;
    let is_path = path.value.starts_with('/')
        && path.value.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
    if !is_path {
        let sentence = "the path of a check begins with `/` and has visible ASCII characters only";
        reader.report(Problem::new(Code::NotAllowed, path.span, sentence));
    }
    if let Some(host) = &host
        && !host.value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.:[]".contains(&byte))
    {
        reader.report(Problem::new(Code::NotAllowed, host.span, "this is not a host name"));
    }
    let expect = expect.map(|nodes| read_expect(reader, &nodes)).unwrap_or_default();
    let expect = if has_expect { expect } else { [(200, 299)].into() };
    Some(Check::Http { path: path.value.into(), host: host.map(|host| host.value.into()), expect })
}

fn read_expect(reader: &mut Reader<'_, '_>, nodes: &Written<&[Node]>) -> Vec<(u16, u16)> {
    let mut ranges = Vec::new();
    for node in nodes.value {
        match status_range(&node.value) {
            Some(range) => ranges.push(range),
            None => reader.report(
                Problem::new(Code::NotAllowed, node.span, "this is no range of status codes")
                    .help("expect = [200, \"204-206\"]"),
            ),
        }
    }
    if nodes.value.is_empty() {
        let sentence = "`expect` is empty: no answer could pass";
        reader.report(Problem::new(Code::NotAllowed, nodes.span, sentence));
    }
    ranges
}

fn status_range(value: &Value) -> Option<(u16, u16)> {
    let (first, last) = match value {
        Value::Integer(status) => {
            let status = u16::try_from(*status).ok()?;
            (status, status)
        }
        Value::String(text) => {
            let (first, last) = text.split_once('-').unwrap_or((text, text));
            (first.parse().ok()?, last.parse().ok()?)
        }
        _ => return None,
    };
    (100 <= first && first <= last && last <= 599).then_some((first, last))
}

fn whole_percent(reader: &mut Reader<'_, '_>, share: Written<Ratio>) -> u8 {
    if let Some(percent) = (0..=100).find(|&percent| Ratio::percent(percent) == share.value) {
        return percent as u8;
    }
    let sentence = "`jitter` takes whole percent";
    reader.report(Problem::new(Code::NotAllowed, share.span, sentence));
    0
}

fn read_eject_on_first(reader: &mut Reader<'_, '_>, policy: &Policy) -> EjectOnFirst {
    let mut believed = EjectOnFirst::NEVER;
    for word in reader.strings("eject_on_first").map(|words| words.value).unwrap_or_default() {
        match word.value {
            "status" => {
                believed.status = true;
                if policy.check == Check::Tcp {
                    reader.no_effect(word.span, "status", "with `tcp`");
                }
            }
            "passive" => {
                believed.passive = true;
                if policy.passive == Passive::Off {
                    reader.no_effect(word.span, "passive", "while `passive` is off");
                }
            }
            "identity" => {
                let sentence = "`identity` is not enforced by this version: checks use no TLS";
                let problem = Problem::new(Code::NotEnforced, word.span, sentence);
                reader.report(problem.help("leave it out"));
            }
            _ => {
                let sentence = "`eject_on_first` takes `status` and `passive`";
                reader.report(Problem::new(Code::NotAllowed, word.span, sentence));
            }
        }
    }
    believed
}

fn read_passive(reader: &mut Reader<'_, '_>) -> Passive {
    if reader.take("passive").and_then(is_off::<Duration>).is_some() {
        return Passive::Off;
    }
    let Some(mut passive) = reader.table("passive", "passive") else { return Passive::Off };
    let failures = passive.count("failures", 1..=1_000);
    let failures = passive.required("failures", failures);
    passive.deny_rest();
    failures.map_or(Passive::Off, |failures| Passive::On { failures: failures.value })
}
