//! The rules of the house, one file each; every rule has a test with a sample it must catch.

mod finding;

mod clock_and_luck;

mod dependencies;

mod documents;

mod first_line;

mod floors;

mod forbidden;

mod locks;

mod module_order;

mod places;

mod public_names;

mod sizes;

mod unused;

mod run;

pub(crate) use run::{Generated, run};
