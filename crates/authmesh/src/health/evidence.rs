//! What one check saw, and the sentence it makes for a person.

use std::io;

use authmesh_logic::health::{Check, CheckFailure, CheckResult, Policy};

/// What one check saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// What it counts as.
    pub result: CheckResult,
    /// The status code of the answer, if there was an answer with one.
    pub status: Option<u16>,
    /// What the operating system said, if it said why.
    pub fault: Option<io::ErrorKind>,
    /// Whether requests said it, and no check was made.
    pub from_traffic: bool,
}

impl Evidence {
    /// What requests said in place of a check.
    pub(super) const fn of_traffic(result: CheckResult) -> Self {
        Self { result, status: None, fault: None, from_traffic: true }
    }

    pub(super) const fn passed(status: Option<u16>) -> Self {
        Self { result: CheckResult::Pass, status, fault: None, from_traffic: false }
    }

    pub(super) const fn failed(failure: CheckFailure) -> Self {
        let result = CheckResult::Fail(failure);
        Self { result, status: None, fault: None, from_traffic: false }
    }

    pub(super) const fn because(self, fault: io::ErrorKind) -> Self {
        Self { fault: Some(fault), ..self }
    }

    /// A sentence for a person, as in `HTTP 503, expected 200-299`; `policy` is the one checked by.
    #[must_use]
    pub fn sentence(&self, policy: &Policy) -> String {
        let failure = match self.result {
            CheckResult::Pass if self.from_traffic => return "requests succeed".into(),
            CheckResult::Pass => {
                return match self.status {
                    Some(status) => format!("HTTP {status}"),
                    None => "connected".into(),
                };
            }
            CheckResult::Fail(failure) => failure,
        };
        let fault = self.fault;
        match failure {
            CheckFailure::Refused => connecting(fault, "connection refused"),
            CheckFailure::Unreachable => connecting(fault, "not reachable"),
            CheckFailure::Timeout => format!("no answer within {:?}", policy.timeout),
            CheckFailure::Reset => "the connection broke before the answer was whole".into(),
            CheckFailure::Identity => "the peer did not prove the expected identity".into(),
            CheckFailure::Malformed if fault == Some(io::ErrorKind::InvalidInput) => {
                "the path or the host of the check cannot be sent".into()
            }
            CheckFailure::Malformed => "the answer is not lawful HTTP".into(),
            CheckFailure::Status(status) => format!("HTTP {status}, expected {}", expected(policy)),
            CheckFailure::Traffic => "too many requests in a row failed".into(),
        }
    }
}

fn connecting(fault: Option<io::ErrorKind>, otherwise: &str) -> String {
    match fault {
        Some(fault) => format!("connect: {fault}"),
        None => format!("connect: {otherwise}"),
    }
}

fn expected(policy: &Policy) -> String {
    let Check::Http { expect, .. } = &policy.check else { return String::new() };
    let range = |(low, high): &(u16, u16)| {
        if low == high { low.to_string() } else { format!("{low}-{high}") }
    };
    expect.iter().map(range).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_result_has_its_sentence() {
        let expect = vec![(200, 299), (401, 401)];
        let policy = Policy::of(Check::Http { path: "/".into(), host: None, expect });
        let failed = Evidence::failed;
        let table = [
            (Evidence::passed(None), "connected"),
            (Evidence::passed(Some(204)), "HTTP 204"),
            (Evidence::of_traffic(CheckResult::Pass), "requests succeed"),
            (
                Evidence::of_traffic(CheckResult::Fail(CheckFailure::Traffic)),
                "too many requests in a row failed",
            ),
            (failed(CheckFailure::Status(503)), "HTTP 503, expected 200-299, 401"),
            (failed(CheckFailure::Timeout), "no answer within 1s"),
            (
                failed(CheckFailure::Refused).because(io::ErrorKind::ConnectionRefused),
                "connect: connection refused",
            ),
            (
                failed(CheckFailure::Unreachable).because(io::ErrorKind::PermissionDenied),
                "connect: permission denied",
            ),
            (failed(CheckFailure::Malformed), "the answer is not lawful HTTP"),
        ];
        for (evidence, sentence) in table {
            assert_eq!(evidence.sentence(&policy), sentence);
        }
    }
}
