//! Measures the proxy, its TLS and the breakers beside their peers, and prints what was measured.

mod options;

mod machine;

mod cpu;

mod process;

mod load;

mod configuration;

mod peers;

mod memory;

mod results;

mod report;

mod breaker;

mod tls;

mod performance;

mod rounds;

pub(crate) use breaker::run as breakers;
pub(crate) use performance::{DOCUMENT, document};
pub(crate) use rounds::run;
pub(crate) use tls::run as tls;
