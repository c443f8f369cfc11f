//! A proxy with no feature at all, one thread for each core: the cost of hyper and the kernel.
//!
//! `bare-proxy THREADS HTTP1_ADDRESS HTTP2_ADDRESS [tls:FOLDER] UPSTREAM …` forwards to the upstreams
//! in turn over HTTP/1.1, each at `IP:PORT` or `unix:PATH`. With `tls:FOLDER` it takes HTTP/1.1 over
//! mutual TLS, with `gate.pem`, `gate.key` and `bundle.pem` of that folder. Each thread has its own runtime, its own
//! listeners (`SO_REUSEPORT`) and its own pools; nothing is shared.

mod address;

mod pool;

mod body;

mod secure;

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::thread;

use anyhow::{Context, Result};
use hyper::body::Incoming;
use hyper::header::{CONNECTION, HOST, HeaderValue};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::{Request, Response, Uri, Version};
use hyper_util::rt::{TokioExecutor, TokioIo};
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use crate::address::Address;
use crate::body::PooledBody;
use crate::pool::Upstreams;

/// How many connections may wait to be accepted.
const BACKLOG: i32 = 4096;

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [threads, http1, http2, upstreams @ ..] = words.as_slice() else {
        anyhow::bail!(
            "usage: bare-proxy THREADS HTTP1_ADDRESS HTTP2_ADDRESS [tls:FOLDER] UPSTREAM …"
        )
    };
    let (tls, upstreams) = match upstreams {
        [first, rest @ ..] if first.starts_with("tls:") => {
            (Some(secure::acceptor(Path::new(&first["tls:".len()..]))?), rest)
        }
        all => (None, all),
    };
    let threads: usize = threads.parse().context("THREADS is no number")?;
    let (http1, http2): (SocketAddr, SocketAddr) = (http1.parse()?, http2.parse()?);
    let upstreams: Vec<Address> =
        upstreams.iter().map(|word| word.parse()).collect::<Result<_, _>>()?;
    let mut workers = Vec::new();
    for _ in 0..threads {
        let (listeners, upstreams) = ([listen(http1)?, listen(http2)?], upstreams.clone());
        let tls = tls.clone();
        workers.push(thread::spawn(move || work(listeners, tls, &upstreams)));
    }
    for worker in workers {
        worker.join().map_err(|_| anyhow::anyhow!("a worker panicked"))??;
    }
    Ok(())
}

fn listen(address: SocketAddr) -> Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into()).with_context(|| format!("{address} cannot be listened on"))?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Serves for ever on this thread.
fn work(
    [http1, http2]: [TcpListener; 2],
    tls: Option<TlsAcceptor>,
    upstreams: &[Address],
) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let upstreams = Arc::new(Upstreams::new(upstreams));
        let http2 = tokio::net::TcpListener::from_std(http2)?;
        tokio::spawn(accept(http2, None, Arc::clone(&upstreams), Version::HTTP_2));
        let http1 = tokio::net::TcpListener::from_std(http1)?;
        accept(http1, tls, upstreams, Version::HTTP_11).await
    })
}

async fn accept(
    listener: tokio::net::TcpListener,
    tls: Option<TlsAcceptor>,
    upstreams: Arc<Upstreams>,
    version: Version,
) -> Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        tune(&stream)?;
        let upstreams = Arc::clone(&upstreams);
        let service = service_fn(move |request| forward(request, Arc::clone(&upstreams)));
        if let Some(tls) = tls.clone() {
            tokio::spawn(async move {
                // A client that is not believed, or leaves, concerns nobody else.
                if let Ok(stream) = tls.accept(stream).await {
                    let _ =
                        http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                }
            });
            continue;
        }
        let io = TokioIo::new(stream);
        tokio::spawn(async move {
            // A client that leaves ends its connection with an error that concerns nobody.
            let _ = if version == Version::HTTP_2 {
                http2::Builder::new(TokioExecutor::new()).serve_connection(io, service).await
            } else {
                http1::Builder::new().serve_connection(io, service).await
            };
        });
    }
}

/// Sets a socket as the mesh sets its own on loopback: no waiting for more to send, and no pacing.
pub(crate) fn tune(stream: &TcpStream) -> Result<()> {
    stream.set_nodelay(true)?;
    // Where the kernel lacks `cubic` the connection stays as it is.
    let _ = SockRef::from(stream).set_tcp_congestion(b"cubic");
    Ok(())
}

/// Sends a request to the next upstream; its answer goes back as it comes.
async fn forward(
    mut request: Request<Incoming>,
    upstreams: Arc<Upstreams>,
) -> Result<Response<PooledBody>> {
    if request.version() == Version::HTTP_2 {
        become_http1(&mut request)?;
    }
    request.headers_mut().remove(CONNECTION);
    let mut lent = upstreams.lend().await?;
    let response = lent.send(request).await?;
    Ok(response.map(|body| PooledBody::new(body, lent)))
}

/// HTTP/1.1 names the host in a field and only the path in its first line.
fn become_http1(request: &mut Request<Incoming>) -> Result<()> {
    let uri = std::mem::take(request.uri_mut()).into_parts();
    if let Some(authority) = uri.authority
        && !request.headers().contains_key(HOST)
    {
        request.headers_mut().insert(HOST, HeaderValue::from_str(authority.as_str())?);
    }
    if let Some(path) = uri.path_and_query {
        *request.uri_mut() = Uri::from(path);
    }
    *request.version_mut() = Version::HTTP_11;
    Ok(())
}
