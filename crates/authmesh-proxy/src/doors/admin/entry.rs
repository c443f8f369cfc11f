//! Decides who may enter the door for people.
//!
//! On a Unix socket the system says which user is at the other end. On TCP a token is asked for,
//! and what a web page could make a browser send is refused: a foreign `Host` (its name was made
//! to point to this machine), a foreign `Origin`, a cross-site fetch.

use std::fmt;

use authmesh::config::Secret;
use http::{HeaderMap, StatusCode, header};

use crate::doors::accept::Peer;
use crate::doors::web_page::{is_from_web_page, is_named_loopback};

/// Who may enter.
pub(crate) enum Entry {
    /// Processes of these users.
    Users(Vec<u32>),
    /// Who knows this token.
    Token(Secret),
}

/// Who entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Visitor {
    /// A process of this user.
    User(u32),
    /// Somebody on this machine who knows the token.
    TokenHolder,
}

/// Why somebody may not enter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TurnedAway {
    /// Not this user.
    User(u32),
    /// No token, or a wrong one.
    Token,
    /// Not by this name: the request may come from a web page.
    Host,
    /// From a web page.
    CrossSite,
    /// The configuration no longer has this door.
    Closed,
}

impl Entry {
    /// Lets a request in, or says why not.
    pub(crate) fn admit(&self, peer: &Peer, headers: &HeaderMap) -> Result<Visitor, TurnedAway> {
        if is_from_web_page(headers) {
            return Err(TurnedAway::CrossSite);
        }
        match (self, peer) {
            (Self::Users(users), Peer::User(user)) if users.contains(user) => {
                Ok(Visitor::User(*user))
            }
            (_, Peer::User(user)) => Err(TurnedAway::User(*user)),
            (Self::Token(token), Peer::Address(_)) => {
                if !is_named_loopback(headers) {
                    return Err(TurnedAway::Host);
                }
                let presented = bearer(headers).ok_or(TurnedAway::Token)?;
                if token.matches(presented) {
                    Ok(Visitor::TokenHolder)
                } else {
                    Err(TurnedAway::Token)
                }
            }
            // A certificate opens the door for workloads, never this one.
            (Self::Users(_), Peer::Address(_)) | (_, Peer::Workload(_)) => Err(TurnedAway::Token),
        }
    }
}

impl TurnedAway {
    pub(crate) const fn status(self) -> StatusCode {
        match self {
            Self::Token => StatusCode::UNAUTHORIZED,
            Self::User(_) | Self::Host | Self::CrossSite | Self::Closed => StatusCode::FORBIDDEN,
        }
    }

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Token => "unauthorized",
            Self::User(_) | Self::Host | Self::CrossSite | Self::Closed => "forbidden",
        }
    }
}

impl fmt::Display for TurnedAway {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(user) => write!(
                formatter,
                "user {user} may not enter; `admin.allow_uids` names who may, or the mesh's own \
                 user alone"
            ),
            Self::Token => formatter.write_str(
                "the token of `admin.token` is asked for, as `Authorization: Bearer TOKEN`",
            ),
            Self::Host => formatter.write_str("`Host` must be localhost or a loopback address"),
            Self::CrossSite => formatter.write_str("requests of web pages are refused"),
            Self::Closed => formatter.write_str("this door is closing"),
        }
    }
}

impl fmt::Display for Visitor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(user) => write!(formatter, "uid {user}"),
            Self::TokenHolder => formatter.write_str("token holder"),
        }
    }
}

fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let mut fields = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(field), None) = (fields.next(), fields.next()) else { return None };
    let (scheme, token) = field.as_bytes().split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then_some(token)
}

#[cfg(test)]
mod tests {
    use authmesh::config::SecretReference;

    use super::*;

    fn token_entry() -> Entry {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, "s3cret\n").unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
        let reference = SecretReference::File(path.to_str().unwrap().into());
        Entry::Token(Secret::fetch(&reference).ok().unwrap())
    }

    fn fields(fields: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (name.parse::<http::HeaderName>().unwrap(), http::HeaderValue::from_static(value))
        };
        fields.iter().map(pair).collect()
    }

    #[test]
    fn only_lawful_users_enter_by_the_socket() {
        let entry = Entry::Users(vec![7]);
        let none = HeaderMap::new();
        assert_eq!(entry.admit(&Peer::User(7), &none), Ok(Visitor::User(7)));
        assert_eq!(entry.admit(&Peer::User(8), &none), Err(TurnedAway::User(8)));
        assert_eq!(entry.admit(&Peer::User(0), &none), Err(TurnedAway::User(0)));
    }

    #[test]
    fn on_tcp_the_token_decides_and_web_pages_are_refused() {
        let (entry, peer) = (token_entry(), Peer::Address("127.0.0.1:5".parse().unwrap()));
        let good = ("authorization", "Bearer s3cret");
        let lawful = [
            fields(&[("host", "127.0.0.1:9901"), good]),
            fields(&[("host", "LOCALHOST"), good]),
            fields(&[("host", "[::1]:9901"), ("authorization", "bearer s3cret")]),
            fields(&[("host", "localhost"), good, ("sec-fetch-site", "same-origin")]),
        ];
        for fields in lawful {
            assert_eq!(entry.admit(&peer, &fields), Ok(Visitor::TokenHolder), "{fields:?}");
        }
        let local = ("host", "localhost:9901");
        let refused = [
            (fields(&[local]), TurnedAway::Token),
            (fields(&[local, ("authorization", "Bearer s3cre")]), TurnedAway::Token),
            (fields(&[local, ("authorization", "Bearer s3cretx")]), TurnedAway::Token),
            (fields(&[local, ("authorization", "Basic s3cret")]), TurnedAway::Token),
            (fields(&[local, ("authorization", "Bear")]), TurnedAway::Token),
            (fields(&[good]), TurnedAway::Host),
            (fields(&[("host", "evil.example"), good]), TurnedAway::Host),
            (fields(&[("host", "127.0.0.1.evil.example"), good]), TurnedAway::Host),
            (fields(&[("host", "localhost@evil.example"), good]), TurnedAway::Host),
            (fields(&[local, good, ("origin", "http://evil.example")]), TurnedAway::CrossSite),
            (fields(&[local, good, ("origin", "null")]), TurnedAway::CrossSite),
            (fields(&[local, good, ("sec-fetch-site", "cross-site")]), TurnedAway::CrossSite),
            (fields(&[local, good, ("sec-fetch-site", "same-site")]), TurnedAway::CrossSite),
        ];
        for (fields, reason) in refused {
            assert_eq!(entry.admit(&peer, &fields), Err(reason), "{fields:?}");
        }
    }
}
