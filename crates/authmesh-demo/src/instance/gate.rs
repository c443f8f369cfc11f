//! A connection that stands still while its instance is frozen.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::fault::{Fault, FaultWatch};

/// A stream that neither reads nor writes while its instance is frozen. What arrives meanwhile
/// waits in the system's buffers.
pub(crate) struct Gate {
    stream: TcpStream,
    faults: FaultWatch,
    reading: Thaw,
    writing: Thaw,
}

/// A wait for the thaw, if one is going on.
type Thaw = Option<Pin<Box<dyn Future<Output = ()> + Send>>>;

impl Gate {
    pub(crate) fn new(stream: TcpStream, faults: FaultWatch) -> Self {
        Self { stream, faults, reading: None, writing: None }
    }
}

impl AsyncRead for Gate {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        ready!(pass(&mut this.reading, &this.faults, context));
        Pin::new(&mut this.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Gate {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        ready!(pass(&mut this.writing, &this.faults, context));
        Pin::new(&mut this.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// Ready once the instance is not frozen.
fn pass(waiting: &mut Thaw, faults: &FaultWatch, context: &mut Context<'_>) -> Poll<()> {
    if waiting.is_none() {
        if faults.now() != Fault::Frozen {
            return Poll::Ready(());
        }
        let mut faults = faults.clone();
        *waiting = Some(Box::pin(async move {
            faults.until(|fault| *fault != Fault::Frozen).await;
        }));
    }
    let thaw = waiting.as_mut().map(|thaw| thaw.as_mut().poll(context));
    if thaw.is_none_or(|thaw| thaw.is_ready()) {
        *waiting = None;
        return Poll::Ready(());
    }
    Poll::Pending
}
