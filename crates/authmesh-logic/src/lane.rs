//! Place, handed in: which worker calls.

/// A small number that says which worker calls, and so which shard of a counter or pool it owns.
///
/// Two callers with the same lane are correct, only slower.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Lane(u16);

impl Lane {
    /// The lane of a program with one worker.
    pub const FIRST: Self = Self(0);

    /// The lane with this number.
    #[must_use]
    pub const fn new(number: u16) -> Self {
        Self(number)
    }

    /// Its number.
    #[must_use]
    pub const fn number(self) -> u16 {
        self.0
    }

    /// The shard this lane owns among `shards`; 0 if there are none.
    #[must_use]
    pub const fn shard(self, shards: usize) -> usize {
        if shards == 0 { 0 } else { self.0 as usize % shards }
    }
}
