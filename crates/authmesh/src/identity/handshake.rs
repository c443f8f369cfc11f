//! How handshakes end, as words, and how often each way.

use std::error::Error as StdError;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::{fmt, io};

use authmesh_logic::identity::{SpiffeId, SvidFault};
use rustls::{AlertDescription, CertificateError, Error, InvalidMessage, OtherError};

/// Which side of a handshake this mesh was on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// It was called.
    Inbound,
    /// It called.
    Outbound,
}

/// How a handshake ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandshakeEnd {
    /// Both sides are content.
    Done,
    /// The peer's certificate proves nothing.
    Refused(SvidFault),
    /// The peer proved another identity than the one that is wanted.
    IdentityMismatch,
    /// The peer showed no certificate and must.
    NoCertificate,
    /// This mesh has no certificate that holds, or believes nobody.
    NoIdentity,
    /// The peer speaks without TLS.
    Plaintext,
    /// The peer refused, perhaps this mesh's certificate.
    RefusedByPeer,
    /// It took too long.
    TimedOut,
    /// The connection broke.
    Broken,
    /// The sides have no version, group or protocol in common, or one does not keep to them.
    Protocol,
}

/// A handshake that failed.
#[derive(Debug)]
pub struct HandshakeFault {
    /// How it ended.
    pub end: HandshakeEnd,
    cause: io::Error,
}

impl Side {
    /// The word of metrics and logs.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Inbound => "inbound",
            Self::Outbound => "outbound",
        }
    }
}

impl HandshakeEnd {
    /// The ends that are not about what is in the peer's certificate.
    const OTHERS: [Self; 9] = [
        Self::Done,
        Self::IdentityMismatch,
        Self::NoCertificate,
        Self::NoIdentity,
        Self::Plaintext,
        Self::RefusedByPeer,
        Self::TimedOut,
        Self::Broken,
        Self::Protocol,
    ];

    /// Every end.
    pub fn all() -> impl Iterator<Item = Self> {
        let refused = SvidFault::ALL.iter().map(|fault| Self::Refused(*fault));
        Self::OTHERS.into_iter().chain(refused)
    }

    /// The word of metrics and logs.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Done => "ok",
            Self::Refused(fault) => fault.word(),
            Self::IdentityMismatch => "identity_mismatch",
            Self::NoCertificate => "no_certificate",
            Self::NoIdentity => "no_identity",
            Self::Plaintext => "plaintext",
            Self::RefusedByPeer => "refused_by_peer",
            Self::TimedOut => "timeout",
            Self::Broken => "broken",
            Self::Protocol => "protocol",
        }
    }

    /// How a handshake ended that gave this error.
    #[must_use]
    pub fn of(error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::TimedOut {
            return Self::TimedOut;
        }
        let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<Error>());
        match cause {
            None => Self::Broken,
            Some(Error::InvalidCertificate(error)) => Self::of_certificate(error),
            Some(Error::NoCertificatesPresented) => Self::NoCertificate,
            Some(Error::AlertReceived(_)) => Self::RefusedByPeer,
            Some(Error::InvalidMessage(InvalidMessage::InvalidContentType)) => Self::Plaintext,
            Some(Error::General(words)) if words == NO_IDENTITY => Self::NoIdentity,
            Some(_) => Self::Protocol,
        }
    }

    fn of_certificate(error: &CertificateError) -> Self {
        match error {
            CertificateError::Other(OtherError(cause)) => {
                if let Some(fault) = cause.downcast_ref::<SvidFault>() {
                    Self::Refused(*fault)
                } else if cause.is::<Mismatch>() {
                    Self::IdentityMismatch
                } else {
                    Self::Protocol
                }
            }
            CertificateError::Expired => Self::Refused(SvidFault::Expired),
            CertificateError::NotValidYet => Self::Refused(SvidFault::NotYetValid),
            CertificateError::Revoked => Self::Refused(SvidFault::Revoked),
            CertificateError::UnknownIssuer => Self::Refused(SvidFault::UnknownAuthority),
            _ => Self::Protocol,
        }
    }

    fn place(self) -> usize {
        match self {
            Self::Refused(fault) => Self::OTHERS.len() + fault as usize,
            other => Self::OTHERS.iter().position(|known| *known == other).unwrap_or(0),
        }
    }
}

impl HandshakeFault {
    pub(crate) fn of(cause: io::Error) -> Self {
        Self { end: HandshakeEnd::of(&cause), cause }
    }

    /// This mesh itself has nothing to show.
    pub(crate) fn no_identity() -> Self {
        let cause = io::Error::other("this mesh has no certificate that holds");
        Self { end: HandshakeEnd::NoIdentity, cause }
    }

    /// Whether this mesh itself had nothing to prove itself with.
    #[must_use]
    pub fn is_own(&self) -> bool {
        self.end == HandshakeEnd::NoIdentity
    }

    /// Who the peer proved to be, if that is somebody else than is wanted.
    pub(crate) fn proved(&self) -> Option<&SpiffeId> {
        match self.told()? {
            Error::InvalidCertificate(CertificateError::Other(OtherError(cause))) => {
                cause.downcast_ref::<Mismatch>().map(|mismatch| &mismatch.proved)
            }
            _ => None,
        }
    }

    /// With which alert the peer refused.
    pub(crate) fn alert(&self) -> Option<AlertDescription> {
        match self.told()? {
            Error::AlertReceived(alert) => Some(*alert),
            _ => None,
        }
    }

    fn told(&self) -> Option<&Error> {
        self.cause.get_ref()?.downcast_ref()
    }

    /// Whether the peer failed to prove who it is.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        matches!(self.end, HandshakeEnd::Refused(_) | HandshakeEnd::IdentityMismatch)
    }
}

impl fmt::Display for HandshakeFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the TLS handshake failed ({}): {}", self.end.word(), self.cause)
    }
}

impl StdError for HandshakeFault {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.cause)
    }
}

/// A peer that is not who it must be.
#[derive(Debug)]
pub(super) struct Mismatch {
    pub(super) wanted: SpiffeId,
    pub(super) proved: SpiffeId,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the peer is `{}`, not `{}`", self.proved, self.wanted)
    }
}

impl StdError for Mismatch {}

/// What is told to the TLS library where this mesh believes nobody.
const NO_IDENTITY: &str = "this mesh believes nobody";

/// The error by which a handshake is refused because this mesh believes nobody.
pub(super) fn no_identity() -> Error {
    Error::General(NO_IDENTITY.to_owned())
}

/// The error by which a handshake is refused for a peer's certificate, with the alert that tells
/// the peer most.
pub(super) fn refused(fault: SvidFault) -> Error {
    Error::InvalidCertificate(match fault {
        SvidFault::Expired => CertificateError::Expired,
        SvidFault::NotYetValid => CertificateError::NotValidYet,
        SvidFault::Revoked => CertificateError::Revoked,
        SvidFault::UnknownAuthority => CertificateError::UnknownIssuer,
        other => CertificateError::Other(OtherError(Arc::new(other))),
    })
}

/// The error by which a handshake is refused because the peer is somebody else.
pub(super) fn mismatched(wanted: SpiffeId, proved: SpiffeId) -> Error {
    let cause = Arc::new(Mismatch { wanted, proved });
    Error::InvalidCertificate(CertificateError::Other(OtherError(cause)))
}

/// How often handshakes ended in each way.
pub(super) struct HandshakeCounters([Box<[AtomicU64]>; 2]);

impl HandshakeCounters {
    pub(super) fn new() -> Self {
        let side = || HandshakeEnd::all().map(|_| AtomicU64::new(0)).collect();
        Self([side(), side()])
    }

    pub(super) fn count(&self, side: Side, end: HandshakeEnd) {
        self.0[side as usize][end.place()].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn counted(&self, side: Side, end: HandshakeEnd) -> u64 {
        self.0[side as usize][end.place()].load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_end_has_a_word_and_a_counter_of_its_own() {
        let words: BTreeSet<_> = HandshakeEnd::all().map(HandshakeEnd::word).collect();
        assert_eq!(words.len(), HandshakeEnd::all().count());
        let counters = HandshakeCounters::new();
        for end in HandshakeEnd::all() {
            assert_eq!(counters.counted(Side::Inbound, end), 0, "{end:?}");
            counters.count(Side::Inbound, end);
            assert_eq!(counters.counted(Side::Inbound, end), 1, "{end:?}");
            assert_eq!(counters.counted(Side::Outbound, end), 0, "{end:?}");
        }
    }

    #[test]
    fn a_fault_that_went_through_the_tls_library_is_the_same_fault() {
        for fault in SvidFault::ALL {
            let error = io::Error::new(io::ErrorKind::InvalidData, refused(*fault));
            assert_eq!(HandshakeEnd::of(&error), HandshakeEnd::Refused(*fault));
            assert!(HandshakeFault::of(error).is_refusal());
        }
        let id = |text: &str| text.parse().unwrap();
        let error = mismatched(id("spiffe://a/b"), id("spiffe://a/c"));
        let fault = HandshakeFault::of(io::Error::new(io::ErrorKind::InvalidData, error));
        assert_eq!(fault.end, HandshakeEnd::IdentityMismatch);
        assert_eq!(fault.proved(), Some(&id("spiffe://a/c")));
        let error = io::Error::new(io::ErrorKind::InvalidData, no_identity());
        assert_eq!(HandshakeEnd::of(&error), HandshakeEnd::NoIdentity);
    }
}
