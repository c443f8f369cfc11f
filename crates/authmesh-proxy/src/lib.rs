//! Floor 3 of Authmesh: serves. Listeners, the way of a request through them, and the doors.
//!
//! Modules stand in the order in which they may use one another: each only those above it.

mod step;

mod self_test;

mod fields;

mod request_id;

mod peer;

mod refusal;

mod refusals;

mod access;

mod table;

mod load;

mod replayed;

mod tls;

mod serving;

mod judged;

mod switched;

mod reply;

mod onward;

mod stream_tasks;

mod rarely;

mod activity;

mod noted;

mod whole_answer;

mod entrance;

mod forward;

mod bind;

mod relay;

mod ends;

mod connection;

mod worker;

mod doors;

mod proxy;

mod reload;

pub use bind::BindError;
pub use doors::{Ask, Push, ReloadFault, Reply};
pub use load::Load;
pub use proxy::{Proxy, StartError, Stopped};
pub use reload::Changed;
pub use self_test::SelfTestError;
pub use step::{Step, StepRule};
pub use tls::TlsError;
