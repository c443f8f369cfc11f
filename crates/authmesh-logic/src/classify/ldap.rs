//! Reads the result code of an LDAP answer.

use crate::outcome::OutcomeKind;

/// What an LDAP result says: its `resultCode`, and whether its caller set a time limit shorter than
/// the directory may take.
///
/// | result code | outcome | because |
/// |---|---|---|
/// | 0 success, 4 sizeLimitExceeded, 6 compareTrue, 10 referral, 14 saslBindInProgress | success | an answer, or a step on the way to one |
/// | 5 compareFalse, 48 inappropriateAuthentication, 49 invalidCredentials, 50 insufficientAccessRights, 123 authorizationDenied | denied | it did its work, and the answer was no |
/// | 16 to 21 (attributes), 32 noSuchObject, 33, 34, 36 (names), 53 unwillingToPerform, 54 loopDetect, 64 to 69 and 71 (updates), 122 assertionFailed | denied | as above |
/// | 1 operationsError, 2 protocolError, 7, 8, 13 (how to bind), 11 adminLimitExceeded, 12 unavailableCriticalExtension, 119 to 121 (cancelling) | denied | the request asked for what is not done here |
/// | 118 canceled | neutral | because its caller wanted it |
/// | 3 timeLimitExceeded | failure; neutral if the caller's patience was the shorter | or callers with a limit of a second could open a breaker |
/// | 51 busy, 52 unavailable, 80 other | failure | it says so itself; `busy` names no pause |
/// | any other | failure | no lawful answer |
///
/// A lost connection, a Notice of Disconnection (RFC 4511 §4.4.1) and an answer that never comes
/// have no result code and are failures. Behind a bind that was refused stands a directory that
/// works: wrong passwords open nothing.
///
/// Source: RFC 4511 appendix A; 118 to 121 RFC 3909 §3, 122 RFC 4528, 123 RFC 4370.
#[must_use]
pub const fn ldap(result_code: u32, is_callers_patience: bool) -> OutcomeKind {
    match result_code {
        0 | 4 | 6 | 10 | 14 => OutcomeKind::Success,
        1 | 2 | 5 | 7 | 8 | 11..=13 => OutcomeKind::Denied,
        16..=21 | 32..=34 | 36 | 48..=50 | 53 | 54 => OutcomeKind::Denied,
        64..=69 | 71 | 119..=123 => OutcomeKind::Denied,
        118 => OutcomeKind::Neutral,
        3 if is_callers_patience => OutcomeKind::Neutral,
        _ => OutcomeKind::Failure,
    }
}

#[cfg(test)]
mod tests {
    use super::OutcomeKind::{Denied, Failure, Neutral, Success};
    use super::*;

    #[test]
    fn every_result_code_has_its_outcome() {
        // first and last code
        let table = [
            (0, 0, Success),
            (1, 2, Denied),
            (3, 3, Failure),
            (4, 4, Success),
            (5, 5, Denied),
            (6, 6, Success),
            (7, 8, Denied),
            (9, 9, Failure),
            (10, 10, Success),
            (11, 13, Denied),
            (14, 14, Success),
            (15, 15, Failure),
            (16, 21, Denied),
            (22, 31, Failure),
            (32, 34, Denied),
            (35, 35, Failure),
            (36, 36, Denied),
            (37, 47, Failure),
            (48, 50, Denied),
            (51, 52, Failure),
            (53, 54, Denied),
            (55, 63, Failure),
            (64, 69, Denied),
            (70, 70, Failure),
            (71, 71, Denied),
            (72, 117, Failure),
            (118, 118, Neutral),
            (119, 123, Denied),
            (124, 5_000, Failure),
        ];
        let mut next = 0;
        for (first, last, outcome) in table {
            assert_eq!(next, first, "no gap");
            for code in first..=last {
                assert_eq!(ldap(code, false), outcome, "{code}");
            }
            next = last + 1;
        }
        assert_eq!(ldap(u32::MAX, false), Failure);
    }

    #[test]
    fn only_a_spent_time_limit_depends_on_whose_patience_it_was() {
        for code in 0..=200 {
            let expected = if code == 3 { Neutral } else { ldap(code, false) };
            assert_eq!(ldap(code, true), expected, "{code}");
        }
    }
}
