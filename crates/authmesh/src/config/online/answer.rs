//! Asks an endpoint for an answer, as harmlessly as HTTP can, and reads what time it says it is.

use std::error::Error as StdError;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use authmesh_logic::classify::http_date;
use authmesh_logic::config::Protocol;
use bytes::Bytes;
use http::header::{CONNECTION, DATE, HOST, USER_AGENT};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{Method, Request, Response, Uri};
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};

use super::targets::Manner;
use crate::clock::Clock;
use crate::discovery::Address;
use crate::error::BoxError;

/// An answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    /// Its status code; any is an answer.
    pub(super) status: u16,
    /// By how many seconds the endpoint's clock is ahead of the one here, as far as its date can
    /// tell: zero if it may be the same. `None` if it told no date.
    pub(super) ahead: Option<i64>,
}

/// How much is held while the head of an answer is read, in bytes.
const LONGEST_HEAD: usize = 64 * 1024;

/// How old a date may be that is just being sent: it has whole seconds, and servers make it once a
/// second.
const DATE_AGE: i64 = 2;

/// Asks `OPTIONS *`, which is about the server and no resource of it, and changes nothing (RFC 9110
/// §9.3.7). An error is why there is no answer, in words.
pub(super) async fn answer<S>(
    manner: &Manner,
    address: &Address,
    stream: S,
) -> Result<Answer, String>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let limit = manner.answer_limit;
    let before = Clock.time_of_day();
    let exchange = async {
        match manner.protocol {
            Protocol::Http1 => over_http1(address, stream).await,
            Protocol::Http2 => over_http2(address, stream).await,
        }
    };
    match tokio::time::timeout(limit, exchange).await {
        Ok(Ok(response)) => {
            let date = response.headers().get(DATE).and_then(|date| date.to_str().ok());
            let date = date.and_then(http_date);
            let ahead = date.map(|date| ahead(date, before, Clock.time_of_day()));
            Ok(Answer { status: response.status().as_u16(), ahead })
        }
        Ok(Err(error)) => Err(words(error.as_ref())),
        Err(_) => Err(format!("no answer within {limit:?}")),
    }
}

async fn over_http1<S>(address: &Address, stream: S) -> Result<Response<Incoming>, BoxError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let builder = request().uri("*").header(HOST, authority(address)).header(CONNECTION, "close");
    let request = builder.body(Empty::<Bytes>::new())?;
    let mut builder = http1::Builder::new();
    let (mut sender, connection) =
        builder.max_buf_size(LONGEST_HEAD).handshake(TokioIo::new(stream)).await?;
    // It ends with the sender or its peer; what is wrong with it, the request is told.
    tokio::spawn(connection);
    Ok(sender.send_request(request).await?)
}

async fn over_http2<S>(address: &Address, stream: S) -> Result<Response<Incoming>, BoxError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut parts = http::uri::Parts::default();
    parts.scheme = Some(Scheme::HTTP);
    parts.authority = Some(Authority::try_from(authority(address))?);
    parts.path_and_query = Some(PathAndQuery::from_static("*"));
    let request = request().uri(Uri::from_parts(parts)?).body(Empty::<Bytes>::new())?;
    let builder = http2::Builder::new(TokioExecutor::new());
    let (mut sender, connection) = builder.handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender.send_request(request).await?)
}

fn request() -> http::request::Builder {
    Request::builder().method(Method::OPTIONS).header(USER_AGENT, "authmesh-check")
}

fn authority(address: &Address) -> String {
    match address {
        Address::Tcp(address) => address.to_string(),
        Address::Unix(_) => "localhost".to_owned(),
    }
}

/// By how many seconds a clock is ahead that said `date` at some moment between two readings of the
/// one here; negative if it is behind, and zero if it may be neither.
fn ahead(date: u64, before: SystemTime, after: SystemTime) -> i64 {
    let seconds = |time: SystemTime| {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    };
    let date = i64::try_from(date).unwrap_or(i64::MAX);
    let (least, most) = (date.saturating_sub(seconds(after)), date.saturating_sub(seconds(before)));
    match (least, most.saturating_add(DATE_AGE)) {
        (least, _) if least > 0 => least,
        (_, most) if most < 0 => most,
        _ => 0,
    }
}

/// Why there is no answer: the error and what lies at its root, where that says more.
fn words(error: &(dyn StdError + 'static)) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !words.ends_with(&more) {
            words = format!("{words}: {more}");
        }
        cause = error.source();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_ahead_only_by_what_no_rounding_or_waiting_explains() {
        let at = |seconds: u64| UNIX_EPOCH + Duration::from_secs(seconds);
        for (date, before, after, wanted) in [
            (1_000, 1_000, 1_000, 0),
            (1_000, 1_002, 1_002, 0),
            (1_000, 1_003, 1_003, -1),
            (1_000, 1_000, 1_030, 0),
            (1_031, 1_000, 1_030, 1),
            (1_000, 4_602, 4_602, -3_600),
            (4_600, 1_000, 1_000, 3_600),
            (u64::MAX, 1_000, 1_000, i64::MAX - 1_000),
        ] {
            assert_eq!(ahead(date, at(before), at(after)), wanted, "{date} {before} {after}");
        }
    }
}
