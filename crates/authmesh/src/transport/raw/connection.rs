//! One connection, and one exchange over it up to the head of the answer.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use authmesh_logic::Moment;
use authmesh_logic::framing::keeps_connection;
use authmesh_logic::request_head::HttpVersion;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::task::coop::unconstrained;

use super::super::connect::{Stream, connect};
use super::super::exchange_timer::ExchangeTimer;
use super::super::idle::Reusable;
use super::super::{ConnectionPolicy, OpenPlace, Transport, Unanswered, unasked_protocol};
use super::answer::AnswerHead;
use crate::error::BoxError;
use crate::identity::Proof;
use crate::raw_head::RawHead;
use crate::raw_request::RawRequest;
use crate::scratch::with_scratch;

/// A connection to an endpoint.
pub(crate) struct Connection {
    pub(super) stream: Stream,
    pub(super) timer: ExchangeTimer,
    pub(super) proof: Option<Proof>,
    pub(super) born: Moment,
    pub(super) _place: OpenPlace,
}

/// The most bytes of an answer's head.
const MOST_HEAD_BYTES: usize = 64 * 1024;

/// How much is read at once until the head is whole, in bytes: it is copied, and what follows is not.
const FIRST_READ: usize = 8 * 1024;

/// How much is written first, in bytes: one record of TLS. Of more than one some may have gone out when
/// the write fails, and none is told of.
const FIRST_WRITE: usize = 16 * 1024;

/// The most interim answers (RFC 9110 §15.2) before the final one.
const MOST_INTERIM: u32 = 16;

impl Reusable for Box<Connection> {
    async fn open(
        transport: &Transport,
        policy: &ConnectionPolicy,
        now: Moment,
    ) -> Result<Self, BoxError> {
        let (stream, proof) = connect(transport, policy.connect_timeout).await?;
        Ok(Self::new(Connection {
            stream,
            timer: ExchangeTimer::default(),
            proof,
            born: now,
            _place: transport.open_place(),
        }))
    }

    fn born(&self) -> Moment {
        self.born
    }

    /// Its endpoint must not have said anything either. Takes nothing from the stream of a connection
    /// that is good.
    fn is_good(&mut self, transport: &Transport, now: Moment, context: &mut Context<'_>) -> bool {
        let mut space = [0; 1];
        let mut buffer = ReadBuf::new(&mut space);
        let read = poll_fn(|context| Pin::new(&mut self.stream).poll_read(context, &mut buffer));
        // A task that has used up its budget would be told of a closed connection that nothing came.
        pin!(unconstrained(read)).poll(context).is_pending()
            && transport.still_holds(self.proof.as_ref(), now)
    }
}

impl Connection {
    /// Sends a request and reads the head of its answer, and what comes along with it. Nothing more of
    /// the request is sent once the answer is there.
    pub(super) async fn exchange(
        stream: &mut Stream,
        request: &RawRequest,
    ) -> Result<AnswerHead, Unanswered> {
        let mut answer = AnswerHead {
            head: RawHead::default(),
            bytes: Vec::new(),
            version: HttpVersion::Http11,
            status: 0,
            is_reusable: false,
        };
        let mut sending = Sending { request: request.bytes(), written: 0, is_done: false };
        match read_head(stream, &mut sending, &mut answer).await {
            Ok(()) => {
                answer.is_reusable &= sending.is_done;
                Ok(answer)
            }
            Err(cause) if sending.written == 0 => Err(Unanswered::Returned(cause)),
            Err(cause) => Err(Unanswered::Lost(cause)),
        }
    }
}

/// A request while it is being sent.
struct Sending<'a> {
    request: &'a [u8],
    written: usize,
    is_done: bool,
}

impl Sending<'_> {
    /// Writes what the endpoint takes; ready once that is all.
    fn poll(&mut self, stream: &mut Stream, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(rest) = self.request.get(self.written..).filter(|rest| !rest.is_empty()) {
            let most = if self.written == 0 { FIRST_WRITE } else { rest.len() };
            let some = rest.get(..most).unwrap_or(rest);
            match ready!(Pin::new(&mut *stream).poll_write(context, some))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                length => self.written += length,
            }
        }
        ready!(Pin::new(stream).poll_flush(context))?;
        self.is_done = true;
        Poll::Ready(Ok(()))
    }
}

/// Reads the final head of an answer into `answer`.
async fn read_head(
    stream: &mut Stream,
    sending: &mut Sending<'_>,
    answer: &mut AnswerHead,
) -> Result<(), BoxError> {
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
                if poll_fn(|context| poll_more(stream, sending, bytes, context)).await? == 0 {
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
                (answer.version, answer.status) = (version, status);
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

/// Reads what there is behind `bytes`, and goes on with what is sent meanwhile: an endpoint may say
/// something before it has taken the request. How much was read; 0 is the end.
fn poll_more(
    stream: &mut Stream,
    sending: &mut Sending<'_>,
    bytes: &mut Vec<u8>,
    context: &mut Context<'_>,
) -> Poll<io::Result<usize>> {
    if !sending.is_done
        && let Poll::Ready(Err(error)) = sending.poll(stream, context)
    {
        return Poll::Ready(Err(error));
    }
    with_scratch(|scratch| {
        let mut buffer = ReadBuf::new(&mut scratch[..FIRST_READ]);
        ready!(Pin::new(stream).poll_read(context, &mut buffer))?;
        bytes.extend_from_slice(buffer.filled());
        Poll::Ready(Ok(buffer.filled().len()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::UnixStream;

    /// What an endpoint does at its end of a connection.
    async fn exchanged<F: Future>(
        request: &RawRequest,
        endpoint: impl FnOnce(UnixStream) -> F,
    ) -> (Result<AnswerHead, Unanswered>, F::Output) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        // So small that no request goes out at once.
        socket2::SockRef::from(&ours).set_send_buffer_size(4 * 1024).unwrap();
        let mut stream = Stream::Unix(ours);
        let exchange = async { Connection::exchange(&mut stream, request).await };
        let both = async { tokio::join!(exchange, endpoint(theirs)) };
        tokio::time::timeout(Duration::from_secs(30), both).await.unwrap()
    }

    fn large() -> RawRequest {
        let length = 64 * 1024;
        let head = format!("POST / HTTP/1.1\r\ncontent-length: {length}\r\n\r\n");
        RawRequest::new([head.into_bytes(), vec![b'x'; length]].concat())
    }

    const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

    #[tokio::test]
    async fn an_interim_answer_does_not_end_the_request() {
        let request = large();
        let (answer, ()) = exchanged(&request, async |mut endpoint| {
            let mut came = vec![0; request.bytes().len()];
            let (first, rest) = came.split_at_mut(100);
            endpoint.read_exact(first).await.unwrap();
            endpoint.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.unwrap();
            endpoint.read_exact(rest).await.unwrap();
            endpoint.write_all(ANSWER).await.unwrap();
        })
        .await;
        let answer = answer.ok().unwrap();
        assert_eq!((answer.status, answer.is_reusable), (200, true));
    }

    #[tokio::test]
    async fn an_answer_that_comes_early_ends_the_request() {
        // The endpoint stays until its answer has been read.
        let (answer, _endpoint) = exchanged(&large(), async |mut endpoint| {
            endpoint.read_exact(&mut [0; 100]).await.unwrap();
            endpoint.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.unwrap();
            endpoint.write_all(ANSWER).await.unwrap();
            endpoint
        })
        .await;
        let answer = answer.ok().unwrap();
        assert_eq!((answer.status, answer.is_reusable), (200, false));
    }
}
