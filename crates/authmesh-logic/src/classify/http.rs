//! What an answer says of the dependency that gave it.

use crate::outcome::OutcomeKind;

/// What an HTTP response head says of whoever gave it, where no classifier knows more.
///
/// | status | outcome | because |
/// |---|---|---|
/// | 1xx to 3xx | success | |
/// | 405, 501 | success | a wrong route, not an outage |
/// | 408 | neutral | the caller was slow to send (RFC 9110 §15.5.9), and could be on purpose |
/// | 429, 503 with `Retry-After` | throttled | it asks for fewer requests (RFC 6585 §4) |
/// | other 4xx | denied | it did its work, and the answer was no |
/// | other 5xx | failure | |
/// | anything else | failure | no lawful status (RFC 9110 §15) |
///
/// Nothing that a caller can bring about alone is a failure, so that callers cannot open a breaker.
#[must_use]
pub const fn http(status: u16, has_retry_after: bool) -> OutcomeKind {
    match status {
        100..=399 | 405 | 501 => OutcomeKind::Success,
        408 => OutcomeKind::Neutral,
        429 => OutcomeKind::Throttled,
        503 if has_retry_after => OutcomeKind::Throttled,
        400..=499 => OutcomeKind::Denied,
        _ => OutcomeKind::Failure,
    }
}

/// What the `x-authmesh-reason` of another hop's refusal says of what stands behind that hop.
///
/// A refusal is a failure, since the request was not served; throttled where the hop was
/// overloaded; and denied where it is about the caller or the request, which nobody may use to
/// open a breaker. A word that is not known is a failure.
#[must_use]
pub fn authmesh_reason(reason: &str) -> OutcomeKind {
    match reason {
        "overloaded" => OutcomeKind::Throttled,
        "no_allow_rule" | "denied_by" | "authn_missing" | "authn_invalid" | "bad_request"
        | "limit" => OutcomeKind::Denied,
        _ => OutcomeKind::Failure,
    }
}

/// Whether a response head with this status says that another endpoint may do better: 502, 503
/// and 504, but not a 503 that asks for a pause.
#[must_use]
pub const fn answer_invites_retry(status: u16, has_retry_after: bool) -> bool {
    matches!(status, 502..=504) && matches!(http(status, has_retry_after), OutcomeKind::Failure)
}

/// Whether a refusal of another hop with this reason says that another endpoint may do better.
///
/// Such a hop always names a pause, so the reason decides and not the status. An overloaded hop, a
/// spent deadline or a spent retry budget would only be made worse.
#[must_use]
pub fn reason_invites_retry(reason: &str) -> bool {
    matches!(
        reason,
        "no_endpoint"
            | "breaker_open"
            | "trial_busy"
            | "stale_view"
            | "upstream_reset"
            | "identity_mismatch"
            | "authn_unavailable"
    )
}

#[cfg(test)]
mod tests {
    use super::OutcomeKind::{Denied, Failure, Neutral, Success, Throttled};
    use super::*;

    #[test]
    fn every_status_has_its_outcome() {
        // first and last status, outcome without and with Retry-After
        let table = [
            (0, 99, Failure, Failure),
            (100, 199, Success, Success),
            (200, 299, Success, Success),
            (300, 399, Success, Success),
            (400, 404, Denied, Denied),
            (405, 405, Success, Success),
            (406, 407, Denied, Denied),
            (408, 408, Neutral, Neutral),
            (409, 428, Denied, Denied),
            (429, 429, Throttled, Throttled),
            (430, 499, Denied, Denied),
            (500, 500, Failure, Failure),
            (501, 501, Success, Success),
            (502, 502, Failure, Failure),
            (503, 503, Failure, Throttled),
            (504, 599, Failure, Failure),
            (600, u16::MAX, Failure, Failure),
        ];
        let mut next = 0_u32;
        for (first, last, without, with) in table {
            assert_eq!(next, u32::from(first), "no gap");
            for status in first..=last {
                assert_eq!(http(status, false), without, "{status}");
                assert_eq!(http(status, true), with, "{status}");
            }
            next = u32::from(last) + 1;
        }
        assert_eq!(next, 1 << 16);
    }

    #[test]
    fn only_a_bad_or_unready_gateway_invites_another_attempt() {
        for status in 0..=u16::MAX {
            assert_eq!(
                answer_invites_retry(status, false),
                matches!(status, 502..=504),
                "{status}"
            );
            assert_eq!(answer_invites_retry(status, true), matches!(status, 502 | 504), "{status}");
        }
    }

    #[test]
    fn every_reason_has_its_outcome_and_its_advice() {
        let table = [
            ("no_endpoint", Failure, true),
            ("breaker_open", Failure, true),
            ("trial_busy", Failure, true),
            ("overloaded", Throttled, false),
            ("deadline", Failure, false),
            ("stale_view", Failure, true),
            ("retry_budget", Failure, false),
            ("upstream_reset", Failure, true),
            ("identity_mismatch", Failure, true),
            ("no_allow_rule", Denied, false),
            ("denied_by", Denied, false),
            ("authn_missing", Denied, false),
            ("authn_invalid", Denied, false),
            ("authn_unavailable", Failure, true),
            ("bad_request", Denied, false),
            ("limit", Denied, false),
            ("a_word_of_tomorrow", Failure, false),
        ];
        for (reason, outcome, invites) in table {
            assert_eq!(authmesh_reason(reason), outcome, "{reason}");
            assert_eq!(reason_invites_retry(reason), invites, "{reason}");
        }
    }
}
