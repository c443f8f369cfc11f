//! Finds addresses that two listeners would fight for.

use alloc::collections::BTreeMap;
use alloc::format;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::findings::{Findings, Listening};
use super::{Code, Problem};
use crate::discovery::Address;

/// The places by port and address, so that as many as the file can hold are compared quickly.
type ByAddress<'a> = BTreeMap<(u16, IpAddr), &'a Listening>;

pub(super) fn report_overlaps(findings: &mut Findings) {
    let mut listening = core::mem::take(&mut findings.listening);
    listening.sort_by_key(|place| place.span);
    let mut by_address = ByAddress::new();
    let mut by_path: BTreeMap<&str, &Listening> = BTreeMap::new();
    for place in &listening {
        let first = match &place.address {
            // The system chooses another port for each.
            Address::Tcp(tcp) if tcp.port() == 0 => None,
            Address::Tcp(tcp) => {
                let first = overlapping(&by_address, tcp.port(), tcp.ip());
                by_address.entry((tcp.port(), tcp.ip())).or_insert(place);
                first
            }
            Address::Unix(path) => {
                let first = by_path.get(&**path).copied();
                by_path.entry(path).or_insert(place);
                first
            }
        };
        if let Some(first) = first {
            let sentence = if first.address == place.address {
                format!("`{}` is already used by {}", place.address, first.who)
            } else {
                format!("`{}` overlaps `{}` of {}", place.address, first.address, first.who)
            };
            findings.report(
                Problem::new(Code::AddressTwice, place.span, sentence)
                    .again(first.span, "first used here"),
            );
        }
    }
}

/// The place that takes connections to `ip`, or to which `ip` takes connections. `0.0.0.0` takes
/// those of IPv4, `[::]` those of both.
fn overlapping<'a>(known: &ByAddress<'a>, port: u16, ip: IpAddr) -> Option<&'a Listening> {
    let lowest = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    let highest_v4 = IpAddr::V4(Ipv4Addr::BROADCAST);
    let highest = IpAddr::V6(Ipv6Addr::from_bits(u128::MAX));
    let any = |last: IpAddr| known.range((port, lowest)..=(port, last)).next().map(|(_, it)| *it);
    let same = |ip: IpAddr| known.get(&(port, ip)).copied();
    match ip {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => any(highest_v4),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => any(highest),
        IpAddr::V4(_) => same(ip).or_else(|| same(lowest)),
        IpAddr::V6(_) => same(ip),
    }
    .or_else(|| same(IpAddr::V6(Ipv6Addr::UNSPECIFIED)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Span;
    use alloc::vec::Vec;

    #[test]
    fn two_places_overlap_when_a_connection_could_go_to_either() {
        for (first, second, overlaps) in [
            ("127.0.0.1:80", "127.0.0.1:80", true),
            ("127.0.0.1:80", "127.0.0.1:81", false),
            ("127.0.0.1:80", "127.0.0.2:80", false),
            ("0.0.0.0:80", "127.0.0.1:80", true),
            ("0.0.0.0:80", "[::1]:80", false),
            ("0.0.0.0:80", "[::]:80", true),
            ("[::]:80", "127.0.0.1:80", true),
            ("[::]:80", "[::1]:80", true),
            ("[::1]:80", "[::2]:80", false),
            ("127.0.0.1:0", "127.0.0.1:0", false),
            ("unix:/a", "unix:/a", true),
            ("unix:/a", "unix:/b", false),
            ("unix:/a", "127.0.0.1:80", false),
        ] {
            for pair in [[first, second], [second, first]] {
                let mut findings = Findings::default();
                let place = |(index, text): (u32, &str)| Listening {
                    address: text.parse().unwrap(),
                    span: Span { file: 0, start: index, end: index },
                    who: text.into(),
                };
                findings.listening = (0..).zip(pair).map(place).collect();
                report_overlaps(&mut findings);
                let places: Vec<u32> = findings.problems.iter().map(|it| it.span.start).collect();
                let wanted: &[u32] = if overlaps { &[1] } else { &[] };
                assert_eq!(places, wanted, "{pair:?}");
            }
        }
    }
}
