//! What ends a connection from our side: patience, a stop, or the end of what its handshake proved.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::sync::watch;

use crate::activity::{Activity, Patience, Watch};
use crate::rarely::Rarely;
use crate::serving::Serving;
use crate::tls::Proved;

/// Why a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Patience with it is over.
    Now,
    /// The requests in flight are answered, and no further one is taken.
    AfterRequest,
}

/// All that may end a connection from our side. Polled after the connection itself.
pub(crate) struct Ends {
    watch: Watch,
    drain: watch::Receiver<bool>,
    drained: Rarely<Ending>,
    /// What the handshake proved, if there was one, and the end of it.
    proof: Option<(Arc<Proved>, Rarely<Ending>)>,
    /// Whether [`End::AfterRequest`] was said.
    is_said: bool,
}

type Ending = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Ends {
    pub(crate) fn new(
        serving: &Serving,
        proved: Option<Arc<Proved>>,
        activity: Arc<Activity>,
        drain: watch::Receiver<bool>,
    ) -> Self {
        let limits = serving.table().limits;
        let patience = Patience {
            header: limits.header_timeout,
            idle: limits.idle_timeout,
            stuck: limits.body_idle_timeout,
        };
        let drained: Ending = Box::pin(drained(drain.clone()));
        let proof = proved.map(|proved| {
            let ending = Arc::clone(&proved);
            let ending: Ending = Box::pin(async move { ending.ends().await });
            (proved, Rarely::new(ending))
        });
        let watch = Watch::new(activity, patience);
        Self { watch, drain, drained: Rarely::new(drained), proof, is_said: false }
    }

    /// Waits until something ends the connection.
    pub(crate) fn next(&mut self) -> impl Future<Output = End> + Send + '_ {
        std::future::poll_fn(|context| self.poll(context))
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<End> {
        if Pin::new(&mut self.watch).poll(context).is_ready() {
            return Poll::Ready(End::Now);
        }
        if !self.is_said {
            let drain = &self.drain;
            self.is_said = self.drained.poll(|_| is_told(drain), context).is_ready()
                || self.proof.as_mut().is_some_and(|(proved, end)| {
                    end.poll(|_| proved.may_be_over(), context).is_ready()
                });
            if self.is_said {
                return Poll::Ready(End::AfterRequest);
            }
        }
        Poll::Pending
    }
}

/// Ends when `drain` turns true, or nobody is left to turn it: a worker that is gone drains as well.
async fn drained(mut drain: watch::Receiver<bool>) {
    let _ = drain.wait_for(|drain| *drain).await;
}

/// Whether there may be news that a receiver has not heard.
fn is_told(news: &watch::Receiver<bool>) -> bool {
    !matches!(news.has_changed(), Ok(false))
}
