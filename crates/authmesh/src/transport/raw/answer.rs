//! The answer to a request as bytes: its head, and its body as it comes.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use authmesh_logic::framing::{BodyEnd, ChunkFault, Chunks, Piece, answer_body_end};
use authmesh_logic::request_head::HttpVersion;
use tokio::io::{AsyncRead, ReadBuf};

use super::connection::Connection;
use crate::raw_head::{RawFields, RawHead};
use crate::scratch::with_scratch;

/// The head of an answer, and what came along with it.
pub(super) struct AnswerHead {
    pub(super) head: RawHead,
    pub(super) bytes: Vec<u8>,
    pub(super) version: HttpVersion,
    pub(super) status: u16,
    /// Whether its connection may carry another request once the body has ended.
    pub(super) is_reusable: bool,
}

/// An answer and the connection it comes by.
pub(crate) struct RawAnswer {
    head: AnswerHead,
    connection: Box<Connection>,
    end: BodyEnd,
    body: Remaining,
    /// Up to where the bytes that came with the head were taken.
    taken: usize,
    /// Data that was read ahead, to be taken before any other.
    ahead: Vec<u8>,
}

/// What is still to come of a body.
enum Remaining {
    Length(u64),
    Chunks(Chunks),
    Connection,
    Nothing,
}

/// How far a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// More of it is to come.
    More,
    /// It has ended.
    Ended,
}

/// Why a body is not whole.
#[derive(Debug)]
pub(crate) enum BodyFault {
    /// Its connection broke, or ended before it did.
    Io(io::Error),
    /// It is not in chunks as it should be.
    Chunks(ChunkFault),
}

impl RawAnswer {
    /// The answer whose head came by `connection`; `None` if nothing tells where its body ends.
    /// `is_head`: the request's method was HEAD.
    pub(super) fn of(head: AnswerHead, connection: Box<Connection>, is_head: bool) -> Option<Self> {
        let fields = head.head.fields(&head.bytes);
        let end = answer_body_end(is_head, head.version, head.status, &fields)?;
        let body = match end {
            BodyEnd::Length(0) => Remaining::Nothing,
            BodyEnd::Length(length) => Remaining::Length(length),
            BodyEnd::Chunks => Remaining::Chunks(Chunks::default()),
            BodyEnd::Connection => Remaining::Connection,
        };
        let taken = head.head.end();
        Some(Self { head, connection, end, body, taken, ahead: Vec::new() })
    }

    pub(crate) fn status(&self) -> u16 {
        self.head.status
    }

    pub(crate) fn reason(&self) -> &[u8] {
        self.head.head.reason(&self.head.bytes)
    }

    pub(crate) fn fields(&self) -> RawFields<'_> {
        self.head.head.fields(&self.head.bytes)
    }

    /// Where its body ends.
    pub(crate) fn body_end(&self) -> BodyEnd {
        self.end
    }

    /// Whether all of its body was taken.
    pub(crate) fn is_ended(&self) -> bool {
        matches!(self.body, Remaining::Nothing) && self.ahead.is_empty()
    }

    /// The connection, if it may carry another request. Its body has ended.
    pub(crate) fn into_connection(self) -> Option<Box<Connection>> {
        // What nobody asked for may stand behind the body.
        let is_clean = self.taken == self.head.bytes.len();
        let may_go_on = self.head.is_reusable && is_clean && self.is_ended();
        may_go_on.then_some(self.connection)
    }

    /// Hands what has come of the body to `take`.
    pub(crate) fn poll_body(
        &mut self,
        context: &mut Context<'_>,
        take: &mut dyn FnMut(&mut Context<'_>, &[u8]),
    ) -> Poll<Result<Progress, BodyFault>> {
        if !self.ahead.is_empty() {
            take(context, &std::mem::take(&mut self.ahead));
            return Poll::Ready(Ok(self.body.progress()));
        }
        self.poll_coming(context, take)
    }

    /// Reads the whole body ahead, to be handed over all the same. `None` if it is longer than `most`
    /// bytes; what was read of it then is handed over too.
    pub(crate) async fn read_ahead(&mut self, most: usize) -> Result<Option<Vec<u8>>, BodyFault> {
        // Whoever says that it is too long need not be read at all.
        if matches!(self.body, Remaining::Length(length) if length > most as u64) {
            return Ok(None);
        }
        let mut ahead = Vec::new();
        let mut progress = self.body.progress();
        while progress == Progress::More && ahead.len() <= most {
            let read = poll_fn(|context| {
                self.poll_coming(context, &mut |_, data| ahead.extend_from_slice(data))
            });
            progress = read.await?;
        }
        let whole = (progress == Progress::Ended && ahead.len() <= most).then(|| ahead.clone());
        self.ahead = ahead;
        Ok(whole)
    }

    fn poll_coming(
        &mut self,
        context: &mut Context<'_>,
        take: &mut dyn FnMut(&mut Context<'_>, &[u8]),
    ) -> Poll<Result<Progress, BodyFault>> {
        let mut came_along = self.head.bytes.get(self.taken..).unwrap_or_default();
        if !came_along.is_empty() || matches!(self.body, Remaining::Nothing) {
            let fed = self.body.feed(&mut came_along, context, take);
            self.taken = self.head.bytes.len() - came_along.len();
            return Poll::Ready(fed);
        }
        with_scratch(|scratch| {
            let mut buffer = ReadBuf::new(scratch);
            ready!(Pin::new(&mut self.connection.stream).poll_read(context, &mut buffer))
                .map_err(BodyFault::Io)?;
            let mut read = buffer.filled();
            if read.is_empty() {
                return Poll::Ready(self.body.cut_off());
            }
            let fed = self.body.feed(&mut read, context, take);
            // What is left nobody asked for.
            self.head.is_reusable &= read.is_empty();
            Poll::Ready(fed)
        })
    }
}

impl Remaining {
    fn progress(&self) -> Progress {
        if matches!(self, Self::Nothing) { Progress::Ended } else { Progress::More }
    }

    /// Hands over what of `bytes` belongs to the body, and takes it off them.
    fn feed(
        &mut self,
        bytes: &mut &[u8],
        context: &mut Context<'_>,
        take: &mut dyn FnMut(&mut Context<'_>, &[u8]),
    ) -> Result<Progress, BodyFault> {
        match self {
            Self::Nothing => {}
            Self::Connection => take(context, std::mem::take(bytes)),
            Self::Length(left) => {
                let length = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                let (data, rest) = bytes.split_at(length);
                take(context, data);
                *bytes = rest;
                *left -= length as u64;
                if *left == 0 {
                    *self = Self::Nothing;
                }
            }
            Self::Chunks(chunks) => loop {
                match chunks.next(bytes).map_err(BodyFault::Chunks)? {
                    Piece::Data(data) => take(context, data),
                    Piece::More => break,
                    Piece::End => {
                        *self = Self::Nothing;
                        break;
                    }
                }
            },
        }
        Ok(self.progress())
    }

    /// The connection has ended.
    fn cut_off(&mut self) -> Result<Progress, BodyFault> {
        match self {
            Self::Nothing | Self::Connection => {
                *self = Self::Nothing;
                Ok(Progress::Ended)
            }
            Self::Length(_) | Self::Chunks(_) => {
                Err(BodyFault::Io(io::ErrorKind::UnexpectedEof.into()))
            }
        }
    }
}

impl fmt::Display for BodyFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(formatter, "the body of the answer broke off: {error}"),
            Self::Chunks(fault) => {
                write!(formatter, "the body of the answer is not in chunks: {}", fault.word())
            }
        }
    }
}

impl std::error::Error for BodyFault {}
