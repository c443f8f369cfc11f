//! Where a request comes from, as far as the word of trusted proxies goes.

use alloc::string::String;
use core::fmt::Write;
use core::net::{IpAddr, SocketAddr};

use super::field::elements;
use crate::request_head::Fields;

/// A network whose proxies are believed: the first `prefix` bits of `address`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TrustedNetwork {
    /// The network's address.
    pub address: IpAddr,
    /// How many bits of it count.
    pub prefix: u8,
}

impl TrustedNetwork {
    /// Whether this address lies in the network. An IPv4 address in IPv6 clothes
    /// (`::ffff:10.0.0.1`) is the IPv4 address, on both sides.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        /// The bits before the IPv4 address in its IPv6 clothes.
        const MAPPED: u8 = 96;
        let (network, prefix) = match (self.address.to_canonical(), self.address) {
            (network @ IpAddr::V4(_), IpAddr::V6(_)) if self.prefix >= MAPPED => {
                (network, self.prefix - MAPPED)
            }
            _ => (self.address, self.prefix),
        };
        match (network, address.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let differing = network.to_bits() ^ address.to_bits();
                differing.leading_zeros() >= u32::from(prefix)
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let differing = network.to_bits() ^ address.to_bits();
                differing.leading_zeros() >= u32::from(prefix)
            }
            _ => false,
        }
    }
}

/// Where a request comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client {
    /// The address of the client, as far as trusted proxies vouch for it.
    pub address: IpAddr,
    /// Whether the peer is a trusted proxy: its other forwarding fields are believed too.
    pub from_trusted: bool,
    /// Whether `X-Forwarded-For` may travel on, with the peer added to it: a trusted peer sent it
    /// and every entry is an address.
    pub keeps_list: bool,
}

impl Client {
    /// Reads `X-Forwarded-For` from right to left, the way it was written: up to the first address
    /// that is no trusted proxy's. That is the client; what stands further left it may have made
    /// up. If all are trusted, the leftmost is. Where something unreadable comes first, and where
    /// the peer itself is not trusted, the peer is the client.
    #[must_use]
    pub fn of(peer: IpAddr, trusted: &[TrustedNetwork], fields: &dyn Fields) -> Self {
        let peer = peer.to_canonical();
        let is_trusted = |address: IpAddr| trusted.iter().any(|one| one.contains(address));
        if !is_trusted(peer) {
            return Self { address: peer, from_trusted: false, keeps_list: false };
        }
        // Walked from the left, because fields can be: the last untrusted or unreadable entry
        // decides, as it would be the first from the right.
        let (mut address, mut keeps_list) = (None, true);
        fields.each(&mut |name, value| {
            let is_list = name == "x-forwarded-for";
            for entry in elements(value).filter(|entry| is_list && !entry.is_empty()) {
                match address_of(entry) {
                    None => (address, keeps_list) = (Some(peer), false),
                    Some(entry) if !is_trusted(entry) => address = Some(entry),
                    Some(entry) => address = address.or(Some(entry)),
                }
            }
        });
        let keeps_list = keeps_list && address.is_some();
        Self { address: address.unwrap_or(peer), from_trusted: true, keeps_list }
    }

    /// Whether the `X-Forwarded-For` that goes upstream is nothing but the peer.
    #[must_use]
    pub fn is_peer_alone(&self, peer: IpAddr) -> bool {
        !self.keeps_list && self.address == peer.to_canonical()
    }

    /// Writes the `X-Forwarded-For` that goes upstream: the list that came, where it is kept, else
    /// the client vouched for; then the peer.
    pub fn write_forwarded_for(&self, peer: IpAddr, fields: &dyn Fields, list: &mut String) {
        if self.keeps_list {
            fields.each(&mut |name, value| {
                if name == "x-forwarded-for" {
                    elements(value)
                        .filter_map(|entry| core::str::from_utf8(entry).ok())
                        .filter(|entry| !entry.is_empty())
                        .for_each(|entry| append(list, entry));
                }
            });
        } else if self.address != peer.to_canonical() {
            append(list, self.address);
        }
        append(list, peer.to_canonical());
    }
}

fn append(list: &mut String, entry: impl core::fmt::Display) {
    let separator = if list.is_empty() { "" } else { ", " };
    // Writing to a string cannot fail.
    let _ = write!(list, "{separator}{entry}");
}

/// The address of one entry: with or without a port, brackets and zone.
fn address_of(entry: &[u8]) -> Option<IpAddr> {
    let text = core::str::from_utf8(entry).ok()?;
    let address = match text.strip_prefix('[') {
        Some(rest) => {
            let (inner, port) = rest.split_once(']')?;
            if !port.is_empty() {
                port.strip_prefix(':')?.parse::<u16>().ok()?;
            }
            let address = inner.split_once('%').map_or(inner, |(address, _zone)| address);
            IpAddr::V6(address.parse().ok()?)
        }
        None => match text.parse::<SocketAddr>() {
            Ok(with_port) => with_port.ip(),
            Err(_) => text.parse().ok()?,
        },
    };
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request_head::FieldList;
    use std::vec::Vec;

    fn network(text: &str) -> TrustedNetwork {
        let (address, prefix) = text.split_once('/').unwrap();
        TrustedNetwork { address: address.parse().unwrap(), prefix: prefix.parse().unwrap() }
    }

    #[test]
    fn a_network_contains_its_addresses_and_no_other() {
        let cases = [
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("10.0.0.0/8", "::ffff:10.0.0.1", true),
            ("10.0.0.7/32", "10.0.0.7", true),
            ("10.0.0.7/32", "10.0.0.6", false),
            ("0.0.0.0/0", "203.0.113.7", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("::/0", "2001:db8::1", true),
            ("::/0", "203.0.113.7", false),
            ("2001:db8::/32", "2001:db8:1::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("::ffff:10.0.0.0/104", "10.1.2.3", true),
            ("::ffff:10.0.0.0/104", "11.1.2.3", false),
        ];
        for (written, address, wanted) in cases {
            let found = network(written).contains(address.parse().unwrap());
            assert_eq!(found, wanted, "{address} in {written}");
        }
    }

    #[test]
    fn the_client_is_the_rightmost_address_nobody_trusted_vouches_against() {
        let trusted = [network("10.0.0.0/8"), network("fd00::/8")];
        // Peer, lists, client, what goes upstream.
        let cases: &[(&str, &[&str], &str, &str)] = &[
            ("203.0.113.7", &["1.2.3.4"], "203.0.113.7", "203.0.113.7"),
            ("203.0.113.7", &[], "203.0.113.7", "203.0.113.7"),
            ("10.0.0.2", &[], "10.0.0.2", "10.0.0.2"),
            ("10.0.0.2", &["10.0.0.9"], "10.0.0.9", "10.0.0.9, 10.0.0.2"),
            ("10.0.0.2", &["10.0.0.8, 10.0.0.9"], "10.0.0.8", "10.0.0.8, 10.0.0.9, 10.0.0.2"),
            ("10.0.0.2", &["1.2.3.4"], "1.2.3.4", "1.2.3.4, 10.0.0.2"),
            (
                "10.0.0.2",
                &["6.6.6.6, 1.2.3.4, 10.0.0.9"],
                "1.2.3.4",
                "6.6.6.6, 1.2.3.4, 10.0.0.9, 10.0.0.2",
            ),
            ("10.0.0.2", &["6.6.6.6", "1.2.3.4"], "1.2.3.4", "6.6.6.6, 1.2.3.4, 10.0.0.2"),
            ("10.0.0.2", &["unknown, <script>"], "10.0.0.2", "10.0.0.2"),
            ("10.0.0.2", &["1.2.3.4, <script>"], "10.0.0.2", "10.0.0.2"),
            ("10.0.0.2", &["1.2.3.4, <script>, 10.0.0.9"], "10.0.0.2", "10.0.0.2"),
            ("10.0.0.2", &["<script>, 1.2.3.4"], "1.2.3.4", "1.2.3.4, 10.0.0.2"),
            (
                "10.0.0.2",
                &["[2001:db8::1%25eth0]:4711"],
                "2001:db8::1",
                "[2001:db8::1%25eth0]:4711, 10.0.0.2",
            ),
            ("10.0.0.2", &["1.2.3.4:99,"], "1.2.3.4", "1.2.3.4:99, 10.0.0.2"),
            ("::ffff:10.0.0.2", &["1.2.3.4"], "1.2.3.4", "1.2.3.4, 10.0.0.2"),
            ("::ffff:203.0.113.7", &["1.2.3.4"], "203.0.113.7", "203.0.113.7"),
            ("fd00::1", &["2001:db8::1"], "2001:db8::1", "2001:db8::1, fd00::1"),
        ];
        for (peer, lists, address, upstream) in cases {
            let fields: Vec<_> = lists.iter().map(|list| ("x-forwarded-for", *list)).collect();
            let fields = &FieldList(&fields);
            let peer = peer.parse().unwrap();
            let client = Client::of(peer, &trusted, fields);
            assert_eq!(client.address, address.parse::<IpAddr>().unwrap(), "{peer} {lists:?}");
            assert_eq!(client.from_trusted, trusted.iter().any(|one| one.contains(peer)));
            let mut list = String::new();
            client.write_forwarded_for(peer, fields, &mut list);
            assert_eq!(list, *upstream, "{peer} {lists:?}");
        }
    }

    #[test]
    fn an_entry_is_an_address_or_nothing() {
        for text in ["1.2.3.4", "1.2.3.4:80", "[::1]", "[::1]:80", "::1", "[::1%eth0]"] {
            assert!(address_of(text.as_bytes()).is_some(), "{text}");
        }
        for text in ["unknown", "_hidden", "1.2.3", "[::1", "[::1]80", "[1.2.3.4]", "[::1]:x", "a"]
        {
            assert!(address_of(text.as_bytes()).is_none(), "{text}");
        }
    }
}
