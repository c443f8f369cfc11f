//! Takes the data out of a body in chunks (RFC 9112 §7.1), however its bytes arrive.

/// Reads a body in chunks.
///
/// Lines end with CRLF and nothing else. Chunk extensions are passed over, and so are the trailer
/// fields, up to [`MOST_OVERHEAD`] bytes of both together: whoever passes a body on may let go of
/// either (RFC 9112 §7.1.1, §7.1.2).
#[derive(Clone, Debug)]
pub struct Chunks {
    state: State,
    /// The rest of the chunk of now, or the size that is being read.
    left: u64,
    /// Bytes passed over since the body began that are neither data nor a size.
    overhead: u32,
}

/// What comes next in a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Data.
    Data(&'a [u8]),
    /// Nothing yet: all bytes are used up.
    More,
    /// The end; what is left in front belongs to the next message.
    End,
}

/// Why a body is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChunkFault {
    /// A size is missing, or no hexadecimal number that 64 bits hold.
    Size,
    /// A line does not end with CRLF, or data is not followed by it.
    LineEnd,
    /// There is more beside the data than the bound.
    TooMuchBeside,
}

/// How many bytes of extensions and trailer fields a body may have.
pub const MOST_OVERHEAD: u32 = 16 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before the first digit of a size.
    Size,
    /// Among the digits.
    Digits,
    /// Behind the digits, up to the line's end.
    Extension,
    /// Behind the carriage return of a size line.
    SizeLineFeed,
    Data,
    /// Behind a chunk's data.
    DataReturn,
    DataLineFeed,
    /// At the start of a trailer line, or of the empty line that ends the body.
    TrailerStart,
    Trailer,
    TrailerLineFeed,
    /// Behind the carriage return of the empty line.
    LastLineFeed,
    End,
}

impl Default for Chunks {
    fn default() -> Self {
        Self { state: State::Size, left: 0, overhead: 0 }
    }
}

impl Chunks {
    /// The next piece of `bytes`, from which what was used is taken off.
    ///
    /// # Errors
    ///
    /// Where the bytes are no such body. What follows cannot be read then.
    pub fn next<'a>(&mut self, bytes: &mut &'a [u8]) -> Result<Piece<'a>, ChunkFault> {
        loop {
            if self.state == State::End {
                return Ok(Piece::End);
            }
            if self.state == State::Data {
                return Ok(self.data(bytes));
            }
            let Some((&byte, rest)) = bytes.split_first() else { return Ok(Piece::More) };
            self.state = self.step(byte)?;
            *bytes = rest;
        }
    }

    fn data<'a>(&mut self, bytes: &mut &'a [u8]) -> Piece<'a> {
        let length = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
        if length == 0 {
            return Piece::More;
        }
        let (data, rest) = bytes.split_at(length);
        *bytes = rest;
        self.left -= length as u64;
        if self.left == 0 {
            self.state = State::DataReturn;
        }
        Piece::Data(data)
    }

    /// One byte beside the data.
    fn step(&mut self, byte: u8) -> Result<State, ChunkFault> {
        match (self.state, byte) {
            (State::Size, _) => {
                self.left = digit(byte).ok_or(ChunkFault::Size)?;
                Ok(State::Digits)
            }
            (State::Digits | State::Extension, b'\r') => Ok(State::SizeLineFeed),
            (State::Digits, b';' | b' ' | b'\t') => Ok(State::Extension),
            (State::Digits, _) => {
                let digit = digit(byte).ok_or(ChunkFault::Size)?;
                let longer = self.left.checked_mul(16).ok_or(ChunkFault::Size)?;
                self.left = longer | digit;
                Ok(State::Digits)
            }
            (State::SizeLineFeed, b'\n') if self.left == 0 => Ok(State::TrailerStart),
            (State::SizeLineFeed, b'\n') => Ok(State::Data),
            (State::DataReturn, b'\r') => Ok(State::DataLineFeed),
            (State::DataLineFeed, b'\n') => Ok(State::Size),
            (State::TrailerStart, b'\r') => Ok(State::LastLineFeed),
            (State::Trailer, b'\r') => Ok(State::TrailerLineFeed),
            (State::TrailerLineFeed, b'\n') => Ok(State::TrailerStart),
            (State::LastLineFeed, b'\n') => Ok(State::End),
            (State::Extension | State::TrailerStart | State::Trailer, b'\n') => {
                Err(ChunkFault::LineEnd)
            }
            (State::Extension, _) => self.pass_over(State::Extension),
            (State::TrailerStart | State::Trailer, _) => self.pass_over(State::Trailer),
            _ => Err(ChunkFault::LineEnd),
        }
    }

    fn pass_over(&mut self, state: State) -> Result<State, ChunkFault> {
        self.overhead += 1;
        if self.overhead > MOST_OVERHEAD { Err(ChunkFault::TooMuchBeside) } else { Ok(state) }
    }
}

impl ChunkFault {
    /// The word used in logs.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Size => "chunk_size",
            Self::LineEnd => "chunk_line_end",
            Self::TooMuchBeside => "chunk_too_much_beside",
        }
    }
}

fn digit(byte: u8) -> Option<u64> {
    char::from(byte).to_digit(16).map(u64::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::format;
    use std::vec::Vec;

    /// The data of a body that arrives in pieces of `size` bytes, and what is left behind its end.
    fn read(body: &[u8], size: usize) -> Result<Option<(Vec<u8>, usize)>, ChunkFault> {
        let mut chunks = Chunks::default();
        let mut whole = Vec::new();
        for (index, arrived) in body.chunks(size).enumerate() {
            let mut bytes = arrived;
            loop {
                match chunks.next(&mut bytes)? {
                    Piece::Data(data) => whole.extend_from_slice(data),
                    Piece::More => break,
                    Piece::End => {
                        let behind = body.len() - (index * size + arrived.len());
                        return Ok(Some((whole, behind + bytes.len())));
                    }
                }
            }
        }
        Ok(None)
    }

    #[test]
    fn sound_bodies_are_read_and_others_refused() {
        let text = |body: &str| read(body.as_bytes(), 1);
        let whole = |data: &str, behind| Ok(Some((data.as_bytes().to_vec(), behind)));
        assert_eq!(text("0\r\n\r\n"), whole("", 0));
        assert_eq!(text("3\r\nabc\r\n0\r\n\r\nHTTP"), whole("abc", 4));
        assert_eq!(text("0A;a=\"b\" \r\n0123456789\r\n00\r\n\r\n"), whole("0123456789", 0));
        assert_eq!(text("1 \r\na\r\n0\r\nA: b\r\nC: d\r\n\r\n"), whole("a", 0));
        assert_eq!(text("3\r\nabc\r\n0\r\n"), Ok(None));
        assert_eq!(text("3\r\nab"), Ok(None));
        assert_eq!(text("FFFFFFFFFFFFFFFF\r\n"), Ok(None));
        for (body, fault) in [
            ("\r\n", ChunkFault::Size),
            ("x\r\n", ChunkFault::Size),
            ("-1\r\n", ChunkFault::Size),
            ("0x1\r\n", ChunkFault::Size),
            ("10000000000000000\r\n", ChunkFault::Size),
            ("1\na", ChunkFault::Size),
            ("1;a\na", ChunkFault::LineEnd),
            ("1\ra", ChunkFault::LineEnd),
            ("1\r\nab", ChunkFault::LineEnd),
            ("1\r\na\n0", ChunkFault::LineEnd),
            ("1\r\na\r0", ChunkFault::LineEnd),
            ("0\r\n\n", ChunkFault::LineEnd),
            ("0\r\na: b\n\r\n", ChunkFault::LineEnd),
            ("0\r\n\r\r", ChunkFault::LineEnd),
        ] {
            assert_eq!(text(body), Err(fault), "{body:?}");
        }
    }

    #[test]
    fn what_stands_beside_the_data_is_bounded() {
        let most = MOST_OVERHEAD as usize;
        let with = |count: usize| format!("1;{}\r\na\r\n0\r\n\r\n", "x".repeat(count));
        assert!(read(with(most).as_bytes(), 64).is_ok());
        assert_eq!(read(with(most + 1).as_bytes(), 64), Err(ChunkFault::TooMuchBeside));
        let trailers = format!("0\r\n{}", "a: b\r\n".repeat(most));
        assert_eq!(read(trailers.as_bytes(), 64), Err(ChunkFault::TooMuchBeside));
    }

    proptest! {
        #[test]
        fn data_is_the_same_however_it_is_cut(
            data in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..40), 0..8),
            size in 1_usize..50,
        ) {
            let mut body = Vec::new();
            for chunk in &data {
                body.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                body.extend_from_slice(chunk);
                body.extend_from_slice(b"\r\n");
            }
            body.extend_from_slice(b"0\r\n\r\nbehind");
            prop_assert_eq!(read(&body, size), Ok(Some((data.concat(), 6))));
        }

        #[test]
        fn no_bytes_are_read_in_two_ways(bytes in "[0-2a\r\n;x]{0,24}", size in 1_usize..24) {
            prop_assert_eq!(read(bytes.as_bytes(), size), read(bytes.as_bytes(), 1));
        }
    }
}
