//! Whether a request can be sent twice.

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
