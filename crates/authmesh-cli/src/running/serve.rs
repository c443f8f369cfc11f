//! The life of a running mesh: start, serve, change, stop.

use std::path::PathBuf;

use authmesh::config::{Loaded, Versions};
use authmesh_proxy::{Ask, Proxy, ReloadFault, Stopped};

use super::changes::Changes;
use super::manager::Manager;
use super::signals::{Asked, Signals};
use crate::ending::{Ending, Failure};
use crate::print;

/// What is to be served.
pub(crate) struct Plan {
    pub(crate) file: PathBuf,
    pub(crate) loaded: Loaded,
    /// Where the versions of the configuration are kept.
    pub(crate) versions: Versions,
    pub(crate) workers: usize,
}

/// Serves until a signal or a person asks to stop, and everything in flight has ended.
pub(crate) async fn serve(plan: Plan) -> Result<Ending, Failure> {
    let mut signals = Signals::new().map_err(Failure::bad_input)?;
    let manager = Manager::of_environment();
    let mut changes = Changes::new(plan.loaded.files.clone());
    let proxy = tokio::select! {
        started = Proxy::start(plan.loaded.config.clone(), plan.workers) => {
            started.map_err(Failure::bad_input)?
        }
        () = signals.stop() => return Ok(Ending::Interrupted),
    };
    proxy.keep_versions(&plan.file, &plan.loaded, plan.versions).await;
    announce(&proxy).await;
    manager.ready();
    loop {
        let reply = tokio::select! {
            asked = signals.next() => match asked {
                Asked::Stop => break,
                Asked::Reload => None,
            },
            ask = proxy.asked() => match ask {
                Ask::Reload(reply) => Some(reply),
                Ask::Put(push, reply) => {
                    manager.reloading();
                    let put = proxy.put(&push).await;
                    manager.ready();
                    if let Ok(changed) = &put {
                        print::report(&changed.problems);
                    }
                    reply.tell(put.map(|changed| changed.to_json()));
                    announce(&proxy).await;
                    continue;
                }
                _ => break,
            },
            () = changes.next() => None,
        };
        manager.reloading();
        changes.note_reading();
        let reloaded = proxy.reload_file(&plan.file).await;
        manager.ready();
        match &reloaded {
            Ok((loaded, changed)) => {
                print::report(&changed.problems);
                changes.watch(loaded.files.clone());
                tracing::info!(file = %plan.file.display(), "the file was read again");
                announce(&proxy).await;
            }
            Err(error) => {
                print::words(&error.to_string());
                tracing::error!("reload refused; the configuration in force stays");
            }
        }
        if let Some(reply) = reply {
            let told = reloaded.map(|(_, changed)| changed.to_json());
            reply.tell(told.map_err(|error| ReloadFault::from(&error)));
        }
    }
    manager.stopping();
    tracing::info!("stopping: requests in flight are finished first");
    tokio::select! {
        stopped = proxy.stop() => Ok(ended(stopped)),
        () = signals.stop() => {
            tracing::warn!("stopped at once");
            Ok(Ending::Interrupted)
        }
    }
}

/// Says where the mesh listens, a line for each place.
async fn announce(proxy: &Proxy) {
    for (name, address) in proxy.addresses().await {
        print::words(&format!("authmesh: listener {name} on {address}"));
    }
    for (name, address) in proxy.doors() {
        print::words(&format!("authmesh: door {name} on {address}"));
    }
}

fn ended(stopped: Stopped) -> Ending {
    if stopped.cut_off > 0 {
        tracing::warn!(
            connections = stopped.cut_off,
            "`limits.drain_timeout` is over: connections were cut off"
        );
    }
    tracing::info!("stopped");
    Ending::Done
}
