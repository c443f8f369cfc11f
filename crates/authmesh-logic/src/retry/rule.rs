//! Whether an attempt that ended this way may be followed by another: the rule that keeps a
//! single-use credential from being spent twice.

use super::{OperationClass, Policy};

/// How far an attempt got before it ended without an answer worth passing on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ended {
    /// No byte of it left: no endpoint, a refusal of ours, no connection, or a connection that
    /// handed the request back.
    NotSent,
    /// The protocol says that it was not processed: `RST_STREAM` with `REFUSED_STREAM`, or a
    /// `GOAWAY` below its stream (RFC 9113 §8.7).
    Unprocessed,
    /// Bytes left and no response head came: a reset, a broken connection, a time limit.
    FailedAfterSend,
    /// A response head came that says another endpoint may do better
    /// (see `classify`), and was not passed on.
    AnswerInvitesRetry,
    /// The response head was already passed on: whatever broke afterwards is the caller's to see.
    AfterHead,
}

impl Ended {
    /// Every way to end, in the order of their declaration.
    pub const ALL: [Self; 5] = [
        Self::NotSent,
        Self::Unprocessed,
        Self::FailedAfterSend,
        Self::AnswerInvitesRetry,
        Self::AfterHead,
    ];

    /// Whether the dependency provably did nothing with the request.
    #[must_use]
    pub const fn is_unprocessed(self) -> bool {
        matches!(self, Self::NotSent | Self::Unprocessed)
    }
}

/// Whether the request may be sent again after `attempts_made` attempts, of which the last one
/// `ended` so. The budget is asked separately, and only then.
///
/// | ended | idempotent | if_unprocessed, single_use, or `only_if_unprocessed` |
/// |---|---|---|
/// | not sent, unprocessed | yes | yes |
/// | failed after send, answer invites retry | yes | no |
/// | after head | no | no |
///
/// Never beyond `policy.attempts` (RFC 9110 §9.2.2; RFC 9700 §4.14.2 for rotating tokens).
#[must_use]
pub const fn allows(
    class: OperationClass,
    policy: &Policy,
    attempts_made: u32,
    ended: Ended,
) -> bool {
    if attempts_made >= policy.attempts {
        return false;
    }
    match ended {
        Ended::NotSent | Ended::Unprocessed => true,
        Ended::FailedAfterSend | Ended::AnswerInvitesRetry => {
            matches!(class, OperationClass::Idempotent) && !policy.only_if_unprocessed
        }
        Ended::AfterHead => false,
    }
}

#[cfg(test)]
mod tests {
    use super::Ended::{AfterHead, AnswerInvitesRetry, FailedAfterSend, NotSent, Unprocessed};
    use super::OperationClass::{Idempotent, IfUnprocessed, SingleUse};
    use super::*;

    #[test]
    fn the_rule_holds_row_by_row() {
        // class, only_if_unprocessed, ended, whether another attempt is allowed
        let table = [
            (Idempotent, false, NotSent, true),
            (Idempotent, false, Unprocessed, true),
            (Idempotent, false, FailedAfterSend, true),
            (Idempotent, false, AnswerInvitesRetry, true),
            (Idempotent, false, AfterHead, false),
            (Idempotent, true, NotSent, true),
            (Idempotent, true, Unprocessed, true),
            (Idempotent, true, FailedAfterSend, false),
            (Idempotent, true, AnswerInvitesRetry, false),
            (Idempotent, true, AfterHead, false),
            (IfUnprocessed, false, NotSent, true),
            (IfUnprocessed, false, Unprocessed, true),
            (IfUnprocessed, false, FailedAfterSend, false),
            (IfUnprocessed, false, AnswerInvitesRetry, false),
            (IfUnprocessed, false, AfterHead, false),
            (IfUnprocessed, true, NotSent, true),
            (IfUnprocessed, true, Unprocessed, true),
            (IfUnprocessed, true, FailedAfterSend, false),
            (IfUnprocessed, true, AnswerInvitesRetry, false),
            (IfUnprocessed, true, AfterHead, false),
            (SingleUse, false, NotSent, true),
            (SingleUse, false, Unprocessed, true),
            (SingleUse, false, FailedAfterSend, false),
            (SingleUse, false, AnswerInvitesRetry, false),
            (SingleUse, false, AfterHead, false),
            (SingleUse, true, NotSent, true),
            (SingleUse, true, Unprocessed, true),
            (SingleUse, true, FailedAfterSend, false),
            (SingleUse, true, AnswerInvitesRetry, false),
            (SingleUse, true, AfterHead, false),
        ];
        let combinations = OperationClass::ALL.len() * 2 * Ended::ALL.len();
        assert_eq!(table.len(), combinations, "every combination has its row");
        for (class, only_if_unprocessed, ended, expected) in table {
            let policy = Policy { only_if_unprocessed, ..Policy::default() };
            let row = (class, only_if_unprocessed, ended);
            assert_eq!(allows(class, &policy, 1, ended), expected, "{row:?}");
            assert!(!allows(class, &policy, policy.attempts, ended), "beyond the limit: {row:?}");
        }
    }

    #[test]
    fn the_first_attempt_counts_towards_the_limit() {
        let policy = Policy { attempts: 2, ..Policy::default() };
        assert!(allows(Idempotent, &policy, 1, NotSent));
        assert!(!allows(Idempotent, &policy, 2, NotSent));
        let once = Policy { attempts: 1, ..Policy::default() };
        assert!(!allows(Idempotent, &once, 1, NotSent));
    }

    #[test]
    fn i14_what_is_not_idempotent_goes_again_only_if_provably_unprocessed() {
        for (class, ended) in [IfUnprocessed, SingleUse]
            .into_iter()
            .flat_map(|class| Ended::ALL.map(|ended| (class, ended)))
        {
            let policy = Policy { attempts: u32::MAX, ..Policy::default() };
            assert_eq!(
                allows(class, &policy, 1, ended),
                ended.is_unprocessed(),
                "{class:?} {ended:?}"
            );
        }
    }
}
