//! Frames of HTTP/2 (RFC 9113 §4.1): written for a client, read from the proxy.

/// What opens a connection of a client: the preface and empty settings.
pub(super) fn preface() -> Vec<u8> {
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    bytes.extend(frame(SETTINGS, 0, 0, &[]));
    bytes
}

pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
pub(super) const PRIORITY: u8 = 2;
pub(super) const RST_STREAM: u8 = 3;
pub(super) const SETTINGS: u8 = 4;
pub(super) const PING: u8 = 6;
const GOAWAY: u8 = 7;
pub(super) const WINDOW_UPDATE: u8 = 8;
pub(super) const CONTINUATION: u8 = 9;

pub(super) const END_STREAM: u8 = 1;
pub(super) const END_HEADERS: u8 = 4;

/// One frame.
pub(super) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = payload.len().to_be_bytes()[5..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// Fields of a head, written out and put into no table (RFC 7541 §6.2.2).
pub(super) fn literal(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        text(&mut block, name);
        text(&mut block, value);
    }
    block
}

/// A field that is written out and put into the table, where its number is 62 (RFC 7541 §6.2.1).
pub(super) fn kept(name: &str, value: &str) -> Vec<u8> {
    let mut block = vec![0x40];
    text(&mut block, name);
    text(&mut block, value);
    block
}

/// The field that [`kept`] put into the table, once more (RFC 7541 §6.1).
pub(super) const AGAIN: u8 = 0x80 | 62;

fn text(block: &mut Vec<u8>, text: &str) {
    match u8::try_from(text.len()) {
        Ok(length) if length < 127 => block.push(length),
        _ => {
            // RFC 7541 §5.1: what does not fit seven bits follows in groups of seven.
            block.push(127);
            let mut rest = text.len() - 127;
            while rest >= 128 {
                block.push((rest % 128) as u8 | 128);
                rest /= 128;
            }
            block.push(rest as u8);
        }
    }
    block.extend(text.as_bytes());
}

/// What the proxy did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// Answered a stream with this status.
    Answered { stream: u32, status: u16 },
    /// Reset a stream with this error.
    Reset { stream: u32, error: u32 },
    /// Said that it takes no more, with this error.
    GoAway { error: u32 },
}

/// The events among the frames that these bytes begin with.
pub(super) fn events(bytes: &[u8]) -> Vec<Event> {
    let mut events = Vec::new();
    let mut rest = bytes;
    while let Some((head, payload)) = rest.split_at_checked(9) {
        let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
        let Some((payload, behind)) = payload.split_at_checked(length) else { break };
        let stream = number(&head[5..]);
        match head[3] {
            HEADERS => {
                events.extend(status(payload).map(|status| Event::Answered { stream, status }));
            }
            RST_STREAM => events.push(Event::Reset { stream, error: number(payload) }),
            GOAWAY => events.push(Event::GoAway { error: number(payload.get(4..).unwrap_or(&[])) }),
            _ => {}
        }
        rest = behind;
    }
    events
}

fn number(bytes: &[u8]) -> u32 {
    let first = bytes.first_chunk::<4>();
    first.map_or(0, |bytes| u32::from_be_bytes(*bytes))
}

/// The status, which is the first field of a block: by its number, or written out (RFC 7541 §6).
fn status(block: &[u8]) -> Option<u16> {
    const KNOWN: [u16; 7] = [200, 204, 206, 304, 400, 404, 500];
    const FIRST: u8 = 8;
    let (first, rest) = block.split_first()?;
    if first & 0x80 != 0 {
        return KNOWN.get(usize::from((first & 0x7f).checked_sub(FIRST)?)).copied();
    }
    if !matches!(first & 0x3f, 8..=14) {
        return None;
    }
    let (length, rest) = rest.split_first()?;
    let value = rest.get(..usize::from(length & 0x7f))?;
    if length & 0x80 == 0 {
        return std::str::from_utf8(value).ok()?.parse().ok();
    }
    digits(value)
}

/// Three digits in Huffman's code (RFC 7541 appendix B): five bits for 0 to 2, six for 3 to 9.
fn digits(value: &[u8]) -> Option<u16> {
    let mut bits = value.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1));
    let mut number = 0;
    for _ in 0..3 {
        let mut code = 0;
        for _ in 0..5 {
            code = code << 1 | bits.next()?;
        }
        let digit = match code {
            0..=2 => code,
            _ => (code << 1 | bits.next()?).checked_sub(0b01_1001 - 3)?,
        };
        number = number * 10 + u16::from(digit);
    }
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_read_in_each_of_its_forms() {
        assert_eq!(status(&[0x88]), Some(200));
        assert_eq!(status(&[0x8c]), Some(400));
        assert_eq!(status(&[0x08, 3, b'4', b'3', b'1']), Some(431));
        // `302` and `307` as RFC 7541 §C.6 writes them.
        assert_eq!(status(&[0x48, 0x82, 0x64, 0x02]), Some(302));
        assert_eq!(status(&[0x48, 0x83, 0x64, 0x0e, 0xff]), Some(307));
        assert_eq!(status(&[0x48, 0x82]), None);
    }

    #[test]
    fn events_are_told_in_their_order_and_half_a_frame_is_none() {
        let mut bytes = frame(HEADERS, END_HEADERS, 1, &[0x88]);
        bytes.extend(frame(DATA, 0, 1, b"ok"));
        bytes.extend(frame(RST_STREAM, 0, 3, &[0, 0, 0, 7]));
        bytes.extend(frame(GOAWAY, 0, 0, &[0, 0, 0, 3, 0, 0, 0, 11]));
        let wanted = [
            Event::Answered { stream: 1, status: 200 },
            Event::Reset { stream: 3, error: 7 },
            Event::GoAway { error: 11 },
        ];
        assert_eq!(events(&bytes), wanted);
        assert_eq!(events(&bytes[..bytes.len() - 1]), wanted[..2]);
    }
}
