//! One request of a user: what is sent, and what the answer means to them.

use bytes::Bytes;
use http::{Request, header};
use http_body_util::Full;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::secret::Secret;
use crate::services::{Kind, account_name};
use crate::side::Side;
use crate::wire::Answer;

/// What a device of a user holds between requests.
#[derive(Default)]
pub(crate) struct Device {
    pub(crate) account: usize,
    pub(crate) tokens: Option<Held>,
}

/// Tokens of a session.
pub(crate) struct Held {
    access: Secret,
    refresh: Secret,
}

/// A request somebody makes.
pub(crate) enum Errand {
    /// With the right password.
    LogIn { account: usize, password: Secret },
    /// With the refresh token the device holds.
    Refresh(Secret),
    /// With the access token the device holds.
    Call(Secret),
    /// The key set.
    Keys,
    /// With a password that is not theirs.
    Guess { account: usize },
}

/// What came of it for whoever asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// They got what they may have.
    Ok,
    /// They got the no they deserve.
    Denied,
    /// They got nothing, an error, or a no although they may.
    Failed,
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    refresh_token: String,
}

#[derive(Deserialize)]
struct Introspected {
    active: bool,
}

impl Device {
    /// What this device asks for when its user wants to use it.
    pub(crate) fn held(&self) -> Option<(&Secret, &Secret)> {
        self.tokens.as_ref().map(|held| (&held.access, &held.refresh))
    }

    /// Learns what came of an errand. A device that was turned away, or does not know what became
    /// of its single-use token, forgets its tokens: its user logs in again.
    pub(crate) fn learn(&mut self, errand: &Errand, answer: Option<&Answer>) -> Outcome {
        let outcome = errand.outcome(answer);
        match (errand, outcome) {
            (Errand::LogIn { .. } | Errand::Refresh(_), Outcome::Ok) => {
                self.tokens = answer.and_then(granted);
            }
            (Errand::LogIn { .. } | Errand::Refresh(_), _) => self.tokens = None,
            // Whether the token is bad is known only if somebody answered.
            (Errand::Call(_), Outcome::Failed) if answer.is_some_and(Answer::is_success) => {
                self.tokens = None;
            }
            _ => {}
        }
        outcome
    }
}

impl Errand {
    /// The service it is for.
    pub(crate) const fn kind(&self) -> Kind {
        match self {
            Self::LogIn { .. } | Self::Guess { .. } => Kind::Login,
            Self::Refresh(_) | Self::Keys => Kind::Token,
            Self::Call(_) => Kind::Session,
        }
    }

    /// The request as it is sent.
    pub(crate) fn request(&self, side: Side) -> Request<Full<Bytes>> {
        let (path, body) = match self {
            Self::LogIn { account, password } => {
                let user = account_name(*account);
                ("/login", Some(json!({ "user": user, "password": password.expose() })))
            }
            Self::Guess { account } => {
                let user = account_name(*account);
                ("/login", Some(json!({ "user": user, "password": "123456" })))
            }
            Self::Refresh(token) => ("/token", Some(json!({ "refresh_token": token.expose() }))),
            Self::Call(token) => ("/introspect", Some(json!({ "token": token.expose() }))),
            Self::Keys => ("/jwks.json", None),
        };
        request(side, path, body.as_ref())
    }

    fn outcome(&self, answer: Option<&Answer>) -> Outcome {
        let Some(answer) = answer else { return Outcome::Failed };
        match self {
            Self::LogIn { .. } | Self::Refresh(_) if granted(answer).is_some() => Outcome::Ok,
            Self::Call(_) if answer.is_success() && is_active(answer) => Outcome::Ok,
            Self::Keys if answer.is_success() => Outcome::Ok,
            Self::Guess { .. } if answer.status == 401 => Outcome::Denied,
            _ => Outcome::Failed,
        }
    }
}

fn request(side: Side, path: &'static str, body: Option<&Value>) -> Request<Full<Bytes>> {
    let mut request = Request::new(Full::from(body.map(Value::to_string).unwrap_or_default()));
    if body.is_some() {
        *request.method_mut() = http::Method::POST;
    }
    *request.uri_mut() = http::Uri::from_static(path);
    let fields = request.headers_mut();
    fields.insert(header::HOST, header::HeaderValue::from_static("auth.demo"));
    fields.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    fields.insert(Side::HEADER, header::HeaderValue::from_static(side.name()));
    request
}

fn granted(answer: &Answer) -> Option<Held> {
    let granted: Granted =
        serde_json::from_slice(&answer.body).ok().filter(|_| answer.is_success())?;
    let (access, refresh) = (granted.access_token, granted.refresh_token);
    Some(Held { access: Secret::new(access), refresh: Secret::new(refresh) })
}

fn is_active(answer: &Answer) -> bool {
    serde_json::from_slice(&answer.body).is_ok_and(|answer: Introspected| answer.active)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Option<Answer> {
        Some(Answer { status, body: Bytes::copy_from_slice(body.as_bytes()) })
    }

    fn log_in() -> Errand {
        Errand::LogIn { account: 0, password: Secret::new("right") }
    }

    const GRANT: &str = r#"{"access_token":"a","refresh_token":"r"}"#;

    #[test]
    fn a_no_is_right_for_a_guess_and_a_failure_for_a_user() {
        let rows = [
            (log_in(), answer(200, GRANT), Outcome::Ok),
            (log_in(), answer(401, "{}"), Outcome::Failed),
            (log_in(), answer(503, "{}"), Outcome::Failed),
            (log_in(), None, Outcome::Failed),
            (Errand::Refresh(Secret::new("r")), answer(200, GRANT), Outcome::Ok),
            (Errand::Refresh(Secret::new("r")), answer(400, "{}"), Outcome::Failed),
            (Errand::Call(Secret::new("a")), answer(200, r#"{"active":true}"#), Outcome::Ok),
            (Errand::Call(Secret::new("a")), answer(200, r#"{"active":false}"#), Outcome::Failed),
            (Errand::Keys, answer(200, "{}"), Outcome::Ok),
            (Errand::Guess { account: 0 }, answer(401, "{}"), Outcome::Denied),
            (Errand::Guess { account: 0 }, answer(503, "{}"), Outcome::Failed),
            (Errand::Guess { account: 0 }, answer(200, GRANT), Outcome::Failed),
        ];
        for (number, (errand, answer, expected)) in rows.into_iter().enumerate() {
            assert_eq!(errand.outcome(answer.as_ref()), expected, "row {number}");
        }
    }

    #[test]
    fn a_device_that_was_turned_away_logs_in_again() {
        let mut device = Device::default();
        device.learn(&log_in(), answer(200, GRANT).as_ref());
        assert!(device.held().is_some());
        let call = Errand::Call(Secret::new("a"));
        device.learn(&call, None);
        assert!(device.held().is_some(), "nobody said that the token is bad");
        device.learn(&call, answer(200, r#"{"active":false}"#).as_ref());
        assert!(device.held().is_none());

        device.learn(&log_in(), answer(200, GRANT).as_ref());
        device.learn(&Errand::Refresh(Secret::new("r")), None);
        assert!(device.held().is_none(), "the token may be spent");
    }
}
