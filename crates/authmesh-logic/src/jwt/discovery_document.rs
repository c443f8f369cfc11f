//! Judges an issuer's discovery document: where it says its keys are.

use super::{Json, check_key_url};

/// Why a discovery document is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiscoveryFault {
    /// It is no object of JSON, or lacks a member.
    Malformed,
    /// It is another issuer's.
    WrongIssuer,
    /// The keys lie where none are fetched from.
    UnsafeKeys,
}

/// Where an issuer's document says that its keys are. It must be the document of exactly this issuer
/// (OpenID Connect Discovery 1.0 §4.3), and must not lead from an encrypted place to one that is not.
///
/// # Errors
///
/// What is wrong with the document.
pub fn jwks_uri<'a>(document: &'a Json, issuer: &str) -> Result<&'a str, DiscoveryFault> {
    let text = |name| document.member(name).and_then(Json::text).ok_or(DiscoveryFault::Malformed);
    if text("issuer")? != issuer {
        return Err(DiscoveryFault::WrongIssuer);
    }
    let uri = text("jwks_uri")?;
    let is_weaker = issuer.starts_with("https:") && !uri.starts_with("https:");
    if is_weaker || check_key_url(uri).is_err() {
        return Err(DiscoveryFault::UnsafeKeys);
    }
    Ok(uri)
}

impl DiscoveryFault {
    /// Why, as a sentence.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Malformed => "the discovery document lacks `issuer` or `jwks_uri`",
            Self::WrongIssuer => "the discovery document is of another issuer",
            Self::UnsafeKeys => {
                "the discovery document says that keys lie where none are fetched from"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::json::object;
    use super::*;

    #[test]
    fn keys_lie_where_the_document_itself_would_be_fetched_from() {
        for (issuer, uri, is_safe) in [
            ("https://idp", "https://keys.example/a", true),
            ("https://idp", "http://127.0.0.1/a", false),
            ("https://idp", "http://idp/a", false),
            ("https://idp", "file:///etc/passwd", false),
            ("http://127.0.0.1:1", "http://127.0.0.1:2/a", true),
            ("http://127.0.0.1:1", "http://169.254.169.254/a", false),
        ] {
            let document = object(&[("issuer", issuer.into()), ("jwks_uri", uri.into())]);
            assert_eq!(jwks_uri(&document, issuer).is_ok(), is_safe, "{issuer} {uri}");
        }
    }

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
