//! Reads what OAuth 2.0 and OpenID Connect endpoints say in the body of a refusal.

use super::http::http;
use crate::outcome::OutcomeKind;

/// What the body of a refusal holds, read by whoever can read JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OAuthBody<'a> {
    /// An object whose `error` is this code (RFC 6749 §5.2).
    Error(&'a str),
    /// JSON without such a code, an empty body, or one too long to be read.
    Silent,
    /// Not JSON, although its type says so.
    Malformed,
}

/// The longest body that is read for its error code, in bytes.
pub const MOST_JUDGED_BYTES: usize = 8 * 1024;

/// Whether the body decides about an answer with this status and `Content-Type`: 400 and 401 with
/// JSON (RFC 6749 §5.2; `application/json` and types that end in `+json`).
#[must_use]
pub fn is_judged_by_body(status: u16, content_type: Option<&[u8]>) -> bool {
    let Some(content_type) = content_type.filter(|_| matches!(status, 400 | 401)) else {
        return false;
    };
    let essence = content_type.split(|byte| *byte == b';').next().unwrap_or_default();
    let essence = essence.trim_ascii();
    let ends = |suffix: &[u8]| {
        let start = essence.len().checked_sub(suffix.len());
        start.is_some_and(|start| essence[start..].eq_ignore_ascii_case(suffix))
    };
    essence.eq_ignore_ascii_case(b"application/json") || ends(b"+json")
}

/// What an answer says, its body having been read where [`is_judged_by_body`].
///
/// | error code of a 400 or 401 | outcome | source |
/// |---|---|---|
/// | `invalid_request`, `invalid_client`, `invalid_grant`, `unauthorized_client`, `unsupported_grant_type`, `invalid_scope` | denied | RFC 6749 §5.2 |
/// | `invalid_token`, `insufficient_scope` | denied | RFC 6750 §3.1 |
/// | any other code, or none | denied, as the status says | |
/// | `authorization_pending`, `slow_down`, `expired_token`, `access_denied` | success | RFC 8628 §3.5: a device flow is on its way or over |
/// | `login_required`, `interaction_required`, `consent_required`, `account_selection_required` | success | OpenID Connect Core §3.1.2.6 |
/// | `use_dpop_nonce` | success | RFC 9449 §8: part of the protocol |
/// | `server_error`, `temporarily_unavailable` | failure | RFC 6749 §4.1.2.1: it says so itself |
/// | JSON by its type, but not by its content | failure | |
///
/// Every other status is read as by [`http`]; `{"active":false}` with 200 (RFC 7662 §2.2) is an
/// answer as good as any.
#[must_use]
pub fn oauth2(status: u16, has_retry_after: bool, body: OAuthBody<'_>) -> OutcomeKind {
    let by_status = http(status, has_retry_after);
    if !matches!(status, 400 | 401) {
        return by_status;
    }
    match body {
        OAuthBody::Silent => by_status,
        OAuthBody::Malformed => OutcomeKind::Failure,
        OAuthBody::Error(code) => match code {
            "authorization_pending"
            | "slow_down"
            | "expired_token"
            | "access_denied"
            | "login_required"
            | "interaction_required"
            | "consent_required"
            | "account_selection_required"
            | "use_dpop_nonce" => OutcomeKind::Success,
            "server_error" | "temporarily_unavailable" => OutcomeKind::Failure,
            _ => by_status,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::OutcomeKind::{Denied, Failure, Success, Throttled};
    use super::*;

    #[test]
    fn every_error_code_has_its_outcome() {
        let table: [(&[&str], OutcomeKind); 3] = [
            (
                &[
                    "invalid_request",
                    "invalid_client",
                    "invalid_grant",
                    "unauthorized_client",
                    "unsupported_grant_type",
                    "invalid_scope",
                    "invalid_token",
                    "insufficient_scope",
                    "a_code_of_tomorrow",
                    "",
                ],
                Denied,
            ),
            (
                &[
                    "authorization_pending",
                    "slow_down",
                    "expired_token",
                    "access_denied",
                    "login_required",
                    "interaction_required",
                    "consent_required",
                    "account_selection_required",
                    "use_dpop_nonce",
                ],
                Success,
            ),
            (&["server_error", "temporarily_unavailable"], Failure),
        ];
        for (codes, outcome) in table {
            for code in codes {
                for status in [400, 401] {
                    assert_eq!(oauth2(status, false, OAuthBody::Error(code)), outcome, "{code}");
                }
            }
        }
    }

    #[test]
    fn a_body_decides_only_about_what_it_may_decide() {
        let rows = [
            (400, false, OAuthBody::Silent, Denied),
            (401, false, OAuthBody::Malformed, Failure),
            (200, false, OAuthBody::Error("server_error"), Success),
            (403, false, OAuthBody::Error("server_error"), Denied),
            (429, true, OAuthBody::Error("slow_down"), Throttled),
            (500, false, OAuthBody::Error("invalid_grant"), Failure),
            (503, true, OAuthBody::Malformed, Throttled),
        ];
        for (status, has_retry_after, body, outcome) in rows {
            assert_eq!(oauth2(status, has_retry_after, body), outcome, "{status} {body:?}");
        }
    }

    #[test]
    fn only_refusals_in_json_are_read() {
        let rows: [(u16, Option<&str>, bool); 9] = [
            (400, Some("application/json"), true),
            (401, Some("Application/JSON; charset=utf-8"), true),
            (400, Some("application/problem+json"), true),
            (400, Some("text/html"), false),
            (400, Some("application/jsonp"), false),
            (400, Some("json"), false),
            (400, None, false),
            (200, Some("application/json"), false),
            (403, Some("application/json"), false),
        ];
        for (status, content_type, judged) in rows {
            let found = is_judged_by_body(status, content_type.map(str::as_bytes));
            assert_eq!(found, judged, "{status} {content_type:?}");
        }
    }
}
