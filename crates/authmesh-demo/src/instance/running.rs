//! One instance of a service, from its first socket to its last.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use authmesh_logic::Dice;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

use super::fault::{Fault, FaultWatch};
use super::port::Port;
use super::serving::Serving;
use crate::services::{Kind, System};

/// A running instance, and the switch of its faults.
pub(crate) struct Instance {
    kind: Kind,
    number: usize,
    address: SocketAddr,
    faults: watch::Sender<Fault>,
    life: JoinHandle<io::Result<()>>,
}

/// How many passwords an instance hashes at once: one, as a process on one processor does.
const HASHES_AT_ONCE: usize = 1;

impl Instance {
    /// Starts an instance on a port the system chooses.
    pub(crate) fn start(
        kind: Kind,
        number: usize,
        system: Arc<System>,
        seed: u64,
    ) -> io::Result<Self> {
        let port = Port::keep()?;
        let (address, listener) = (port.address(), port.listen()?);
        let (faults, watched) = watch::channel(Fault::None);
        let serving = Arc::new(Serving {
            kind,
            system,
            faults: FaultWatch::new(watched),
            hashing: Semaphore::new(HASHES_AT_ONCE),
            dice: Mutex::new(Dice::seeded(seed)),
        });
        let life = tokio::spawn(live(port, listener, serving));
        Ok(Self { kind, number, address, faults, life })
    }

    pub(crate) fn number(&self) -> usize {
        self.number
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// Its name, as it registers: `token-2`.
    pub(crate) fn name(&self) -> String {
        format!("{}-{}", self.kind.name(), self.number)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Makes something wrong with it, or right again.
    pub(crate) fn suffer(&self, fault: Fault) {
        self.faults.send_replace(fault);
    }

    /// What is wrong with it, for the parts of the instance that live elsewhere.
    pub(crate) fn faults(&self) -> FaultWatch {
        FaultWatch::new(self.faults.subscribe())
    }

    /// Ends it, connections and all.
    pub(crate) fn stop(&self) {
        self.life.abort();
    }
}

/// Serves, goes down, comes back, until it is stopped.
async fn live(port: Port, mut listener: TcpListener, serving: Arc<Serving>) -> io::Result<()> {
    let mut faults = serving.faults.clone();
    loop {
        serving.run(listener).await;
        faults.until(|fault| !fault.is_down()).await;
        listener = port.listen()?;
    }
}
