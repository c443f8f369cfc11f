//! Notices an HTTP/2 client that sends frames which ask for nothing, faster than anyone needs to.

use core::time::Duration;

use crate::moment::Moment;

/// The frames that ask for nothing of which a connection may send so many in [`FRAME_WINDOW`].
pub const MOST_IDLE_FRAMES: u32 = 1_000;

/// In what time they are counted.
pub const FRAME_WINDOW: Duration = Duration::from_secs(1);

/// Watches the bytes of one client's connection. Once they are no HTTP/2 it looks no further.
///
/// Counted are `PRIORITY`, `PING`, `SETTINGS`, `DATA` without data that ends no stream, and frames of
/// unknown kinds: each costs the server work and brings it none. What opens, fills or ends a stream is
/// bounded with the streams, and `WINDOW_UPDATE` comes with what the server itself sends.
#[derive(Debug)]
pub struct FrameWatch {
    state: State,
    counted: u32,
    since: Moment,
}

/// The client floods the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameFlood;

/// What the next byte belongs to.
#[derive(Clone, Copy, Debug)]
enum State {
    /// The preface, of which so many bytes have come.
    Preface(usize),
    /// A frame's head, of which so many bytes have come.
    Head([u8; HEAD], usize),
    /// A payload of which so many bytes are left.
    Payload(usize),
    /// Another protocol.
    Other,
}

/// What every client of HTTP/2 says first (RFC 9113 §3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The bytes of a frame's head (RFC 9113 §4.1).
const HEAD: usize = 9;

impl FrameWatch {
    /// Of a connection that begins now.
    #[must_use]
    pub const fn new(now: Moment) -> Self {
        Self { state: State::Preface(0), counted: 0, since: now }
    }

    /// Whether there is anything to watch.
    #[must_use]
    pub const fn is_watching(&self) -> bool {
        !matches!(self.state, State::Other)
    }

    /// Takes in what the client sent, in pieces of any size.
    ///
    /// # Errors
    /// When it is a flood. What follows need not be looked at.
    pub fn read(&mut self, bytes: &[u8], now: Moment) -> Result<(), FrameFlood> {
        let mut rest = bytes;
        while let Some((&byte, behind)) = rest.split_first() {
            rest = behind;
            self.state = match self.state {
                State::Preface(seen) if PREFACE[seen] != byte => State::Other,
                State::Preface(seen) if seen + 1 < PREFACE.len() => State::Preface(seen + 1),
                State::Preface(_) => State::Head([0; HEAD], 0),
                State::Head(mut head, seen) => {
                    head[seen] = byte;
                    if seen + 1 < HEAD {
                        State::Head(head, seen + 1)
                    } else {
                        self.frame(head, now)?
                    }
                }
                State::Payload(left) => {
                    // This byte is the first of them.
                    let skipped = (left - 1).min(rest.len());
                    rest = &rest[skipped..];
                    payload(left - 1 - skipped)
                }
                State::Other => return Ok(()),
            };
        }
        Ok(())
    }

    fn frame(&mut self, head: [u8; HEAD], now: Moment) -> Result<State, FrameFlood> {
        let [a, b, c, kind, flags, ..] = head;
        let length = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
        if asks_for_nothing(kind, flags, length) {
            if now.since(self.since) >= FRAME_WINDOW {
                (self.counted, self.since) = (0, now);
            }
            self.counted += 1;
            if self.counted > MOST_IDLE_FRAMES {
                return Err(FrameFlood);
            }
        }
        Ok(payload(length))
    }
}

const fn payload(left: usize) -> State {
    if left == 0 { State::Head([0; HEAD], 0) } else { State::Payload(left) }
}

const fn asks_for_nothing(kind: u8, flags: u8, length: usize) -> bool {
    const END_STREAM: u8 = 1;
    match kind {
        // DATA
        0 => length == 0 && flags & END_STREAM == 0,
        // HEADERS, RST_STREAM, WINDOW_UPDATE, CONTINUATION
        1 | 3 | 8 | 9 => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    fn frame(kind: u8, flags: u8, length: u8) -> Vec<u8> {
        let mut bytes = std::vec![0, 0, length, kind, flags, 0, 0, 0, 1];
        bytes.resize(HEAD + usize::from(length), 0xff);
        bytes
    }

    /// Sends a frame again and again, in pieces; how many went through before the flood.
    fn lawful(kind: u8, flags: u8, length: u8, piece: usize) -> Option<usize> {
        let mut watch = FrameWatch::new(Moment::START);
        assert_eq!(watch.read(PREFACE, Moment::START), Ok(()));
        let bytes = frame(kind, flags, length).repeat(3_000);
        let mut read = 0;
        for piece in bytes.chunks(piece) {
            if watch.read(piece, Moment::START).is_err() {
                return Some(read / (HEAD + usize::from(length)));
            }
            read += piece.len();
        }
        None
    }

    #[test]
    fn frames_that_ask_for_nothing_are_counted_and_no_others() {
        // Kind, flags, length, whether it is counted.
        let cases = [
            (0, 0, 0, true),
            (0, 1, 0, false),
            (0, 0, 5, false),
            (1, 4, 5, false),
            (2, 0, 5, true),
            (3, 0, 4, false),
            (4, 0, 0, true),
            (6, 0, 8, true),
            (8, 0, 4, false),
            (9, 0, 5, false),
            (0xfa, 0, 3, true),
        ];
        for (kind, flags, length, is_counted) in cases {
            for piece in [1, 7, 9, 14, 100_000] {
                let lawful = lawful(kind, flags, length, piece);
                assert_eq!(lawful.is_some(), is_counted, "{kind} {flags} {length} {piece}");
                if piece == 1 && is_counted {
                    assert_eq!(lawful, Some(MOST_IDLE_FRAMES as usize), "{kind}");
                }
            }
        }
    }

    #[test]
    fn a_slow_stream_of_pings_is_no_flood() {
        let mut watch = FrameWatch::new(Moment::START);
        watch.read(PREFACE, Moment::START).unwrap();
        for second in 0..100 {
            let now = Moment::START + Duration::from_secs(second);
            assert_eq!(watch.read(&frame(6, 0, 8).repeat(999), now), Ok(()), "{second}");
        }
    }

    #[test]
    fn another_protocol_is_not_watched() {
        for bytes in [&b"GET / HTTP/1.1\r\n"[..], b"PRI / HTTP/1.1\r\n", b"\x16\x03"] {
            let mut watch = FrameWatch::new(Moment::START);
            assert!(watch.is_watching());
            assert_eq!(watch.read(bytes, Moment::START), Ok(()));
            assert!(!watch.is_watching());
        }
    }
}
