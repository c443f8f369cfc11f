//! The identity of a running mesh: read from files, exchanged whole, asked at every handshake.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwapOption;
use authmesh_logic::config::IdentityConfig;
use authmesh_logic::identity::SvidFault;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::CertificateDer;
use rustls::sign::CertifiedKey;
use tokio::sync::{Notify, watch};

use super::credentials::Credentials;
use super::fault::IdentityFault;
use super::handshake::{HandshakeCounters, HandshakeEnd, Side};
use super::peer::Peer;
use super::trust::Role;
use crate::clock::Clock;

/// What a mesh proves itself with and whom it believes, as long as it runs.
///
/// What is absent, unreadable, ended or faulty is never made up for: without credentials every
/// handshake that needs them fails. A reading that fails changes nothing; what was read before
/// holds until it ends.
pub struct MeshIdentity {
    credentials: ArcSwapOption<Credentials>,
    /// How often whom the mesh believes has changed.
    belief: watch::Sender<u64>,
    handshakes: HandshakeCounters,
    provider: Arc<CryptoProvider>,
    source: Mutex<Source>,
    /// Rings when other files are to be watched.
    pub(super) moved: Arc<Notify>,
}

/// Where credentials are read, and how the last reading ended.
#[derive(Default)]
pub(super) struct Source {
    pub(super) config: Option<IdentityConfig>,
    /// Since when and why the files are not taken.
    pub(super) refused: Option<(SystemTime, String)>,
    pub(super) readings: u64,
}

/// Credentials that were read and are not in force yet.
pub(crate) struct Prepared {
    config: Option<IdentityConfig>,
    credentials: Option<Arc<Credentials>>,
}

impl MeshIdentity {
    /// No identity: every handshake that needs one fails.
    #[must_use]
    pub fn none() -> Arc<Self> {
        Arc::new(Self {
            credentials: ArcSwapOption::empty(),
            belief: watch::Sender::new(0),
            handshakes: HandshakeCounters::new(),
            provider: Arc::new(aws_lc_rs::default_provider()),
            source: Mutex::default(),
            moved: Arc::default(),
        })
    }

    /// The identity that `config` names, as its files say now.
    ///
    /// # Errors
    ///
    /// Whatever is wrong with the files.
    pub fn read(config: &IdentityConfig) -> Result<Arc<Self>, Vec<IdentityFault>> {
        let identity = Self::none();
        let prepared = identity.prepare(Some(config))?;
        identity.adopt(prepared);
        Ok(identity)
    }

    /// Reads what `config` names, and changes nothing.
    pub(crate) fn prepare(
        &self,
        config: Option<&IdentityConfig>,
    ) -> Result<Prepared, Vec<IdentityFault>> {
        let credentials = match config {
            Some(config) => Some(Arc::new(Credentials::read(config, self.now())?.0)),
            None => None,
        };
        Ok(Prepared { config: config.cloned(), credentials })
    }

    /// Puts prepared credentials in force: the next handshake uses them.
    pub(crate) fn adopt(&self, prepared: Prepared) {
        let mut source = self.source();
        let is_moved = source.config != prepared.config;
        *source = Source { config: prepared.config, refused: None, readings: source.readings + 1 };
        self.exchange(prepared.credentials);
        drop(source);
        if is_moved {
            self.moved.notify_one();
        }
    }

    /// Reads the files again and puts what they say in force. Says whether anything is new.
    ///
    /// # Errors
    ///
    /// Whatever is wrong with any of the files; what was read before then stays.
    pub fn renew(&self) -> Result<bool, Vec<IdentityFault>> {
        let mut source = self.source();
        let Some(config) = &source.config else { return Ok(false) };
        match Credentials::read(config, self.now()) {
            Ok((credentials, _)) => {
                source.refused = None;
                let is_new = self.credentials.load().as_deref() != Some(&credentials);
                if is_new {
                    source.readings += 1;
                    self.exchange(Some(Arc::new(credentials)));
                }
                Ok(is_new)
            }
            Err(faults) => {
                let words: Vec<String> = faults.iter().map(ToString::to_string).collect();
                let since = source.refused.as_ref().map(|(since, _)| *since);
                let since = since.unwrap_or_else(|| Clock.time_of_day());
                source.refused = Some((since, words.join("; ")));
                Err(faults)
            }
        }
    }

    /// Who shows this chain, its own certificate first, if anybody is believed at all; `domain` is
    /// the only trust domain it may be of.
    pub fn verify(
        &self,
        chain: &[CertificateDer<'_>],
        domain: Option<&str>,
        role: Role,
    ) -> Option<Result<Peer, SvidFault>> {
        let credentials = self.credentials.load();
        let credentials = credentials.as_ref()?;
        let trust = credentials.trust.as_ref()?;
        Some(credentials.known.verify(trust, chain, domain, role, self.now()))
    }

    /// The peer that showed this chain in a handshake which verified it.
    #[must_use]
    pub fn peer_of_handshake(&self, chain: &[CertificateDer<'_>], role: Role) -> Option<Peer> {
        let credentials = self.credentials.load();
        let known = credentials.as_ref().and_then(|held| held.known.find(chain, role, self.now()));
        known.or_else(|| Peer::of_handshake(chain))
    }

    /// Whether a client that was believed when it connected still is.
    #[must_use]
    pub fn still_believes(&self, client: &Peer) -> bool {
        let verified = self.verify(&client.chain, None, Role::Client);
        verified.is_some_and(|verified| verified.is_ok())
    }

    /// Changes when whom the mesh believes does.
    #[must_use]
    pub fn beliefs(&self) -> watch::Receiver<u64> {
        self.belief.subscribe()
    }

    /// Notes how a handshake ended.
    pub fn count(&self, side: Side, end: HandshakeEnd) {
        self.handshakes.count(side, end);
    }

    /// How many handshakes ended so.
    #[must_use]
    pub fn counted(&self, side: Side, end: HandshakeEnd) -> u64 {
        self.handshakes.counted(side, end)
    }

    /// When the own certificate ends, in time since 1970; `None` if there is none that holds.
    #[must_use]
    pub fn own_end(&self) -> Option<Duration> {
        let credentials = self.credentials.load();
        let credentials = credentials.as_ref()?;
        credentials.standing(self.now()).is_valid().then_some(credentials.own.lifetime.until)
    }

    /// The time of day since 1970, by which certificates live.
    #[must_use]
    pub fn now(&self) -> Duration {
        Clock.time_of_day().duration_since(UNIX_EPOCH).unwrap_or_default()
    }

    /// How often whom the mesh believes has changed.
    pub(super) fn belief(&self) -> u64 {
        *self.belief.borrow()
    }

    pub(super) fn provider(&self) -> &Arc<CryptoProvider> {
        &self.provider
    }

    /// What this mesh shows; nothing once it has ended.
    pub(super) fn shown(&self) -> Option<Arc<CertifiedKey>> {
        let credentials = self.credentials.load();
        let credentials = credentials.as_ref()?;
        let holds = credentials.standing(self.now()).is_valid();
        holds.then(|| Arc::clone(&credentials.own.certified))
    }

    pub(super) fn credentials(&self) -> Option<Arc<Credentials>> {
        self.credentials.load_full()
    }

    pub(super) fn source(&self) -> MutexGuard<'_, Source> {
        self.source.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Called under the lock of the source, so that two readings do not overtake one another.
    fn exchange(&self, credentials: Option<Arc<Credentials>>) {
        let old = self.credentials.load_full();
        let old_trust = old.as_ref().and_then(|held| held.trust.as_ref());
        let is_other = old_trust != credentials.as_ref().and_then(|held| held.trust.as_ref());
        self.credentials.store(credentials);
        if is_other {
            self.belief.send_modify(|belief| *belief += 1);
        }
    }
}

/// Tells the task that watches the files.
impl Drop for MeshIdentity {
    fn drop(&mut self) {
        self.moved.notify_one();
    }
}

impl fmt::Debug for MeshIdentity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.credentials().and_then(|credentials| credentials.id.clone());
        formatter.debug_struct("MeshIdentity").field("id", &id).finish_non_exhaustive()
    }
}
