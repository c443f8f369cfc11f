//! What waits to be written to a client.

use std::io::{self, IoSlice, Write};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use authmesh_logic::framing::BodyEnd;
use tokio::io::AsyncWrite;

/// What waits to be written to a client; kept from answer to answer, so that its memory is.
#[derive(Default)]
pub(super) struct Outlet {
    waiting: Vec<u8>,
    written: usize,
}

/// Up to so many bytes are put behind what waits; more is written past it, so that it need not be
/// copied.
const SMALL: usize = 4 * 1024;

impl Outlet {
    /// Begins another answer; what waits of the last is given up.
    pub(super) fn begin(&mut self) -> &mut Vec<u8> {
        self.waiting.clear();
        self.written = 0;
        &mut self.waiting
    }

    /// Takes a piece of a body that ends so; writes what the client takes at once.
    pub(super) fn take<S: AsyncWrite + Unpin>(
        &mut self,
        stream: &mut S,
        context: &mut Context<'_>,
        data: &[u8],
        end: BodyEnd,
    ) {
        if !matches!(end, BodyEnd::Length(_)) {
            // Writing to memory cannot fail.
            let _ = write!(self.waiting, "{:x}\r\n", data.len());
            self.waiting.extend_from_slice(data);
            self.waiting.extend_from_slice(b"\r\n");
            return;
        }
        let mut rest = data;
        while rest.len() > SMALL {
            let waiting = self.waiting.get(self.written..).unwrap_or_default();
            let slices = [IoSlice::new(waiting), IoSlice::new(rest)];
            let pieces = if waiting.is_empty() { &slices[1..] } else { &slices };
            // A stream that fails now will fail again when what waits is written.
            let Poll::Ready(Ok(length @ 1..)) =
                Pin::new(&mut *stream).poll_write_vectored(context, pieces)
            else {
                break;
            };
            let from_waiting = length.min(waiting.len());
            self.advance(from_waiting);
            rest = rest.get(length - from_waiting..).unwrap_or_default();
        }
        self.waiting.extend_from_slice(rest);
    }

    /// The body has ended.
    pub(super) fn end(&mut self, end: BodyEnd) {
        if !matches!(end, BodyEnd::Length(_)) {
            self.waiting.extend_from_slice(b"0\r\n\r\n");
        }
    }

    /// Writes all that waits.
    pub(super) fn poll_flush<S: AsyncWrite + Unpin>(
        &mut self,
        stream: &mut S,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        while let Some(rest) = self.waiting.get(self.written..).filter(|rest| !rest.is_empty()) {
            match ready!(Pin::new(&mut *stream).poll_write(context, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                length => self.advance(length),
            }
        }
        Pin::new(stream).poll_flush(context)
    }

    fn advance(&mut self, length: usize) {
        self.written += length;
        if self.written == self.waiting.len() {
            self.waiting.clear();
            self.written = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Waker;

    /// Takes so many bytes at a time, and every other time none.
    struct Narrow {
        taken: Vec<u8>,
        width: usize,
        is_stopped: bool,
    }

    impl AsyncWrite for Narrow {
        fn poll_write(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            self.is_stopped = !self.is_stopped;
            if self.is_stopped {
                return Poll::Pending;
            }
            let length = bytes.len().min(self.width);
            self.taken.extend_from_slice(&bytes[..length]);
            Poll::Ready(Ok(length))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    fn written(width: usize, is_stopped: bool, pieces: &[&[u8]], end: BodyEnd) -> Vec<u8> {
        let mut stream = Narrow { taken: Vec::new(), width, is_stopped };
        let mut nobody = Context::from_waker(Waker::noop());
        let mut outlet = Outlet::default();
        outlet.begin().extend_from_slice(b"head");
        for piece in pieces {
            outlet.take(&mut stream, &mut nobody, piece, end);
        }
        outlet.end(end);
        while outlet.poll_flush(&mut stream, &mut nobody).is_pending() {}
        stream.taken
    }

    #[test]
    fn everything_goes_out_once_and_in_order_however_little_is_taken_at_a_time() {
        let large: Vec<u8> = (0..3 * SMALL).map(|place| place as u8).collect();
        let pieces: [&[u8]; 3] = [b"ab", &large, b"c"];
        let whole = [b"head".as_slice(), b"ab", &large, b"c"].concat();
        for width in [1, 3, 100, SMALL, 4 * SMALL] {
            for is_stopped in [false, true] {
                let taken = written(width, is_stopped, &pieces, BodyEnd::Length(0));
                assert!(taken == whole, "{width} {is_stopped}");
            }
        }
    }

    #[test]
    fn a_body_without_a_length_goes_out_in_chunks() {
        let taken = written(7, false, &[b"ab", b"0123456789abcdefg"], BodyEnd::Connection);
        assert_eq!(taken, b"head2\r\nab\r\n11\r\n0123456789abcdefg\r\n0\r\n\r\n");
    }
}
