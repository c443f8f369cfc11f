//! A word that holds something for one tag, and nothing for every other.

use crate::mutant::{self, Mutant};
use crate::sync::{AtomicU64, Ordering};

/// `tag:24 | payload:40`, changed only by exchanges.
///
/// The tag says what the payload belongs to: a phase, or a bucket of a phase. Nothing is ever reset:
/// who comes with a newer tag replaces the word, and what an older tag had left is gone for him in
/// the same exchange. A call held up for however long finds another tag and changes nothing.
#[derive(Debug)]
pub(super) struct Tagged(AtomicU64);

const PAYLOAD_BITS: u32 = 40;
/// The largest payload.
pub(super) const MOST: u64 = (1 << PAYLOAD_BITS) - 1;
/// The highest tag; 0 follows it.
pub(super) const LAST_TAG: u64 = u64::MAX >> PAYLOAD_BITS;

impl Tagged {
    /// Nothing yet, under the first tag.
    pub(super) fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// A word that holds the same.
    pub(super) fn copy(&self) -> Self {
        Self(AtomicU64::new(self.0.load(Ordering::SeqCst)))
    }

    /// The tag that stands here, and what it holds.
    #[inline]
    pub(super) fn load(&self) -> (u64, u64) {
        unpack(self.0.load(Ordering::SeqCst))
    }

    /// What this tag holds, if it stands here.
    #[inline]
    pub(super) fn under(&self, tag: u64) -> Option<u64> {
        let (stands, payload) = self.load();
        (stands == tag).then_some(payload)
    }

    /// Changes what `tag` holds, and gives what it holds now. Where another tag stands, `is_newer`
    /// is asked whether ours replaces it, to hold what `change` makes of 0; if not, nothing changes.
    #[inline]
    pub(super) fn change(
        &self,
        tag: u64,
        is_newer: impl Fn() -> bool,
        change: impl Fn(u64) -> u64,
    ) -> Option<u64> {
        let mut word = self.0.load(Ordering::Acquire);
        loop {
            let (stands, payload) = unpack(word);
            let before = if stands == tag {
                payload
            } else if is_newer() || mutant::is(Mutant::UnaskedPhase) {
                0
            } else {
                return None;
            };
            let after = change(before);
            if mutant::is(Mutant::BlindReset) && stands != tag {
                self.0.store(pack(tag, after), Ordering::SeqCst);
                return Some(after);
            }
            match self.exchange(word, pack(tag, after)) {
                Ok(()) => return Some(after),
                Err(now) => word = now,
            }
        }
    }

    /// Changes tag and payload together, to what `change` makes of them.
    pub(super) fn change_both(&self, change: impl Fn(u64, u64) -> (u64, u64)) {
        let mut word = self.0.load(Ordering::Acquire);
        loop {
            let (tag, payload) = unpack(word);
            let (tag, payload) = change(tag, payload);
            match self.exchange(word, pack(tag, payload)) {
                Ok(()) => return,
                Err(now) => word = now,
            }
        }
    }

    /// Replaces tag and payload, unless they have changed.
    pub(super) fn replace(&self, from: (u64, u64), to: (u64, u64)) {
        // Who loses finds that another was faster, which is as well.
        _ = self.exchange(pack(from.0, from.1), pack(to.0, to.1));
    }

    /// Sequentially consistent, so that of two calls that each change one word and read another, at
    /// least one sees the other.
    #[inline]
    fn exchange(&self, from: u64, to: u64) -> Result<(), u64> {
        self.0.compare_exchange_weak(from, to, Ordering::SeqCst, Ordering::Acquire).map(|_| ())
    }
}

#[inline]
const fn pack(tag: u64, payload: u64) -> u64 {
    tag << PAYLOAD_BITS | payload & MOST
}

#[inline]
const fn unpack(word: u64) -> (u64, u64) {
    (word >> PAYLOAD_BITS, word & MOST)
}

/// A payload that is two counts of twenty bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) one: u64,
    pub(super) other: u64,
}

impl Pair {
    const BITS: u32 = PAYLOAD_BITS / 2;
    /// The largest count.
    pub(super) const MOST: u64 = (1 << Self::BITS) - 1;

    #[inline]
    pub(super) const fn of(payload: u64) -> Self {
        Self { one: payload >> Self::BITS, other: payload & Self::MOST }
    }

    /// Both added up, if neither is too much for a payload.
    pub(super) fn plus(self, more: Self) -> Option<Self> {
        let sum = Self { one: self.one + more.one, other: self.other + more.other };
        (sum.one <= Self::MOST && sum.other <= Self::MOST).then_some(sum)
    }

    /// As a payload, each count modulo 2²⁰.
    #[inline]
    pub(super) const fn payload(self) -> u64 {
        (self.one & Self::MOST) << Self::BITS | self.other & Self::MOST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_holds_only_its_own_and_gives_way_only_to_a_newer_one() {
        let word = Tagged::new();
        let (newer, older) = (|| true, || false);
        assert_eq!(word.change(7, newer, |before| before + 1), Some(1));
        assert_eq!(word.change(7, older, |before| before + 1), Some(2));
        assert_eq!((word.under(7), word.under(6), word.under(8)), (Some(2), None, None));
        assert_eq!(word.change(6, older, |before| before + 1), None);
        assert_eq!(word.change(8, newer, |before| before + 5), Some(5));
        assert_eq!((word.load(), word.under(7)), ((8, 5), None));
        word.change_both(|tag, payload| (LAST_TAG, MOST - tag - payload));
        assert_eq!(word.load(), (LAST_TAG, MOST - 13));
    }

    #[test]
    fn a_pair_comes_back_and_each_count_wraps_alone() {
        let pair = Pair { one: 3, other: Pair::MOST };
        assert_eq!(Pair::of(pair.payload()), pair);
        let below_zero = Pair { one: 0_u64.wrapping_sub(1), other: 7 };
        assert_eq!(Pair::of(below_zero.payload()), Pair { one: Pair::MOST, other: 7 });
        assert_eq!(Pair { one: Pair::MOST, other: Pair::MOST }.payload(), MOST);
    }
}
