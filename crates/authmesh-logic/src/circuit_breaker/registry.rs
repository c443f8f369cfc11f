//! Keeps breakers by key, a bounded number of them, and never forgets one that protects something.

use alloc::collections::BTreeMap;
use alloc::collections::btree_map;
use core::borrow::Borrow;

use crate::Moment;

/// Breakers, or what has one, by key. Keys come from the configuration, never from a request.
///
/// | a new key finds | then |
/// |---|---|
/// | a free place | it is taken |
/// | no free place, and some breakers at rest | the one not used for the longest time is forgotten |
/// | no free place, and none at rest | the key is refused: forgetting an open breaker would open the way to what it protects, and one with evidence would learn it all anew |
#[derive(Debug)]
pub struct BreakerRegistry<K, V> {
    most: usize,
    entries: BTreeMap<K, Entry<V>>,
}

/// The refusal of a new key: every place is taken by a breaker that is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Crowded;

#[derive(Debug)]
struct Entry<V> {
    value: V,
    used: Moment,
}

impl<K: Ord, V> BreakerRegistry<K, V> {
    /// An empty registry with `most` places, at least one.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { most: most.max(1), entries: BTreeMap::new() }
    }

    /// What is kept under a key.
    pub fn get<Q>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
        Q: Ord + ?Sized,
    {
        self.entries.get(key).map(|entry| &entry.value)
    }

    /// What is kept under a key, made by `make` if there is nothing yet. `is_at_rest` says whether
    /// one may be forgotten: it is closed, holds no evidence, and nobody has it.
    ///
    /// # Errors
    /// There is no place for it.
    pub fn get_or_insert(
        &mut self,
        key: K,
        now: Moment,
        is_at_rest: impl Fn(&V) -> bool,
        make: impl FnOnce() -> V,
    ) -> Result<&V, Crowded>
    where
        K: Clone,
    {
        if !self.entries.contains_key(&key) && self.entries.len() >= self.most {
            let resting = self.entries.iter().filter(|(_, entry)| is_at_rest(&entry.value));
            let oldest = resting.min_by_key(|(_, entry)| entry.used).map(|(key, _)| key.clone());
            self.entries.remove(&oldest.ok_or(Crowded)?);
        }
        let entry = match self.entries.entry(key) {
            btree_map::Entry::Occupied(known) => known.into_mut(),
            btree_map::Entry::Vacant(free) => free.insert(Entry { value: make(), used: now }),
        };
        entry.used = now;
        Ok(&entry.value)
    }

    /// Everything that is kept, by key.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.entries.iter().map(|(key, entry)| (key, &entry.value))
    }
}

impl core::fmt::Display for Crowded {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.write_str("every breaker of the registry is in use")
    }
}

impl core::error::Error for Crowded {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Whether it may be forgotten.
    type AtRest = bool;

    fn insert(registry: &mut BreakerRegistry<u8, AtRest>, key: u8, at: u64) -> Result<(), Crowded> {
        let now = Moment::from_millis(at);
        registry.get_or_insert(key, now, |at_rest| *at_rest, || key.is_multiple_of(2)).map(|_| ())
    }

    fn keys(registry: &BreakerRegistry<u8, AtRest>) -> std::vec::Vec<u8> {
        registry.iter().map(|(key, _)| *key).collect()
    }

    #[test]
    fn the_longest_unused_at_rest_makes_room_and_no_other() {
        let mut registry = BreakerRegistry::new(3);
        for (at, key) in [2, 4, 1].into_iter().enumerate() {
            assert_eq!(insert(&mut registry, key, at as u64), Ok(()));
        }
        assert_eq!(insert(&mut registry, 2, 10), Ok(()), "used again");
        assert_eq!(insert(&mut registry, 3, 11), Ok(()));
        assert_eq!(keys(&registry), [1, 2, 3], "4 was at rest for the longest time");
        assert_eq!(insert(&mut registry, 5, 12), Ok(()));
        assert_eq!(insert(&mut registry, 7, 13), Err(Crowded), "1, 3 and 5 are needed");
        assert_eq!(keys(&registry), [1, 3, 5]);
        assert_eq!(insert(&mut registry, 5, 14), Ok(()), "what is there is found all the same");
    }

    proptest! {
        #[test]
        fn nothing_needed_is_ever_forgotten(
            asked in prop::collection::vec(0_u8..40, 1..200), most in 1_usize..10,
        ) {
            let mut registry = BreakerRegistry::new(most);
            let mut needed = std::collections::BTreeSet::new();
            for (at, key) in asked.into_iter().enumerate() {
                if insert(&mut registry, key, at as u64).is_ok() && key % 2 == 1 {
                    needed.insert(key);
                }
                prop_assert!(keys(&registry).len() <= most);
                prop_assert!(needed.iter().all(|key| registry.get(key).is_some()));
            }
        }
    }
}
