//! Judges an issuer's discovery document: where it says its keys are.

use super::Json;

/// Why a discovery document is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiscoveryFault {
    /// It is no object of JSON, or lacks a member.
    Malformed,
    /// It is another issuer's.
    WrongIssuer,
}

/// Where an issuer's document says that its keys are. It must be the document of exactly this issuer
/// (OpenID Connect Discovery 1.0 §4.3).
///
/// # Errors
///
/// What is wrong with the document.
pub fn jwks_uri<'a>(document: &'a Json, issuer: &str) -> Result<&'a str, DiscoveryFault> {
    let text = |name| document.member(name).and_then(Json::text).ok_or(DiscoveryFault::Malformed);
    if text("issuer")? != issuer {
        return Err(DiscoveryFault::WrongIssuer);
    }
    text("jwks_uri")
}

impl DiscoveryFault {
    /// Why, as a sentence.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Malformed => "the discovery document lacks `issuer` or `jwks_uri`",
            Self::WrongIssuer => "the discovery document is of another issuer",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::json::object;
    use super::*;

    #[test]
    fn a_document_is_believed_if_it_is_of_this_issuer() {
        let document = |issuer: &str| {
            object(&[("issuer", issuer.into()), ("jwks_uri", "https://idp/keys".into())])
        };
        assert_eq!(jwks_uri(&document("https://idp"), "https://idp"), Ok("https://idp/keys"));
        for issuer in ["https://idp/", "https://evil", "HTTPS://idp", ""] {
            let judged =
                jwks_uri(&document(issuer), "https://idp").map(Into::<std::string::String>::into);
            assert_eq!(judged, Err(DiscoveryFault::WrongIssuer), "{issuer}");
        }
        for document in [Json::Null, object(&[("issuer", "https://idp".into())])] {
            assert_eq!(jwks_uri(&document, "https://idp"), Err(DiscoveryFault::Malformed));
        }
    }
}
