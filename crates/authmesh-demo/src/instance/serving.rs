//! One instance while its socket is open: accepts, answers, and suffers its faults.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use authmesh_logic::Dice;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use super::fault::{Fault, FaultWatch, SLOW_ANSWER};
use super::gate::Gate;
use crate::services::{Kind, System, answer, reply};

/// What every connection of an instance needs.
pub(crate) struct Serving {
    pub(crate) kind: Kind,
    pub(crate) system: Arc<System>,
    pub(crate) faults: FaultWatch,
    /// Passwords wait their turn for its one processor.
    pub(crate) hashing: Semaphore,
    /// Which answers become errors while that is the fault.
    pub(crate) dice: Mutex<Dice>,
}

/// The most connections of an instance at once; further ones wait to be accepted.
const CONNECTIONS_MOST: usize = 512;

/// How long an instance that leaves goes on serving, so that the news of it can spread.
const LEAVING_GRACE: Duration = Duration::from_millis(100);

impl Serving {
    /// Serves until the instance goes down, at once or in good order.
    pub(crate) async fn run(self: &Arc<Self>, listener: TcpListener) {
        let going_down = going_down(self.faults.clone());
        tokio::pin!(going_down);
        let (leave, leaving) = watch::channel(false);
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                biased;
                () = &mut going_down => break,
                accepted = self.accept(&listener), if connections.len() < CONNECTIONS_MOST => {
                    // A client that left before it was accepted is nobody's fault.
                    if let Ok(stream) = accepted {
                        connections.spawn(Arc::clone(self).connection(stream, leaving.clone()));
                    }
                }
                Some(_) = connections.join_next(), if !connections.is_empty() => {}
            }
        }
        drop(listener);
        if self.faults.now() == Fault::Leaving {
            // Whoever watches has gone only if every connection has.
            let _ = leave.send(true);
            while connections.join_next().await.is_some() {}
        }
        connections.shutdown().await;
    }

    /// Accepts a connection; a frozen instance does not, so its system does.
    async fn accept(&self, listener: &TcpListener) -> std::io::Result<TcpStream> {
        self.faults.clone().until(|fault| *fault != Fault::Frozen).await;
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    async fn connection(self: Arc<Self>, stream: TcpStream, mut leaving: watch::Receiver<bool>) {
        let stream = TokioIo::new(Gate::new(stream, self.faults.clone()));
        let service = service_fn(move |request| {
            let serving = Arc::clone(&self);
            async move { Ok::<_, Infallible>(serving.answer(request).await) }
        });
        // A request that is there is served even if its sender has hung up: that is what a process
        // does that reads its socket late.
        let connection = http1::Builder::new().half_close(true).serve_connection(stream, service);
        tokio::pin!(connection);
        let told_to_leave = async { leaving.wait_for(|leaving| *leaving).await.is_ok() };
        // However a connection ends, it has ended.
        tokio::select! {
            _ = &mut connection => {}
            _ = told_to_leave => {
                connection.as_mut().graceful_shutdown();
                let _ = connection.await;
            }
        }
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let answer = answer(&self.system, self.kind, &self.hashing, request).await;
        match self.faults.now() {
            Fault::Slow => {
                tokio::time::sleep(SLOW_ANSWER).await;
                answer
            }
            Fault::Errors if self.is_unlucky() => {
                reply(StatusCode::INTERNAL_SERVER_ERROR, &json!({ "error": "server_error" }))
            }
            _ => answer,
        }
    }

    /// True a third of the time.
    fn is_unlucky(&self) -> bool {
        self.dice.lock().unwrap_or_else(PoisonError::into_inner).below(3) == 0
    }
}

/// Waits until the socket is to be closed.
async fn going_down(mut faults: FaultWatch) {
    if faults.until(|fault| fault.is_down()).await == Fault::Leaving {
        tokio::time::sleep(LEAVING_GRACE).await;
    }
}
