//! Luck, handed in: a small seeded generator.

/// A seeded source of random numbers (SplitMix64: Steele, Lea, Flood, OOPSLA 2014).
///
/// For spreading load and jitter, never for secrets. The same seed gives the same numbers, so a
/// failure can be replayed.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// Dice that always fall the same way for the same `seed`.
    #[must_use]
    pub const fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    /// Sixty-four random bits.
    pub const fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    /// A number in `0..bound`; 0 if `bound` is 0. The bias is below `bound / 2^64`.
    pub const fn below(&mut self, bound: u64) -> u64 {
        ((self.bits() as u128 * bound as u128) >> 64) as u64
    }

    /// A fraction in `0.0..1.0`, in steps of 2⁻⁵³.
    pub const fn fraction(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_numbers() {
        let (mut one, mut two) = (Dice::seeded(7), Dice::seeded(7));
        for _ in 0..100 {
            assert_eq!(one.bits(), two.bits());
        }
    }

    #[test]
    fn below_stays_below_and_reaches_every_number() {
        let mut dice = Dice::seeded(1);
        let mut seen = [false; 7];
        for _ in 0..1_000 {
            let number = dice.below(7);
            seen[usize::try_from(number).unwrap()] = true;
        }
        assert_eq!(seen, [true; 7]);
        assert_eq!(dice.below(0), 0);
    }
}
