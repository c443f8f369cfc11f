//! Puts the pieces of a small message together before they are written.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A stream to which small messages are written in one piece.
///
/// A head and its short body come in two pieces. A list of pieces costs the kernel more to take than
/// copying some hundred bytes costs here; a large body goes on in pieces and is not copied.
#[derive(Debug)]
pub struct Gathered<S>(S);

/// The largest message that is put together, in bytes.
const LARGEST: usize = 1_024;

impl<S> Gathered<S> {
    /// A stream around `stream`.
    pub fn new(stream: S) -> Self {
        Self(stream)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Gathered<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Gathered<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let stream = Pin::new(&mut self.0);
        if let [only] = slices {
            return stream.poll_write(context, only);
        }
        if slices.iter().map(|slice| slice.len()).sum::<usize>() > LARGEST {
            return stream.poll_write_vectored(context, slices);
        }
        let mut whole = [0; LARGEST];
        let mut length = 0;
        for slice in slices {
            whole[length..length + slice.len()].copy_from_slice(slice);
            length += slice.len();
        }
        stream.poll_write(context, &whole[..length])
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Notes the length of each piece that is written.
    #[derive(Default)]
    struct Writes {
        plain: Vec<usize>,
        bytes: Vec<u8>,
        lists: Vec<usize>,
    }

    impl AsyncWrite for Writes {
        fn poll_write(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            self.plain.push(bytes.len());
            self.bytes.extend_from_slice(bytes);
            Poll::Ready(Ok(bytes.len()))
        }

        fn poll_write_vectored(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            slices: &[IoSlice<'_>],
        ) -> Poll<io::Result<usize>> {
            self.lists.push(slices.len());
            Poll::Ready(Ok(slices.iter().map(|slice| slice.len()).sum()))
        }

        fn is_write_vectored(&self) -> bool {
            true
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    fn written(pieces: &[&[u8]]) -> Writes {
        let mut stream = Gathered::new(Writes::default());
        assert!(stream.is_write_vectored());
        let slices: Vec<IoSlice<'_>> = pieces.iter().map(|piece| IoSlice::new(piece)).collect();
        let mut nobody = Context::from_waker(std::task::Waker::noop());
        let whole: usize = pieces.iter().map(|piece| piece.len()).sum();
        match Pin::new(&mut stream).poll_write_vectored(&mut nobody, &slices) {
            Poll::Ready(Ok(length)) => assert_eq!(length, whole),
            other => panic!("{other:?}"),
        }
        stream.0
    }

    #[test]
    fn small_pieces_are_written_in_one_and_large_ones_as_they_are() {
        let small = written(&[b"head", b"", b"body"]);
        assert_eq!((small.plain, small.lists), (vec![8], vec![]));
        assert_eq!(small.bytes, b"headbody");
        let large = vec![b'x'; LARGEST];
        let whole = written(&[b"", &large]);
        assert_eq!((whole.plain, whole.lists), (vec![LARGEST], vec![]));
        let more = written(&[b"h", &large]);
        assert_eq!((more.plain, more.lists), (vec![], vec![2]));
        let one = written(&[&vec![b'x'; 2 * LARGEST]]);
        assert_eq!((one.plain, one.lists), (vec![2 * LARGEST], vec![]));
        assert_eq!(written(&[]).plain, [0]);
    }
}
