//! The one drawer of luck.

use std::cell::RefCell;
use std::hash::{BuildHasher, RandomState};

use authmesh_logic::Dice;

thread_local! {
    // The standard library seeds a hasher from the operating system for each thread's first map.
    static DICE: RefCell<Dice> = RefCell::new(Dice::seeded(RandomState::new().hash_one(0_u8)));
}

/// Lends this thread's dice. `play` must not call back into this function.
pub fn with_dice<T>(play: impl FnOnce(&mut Dice) -> T) -> T {
    DICE.with_borrow_mut(play)
}
