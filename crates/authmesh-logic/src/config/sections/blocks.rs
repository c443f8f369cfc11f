//! Reads blocks of addresses.

use alloc::format;
use alloc::string::ToString;
use core::net::IpAddr;

use crate::authorization::AddressBlock;
use crate::config::findings::Written;
use crate::config::reader::Reader;
use crate::config::{Code, Problem};

/// The block that a text names, with a warning if bits behind its prefix are set.
pub(super) fn block(reader: &mut Reader<'_, '_>, text: Written<&str>) -> Option<AddressBlock> {
    let Some((address, prefix)) = parsed(text.value) else {
        let sentence = "this is not a network";
        let problem = Problem::new(Code::BadAddress, text.span, sentence);
        reader.report(problem.help("\"10.1.0.0/16\", \"fd00::/8\" or \"10.1.2.3\""));
        return None;
    };
    let block = AddressBlock::new(address, prefix)?;
    if block.address() != address.to_canonical() && block.address() != address {
        let sentence = format!("the network `{block}` is meant");
        reader.report(
            Problem::new(Code::HostBits, text.span, sentence)
                .note("bits behind the prefix are ignored")
                .help(format!("\"{block}\"")),
        );
    }
    Some(block)
}

fn parsed(text: &str) -> Option<(IpAddr, u8)> {
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let longest = if address.is_ipv4() { 32 } else { 128 };
    let prefix = match prefix {
        // `+8` and `08` are numbers to the parser and nothing to people.
        Some(text) => text.parse().ok().filter(|prefix: &u8| prefix.to_string() == text)?,
        None => longest,
    };
    (prefix <= longest).then_some((address, prefix))
}
