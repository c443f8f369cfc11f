//! An attempt that got no answer: who is blamed, and what may follow.

use authmesh_logic::Moment;
use authmesh_logic::retry::Ended;

use crate::attempt::Attempt;
use crate::error::{Error, ErrorKind};
use crate::identity::HandshakeFault;
use crate::request_body::BodyFault;
use crate::transport::Unanswered;

/// How one attempt ended that did not end in an answer to pass on.
pub(crate) struct Failed {
    pub(crate) ended: Ended,
    pub(crate) error: Error,
}

impl Failed {
    /// Gives the attempt its verdict. `is_callers`: the time it had was the caller's.
    pub(crate) fn judge(
        attempt: &mut Attempt,
        unanswered: Unanswered,
        is_callers: bool,
        now: Moment,
    ) -> Self {
        let (ended, kind, cause) = match unanswered {
            Unanswered::Returned(cause) => {
                let fault = cause.downcast_ref::<HandshakeFault>();
                // What this mesh cannot prove is no fault of the endpoint, which was not asked.
                if fault.is_some_and(HandshakeFault::is_own) {
                    attempt.abandon(now);
                } else {
                    attempt.fail(now);
                }
                let kind = match fault {
                    Some(fault) if fault.is_own() || fault.is_refusal() => {
                        ErrorKind::IdentityMismatch
                    }
                    _ => ErrorKind::UpstreamReset,
                };
                (Ended::NotSent, kind, Some(cause))
            }
            Unanswered::Unprocessed(cause) => {
                attempt.fail(now);
                (Ended::Unprocessed, ErrorKind::UpstreamReset, Some(cause))
            }
            Unanswered::Lost(cause) if is_callers_fault(&*cause) => {
                attempt.abandon(now);
                (Ended::FailedAfterSend, ErrorKind::RequestBody, Some(cause))
            }
            Unanswered::Lost(cause) => {
                attempt.fail(now);
                (Ended::FailedAfterSend, ErrorKind::UpstreamReset, Some(cause))
            }
            Unanswered::Late => {
                attempt.time_out(is_callers, now);
                (Ended::FailedAfterSend, ErrorKind::Deadline, None)
            }
        };
        let error = Error::new(kind).at(attempt.cell().transport.address());
        let error = if let Some(cause) = cause { error.because(cause) } else { error };
        Self { ended, error }
    }
}

/// Whether an exchange broke because the caller's own body did.
fn is_callers_fault(cause: &(dyn std::error::Error + 'static)) -> bool {
    let mut cause = Some(cause);
    while let Some(error) = cause {
        if error.is::<BodyFault>() {
            return true;
        }
        if let Some(error) = error.downcast_ref::<hyper::Error>()
            && error.is_user()
        {
            return true;
        }
        cause = error.source();
    }
    false
}
