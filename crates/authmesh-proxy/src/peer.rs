//! Who is at the other end of a client's connection, with what every request of it will say.

use std::net::IpAddr;

use http::HeaderValue;

/// The peer of a TCP connection.
pub(crate) struct Peer {
    /// Its address.
    pub(crate) address: IpAddr,
    /// The same as the value of a field, written once for all requests of the connection.
    pub(crate) text: HeaderValue,
}

impl Peer {
    pub(crate) fn at(address: IpAddr) -> Self {
        let address = address.to_canonical();
        // An address is lawful in a field.
        let text = HeaderValue::from_str(&address.to_string());
        Self { address, text: text.unwrap_or_else(|_| HeaderValue::from_static("unknown")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv4_address_in_ipv6_clothes_is_the_ipv4_address() {
        let peer = Peer::at("::ffff:10.0.0.7".parse().unwrap());
        assert_eq!(
            (peer.address.to_string().as_str(), &peer.text),
            ("10.0.0.7", &"10.0.0.7".parse().unwrap())
        );
    }
}
