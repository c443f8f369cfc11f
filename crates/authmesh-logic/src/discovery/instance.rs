//! The facts about one running copy of a service, and what a source may say of them.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use super::Address;
use crate::Moment;
use crate::identity::SpiffeId;

/// The name of a service: 1 to 63 of `a-z`, `0-9`, `-`, `_`, `.`, beginning with a letter or digit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceName(Arc<str>);

/// The identifier of an instance within its service: 1 to 255 printable ASCII characters except
/// `/`, `?`, `#` and `%`, so that it can stand in a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstanceId(Arc<str>);

/// Why a text is no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServiceNameError;

impl ServiceName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl InstanceId {
    /// The identifier as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ServiceName {
    type Err = ServiceNameError;

    fn from_str(text: &str) -> Result<Self, ServiceNameError> {
        let lawful = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_' | b'.')
        };
        let first = text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
        if first && text.len() <= 63 && text.bytes().all(lawful) {
            Ok(Self(text.into()))
        } else {
            Err(ServiceNameError)
        }
    }
}

impl FromStr for InstanceId {
    type Err = ServiceNameError;

    fn from_str(text: &str) -> Result<Self, ServiceNameError> {
        let lawful =
            |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'/' | b'?' | b'#' | b'%');
        if !text.is_empty() && text.len() <= 255 && text.bytes().all(lawful) {
            Ok(Self(text.into()))
        } else {
            Err(ServiceNameError)
        }
    }
}

impl fmt::Display for ServiceName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Display for InstanceId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Display for ServiceNameError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a name has lower-case letters, digits, `-`, `_` and `.` only")
    }
}

impl core::error::Error for ServiceNameError {}

/// How much of the load an instance takes, in hundredths: 100 is one share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Weight(u16);

impl Weight {
    /// The heaviest: 10 shares.
    pub const HEAVIEST: Self = Self(1_000);
    /// The lightest that still takes load: a tenth of a share.
    pub const LIGHTEST: Self = Self(10);
    /// One share.
    pub const ONE: Self = Self(100);

    /// `hundredths` of a share, clamped to [`Self::LIGHTEST`]`..=`[`Self::HEAVIEST`].
    #[must_use]
    pub const fn hundredths(hundredths: u16) -> Self {
        if hundredths < Self::LIGHTEST.0 {
            Self::LIGHTEST
        } else if hundredths > Self::HEAVIEST.0 {
            Self::HEAVIEST
        } else {
            Self(hundredths)
        }
    }

    /// In hundredths of a share.
    #[must_use]
    pub const fn as_hundredths(self) -> u16 {
        self.0
    }

    /// `shares` as people write them (1.0 is one share), rounded to hundredths.
    ///
    /// `None` outside [`Self::LIGHTEST`]`..=`[`Self::HEAVIEST`] or if it is no number.
    #[must_use]
    pub fn shares(shares: f64) -> Option<Self> {
        let lawful = Self::LIGHTEST.as_shares()..=Self::HEAVIEST.as_shares();
        // The cast cannot cut: the range has been checked.
        lawful.contains(&shares).then_some(Self((shares * 100.0 + 0.5) as u16))
    }

    /// In shares, as people write them.
    #[must_use]
    pub const fn as_shares(self) -> f64 {
        self.0 as f64 / 100.0
    }
}

impl Default for Weight {
    fn default() -> Self {
        Self::ONE
    }
}

/// What an operator has decided about an instance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Administration {
    /// It may take requests.
    #[default]
    Enabled,
    /// It finishes what it has and gets nothing new.
    Draining,
    /// It gets nothing, at once.
    Quarantined,
}

/// Whether the source still has proof that the instance lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Lease {
    /// The source asks for no proof: a static or file instance.
    #[default]
    NotNeeded,
    /// The instance renews its lease.
    Held,
    /// The lease ran out: the instance is missing, not gone.
    Expired {
        /// When it ran out.
        at: Moment,
    },
}

/// One running copy of a service, as registered: facts, no live state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// Who it is, within its service.
    pub id: InstanceId,
    /// Which life of it: a restart registers with a higher number.
    pub incarnation: u64,
    /// Where it is reached, the preferred address first; never empty.
    pub addresses: Vec<Address>,
    /// Who it proved to be when it registered, or who its source says it is: whoever calls it asks
    /// for that proof. `None` if nothing is known of it.
    pub identity: Option<SpiffeId>,
    /// The place it stands in.
    pub zone: Option<Box<str>>,
    /// Its share of the load.
    pub weight: Weight,
    /// The version it says it runs.
    pub version: Option<Box<str>>,
    /// What else it says of itself.
    pub metadata: BTreeMap<String, String>,
    /// What an operator decided.
    pub administration: Administration,
    /// Whether it still proves that it lives.
    pub lease: Lease,
}

impl Instance {
    /// The instance a bare address stands for; its identifier is the address.
    #[must_use]
    pub fn at(address: Address) -> Self {
        use alloc::string::ToString;
        Self {
            id: InstanceId(address.to_string().into()),
            incarnation: 0,
            addresses: alloc::vec![address],
            identity: None,
            zone: None,
            weight: Weight::ONE,
            version: None,
            metadata: BTreeMap::new(),
            administration: Administration::Enabled,
            lease: Lease::NotNeeded,
        }
    }
}

/// Everything a source knows of one service, at one revision.
///
/// An instance that is not in it was removed on purpose. One that is merely missing (its lease ran
/// out) stays in the view as [`Lease::Expired`] until its source gives it up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View {
    /// Grows with each change.
    pub revision: u64,
    /// The instances, ordered by identifier, each identifier once.
    pub instances: Vec<Arc<Instance>>,
}

impl View {
    /// The view of `instances`, in any order.
    ///
    /// Of two with one identifier the higher incarnation stays; of equals, the first.
    #[must_use]
    pub fn of(revision: u64, instances: impl IntoIterator<Item = Instance>) -> Self {
        let mut known: BTreeMap<InstanceId, Instance> = BTreeMap::new();
        for instance in instances {
            let newer = known
                .get(&instance.id)
                .is_none_or(|present| present.incarnation < instance.incarnation);
            if newer {
                known.insert(instance.id.clone(), instance);
            }
        }
        Self { revision, instances: known.into_values().map(Arc::new).collect() }
    }
}

/// What a source may say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Update {
    /// The whole of what is known now; it replaces what was said before.
    View(View),
    /// The source cannot be reached: the last view stands, and grows old.
    Lost {
        /// Why, in a sentence for the operator.
        reason: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_read_in_shares_and_bounded() {
        for (shares, hundredths) in [(0.1, 10), (1.0, 100), (0.295, 30), (10.0, 1_000)] {
            assert_eq!(Weight::shares(shares).unwrap().as_hundredths(), hundredths, "{shares}");
        }
        for shares in [0.0, 0.09, 10.01, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(Weight::shares(shares), None, "{shares}");
        }
    }

    #[test]
    fn a_view_is_ordered_and_keeps_the_highest_incarnation() {
        let instance = |port: u16, incarnation| Instance {
            incarnation,
            ..Instance::at(Address::Tcp(([127, 0, 0, 1], port).into()))
        };
        let view = View::of(7, [instance(2, 1), instance(1, 5), instance(2, 3), instance(1, 4)]);
        let kept: Vec<_> =
            view.instances.iter().map(|each| (each.id.as_str(), each.incarnation)).collect();
        assert_eq!(kept, [("127.0.0.1:1", 5), ("127.0.0.1:2", 3)]);
        assert_eq!(view.revision, 7);
    }
}
