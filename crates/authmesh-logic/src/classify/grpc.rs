//! Reads the status at the end of a gRPC answer.

use core::time::Duration;

use super::http::http;
use crate::outcome::OutcomeKind;

/// The field, of the trailers or of a head without a body, that holds the status.
pub const GRPC_STATUS: &str = "grpc-status";

/// The field of a request that says how long its caller waits.
pub const GRPC_TIMEOUT: &str = "grpc-timeout";

/// The field, behind a refusal, that says when another attempt is welcome.
pub const GRPC_PUSHBACK: &str = "grpc-retry-pushback-ms";

/// What a gRPC answer says: its HTTP status, its `grpc-status` if there is one, and whether its
/// caller waited shorter than the service may take.
///
/// | status | outcome | because |
/// |---|---|---|
/// | 0 OK | success | |
/// | 3 INVALID_ARGUMENT, 5 NOT_FOUND, 6 ALREADY_EXISTS, 7 PERMISSION_DENIED, 9 FAILED_PRECONDITION, 10 ABORTED, 11 OUT_OF_RANGE, 16 UNAUTHENTICATED | denied | it did its work, and the answer was no |
/// | 12 UNIMPLEMENTED | success | a wrong route, not an outage |
/// | 8 RESOURCE_EXHAUSTED | throttled | it asks for fewer calls |
/// | 4 DEADLINE_EXCEEDED | failure; neutral if the caller's patience was the shorter | or callers with a deadline of 1 ms could open a breaker |
/// | 1 CANCELLED, 2 UNKNOWN, 13 INTERNAL, 14 UNAVAILABLE, 15 DATA_LOSS | failure | a call that we gave up ourselves never comes here |
/// | any other, or none at the end | failure | no lawful answer |
///
/// An answer that is not 200 comes from something that speaks no gRPC, and is read as by [`http`].
///
/// Source: gRPC status codes; that PERMISSION_DENIED and UNAUTHENTICATED are the job of an
/// authorization service, and no fault of it, is ours.
#[must_use]
pub fn grpc(
    http_status: u16,
    has_retry_after: bool,
    grpc_status: Option<&[u8]>,
    is_callers_patience: bool,
) -> OutcomeKind {
    if http_status != 200 {
        return http(http_status, has_retry_after);
    }
    match grpc_status.unwrap_or_default() {
        b"0" | b"12" => OutcomeKind::Success,
        b"3" | b"5" | b"6" | b"7" | b"9" | b"10" | b"11" | b"16" => OutcomeKind::Denied,
        b"8" => OutcomeKind::Throttled,
        b"4" if is_callers_patience => OutcomeKind::Neutral,
        _ => OutcomeKind::Failure,
    }
}

/// The time that a `grpc-timeout` field names: at most eight digits and a unit (gRPC over HTTP/2,
/// Requests). `None` if it is not lawful.
#[must_use]
pub fn grpc_timeout(field: &[u8]) -> Option<Duration> {
    let (unit, digits) = field.split_last()?;
    if digits.is_empty() || digits.len() > 8 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = digits.iter().fold(0_u64, |number, digit| number * 10 + u64::from(digit - b'0'));
    Some(match unit {
        b'H' => Duration::from_secs(number * 3_600),
        b'M' => Duration::from_secs(number * 60),
        b'S' => Duration::from_secs(number),
        b'm' => Duration::from_millis(number),
        b'u' => Duration::from_micros(number),
        b'n' => Duration::from_nanos(number),
        _ => return None,
    })
}

/// The wait that a `grpc-retry-pushback-ms` field asks for (gRPC proposal A6); `None` if it asks not
/// to be tried again at all, or is not lawful.
#[must_use]
pub fn grpc_pushback(field: &[u8]) -> Option<Duration> {
    let text = core::str::from_utf8(field).ok()?;
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text.parse().ok().map(Duration::from_millis) } else { None }
}

#[cfg(test)]
mod tests {
    use super::OutcomeKind::{Denied, Failure, Neutral, Success, Throttled};
    use super::*;

    #[test]
    fn every_status_has_its_outcome() {
        let table = [
            Success, Failure, Failure, Denied, Failure, Denied, Denied, Denied, Throttled, Denied,
            Denied, Denied, Success, Failure, Failure, Failure, Denied, Failure,
        ];
        for (status, outcome) in table.into_iter().enumerate() {
            let status = std::format!("{status}");
            assert_eq!(grpc(200, false, Some(status.as_bytes()), false), outcome, "{status}");
        }
        for odd in [None, Some(&b""[..]), Some(b"00"), Some(b"x"), Some(b"-1")] {
            assert_eq!(grpc(200, false, odd, false), Failure, "{odd:?}");
        }
    }

    #[test]
    fn a_caller_without_patience_is_not_the_services_fault() {
        assert_eq!(grpc(200, false, Some(b"4"), true), Neutral);
        assert_eq!(grpc(200, false, Some(b"14"), true), Failure);
    }

    #[test]
    fn what_speaks_no_grpc_is_read_by_its_http_status() {
        assert_eq!(grpc(503, true, None, false), Throttled);
        assert_eq!(grpc(502, false, Some(b"0"), false), Failure);
        assert_eq!(grpc(401, false, None, false), Denied);
    }

    #[test]
    fn a_pushback_is_milliseconds_and_may_say_never() {
        assert_eq!(grpc_pushback(b"1500"), Some(Duration::from_millis(1_500)));
        for never in ["-1", "", "+5", "1.5", "99999999999999999999"] {
            assert_eq!(grpc_pushback(never.as_bytes()), None, "{never}");
        }
    }

    #[test]
    fn a_timeout_is_a_number_with_a_unit() {
        let rows = [
            ("100m", Some(Duration::from_millis(100))),
            ("2S", Some(Duration::from_secs(2))),
            ("1H", Some(Duration::from_secs(3_600))),
            ("3M", Some(Duration::from_secs(180))),
            ("99999999n", Some(Duration::from_nanos(99_999_999))),
            ("5u", Some(Duration::from_micros(5))),
            ("123456789m", None),
            ("m", None),
            ("", None),
            ("1", None),
            ("1s", None),
            ("-1m", None),
        ];
        for (field, wanted) in rows {
            assert_eq!(grpc_timeout(field.as_bytes()), wanted, "{field}");
        }
    }
}
