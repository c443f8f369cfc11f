//! Watches the files of an identity, and reads them again when they change.

use std::collections::BTreeSet;
use std::future::poll_fn;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::Poll;
use std::time::Duration;

use authmesh_logic::config::IdentityConfig;
use tokio::sync::Notify;

use super::live::MeshIdentity;
use crate::alarm::Alarm;

/// How often the files are read although no change was told.
const POLL_INTERVAL: Duration = Duration::from_secs(30);

/// How long a change is left to settle: a certificate and its key are seldom written at once.
const SETTLE_TIME: Duration = Duration::from_millis(100);

impl MeshIdentity {
    /// Watches the files on the current runtime until nobody holds this identity any more.
    pub(crate) fn watch(self: &Arc<Self>) {
        tokio::spawn(watch(Arc::downgrade(self), Arc::clone(&self.moved)));
    }
}

/// `moved` rings when other files are to be watched, and when the identity is gone.
async fn watch(identity: Weak<MeshIdentity>, moved: Arc<Notify>) {
    loop {
        let Some(config) = identity.upgrade().map(|held| held.source().config.clone()) else {
            return;
        };
        let mut alarms = alarms(config.as_ref());
        loop {
            // Watched before they are read: what changes meanwhile rings again.
            alarms.iter_mut().for_each(Alarm::arm);
            let Some(held) = identity.upgrade() else { return };
            let reading = tokio::task::spawn_blocking(move || renew(&held));
            // A reading that panicked was reported where it did, and changed nothing.
            let _ = reading.await;
            tokio::select! {
                biased;
                () = moved.notified() => break,
                () = first(&mut alarms) => {}
            }
        }
    }
}

fn renew(identity: &MeshIdentity) {
    let was_refused = identity.source().refused.is_some();
    match identity.renew() {
        Ok(true) => tracing::info!(?identity, "identity renewed"),
        Ok(false) => {}
        Err(faults) if !was_refused => {
            for fault in faults {
                tracing::error!(%fault, "the files of the identity are not taken; the old ones hold");
            }
        }
        Err(_) => {}
    }
}

/// An alarm for each folder that a file of `config` stands in.
fn alarms(config: Option<&IdentityConfig>) -> Vec<Alarm> {
    let Some(config) = config else { return Vec::new() };
    let trust = config.trust.iter();
    let others = trust.flat_map(|trust| {
        let federated = trust.federation.iter().map(|other| &other.bundle);
        let lists = trust.crl.iter().map(|crl| &crl.file);
        [&trust.bundle].into_iter().chain(federated).chain(lists)
    });
    let files = [&config.cert, &config.key].into_iter().chain(others);
    let folders: BTreeSet<PathBuf> = files.map(|file| folder(file)).collect();
    folders.into_iter().map(|folder| Alarm::new(folder, POLL_INTERVAL, SETTLE_TIME)).collect()
}

fn folder(file: &str) -> PathBuf {
    match Path::new(file).parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Waits for the first alarm that rings.
async fn first(alarms: &mut [Alarm]) {
    let mut rings: Vec<Pin<Box<dyn Future<Output = ()> + Send + '_>>> = Vec::new();
    for alarm in alarms {
        rings.push(Box::pin(alarm.rings()));
    }
    poll_fn(|context| {
        let rang = rings.iter_mut().any(|ring| ring.as_mut().poll(context).is_ready());
        if rang { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}
