//! Decides from which URLs keys may be fetched.

use core::net::IpAddr;

/// Why keys are not fetched from a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UrlFault {
    /// It is no URL with a host, or has a part that has no place here: a user or a fragment.
    NotAUrl,
    /// It is not encrypted and leads to another machine.
    NotEncrypted,
}

/// Judges a URL that keys are fetched from: `https`, or `http` to this machine itself.
///
/// # Errors
///
/// What is wrong with it.
pub fn check_key_url(url: &str) -> Result<(), UrlFault> {
    let is_plain = |byte: u8| (b'!'..=b'~').contains(&byte) && !b"\"<>\\^`{|}#".contains(&byte);
    if !url.bytes().all(is_plain) {
        return Err(UrlFault::NotAUrl);
    }
    let (scheme, rest) = url.split_once("://").ok_or(UrlFault::NotAUrl)?;
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    if host_of(authority).is_empty() || authority.contains('@') {
        return Err(UrlFault::NotAUrl);
    }
    match scheme {
        "https" => Ok(()),
        "http" if is_this_machine(host_of(authority)) => Ok(()),
        "http" => Err(UrlFault::NotEncrypted),
        _ => Err(UrlFault::NotAUrl),
    }
}

/// The host of an authority, without port and brackets.
fn host_of(authority: &str) -> &str {
    match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    }
}

/// Whether a host is this machine by its own word: whoever connects looks at the address again.
fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_encrypted_or_from_this_machine() {
        for (url, judged) in [
            ("https://idp.example/keys", Ok(())),
            ("https://idp:8443/keys?tenant=a", Ok(())),
            ("https://[2001:db8::1]:8443/", Ok(())),
            ("https://idp", Ok(())),
            ("http://127.0.0.1:8080/keys", Ok(())),
            ("http://[::1]/keys", Ok(())),
            ("http://localhost:8080/keys", Ok(())),
            ("http://idp/keys", Err(UrlFault::NotEncrypted)),
            ("http://127.0.0.1.evil.example/", Err(UrlFault::NotEncrypted)),
            ("http://localhost.evil.example/", Err(UrlFault::NotEncrypted)),
            ("http://10.0.0.1/", Err(UrlFault::NotEncrypted)),
            ("http://127.0.0.1@evil.example/", Err(UrlFault::NotAUrl)),
            ("https://user:secret@idp/keys", Err(UrlFault::NotAUrl)),
            ("https://idp/keys#a", Err(UrlFault::NotAUrl)),
            ("https://idp/a b", Err(UrlFault::NotAUrl)),
            ("https:///keys", Err(UrlFault::NotAUrl)),
            ("https://", Err(UrlFault::NotAUrl)),
            ("file:///etc/keys", Err(UrlFault::NotAUrl)),
            ("HTTPS://idp", Err(UrlFault::NotAUrl)),
            ("idp/keys", Err(UrlFault::NotAUrl)),
            ("", Err(UrlFault::NotAUrl)),
        ] {
            assert_eq!(check_key_url(url), judged, "{url}");
        }
    }
}
