//! One connection, and one exchange over it up to the head of the answer.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use authmesh_logic::Moment;
use authmesh_logic::framing::keeps_connection;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::task::coop::unconstrained;

use super::super::connect::Stream;
use super::super::exchange_timer::ExchangeTimer;
use super::super::{OpenPlace, Transport, Unanswered, unasked_protocol};
use super::answer::AnswerHead;
use crate::error::BoxError;
use crate::identity::Proof;
use crate::raw_request::RawRequest;
use crate::scratch::with_scratch;

/// A connection to an endpoint.
pub(crate) struct Connection {
    pub(super) stream: Stream,
    pub(super) timer: ExchangeTimer,
    pub(super) proof: Option<Proof>,
    pub(super) born: Moment,
    pub(super) used: Moment,
    pub(super) _place: OpenPlace,
}

/// The most bytes of an answer's head.
const MOST_HEAD_BYTES: usize = 64 * 1024;

/// How much is read at once until the head is whole, in bytes: it is copied, and what follows is not.
const FIRST_READ: usize = 8 * 1024;

/// The most interim answers (RFC 9110 §15.2) before the final one.
const MOST_INTERIM: u32 = 16;

impl Connection {
    /// Whether it may carry a further request: the endpoint has neither closed it nor said anything.
    /// Takes nothing from the stream of a connection that may.
    pub(super) fn is_good(
        &mut self,
        transport: &Transport,
        now: Moment,
        context: &mut Context<'_>,
    ) -> bool {
        let mut space = [0; 1];
        let mut buffer = ReadBuf::new(&mut space);
        let read = poll_fn(|context| Pin::new(&mut self.stream).poll_read(context, &mut buffer));
        // A task that has used up its budget would be told of a closed connection that nothing came.
        pin!(unconstrained(read)).poll(context).is_pending()
            && transport.still_holds(self.proof.as_ref(), now)
    }

    /// Sends a request and reads the head of its answer, and what comes along with it.
    pub(super) async fn exchange(
        stream: &mut Stream,
        request: &RawRequest,
    ) -> Result<AnswerHead, Unanswered> {
        let mut answer = AnswerHead::default();
        let mut written = 0;
        let sent =
            poll_fn(|context| poll_send(stream, request, &mut written, &mut answer, context));
        if let Err(error) = sent.await {
            return match written {
                0 => Err(Unanswered::Returned(error.into())),
                _ => Err(Unanswered::Lost(error.into())),
            };
        }
        let is_whole = written == request.bytes().len();
        if let Err(cause) = read_head(stream, &mut answer).await {
            return Err(Unanswered::Lost(cause));
        }
        answer.is_reusable &= is_whole;
        Ok(answer)
    }
}

/// Writes a request. Ready before it is written if the endpoint answers before: then nothing more of
/// it is wanted.
fn poll_send(
    stream: &mut Stream,
    request: &RawRequest,
    written: &mut usize,
    answer: &mut AnswerHead,
    context: &mut Context<'_>,
) -> Poll<io::Result<()>> {
    while let Some(rest) = request.bytes().get(*written..).filter(|rest| !rest.is_empty()) {
        match Pin::new(&mut *stream).poll_write(context, rest) {
            Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
            Poll::Ready(Ok(length)) => *written += length,
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            Poll::Pending => return poll_more(stream, &mut answer.bytes, context).map_ok(|_| ()),
        }
    }
    Pin::new(stream).poll_flush(context)
}

/// Reads the final head of an answer into `answer`.
async fn read_head(stream: &mut Stream, answer: &mut AnswerHead) -> Result<(), BoxError> {
    let mut interim = 0;
    // A head that comes in many pieces is not read again for each.
    let mut searched = None;
    loop {
        let AnswerHead { head, bytes, .. } = answer;
        let may_be_whole = searched.as_mut().is_none_or(|from| ends_head(bytes, from));
        let read = if may_be_whole { head.read_answer(bytes) } else { Ok(None) };
        match read.map_err(|_| "the answer is not HTTP/1.1")? {
            None if bytes.len() >= MOST_HEAD_BYTES => {
                return Err("the head of the answer is larger than allowed".into());
            }
            None => {
                if !bytes.is_empty() {
                    searched.get_or_insert(0);
                }
                if poll_fn(|context| poll_more(stream, bytes, context)).await? == 0 {
                    return Err(Box::new(io::Error::from(io::ErrorKind::UnexpectedEof)));
                }
            }
            Some((101, _)) => return Err(unasked_protocol()),
            Some((100..=199, _)) if interim == MOST_INTERIM => {
                return Err("the endpoint gives interim answers without end".into());
            }
            Some((100..=199, _)) => {
                interim += 1;
                searched = None;
                bytes.drain(..head.end());
            }
            Some((status, version)) => {
                answer.status = status;
                answer.is_reusable = keeps_connection(version, status, &head.fields(bytes));
                return Ok(());
            }
        }
    }
}

/// Whether an empty line stands in `bytes`; `searched` is where the search goes on.
fn ends_head(bytes: &[u8], searched: &mut usize) -> bool {
    let rest = bytes.get(*searched..).unwrap_or_default();
    *searched = bytes.len().saturating_sub(2);
    rest.windows(2).any(|pair| pair == b"\n\n") || rest.windows(3).any(|three| three == b"\n\r\n")
}

/// Reads what there is behind `bytes`. How much that was; 0 is the end.
fn poll_more(
    stream: &mut Stream,
    bytes: &mut Vec<u8>,
    context: &mut Context<'_>,
) -> Poll<io::Result<usize>> {
    with_scratch(|scratch| {
        let mut buffer = ReadBuf::new(&mut scratch[..FIRST_READ]);
        ready!(Pin::new(stream).poll_read(context, &mut buffer))?;
        bytes.extend_from_slice(buffer.filled());
        Poll::Ready(Ok(buffer.filled().len()))
    })
}
