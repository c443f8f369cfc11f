//! Looks at one endpoint, in the way in which the mesh would speak to it.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::client::TlsStream;

use super::answer::{Answer, answer};
use super::targets::Target;
use crate::discovery::Address;
use crate::health::{self, Check, CheckResult};
use crate::identity::{Certificate, HandshakeEnd, HandshakeFault, Lifetime, Peer};

/// What was seen of an endpoint. Each step was taken only if those before it succeeded.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Why it takes no connection.
    pub(super) unreached: Option<String>,
    /// How it proved itself, if it had to.
    pub(super) proof: Option<Result<Proved, HandshakeFault>>,
    /// What it answered, or why it did not; `None` if it was not asked.
    pub(super) answer: Option<Result<Answer, String>>,
    /// Why the health check of its service fails.
    pub(super) unhealthy: Option<String>,
}

/// What an endpoint showed in a handshake that succeeded.
#[derive(Debug)]
pub(super) struct Proved {
    /// Who it is.
    pub(super) id: String,
    /// How long each certificate that it showed holds, its own first.
    pub(super) lifetimes: Vec<Lifetime>,
}

/// How long a peer may take to refuse this mesh after a handshake: in TLS 1.3 it judges the client's
/// certificate when the client is done.
const REFUSAL_LIMIT: Duration = Duration::from_millis(250);

/// Looks at an endpoint; takes at most a few times the limits of `target`.
pub(super) async fn look_at(target: &Target) -> Seen {
    let mut seen = match connect(target).await {
        Err(why) => return Seen { unreached: Some(why), ..Seen::default() },
        Ok(Connected::Refused(fault)) => {
            return Seen { proof: Some(Err(fault)), ..Seen::default() };
        }
        Ok(Connected::Bare(stream)) => {
            Seen { answer: ask(target, stream).await, ..Seen::default() }
        }
        Ok(Connected::Proved(stream)) => {
            let proved = Proved::of(&stream);
            let answer = ask(target, stream).await;
            let is_content = matches!(answer, Some(Ok(_)));
            let refusal = if is_content { None } else { refusal(target).await };
            match refusal {
                Some(fault) => return Seen { proof: Some(Err(fault)), ..Seen::default() },
                None => Seen { proof: Some(Ok(proved)), answer, ..Seen::default() },
            }
        }
    };
    seen.unhealthy = unhealthy(target).await;
    seen
}

/// How far a connection came.
enum Connected {
    Bare(Box<dyn Stream>),
    Proved(Box<TlsStream<Box<dyn Stream>>>),
    Refused(HandshakeFault),
}

/// Either kind of connection.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Connects, and lets the endpoint prove itself if it must, in the time that the mesh has for both.
async fn connect(target: &Target) -> Result<Connected, String> {
    let manner = &*target.manner;
    let limit = manner.connect_limit;
    let mut is_reached = false;
    let connecting = async {
        let stream: Box<dyn Stream> = match &target.address {
            Address::Tcp(address) => Box::new(TcpStream::connect(address).await?),
            Address::Unix(path) => Box::new(UnixStream::connect(&**path).await?),
        };
        is_reached = true;
        let Some(pin) = &target.pin else { return Ok(Connected::Bare(stream)) };
        Ok(match pin.secure(stream, &target.address, manner.protocol).await {
            Ok((stream, _)) => Connected::Proved(Box::new(stream)),
            Err(fault) => Connected::Refused(fault),
        })
    };
    match tokio::time::timeout(limit, connecting).await {
        Ok(connected) => connected.map_err(|error: io::Error| error.to_string()),
        Err(_) if is_reached => {
            Ok(Connected::Refused(HandshakeFault::of(io::ErrorKind::TimedOut.into())))
        }
        Err(_) => Err(format!("no connection within {limit:?}")),
    }
}

/// The answer, if requests are what is said there.
async fn ask<S>(target: &Target, stream: S) -> Option<Result<Answer, String>>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    match target.manner.is_http() {
        true => Some(answer(&target.manner, &target.address, stream).await),
        false => None,
    }
}

/// Whether the peer is content with this mesh's certificate, on a connection on which nothing is
/// said.
async fn refusal(target: &Target) -> Option<HandshakeFault> {
    let Ok(Connected::Proved(mut stream)) = connect(target).await else { return None };
    let heard = tokio::time::timeout(REFUSAL_LIMIT, stream.read_u8()).await;
    let error = heard.ok().and_then(Result::err)?;
    (HandshakeEnd::of(&error) == HandshakeEnd::RefusedByPeer).then(|| HandshakeFault::of(error))
}

/// Why the mesh's own check would fail.
async fn unhealthy(target: &Target) -> Option<String> {
    let policy = target.manner.health.as_ref().filter(|policy| policy.check != Check::Tcp)?;
    let evidence = health::probe(policy, &target.address, target.pin.as_ref()).await;
    (evidence.result != CheckResult::Pass).then(|| evidence.sentence(policy))
}

impl Proved {
    fn of<S>(stream: &TlsStream<S>) -> Self {
        let chain = stream.get_ref().1.peer_certificates().unwrap_or_default();
        let facts = chain.iter().filter_map(|der| Certificate::read(der).ok());
        let id = Peer::of_handshake(chain).map(|peer| peer.id.to_string());
        Self { id: id.unwrap_or_default(), lifetimes: facts.map(|facts| facts.lifetime).collect() }
    }
}
