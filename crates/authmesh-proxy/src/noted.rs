//! A client's stream as the connection sees it: what moves on it is noted, and a flood is not heard.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use authmesh::worker::Clock;
use authmesh_logic::hygiene::FrameWatch;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::activity::Activity;

/// A client's stream that notes the arrival of bytes and whether those that leave are taken, and that
/// no longer listens to a client that floods it.
pub(crate) struct Noted<S> {
    stream: S,
    activity: Arc<Activity>,
    frames: FrameWatch,
    /// How many bytes were thrown away since it stopped listening.
    discarded: Option<usize>,
}

/// `GOAWAY` with `ENHANCE_YOUR_CALM` (RFC 9113 §6.8). Its last stream is the highest there can be:
/// nothing is promised about requests that were begun.
const GO_AWAY: [u8; 17] = [0, 0, 8, 7, 0, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 11];

/// How many bytes a client that floods may still send, so that it gets to read why, before its
/// connection is closed.
const MOST_DISCARDED: usize = 1024 * 1024;

impl<S> Noted<S> {
    pub(crate) fn new(stream: S, activity: Arc<Activity>) -> Self {
        Self { stream, activity, frames: FrameWatch::new(Clock.now()), discarded: None }
    }
}

impl<S: AsyncRead + Unpin> Noted<S> {
    /// Reads to the client's end, or until it has had enough time to read what it was told.
    fn poll_discard(
        &mut self,
        context: &mut Context<'_>,
        mut discarded: usize,
    ) -> Poll<std::io::Result<()>> {
        let mut space = [0; 4 * 1024];
        while discarded < MOST_DISCARDED {
            let mut buffer = ReadBuf::new(&mut space);
            ready!(Pin::new(&mut self.stream).poll_read(context, &mut buffer))?;
            if buffer.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
            discarded += buffer.filled().len();
            self.discarded = Some(discarded);
        }
        Poll::Ready(Err(std::io::ErrorKind::InvalidData.into()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Noted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        if let Some(discarded) = self.discarded {
            return self.poll_discard(context, discarded);
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        if buffer.filled().len() > before {
            self.activity.note_bytes();
        }
        if self.frames.is_watching()
            && self.frames.read(&buffer.filled()[before..], Clock.now()).is_err()
        {
            tracing::warn!("a client floods its connection with frames that ask for nothing");
            self.activity.give_up();
            buffer.set_filled(before);
            // Said if there is room for it now: the connection ends either way.
            let _ = Pin::new(&mut self.stream).poll_write(context, &GO_AWAY);
            return self.poll_discard(context, 0);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Noted<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.activity.note_write(written)
    }

    fn poll_flush(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        let written = Pin::new(&mut self.stream).poll_flush(context);
        self.activity.note_write(written)
    }

    fn poll_shutdown(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        let written = Pin::new(&mut self.stream).poll_shutdown(context);
        self.activity.note_write(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.activity.note_write(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
