//! Where an instance or a listener is reached.

use alloc::boxed::Box;
use core::fmt;
use core::net::SocketAddr;
use core::str::FromStr;

/// A place to connect to or to listen on: `ip:port` or `unix:/absolute/path`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Address {
    /// TCP.
    Tcp(SocketAddr),
    /// A Unix stream socket, by absolute path.
    Unix(Box<str>),
}

/// Why a text is not an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressError {
    /// Neither `ip:port` nor `unix:/path`.
    NotAnAddress,
    /// The port is missing.
    PortMissing,
    /// An IPv6 address must stand in brackets when a port follows.
    BracketsMissing,
    /// A Unix path must be absolute.
    PathNotAbsolute,
    /// A Unix path may have at most 107 bytes and no NUL.
    PathUnusable,
}

impl Address {
    /// The longest path of a Unix socket, in bytes (`sun_path` less its NUL).
    pub const LONGEST_PATH: usize = 107;
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if let Some(path) = text.strip_prefix("unix:") {
            if !path.starts_with('/') {
                return Err(AddressError::PathNotAbsolute);
            }
            if path.len() > Self::LONGEST_PATH || path.contains('\0') {
                return Err(AddressError::PathUnusable);
            }
            return Ok(Self::Unix(path.into()));
        }
        if let Ok(address) = text.parse() {
            return Ok(Self::Tcp(address));
        }
        if text.parse::<core::net::IpAddr>().is_ok() {
            return Err(AddressError::PortMissing);
        }
        let seems_ipv6 = text.bytes().all(|byte| byte.is_ascii_hexdigit() || b":.".contains(&byte));
        if seems_ipv6 && text.matches(':').count() > 1 {
            return Err(AddressError::BracketsMissing);
        }
        Err(AddressError::NotAnAddress)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(formatter),
            Self::Unix(path) => write!(formatter, "unix:{path}"),
        }
    }
}

impl fmt::Display for AddressError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::NotAnAddress => "neither `ip:port` nor `unix:/path`",
            Self::PortMissing => "the port is missing",
            Self::BracketsMissing => "an IPv6 address with a port is written `[address]:port`",
            Self::PathNotAbsolute => "the path of a Unix socket must be absolute",
            Self::PathUnusable => "the path of a Unix socket has at most 107 bytes and no NUL",
        })
    }
}

impl core::error::Error for AddressError {}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn every_form_is_read_and_written_back() {
        for text in ["127.0.0.1:80", "[::1]:8443", "unix:/run/authmesh/login.sock"] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn each_fault_has_its_own_word() {
        let cases = [
            ("0.0.0.0", AddressError::PortMissing),
            ("::1", AddressError::PortMissing),
            ("::1:8443", AddressError::PortMissing),
            ("fe80::1:2:3:4:5:6:7:8443", AddressError::BracketsMissing),
            ("login:80", AddressError::NotAnAddress),
            ("http://10.0.0.1:80", AddressError::NotAnAddress),
            ("unix:run/x", AddressError::PathNotAbsolute),
            ("", AddressError::NotAnAddress),
        ];
        for (text, fault) in cases {
            assert_eq!(text.parse::<Address>(), Err(fault), "{text}");
        }
    }
}
