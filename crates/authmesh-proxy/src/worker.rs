//! A worker: one thread, one runtime, its own sockets, table and connections.

use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use authmesh::worker::unpace;
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;

use crate::connection::{Accepted, serve};
use crate::load::Busy;
use crate::peer::Peer;
use crate::serving::{ListenerShared, Serving};
use crate::table::Table;

/// One worker's socket of a listener.
pub(crate) enum Socket {
    Tcp(std::net::TcpListener),
    Unix(std::os::unix::net::UnixListener),
}

/// A running worker.
pub(crate) struct Worker {
    serving: Arc<Serving>,
    orders: mpsc::UnboundedSender<Order>,
    thread: JoinHandle<()>,
}

enum Order {
    Open(Arc<ListenerShared>, Socket),
    Close(Arc<ListenerShared>),
    /// Drain for at most this long, then tell how many connections were cut off.
    Stop(Duration, oneshot::Sender<usize>),
}

/// How long a worker waits when the system has no more file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

impl Worker {
    pub(crate) fn start(number: usize, table: Table, busy: Arc<Busy>) -> io::Result<Self> {
        let serving = Arc::new(Serving::new(table, busy, number));
        let (orders, receiver) = mpsc::unbounded_channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        serving.own.count_tasks_of(runtime.metrics());
        let own = Arc::clone(&serving);
        let thread = std::thread::Builder::new()
            .name(format!("worker-{number}"))
            .spawn(move || runtime.block_on(work(own, receiver)))?;
        Ok(Self { serving, orders, thread })
    }

    pub(crate) fn swap_table(&self, table: Table) {
        self.serving.swap_table(table);
    }

    pub(crate) fn open(&self, listener: Arc<ListenerShared>, socket: Socket) {
        self.order(Order::Open(listener, socket));
    }

    pub(crate) fn close(&self, listener: &Arc<ListenerShared>) {
        self.order(Order::Close(Arc::clone(listener)));
    }

    /// Drains and ends the worker. Returns how many connections were cut off.
    pub(crate) async fn stop(self, limit: Duration) -> usize {
        let (reply, cut_off) = oneshot::channel();
        self.order(Order::Stop(limit, reply));
        let cut_off = cut_off.await.unwrap_or(0);
        // The thread ends right after its reply; a panic in it was reported where it happened.
        let _ = self.thread.join();
        cut_off
    }

    fn order(&self, order: Order) {
        // A worker lives until it is told to stop.
        let _ = self.orders.send(order);
    }
}

/// A listener that is open on this worker; dropping it ends its accept loop and drains its
/// connections.
struct Open {
    listener: Arc<ListenerShared>,
    drain: watch::Sender<bool>,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.drain.send_replace(true);
    }
}

async fn work(serving: Arc<Serving>, mut orders: mpsc::UnboundedReceiver<Order>) {
    let mut open: Vec<Open> = Vec::new();
    let mut tasks = JoinSet::new();
    while let Some(order) = orders.recv().await {
        match order {
            Order::Open(listener, socket) => {
                let (drain, draining) = watch::channel(false);
                open.push(Open { listener: Arc::clone(&listener), drain });
                let serving = Arc::clone(&serving);
                tasks.spawn(async move {
                    if let Err(error) = accept_all(listener, socket, serving, draining).await {
                        tracing::error!(%error, "listener failed");
                    }
                });
            }
            Order::Close(gone) => open.retain(|open| !Arc::ptr_eq(&open.listener, &gone)),
            Order::Stop(limit, reply) => {
                open.clear();
                let drained = async { while tasks.join_next().await.is_some() {} };
                let _ = tokio::time::timeout(limit, drained).await;
                // What is left goes down with the runtime.
                let _ = reply.send(serving.connections());
                return;
            }
        }
    }
}

/// Accepts until told to drain, then waits for the connections that were accepted.
async fn accept_all(
    listener: Arc<ListenerShared>,
    socket: Socket,
    serving: Arc<Serving>,
    mut draining: watch::Receiver<bool>,
) -> io::Result<()> {
    let drain = draining.clone();
    let mut connections = JoinSet::new();
    let acceptor = Acceptor::new(socket)?;
    loop {
        let accepted = tokio::select! {
            biased;
            _ = draining.wait_for(|draining| *draining) => break,
            accepted = acceptor.accept() => accepted,
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(listener = %listener.name.load(), %error, "cannot accept");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let Some(place) = serving.place() else {
            tracing::warn!(listener = %listener.name.load(), "limits.connections is reached");
            continue;
        };
        let tls = listener.tls.load_full();
        let listener = Arc::clone(&listener);
        let peer = peer.map(Peer::at);
        let accepted = Accepted { listener, peer, tls, proved: None, switched: Mutex::default() };
        let (serving, drain) = (Arc::clone(&serving), drain.clone());
        connections.spawn(async move {
            match stream {
                Stream::Tcp(stream) => serve(stream, accepted, serving, drain).await,
                Stream::Unix(stream) => serve(stream, accepted, serving, drain).await,
            }
            drop(place);
        });
    }
    drop(acceptor);
    while connections.join_next().await.is_some() {}
    Ok(())
}

enum Acceptor {
    Tcp(TcpListener),
    Unix(UnixListener),
}

enum Stream {
    Tcp(tokio::net::TcpStream),
    Unix(tokio::net::UnixStream),
}

impl Acceptor {
    fn new(socket: Socket) -> io::Result<Self> {
        Ok(match socket {
            Socket::Tcp(socket) => Self::Tcp(TcpListener::from_std(socket)?),
            Socket::Unix(socket) => Self::Unix(UnixListener::from_std(socket)?),
        })
    }

    async fn accept(&self) -> io::Result<(Stream, Option<IpAddr>)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                stream.set_nodelay(true)?;
                if peer.ip().is_loopback() {
                    unpace(&stream);
                }
                Ok((Stream::Tcp(stream), Some(peer.ip())))
            }
            Self::Unix(listener) => Ok((Stream::Unix(listener.accept().await?.0), None)),
        }
    }
}
