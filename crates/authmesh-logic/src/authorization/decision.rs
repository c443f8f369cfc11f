//! What the rules answer, and why a rule does not hold.

/// What the rules say of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The answer.
    pub answer: Answer,
    /// The place of the rule that decided; `None` where none spoke of the request.
    pub rule: Option<usize>,
    /// The place of the first rule in shadow mode that would have changed the answer.
    pub shadow: Option<usize>,
}

/// Whether a request may pass, and on which ground.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// It may.
    Allowed,
    /// A rule denies it.
    DeniedBy,
    /// No rule allows it.
    NoAllowRule,
    /// No rule allows it, and one would if the caller had proved who it is.
    AuthenticationMissing,
    /// The caller brought a token that is not believed.
    AuthenticationInvalid,
    /// Whether the caller's token is to be believed cannot be told now.
    AuthenticationUnavailable,
}

/// Why a rule does not hold for a request; the later ones come nearer to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Miss {
    /// It is about another service.
    Service,
    /// It has no clause, so holds for nothing.
    NoClause,
    /// Another port.
    Port,
    /// The connection does not speak HTTP.
    NotHttp,
    /// Another method.
    Method,
    /// Another host.
    Host,
    /// Another path.
    Path,
    /// A header field is missing or says something else.
    Header,
    /// Another address at the other end of the connection.
    Peer,
    /// Another address of the client.
    Client,
    /// Another principal in the token.
    Token,
    /// Another identity.
    Identity,
    /// A claim is missing or says something else.
    Claim,
    /// There is no verified token.
    TokenMissing,
    /// No identity was proved.
    IdentityMissing,
}

impl Answer {
    /// Every answer that refuses.
    pub const REFUSALS: [Self; 5] = [
        Self::DeniedBy,
        Self::NoAllowRule,
        Self::AuthenticationMissing,
        Self::AuthenticationInvalid,
        Self::AuthenticationUnavailable,
    ];

    /// Whether the request may pass.
    #[must_use]
    pub const fn is_allowed(self) -> bool {
        matches!(self, Self::Allowed)
    }

    /// The reason told to the caller, and the label in metrics; `None` if it may pass.
    #[must_use]
    pub const fn reason(self) -> Option<&'static str> {
        match self {
            Self::Allowed => None,
            Self::DeniedBy => Some("denied_by"),
            Self::NoAllowRule => Some("no_allow_rule"),
            Self::AuthenticationMissing => Some("authn_missing"),
            Self::AuthenticationInvalid => Some("authn_invalid"),
            Self::AuthenticationUnavailable => Some("authn_unavailable"),
        }
    }
}

impl Miss {
    /// Whether all that is wanting is who calls.
    #[must_use]
    pub const fn is_of_authentication(self) -> bool {
        matches!(self, Self::TokenMissing | Self::IdentityMissing)
    }

    /// Why, in words that go on from "it does not hold: ".
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Service => "it is about another service",
            Self::NoClause => "it holds for nothing",
            Self::Port => "the connection came in on another port",
            Self::NotHttp => "the connection does not speak HTTP",
            Self::Method => "the method is another",
            Self::Host => "the host is another",
            Self::Path => "the path is another",
            Self::Header => "a header field is missing or has another value",
            Self::Peer => "the peer has another address",
            Self::Client => "the client has another address",
            Self::Token => "the token is about somebody else",
            Self::Identity => "the caller is somebody else",
            Self::Claim => "a claim is missing or has another value",
            Self::TokenMissing => "there is no verified token",
            Self::IdentityMissing => "the caller proved no identity",
        }
    }
}
