//! The demonstration of Authmesh: an authentication system on a bad day, and a scoreboard.
//!
//! Modules stand in the order in which they may use one another: each only those above it.

mod clock;

mod wait;

mod phase;

mod side;

mod secret;

mod notice;

mod failure;

mod report;

mod services;

mod instance;

mod wire;

mod naive;

mod client;

mod load;

mod cpu;

mod scores;

mod board;

mod screen;

mod story;

mod mesh;

mod membership;

mod day;

mod run;

pub use failure::Failure;
pub use notice::Notice;
pub use phase::Phase;
pub use report::{Leaks, PhaseReport, Report, SideReport};
pub use run::{Ending, Options, run};
