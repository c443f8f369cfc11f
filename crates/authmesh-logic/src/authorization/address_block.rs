//! Blocks of addresses, as access rules name callers by them.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::covers::Covers;
use crate::hygiene::TrustedNetwork;

/// The addresses that begin with certain bits. An IPv4 block in IPv6 clothes (`::ffff:10.0.0.0/104`)
/// is the IPv4 block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AddressBlock {
    network: TrustedNetwork,
}

impl AddressBlock {
    /// The block of the first `prefix` bits of `address`; `None` if it has fewer bits. Bits behind
    /// the prefix do not count.
    #[must_use]
    pub fn new(address: IpAddr, prefix: u8) -> Option<Self> {
        /// The bits before the IPv4 address in its IPv6 clothes.
        const MAPPED: u8 = 96;
        let (address, prefix) = match (address, address.to_canonical()) {
            (IpAddr::V6(_), inner @ IpAddr::V4(_)) if (MAPPED..=128).contains(&prefix) => {
                (inner, prefix - MAPPED)
            }
            _ => (address, prefix),
        };
        let address = match address {
            IpAddr::V4(address) if prefix <= 32 => {
                let kept = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
                Ipv4Addr::from_bits(address.to_bits() & kept).into()
            }
            IpAddr::V6(address) if prefix <= 128 => {
                let kept = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
                Ipv6Addr::from_bits(address.to_bits() & kept).into()
            }
            _ => return None,
        };
        Some(Self { network: TrustedNetwork { address, prefix } })
    }

    /// Its first address.
    #[must_use]
    pub const fn address(&self) -> IpAddr {
        self.network.address
    }

    /// How many bits its addresses have in common.
    #[must_use]
    pub const fn prefix(&self) -> u8 {
        self.network.prefix
    }

    /// Whether this address lies in the block.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.network.contains(address)
    }
}

impl Covers for AddressBlock {
    fn covers(&self, other: &Self) -> bool {
        self.prefix() <= other.prefix() && self.contains(other.address())
    }
}

impl fmt::Display for AddressBlock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.address(), self.prefix())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    fn block(address: &str, prefix: u8) -> AddressBlock {
        AddressBlock::new(address.parse().unwrap(), prefix).unwrap()
    }

    #[test]
    fn a_block_contains_its_addresses_in_whatever_clothes() {
        let cases = [
            ("10.0.0.0", 8, "10.1.2.3", true),
            ("10.0.0.0", 8, "::ffff:10.1.2.3", true),
            ("10.0.0.0", 8, "11.0.0.0", false),
            ("::ffff:10.0.0.0", 104, "10.1.2.3", true),
            ("10.0.0.7", 32, "10.0.0.7", true),
            ("10.0.0.7", 32, "10.0.0.8", false),
            ("0.0.0.0", 0, "203.0.113.9", true),
            ("0.0.0.0", 0, "::1", false),
            ("fd00::", 8, "fd12::1", true),
            ("fd00::", 8, "fe80::1", false),
        ];
        for (address, prefix, asked, wanted) in cases {
            let found = block(address, prefix).contains(asked.parse().unwrap());
            assert_eq!(found, wanted, "{asked} in {address}/{prefix}");
        }
    }

    #[test]
    fn bits_behind_the_prefix_do_not_count_and_there_are_no_more_than_an_address_has() {
        assert_eq!(block("10.1.2.3", 8).to_string(), "10.0.0.0/8");
        assert_eq!(block("::ffff:10.1.2.3", 104).to_string(), "10.0.0.0/8");
        assert_eq!(AddressBlock::new("10.0.0.0".parse().unwrap(), 33), None);
        assert_eq!(AddressBlock::new("::".parse().unwrap(), 129), None);
    }

    #[test]
    fn a_block_covers_those_inside_it() {
        assert!(block("10.0.0.0", 8).covers(&block("10.1.0.0", 16)));
        assert!(block("10.0.0.0", 8).covers(&block("10.0.0.0", 8)));
        assert!(!block("10.1.0.0", 16).covers(&block("10.0.0.0", 8)));
        assert!(!block("0.0.0.0", 0).covers(&block("::", 0)));
    }
}
