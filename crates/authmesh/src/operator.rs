//! What an operator tells a breaker: which one, what, who says so and why.

use std::fmt;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use authmesh_logic::circuit_breaker::State;
use authmesh_logic::discovery::ServiceName;

/// Which breaker of a mesh: `SERVICE/OPERATION`, or `SERVICE@INSTANCE` for that of an instance.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BreakerKey {
    /// The one of an operation.
    Operation {
        /// The service.
        service: ServiceName,
        /// The operation.
        operation: String,
    },
    /// The one of an instance.
    Instance {
        /// The service.
        service: ServiceName,
        /// The instance, by its identifier.
        instance: String,
    },
}

/// A text that names no breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotABreakerKey;

/// There is no such breaker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownBreaker(pub BreakerKey);

/// Who holds a breaker in a state by hand, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Manual {
    /// Who said so.
    pub(crate) who: String,
    /// Why.
    pub(crate) why: String,
    /// Since when, by the time of day.
    pub(crate) since: SystemTime,
}

/// The note beside a breaker that somebody holds by hand. Only status and operators look at it.
#[derive(Debug, Default)]
pub(crate) struct ManualNote(Mutex<Option<Manual>>);

impl BreakerKey {
    /// The service it belongs to.
    #[must_use]
    pub const fn service(&self) -> &ServiceName {
        match self {
            Self::Operation { service, .. } | Self::Instance { service, .. } => service,
        }
    }
}

impl ManualNote {
    pub(crate) fn write(&self, manual: Option<Manual>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = manual;
    }

    /// What is written there, to be written elsewhere.
    pub(crate) fn take(&self) -> Option<Manual> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Who holds the breaker, if it is in a state that only hands bring about.
    pub(crate) fn read(&self, state: State) -> Option<Manual> {
        let is_manual = matches!(state, State::ForcedOpen | State::Disabled | State::MetricsOnly);
        let note = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        note.clone().filter(|_| is_manual)
    }
}

impl FromStr for BreakerKey {
    type Err = NotABreakerKey;

    /// Neither sign can be in the name of a service, so the first of them ends it.
    fn from_str(text: &str) -> Result<Self, NotABreakerKey> {
        let at = text.find(['/', '@']).ok_or(NotABreakerKey)?;
        let (service, rest) = text.split_at(at);
        let service = service.parse().map_err(|_| NotABreakerKey)?;
        match rest.split_at(1) {
            (_, "") => Err(NotABreakerKey),
            ("/", operation) => Ok(Self::Operation { service, operation: operation.to_owned() }),
            (_, instance) => Ok(Self::Instance { service, instance: instance.to_owned() }),
        }
    }
}

impl fmt::Display for BreakerKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Operation { service, operation } => write!(formatter, "{service}/{operation}"),
            Self::Instance { service, instance } => write!(formatter, "{service}@{instance}"),
        }
    }
}

impl fmt::Display for NotABreakerKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a breaker is named SERVICE/OPERATION or SERVICE@INSTANCE")
    }
}

impl std::error::Error for NotABreakerKey {}

impl fmt::Display for UnknownBreaker {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "there is no breaker `{}`", self.0)
    }
}

impl std::error::Error for UnknownBreaker {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_as_it_is_written() {
        for text in ["token/default", "token@a", "token@127.0.0.1:3000", "token@unix:/run/a.sock"] {
            assert_eq!(text.parse::<BreakerKey>().unwrap().to_string(), text);
        }
        for text in ["", "token", "token/", "token@", "/default", "Token/default", "a b/c"] {
            assert_eq!(text.parse::<BreakerKey>(), Err(NotABreakerKey), "{text}");
        }
    }

    #[test]
    fn a_note_is_told_only_while_the_state_is_held_by_hand() {
        let note = ManualNote::default();
        let since = SystemTime::UNIX_EPOCH;
        let manual = Manual { who: "uid 0".into(), why: "drill".into(), since };
        note.write(Some(manual.clone()));
        assert_eq!(note.read(State::ForcedOpen), Some(manual));
        assert_eq!(note.read(State::Closed), None, "the command ran out");
    }
}
