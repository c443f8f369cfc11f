//! A connection of a client while it brings only requests that can be passed on as they are.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use authmesh::worker::{Progress, RawHead, RawReply, with_scratch};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::answer::{write_head, write_refusal};
use super::outlet::Outlet;
use super::request::{Found, Taken, find};
use crate::activity::Activity;
use crate::entrance::Entrance;
use crate::refusal::Refusal;
use crate::table::Table;

/// The requests of one connection, one after another.
pub(crate) struct Session<'a, S> {
    stream: &'a mut S,
    activity: &'a Arc<Activity>,
    /// What has come and is not used up.
    input: Vec<u8>,
    head: RawHead,
    /// For the next request upstream.
    memory: Vec<u8>,
    outlet: Outlet,
}

/// How a session ended.
pub(crate) enum Ended {
    /// With its connection.
    Closed,
    /// With a request for the long way, of which these bytes have come.
    Odd(Vec<u8>),
}

/// How long a body is waited for whose head has come, so that both can be passed on together.
const BODY_PATIENCE: Duration = Duration::from_millis(100);

/// In how many pieces a request may come.
const MOST_PIECES: u32 = 16;

/// The memory of each kind that a connection keeps while it waits for a request, in bytes: most wait far
/// longer than they work, and what one large request took would stay with each.
const MOST_KEPT: usize = 8 * 1024;

/// How much is read ahead while an answer is waited for, in bytes.
const MOST_AHEAD: usize = 64 * 1024;

impl<'a, S: AsyncRead + AsyncWrite + Unpin> Session<'a, S> {
    pub(crate) fn new(stream: &'a mut S, activity: &'a Arc<Activity>) -> Self {
        let (input, memory) = (Vec::new(), Vec::new());
        Self {
            stream,
            activity,
            input,
            head: RawHead::default(),
            memory,
            outlet: Outlet::default(),
        }
    }

    /// Passes requests on until the connection ends or brings one for the long way. `entered` shows
    /// what the connection is served by when a request comes.
    pub(crate) async fn run(
        mut self,
        entered: impl Fn(&mut dyn FnMut(&Table, &Entrance<'_>)) + Send + Sync,
    ) -> Ended {
        loop {
            let taken = match self.next(&entered).await {
                Ok(Some(taken)) => taken,
                Ok(None) => return Ended::Odd(self.input),
                // It is ended in order all the same: over TLS its end has to be said.
                Err(_) => break,
            };
            let in_flight = self.activity.begin(false);
            // How a client ends its connection is its own affair.
            let Ok(false) = self.answer(taken).await else { break };
            drop(in_flight);
        }
        let _ = poll_fn(|context| Pin::new(&mut *self.stream).poll_shutdown(context)).await;
        Ended::Closed
    }

    /// The next request; `None` for the long way.
    async fn next(
        &mut self,
        entered: impl Fn(&mut dyn FnMut(&Table, &Entrance<'_>)) + Send + Sync,
    ) -> io::Result<Option<Taken>> {
        for _ in 0..MOST_PIECES {
            let mut found = Found::Part { lacks_body: false };
            if self.input.is_empty() {
                self.let_go();
            } else {
                let Self { head, input, memory, .. } = self;
                entered(&mut |table, entrance| found = find(table, entrance, head, input, memory));
            }
            let lacks_body = match found {
                Found::Whole(taken, length) => {
                    self.input.drain(..length);
                    return Ok(Some(taken));
                }
                Found::Odd => return Ok(None),
                Found::Part { lacks_body } => lacks_body,
            };
            let reading = poll_fn(|context| self.poll_input(context));
            let read = if lacks_body {
                // On the heap, as most requests come in one piece.
                Box::pin(tokio::time::timeout(BODY_PATIENCE, reading)).await
            } else {
                Ok(reading.await)
            };
            match read {
                Ok(Ok(0)) if self.input.is_empty() => {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                Ok(Ok(1..)) => {}
                Ok(Err(error)) => return Err(error),
                Ok(Ok(0)) | Err(_) => return Ok(None),
            }
        }
        Ok(None)
    }

    /// Lets go of what the last request took beyond the usual.
    fn let_go(&mut self) {
        for memory in [&mut self.input, &mut self.memory, self.outlet.begin()] {
            if memory.capacity() > MOST_KEPT {
                *memory = Vec::new();
            }
        }
    }

    /// Passes a request on and its answer back. Whether the connection is to end after that.
    async fn answer(&mut self, taken: Taken) -> io::Result<bool> {
        let Taken { service, request, request_id, closes } = taken;
        let sent = {
            let mut sending = pin!(service.send_raw(&request));
            poll_fn(|context| match sending.as_mut().poll(context) {
                Poll::Ready(sent) => Poll::Ready(Ok(sent)),
                Poll::Pending => self.poll_gone(context).map(Err),
            })
            .await?
        };
        let closes = closes || self.activity.is_ending();
        let refusal = match sent {
            Ok(reply) => match write_head(self.outlet.begin(), &reply, closes) {
                Ok(()) => {
                    self.pass_body(reply).await?;
                    self.memory = request.into_bytes();
                    return Ok(closes);
                }
                Err(refusal) => refusal,
            },
            Err(error) => {
                let request_id = request_id.value();
                tracing::debug!(%error, ?request_id, "request got no answer");
                Refusal::of(&error)
            }
        };
        let is_head = request.method() == "HEAD";
        let waiting = self.outlet.begin();
        let closes = write_refusal(waiting, refusal, &request_id.value(), is_head, closes);
        poll_fn(|context| self.outlet.poll_flush(self.stream, context)).await?;
        self.memory = request.into_bytes();
        Ok(closes)
    }

    /// Passes the body of an answer on behind what waits. Of one that breaks off all is passed on that
    /// came; the client learns from the end of its connection that it is not whole.
    async fn pass_body(&mut self, mut reply: RawReply) -> io::Result<()> {
        let end = reply.body_end();
        loop {
            let progress = poll_fn(|context| {
                let Self { stream, outlet, .. } = self;
                let took = reply.poll_body(context, &mut |context, data| {
                    outlet.take(*stream, context, data, end);
                });
                match took {
                    Poll::Ready(progress) => Poll::Ready(Ok(progress)),
                    Poll::Pending => {
                        // What has come is not held back until there is more.
                        if let Poll::Ready(Err(error)) = outlet.poll_flush(*stream, context) {
                            return Poll::Ready(Err(error));
                        }
                        self.poll_gone(context).map(Err)
                    }
                }
            });
            let progress = progress.await?;
            if let Ok(Progress::Ended) = progress {
                self.outlet.end(end);
            }
            poll_fn(|context| self.outlet.poll_flush(self.stream, context)).await?;
            match progress {
                Ok(Progress::More) => {}
                Ok(Progress::Ended) => return Ok(()),
                Err(error) => return Err(io::Error::other(error)),
            }
        }
    }

    /// Reads what there is. How much that was; 0 is the end, of the client's or of our own will.
    fn poll_input(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        // Empty lines before a request are none of it (RFC 9112 §2.2).
        let is_between = self.input.iter().all(|byte| matches!(byte, b'\r' | b'\n'));
        if self.activity.is_ending() && is_between {
            self.input.clear();
            return Poll::Ready(Ok(0));
        }
        self.poll_read(context)
    }

    /// Ready when the client has gone. What it sends meanwhile is read ahead.
    fn poll_gone(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        while self.input.len() < MOST_AHEAD {
            match ready!(self.poll_read(context)) {
                Ok(0) => return Poll::Ready(io::ErrorKind::UnexpectedEof.into()),
                Ok(_) => {}
                Err(error) => return Poll::Ready(error),
            }
        }
        Poll::Pending
    }

    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        with_scratch(|scratch| {
            let mut buffer = ReadBuf::new(scratch);
            ready!(Pin::new(&mut *self.stream).poll_read(context, &mut buffer))?;
            self.input.extend_from_slice(buffer.filled());
            Poll::Ready(Ok(buffer.filled().len()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_a_large_request_took_is_not_kept_while_there_is_none() {
        let (mut stream, _client) = tokio::io::duplex(64);
        let activity = Activity::new(Arc::default());
        let mut session = Session::new(&mut stream, &activity);
        for kept in [1_024, 64 * 1_024] {
            session.input.reserve(kept);
            session.memory.resize(kept, 0);
            session.outlet.begin().reserve(kept);
            {
                let mut waiting = pin!(session.next(|_| panic!("nothing has come")));
                poll_fn(|context| {
                    assert!(waiting.as_mut().poll(context).is_pending());
                    Poll::Ready(())
                })
                .await;
            }
            let held = [&session.input, &session.memory, &*session.outlet.begin()];
            assert!(held.iter().all(|memory| (memory.capacity() >= kept) == (kept < MOST_KEPT)));
        }
    }
}
