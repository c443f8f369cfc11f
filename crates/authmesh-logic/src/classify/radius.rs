//! Reads the code of a RADIUS reply.

use crate::outcome::OutcomeKind;

/// What a RADIUS reply says: the code of a packet whose authenticator was verified.
///
/// | code | outcome | because |
/// |---|---|---|
/// | 2 Access-Accept, 11 Access-Challenge, 5 Accounting-Response, 41 Disconnect-ACK, 44 CoA-ACK | success | an answer, or a step on the way to one |
/// | 3 Access-Reject, 42 Disconnect-NAK, 45 CoA-NAK | denied | it did its work, and the answer was no |
/// | 52 Protocol-Error | failure | it says itself that it could not |
/// | any other | failure | no lawful reply |
///
/// A packet that is not verified is discarded without a word (RFC 2865 §3), for anybody may have
/// sent it. A server that discards a request says nothing either: no reply after the last
/// retransmission is a failure, whether the server is down or the shared secret is wrong.
///
/// Source: RFC 2865 §3 and §4; 5 RFC 2866 §3, 41 to 45 RFC 5176 §2.3, 52 RFC 7930.
#[must_use]
pub const fn radius(code: u8) -> OutcomeKind {
    match code {
        2 | 5 | 11 | 41 | 44 => OutcomeKind::Success,
        3 | 42 | 45 => OutcomeKind::Denied,
        _ => OutcomeKind::Failure,
    }
}

#[cfg(test)]
mod tests {
    use super::OutcomeKind::{Denied, Failure, Success};
    use super::*;

    #[test]
    fn every_code_has_its_outcome() {
        let table = [
            (2, Success),
            (3, Denied),
            (5, Success),
            (11, Success),
            (41, Success),
            (42, Denied),
            (44, Success),
            (45, Denied),
        ];
        for code in 0..=u8::MAX {
            let row = table.iter().find(|(known, _)| *known == code);
            assert_eq!(radius(code), row.map_or(Failure, |(_, outcome)| *outcome), "{code}");
        }
    }
}
