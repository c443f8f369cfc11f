//! Keeps the records of a registry on disk: a thread that writes them after a change.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use authmesh_logic::discovery::registry::{Limits, Records};
use tokio::sync::watch;

use super::RegistryError;
use super::saved::Saved;
use super::shared::{State, lock};
use crate::clock::Clock;

/// The records.
const FILE: &str = "registry.json";
/// What will be the records once it is whole.
const NEW_FILE: &str = "registry.json.new";
/// Locked by whoever keeps records here.
const LOCK: &str = "registry.lock";

/// How long changes gather before they are written, if nobody waits for it.
const GATHER_TIME: Duration = Duration::from_millis(100);
/// How long after a failure it is tried again.
const RETRY_TIME: Duration = Duration::from_secs(1);

/// Writes the records after each change, on a thread of its own; dropping it writes the last.
///
/// Changes that come while it writes are in its next writing, all together: however many wait, each
/// waits for two writings at most.
pub(super) struct Keeper {
    orders: Arc<Orders>,
    progress: watch::Receiver<Progress>,
    directory: PathBuf,
    thread: Option<JoinHandle<()>>,
    _lock: File,
}

/// What has been written.
#[derive(Clone, Debug, Default)]
struct Progress {
    revision: u64,
    saves: u64,
    failures: u64,
    last_fault: Option<io::ErrorKind>,
}

/// What the thread is asked to do.
#[derive(Default)]
struct Orders {
    order: Mutex<Order>,
    given: Condvar,
}

#[derive(Clone, Copy, Default)]
struct Order {
    save: bool,
    /// Somebody waits for it.
    hurry: bool,
    stop: bool,
}

impl Keeper {
    /// Reads what is in `directory` into records that go on from `records`, and keeps them there.
    pub(super) fn start(
        directory: &Path,
        mut records: Records,
    ) -> Result<(Arc<Mutex<State>>, Self), RegistryError> {
        let storage = |path: &Path| {
            let path = path.to_owned();
            move |fault| RegistryError::Storage { path, fault }
        };
        let made = DirBuilder::new().recursive(true).mode(0o700).create(directory);
        made.map_err(storage(directory))?;
        let lock_path = directory.join(LOCK);
        let lock_file = open(&lock_path).map_err(storage(&lock_path))?;
        lock_file.try_lock().map_err(|fault| match fault {
            TryLockError::WouldBlock => RegistryError::InUse { directory: directory.to_owned() },
            TryLockError::Error(fault) => storage(&lock_path)(fault),
        })?;

        let path = directory.join(FILE);
        match fs::read(&path) {
            Ok(bytes) => {
                let corrupt = |reason| RegistryError::Corrupt { path: path.clone(), reason };
                let saved = Saved::read(&bytes).map_err(corrupt)?;
                // The clock may have been set back: what was told once is never told again.
                let revision = records.revision().max(saved.revision);
                records = Records::new(Limits::STANDARD, revision);
                saved.restore(&mut records, Clock.now()).map_err(corrupt)?;
            }
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => {}
            Err(fault) => return Err(storage(&path)(fault)),
        }

        let state = State::new(records);
        let orders = Arc::new(Orders::default());
        let (tell, progress) = watch::channel(Progress::default());
        let thread = std::thread::Builder::new().name("authmesh-registry".into()).spawn({
            let (state, orders, directory) =
                (Arc::clone(&state), Arc::clone(&orders), directory.to_owned());
            move || keep(&directory, &state, &orders, &tell)
        });
        let thread = Some(thread.map_err(storage(directory))?);
        let directory = directory.to_owned();
        Ok((state, Self { orders, progress, directory, thread, _lock: lock_file }))
    }

    /// Has the records written soon.
    pub(super) fn wake(&self) {
        self.orders.lock().save = true;
        self.orders.given.notify_one();
    }

    /// Waits until `revision` is on disk; an error if the next try fails.
    pub(super) async fn saved(&self, revision: u64) -> Result<(), RegistryError> {
        let mut progress = self.progress.clone();
        let failures = {
            let now = progress.borrow_and_update();
            if now.revision >= revision {
                return Ok(());
            }
            now.failures
        };
        {
            let mut order = self.orders.lock();
            (order.save, order.hurry) = (true, true);
        }
        self.orders.given.notify_one();
        let done =
            |progress: &Progress| progress.revision >= revision || progress.failures > failures;
        let storage = |fault| RegistryError::Storage { path: self.directory.join(FILE), fault };
        let Ok(now) = progress.wait_for(done).await else {
            return Err(storage(io::Error::other("the writing thread has ended")));
        };
        match now.last_fault {
            Some(fault) if now.revision < revision => Err(storage(fault.into())),
            _ => Ok(()),
        }
    }

    /// How often the records were written, and how often that failed.
    pub(super) fn counts(&self) -> (u64, u64) {
        let progress = self.progress.borrow();
        (progress.saves, progress.failures)
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.orders.lock().stop = true;
        self.orders.given.notify_one();
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has nothing left to write.
            thread.join().ok();
        }
    }
}

/// How long the thread lets an order rest.
#[derive(Clone, Copy)]
struct Pause {
    time: Duration,
    ends_in_a_hurry: bool,
}

impl Pause {
    const GATHER: Self = Self { time: GATHER_TIME, ends_in_a_hurry: true };
    /// A disk that fails is not asked more often because many wait.
    const RETRY: Self = Self { time: RETRY_TIME, ends_in_a_hurry: false };
}

impl Orders {
    fn lock(&self) -> MutexGuard<'_, Order> {
        self.order.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for an order, and for `pause` more unless it is to end that; gives what is to be done.
    fn take(&self, pause: Pause) -> Order {
        let idle = |order: &mut Order| !order.save && !order.stop;
        let order = self.given.wait_while(self.lock(), idle);
        let order = order.unwrap_or_else(PoisonError::into_inner);
        let goes_on = |order: &mut Order| !(order.stop || pause.ends_in_a_hurry && order.hurry);
        let waited = self.given.wait_timeout_while(order, pause.time, goes_on);
        let (mut order, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let taken = *order;
        (order.save, order.hurry) = (false, false);
        taken
    }
}

/// The thread: writes after each order, until it is told to stop; then once more if needed.
fn keep(directory: &Path, state: &Mutex<State>, orders: &Orders, tell: &watch::Sender<Progress>) {
    let mut pause = Pause::GATHER;
    loop {
        let order = orders.take(pause);
        if order.save {
            let saved = Saved::of(&lock(state).records);
            let written = write(directory, &saved);
            tell.send_modify(|progress| match &written {
                Ok(()) => {
                    progress.revision = saved.revision;
                    progress.saves += 1;
                    progress.last_fault = None;
                }
                Err(fault) => {
                    progress.failures += 1;
                    progress.last_fault = Some(fault.kind());
                }
            });
            pause = Pause::GATHER;
            if let Err(fault) = written {
                tracing::warn!(directory = %directory.display(), %fault, "the registry is not saved");
                pause = Pause::RETRY;
                orders.lock().save = true;
            }
        }
        if order.stop {
            return;
        }
    }
}

/// Replaces the file: whole or not at all, and on disk when this returns.
fn write(directory: &Path, saved: &Saved) -> io::Result<()> {
    let bytes = serde_json::to_vec(saved)?;
    let new = directory.join(NEW_FILE);
    let mut file = open(&new)?;
    file.set_len(0)?;
    file.write_all(&bytes)?;
    file.sync_all()?;
    fs::rename(&new, directory.join(FILE))?;
    // The renaming itself is on disk once the directory is.
    File::open(directory)?.sync_all()
}

/// Opens a file for writing that only its owner may read.
fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)
}
