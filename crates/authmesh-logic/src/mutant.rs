//! Faults planted in model-checked builds, to show that the models would notice; in every other
//! build there is none.

#[cfg(authmesh_loom)]
use core::cell::Cell;

/// One fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(authmesh_loom), expect(dead_code, reason = "only models plant faults"))]
pub(crate) enum Mutant {
    /// The call that begins a half-open phase is not counted among its trials.
    UncountedTrial,
    /// A cancelled trial gives a place back to whichever phase there is.
    PlaceOfAnyPhase,
    /// A result writes under its own tag without asking whether its phase is over.
    UnaskedPhase,
    /// What stands under an old tag is overwritten instead of exchanged.
    BlindReset,
    /// A new phase does not leap ahead of the buckets of the one before.
    NoLeap,
    /// Writes and the reads that follow them have no common order.
    NoTotalOrder,
    /// The trial limit counts from the beginning of whichever phase noted one.
    AgeOfAnyPhase,
    /// Evidence trips whichever closed phase it finds.
    TripsAnyPhase,
}

/// Whether this fault is planted.
#[cfg(not(authmesh_loom))]
pub(crate) const fn is(_: Mutant) -> bool {
    false
}

#[cfg(authmesh_loom)]
std::thread_local! {
    static PLANTED: Cell<Option<Mutant>> = const { Cell::new(None) };
}

/// Whether this fault is planted. Loom runs all its threads on one.
#[cfg(authmesh_loom)]
pub(crate) fn is(mutant: Mutant) -> bool {
    PLANTED.get() == Some(mutant)
}

/// Plants a fault, or none.
#[cfg(all(test, authmesh_loom))]
pub(crate) fn plant(mutant: Option<Mutant>) {
    PLANTED.set(mutant);
}
