//! Remembers chains that were verified, so that a peer who comes again costs no signature twice.

use std::cmp::Ordering;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use authmesh_logic::identity::SvidFault;
use rustls::pki_types::CertificateDer;

use super::peer::Peer;
use super::trust::{Role, Trust};

/// The chains that one value of [`Trust`] was content with. They are forgotten with it, so that no
/// change of a bundle or a revocation list is ever answered from memory.
#[derive(Default)]
pub(super) struct KnownChains(Mutex<Vec<Known>>);

struct Known {
    role: Role,
    peer: Peer,
    /// When it was verified, in time since 1970.
    from: Duration,
    /// When verifying it again could end otherwise.
    until: Duration,
}

/// The most chains that are remembered; one more, and all are forgotten.
const MOST_CHAINS: usize = 512;

/// The longest chain that is remembered, in bytes.
const LONGEST_CHAIN: usize = 8 * 1024;

impl KnownChains {
    /// As [`Trust::verify`], which is asked for what is not remembered.
    pub(super) fn verify(
        &self,
        trust: &Trust,
        chain: &[CertificateDer<'_>],
        domain: Option<&str>,
        role: Role,
        now: Duration,
    ) -> Result<Peer, SvidFault> {
        match self.find(chain, role, now) {
            Some(peer) if domain.is_some_and(|domain| domain != peer.id.trust_domain()) => {
                Err(SvidFault::BundleMismatch)
            }
            Some(peer) => Ok(peer),
            None => {
                let peer = trust.verify(chain, domain, role, now)?;
                self.remember(trust, &peer, role, now);
                Ok(peer)
            }
        }
    }

    /// The peer that showed exactly this chain, if it would still be believed at `now`.
    pub(super) fn find(
        &self,
        chain: &[CertificateDer<'_>],
        role: Role,
        now: Duration,
    ) -> Option<Peer> {
        let leaf = chain.first()?;
        let chains = self.chains();
        let place = chains.binary_search_by(|known| known.order(role, leaf)).ok()?;
        let known = &chains[place];
        let is_in_time = (known.from..known.until).contains(&now);
        (is_in_time && *known.peer.chain == *chain).then(|| known.peer.clone())
    }

    fn remember(&self, trust: &Trust, peer: &Peer, role: Role, now: Duration) {
        if peer.chain.iter().map(|certificate| certificate.len()).sum::<usize>() > LONGEST_CHAIN {
            return;
        }
        let until = trust
            .next_change(now)
            .map_or(peer.lifetime.until, |change| change.min(peer.lifetime.until));
        let known = Known { role, peer: peer.clone(), from: now, until };
        let mut chains = self.chains();
        match chains.binary_search_by(|other| other.order(role, &peer.chain[0])) {
            Ok(place) => chains[place] = known,
            Err(_) if chains.len() >= MOST_CHAINS => *chains = vec![known],
            Err(place) => chains.insert(place, known),
        }
    }

    fn chains(&self) -> MutexGuard<'_, Vec<Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn order(&self, role: Role, leaf: &CertificateDer<'_>) -> Ordering {
        (self.role, &*self.peer.chain[0]).cmp(&(role, leaf))
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use authmesh_testkit::certificates::{Authority, Issued};

    use super::*;
    use crate::clock::Clock;
    use crate::identity::{RevocationLists, RevocationMode, TrustBundle, certificates_from_pem};

    const HOUR: Duration = Duration::from_secs(3_600);

    fn now() -> Duration {
        Clock.time_of_day().duration_since(UNIX_EPOCH).unwrap()
    }

    fn chain(issued: &Issued) -> Vec<CertificateDer<'static>> {
        certificates_from_pem(issued.cert.as_bytes()).unwrap()
    }

    fn trust(authority: &Authority) -> Trust {
        let bundle = TrustBundle::from_pem(authority.bundle.as_bytes()).unwrap();
        Trust::new().with("corp.example".parse().unwrap(), bundle)
    }

    #[test]
    fn what_is_remembered_answers_as_verifying_again_would() {
        let authority = Authority::of("corp.example").unwrap();
        let below = authority.below("corp.example").unwrap();
        let lists = authority.revoke(&[7], HOUR).unwrap() + &below.revoke(&[7], HOUR / 2).unwrap();
        let required = RevocationLists::from_pem(lists.as_bytes(), RevocationMode::Require);
        let believes = [trust(&authority), trust(&authority).with_revocation(required.unwrap())];
        let for_servers = |params: &mut rcgen::CertificateParams| {
            params.extended_key_usages.clear();
        };
        let chains = [
            chain(&authority.issue("/a").unwrap()),
            chain(&authority.issue_for("/a", HOUR / 4).unwrap()),
            chain(&below.issue("/a").unwrap()),
            chain(&below.issue_as("/b", for_servers).unwrap()),
            chain(&Authority::of("corp.example").unwrap().issue("/a").unwrap()),
        ];
        let now = now();
        for trust in &believes {
            let known = KnownChains::default();
            // Forwards, backwards when a clock is set, and past the end of everything.
            for minutes in [0, 1, 14, 16, 29, 31, 3, 59, 61, 90, 0, 23 * 60, 25 * 60, 0, 14] {
                let then = now + Duration::from_secs(minutes * 60);
                for (place, chain) in chains.iter().enumerate() {
                    for role in [Role::Client, Role::Server] {
                        for domain in [None, Some("corp.example"), Some("other.example")] {
                            let said = known.verify(trust, chain, domain, role, then);
                            let again = trust.verify(chain, domain, role, then);
                            assert_eq!(said, again, "{place} {role:?} {domain:?} {minutes}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_leaf_with_another_chain_is_another_proof() {
        let authority = Authority::of("corp.example").unwrap();
        let below = authority.below("corp.example").unwrap();
        let (trust, known, now) = (trust(&authority), KnownChains::default(), now());
        let whole = chain(&below.issue("/a").unwrap());
        known.verify(&trust, &whole, None, Role::Client, now).unwrap();
        assert!(known.find(&whole, Role::Client, now).is_some());
        assert!(known.find(&whole, Role::Server, now).is_none());
        assert!(known.find(&whole[..1], Role::Client, now).is_none());
        let bare = known.verify(&trust, &whole[..1], None, Role::Client, now);
        assert_eq!(bare, Err(SvidFault::UnknownAuthority));
    }

    #[test]
    fn the_memory_is_bounded_and_long_chains_are_not_in_it() {
        let authority = Authority::of("corp.example").unwrap();
        let (trust, known, now) = (trust(&authority), KnownChains::default(), now());
        let one = chain(&authority.issue("/a").unwrap());
        let peer = known.verify(&trust, &one, None, Role::Client, now).unwrap();
        for number in 0..2 * MOST_CHAINS {
            let leaf = CertificateDer::from(number.to_be_bytes().to_vec());
            let other = Peer { chain: [leaf].into(), ..peer.clone() };
            known.remember(&trust, &other, Role::Client, now);
            assert!(known.chains().len() <= MOST_CHAINS);
            assert!(known.find(&other.chain, Role::Client, now).is_some());
        }
        let long = CertificateDer::from(vec![0; LONGEST_CHAIN + 1]);
        known.remember(&trust, &Peer { chain: [long].into(), ..peer }, Role::Client, now);
        assert!(known.chains().iter().all(|known| known.peer.chain[0].len() <= LONGEST_CHAIN));
    }
}
