//! Says what is wrong with an endpoint that was looked at, and how to mend it.

use std::time::Duration;

use authmesh_logic::config::{Code, Problem, Protocol};
use authmesh_logic::identity::{Lifetime, SvidFault};
use rustls::AlertDescription;

use super::endpoint::{Proved, Seen};
use super::targets::Target;
use crate::identity::{HandshakeEnd, HandshakeFault, age_words, time_words};

/// By how much clocks may differ, in seconds. Machines that keep time differ by less than one; the
/// certificates that SPIRE issues are dated back by ten.
const MOST_SKEW: u64 = 10;

/// What is wrong with each endpoint.
pub(super) fn problems(looked: &[(Target, Seen)], now: Duration) -> Vec<Vec<Problem>> {
    let is_ours = is_clock_ours(looked);
    looked.iter().map(|(target, seen)| judge(target, seen, is_ours, now)).collect()
}

/// Whether what was seen is a no: the end of a certificate that is near is not.
pub(super) fn is_no(problem: &Problem) -> bool {
    problem.code != Code::CertificateEnding
}

fn judge(target: &Target, seen: &Seen, is_ours: bool, now: Duration) -> Vec<Problem> {
    let mut problems = Vec::new();
    let (address, service) = (&target.address, &target.service);
    if let Some(why) = &seen.unreached {
        let sentence = format!("`{address}` takes no connection: {why}");
        let help = format!("let `{service}` listen there, or correct the address");
        problems.push(Problem::new(Code::EndpointUnreached, target.span, sentence).help(help));
    }
    match &seen.proof {
        Some(Err(fault)) => problems.push(of_handshake(target, fault)),
        Some(Ok(proved)) => problems.extend(of_age(target, proved, now)),
        None => {}
    }
    match &seen.answer {
        Some(Err(why)) => problems.push(of_answer(target, why)),
        Some(Ok(answer)) => {
            let ahead = answer.ahead.filter(|ahead| ahead.unsigned_abs() > MOST_SKEW);
            problems.extend(ahead.map(|ahead| of_clock(target, ahead, is_ours)));
        }
        None => {}
    }
    if let (Some(why), None | Some(Ok(_))) = (&seen.unhealthy, &seen.answer) {
        let sentence = format!("`{address}` does not pass the check of `{service}`: {why}");
        let help = format!("mend `{service}`, or what `health` asks it");
        problems.push(Problem::new(Code::CheckFails, target.span, sentence).help(help));
    }
    problems
}

fn of_handshake(target: &Target, fault: &HandshakeFault) -> Problem {
    let (address, service) = (&target.address, &target.service);
    let is_without_protocol = fault.alert() == Some(AlertDescription::NoApplicationProtocol);
    let (code, sentence, help) = match fault.end {
        HandshakeEnd::Refused(reason) => {
            let (code, help) = of_proof(reason);
            (code, format!("`{address}` proves nothing: {reason}"), help.to_owned())
        }
        HandshakeEnd::IdentityMismatch => {
            let id = fault.proved().map(ToString::to_string).unwrap_or_default();
            let sentence = format!("`{address}` is `{id}`, not who is wanted");
            let help =
                format!("correct the address; or, if that is who is meant: identity = \"{id}\"");
            (Code::HandshakeFails, sentence, help)
        }
        HandshakeEnd::NoIdentity => (
            Code::HandshakeFails,
            format!("this mesh has nothing that holds to prove itself with to `{address}`"),
            "renew `cert` and `key` of `[identity]`".to_owned(),
        ),
        HandshakeEnd::Plaintext => (
            Code::HandshakeFails,
            format!("`{address}` speaks without TLS, and `identity` wants a proof"),
            format!("let `{service}` serve TLS"),
        ),
        HandshakeEnd::RefusedByPeer if is_without_protocol => (
            Code::NotSpoken,
            format!("`{address}` does not speak {} over TLS (ALPN)", spoken(target)),
            other_protocol(target).to_owned(),
        ),
        HandshakeEnd::RefusedByPeer => {
            let alert = fault.alert().map_or(String::new(), |alert| format!(" with `{alert:?}`"));
            let sentence = format!("`{address}` refuses this mesh{alert}");
            let help = format!(
                "let `{service}` believe the authority that issued `cert` of `[identity]`, and allow \
                 the identity in it; its own log says what it misses"
            );
            (Code::HandshakeFails, sentence, help)
        }
        HandshakeEnd::TimedOut => (
            Code::HandshakeFails,
            format!(
                "`{address}` takes connections, and no TLS within {:?}",
                target.manner.connect_limit
            ),
            format!("let `{service}` serve TLS, or take more time with `network.connect_timeout`"),
        ),
        _ => (
            Code::HandshakeFails,
            format!("`{address}`: {fault}"),
            format!("let `{service}` serve TLS 1.3"),
        ),
    };
    Problem::new(code, target.span, sentence).help(help)
}

/// Under which code a certificate that proves nothing is told, and what to do.
const fn of_proof(reason: SvidFault) -> (Code, &'static str) {
    match reason {
        SvidFault::Expired => (
            Code::CertificateEnded,
            "renew the certificate of the service, or the bundle if that has ended",
        ),
        SvidFault::NotYetValid => {
            (Code::CertificateEnded, "look at the clocks of both machines, then at the certificate")
        }
        SvidFault::CrlExpired => (Code::CertificateEnded, "fetch the revocation lists anew"),
        SvidFault::CrlMissing => {
            (Code::HandshakeFails, "fetch the list of the authority that issued the certificate")
        }
        SvidFault::UnknownAuthority => (
            Code::HandshakeFails,
            "put the root of the service into `bundle`, or let the service show the certificates \
             between its own and the root",
        ),
        SvidFault::NoBundle | SvidFault::BundleMismatch => (
            Code::HandshakeFails,
            "name the trust domain and its bundle in `[identity.federation.NAME]`, if it is to be \
             trusted",
        ),
        SvidFault::Revoked => {
            (Code::HandshakeFails, "find out why it was revoked before it is issued anew")
        }
        _ => (
            Code::HandshakeFails,
            "give the service an X.509-SVID: one SPIFFE ID as its only URI, issued by its trust domain",
        ),
    }
}

/// The certificate that ends first, if that is soon.
fn of_age(target: &Target, proved: &Proved, now: Duration) -> Option<Problem> {
    let ends = |(_, lifetime): &(usize, &Lifetime)| lifetime.until;
    let (index, lifetime) = proved.lifetimes.iter().enumerate().min_by_key(ends)?;
    let (code, words) = age_words(*lifetime, now)?;
    let (address, id) = (&target.address, &proved.id);
    let what = match index {
        0 => format!("the certificate of `{address}` (`{id}`)"),
        _ => format!("an authority's certificate that `{address}` (`{id}`) shows"),
    };
    let problem = Problem::new(code, target.span, format!("{what} {words}"));
    Some(problem.help("renew it there; with a third of its life left, its renewal is late"))
}

fn of_answer(target: &Target, why: &str) -> Problem {
    let sentence = format!("`{}` gives no answer in {}: {why}", target.address, spoken(target));
    let tls = match target.pin {
        Some(_) => "",
        None => "; if it serves TLS, name its `identity`",
    };
    let help =
        format!("{}{tls}; if it speaks no HTTP: health = {{ tcp = true }}", other_protocol(target));
    Problem::new(Code::NotSpoken, target.span, sentence).help(help)
}

fn of_clock(target: &Target, ahead: i64, is_ours: bool) -> Problem {
    let by = time_words(Duration::from_secs(ahead.unsigned_abs()));
    let side = if ahead > 0 { "ahead" } else { "behind" };
    let sentence = format!("the clock of `{}` is {by} {side}", target.address);
    let note = match is_ours {
        true => "every endpoint that tells the time says so: the clock here may be the wrong one",
        false => "certificates and tokens made there may not hold here yet, or no longer",
    };
    let problem = Problem::new(Code::ClockDiffers, target.span, sentence).note(note);
    problem.help("let both machines keep time by NTP: `timedatectl` says whether one does")
}

/// Whether several endpoints tell the time, and all of them differ in the same direction.
fn is_clock_ours(looked: &[(Target, Seen)]) -> bool {
    let answers = looked.iter().filter_map(|(_, seen)| seen.answer.as_ref()?.as_ref().ok());
    let told: Vec<i64> = answers.filter_map(|answer| answer.ahead).collect();
    let differs = |ahead: &i64| ahead.unsigned_abs() > MOST_SKEW;
    let is_one_way = told.iter().all(|ahead| *ahead > 0) || told.iter().all(|ahead| *ahead < 0);
    told.len() > 1 && told.iter().all(differs) && is_one_way
}

fn spoken(target: &Target) -> &'static str {
    match target.manner.protocol {
        Protocol::Http1 => "HTTP/1.1",
        Protocol::Http2 => "HTTP/2",
    }
}

fn other_protocol(target: &Target) -> &'static str {
    match target.manner.protocol {
        Protocol::Http1 => "if it speaks HTTP/2: protocol = \"http2\"",
        Protocol::Http2 => "if it speaks HTTP/1.1: protocol = \"http1\"",
    }
}
