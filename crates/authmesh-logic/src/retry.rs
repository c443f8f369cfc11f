//! Whether another attempt is allowed, and at whose expense.

use core::time::Duration;

/// What a request may survive: whether it can be sent twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OperationClass {
    /// Sending it twice is as good as once.
    Idempotent,
    /// It is sent again only when the attempt provably was not processed.
    IfUnprocessed,
    /// It spends something: never sent again once a byte may have left, never a breaker's trial
    /// while an idempotent request could be.
    SingleUse,
}

impl OperationClass {
    /// Every class.
    pub const ALL: [Self; 3] = [Self::Idempotent, Self::IfUnprocessed, Self::SingleUse];

    /// The class of a request whose route declares none (RFC 9110 §9.2.2).
    #[must_use]
    pub fn of_method(method: &str) -> Self {
        match method {
            "GET" | "HEAD" | "OPTIONS" | "PUT" | "DELETE" => Self::Idempotent,
            _ => Self::IfUnprocessed,
        }
    }

    /// The word used in configuration and JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Idempotent => "idempotent",
            Self::IfUnprocessed => "if_unprocessed",
            Self::SingleUse => "single_use",
        }
    }
}

/// The settings of retries for one service or route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// How many attempts a request may have, the first included; at least 1.
    pub attempts: u32,
    /// How long one attempt may take to its response head; `None` is the request's own deadline.
    pub per_try: Option<Duration>,
    /// Only attempts that provably were not processed are tried again, whatever the class.
    pub only_if_unprocessed: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self { attempts: 3, per_try: None, only_if_unprocessed: false }
    }
}
