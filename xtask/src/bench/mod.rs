//! Measures the proxy beside its peers in one run, and prints what was measured.

mod options;

mod machine;

mod cpu;

mod process;

mod load;

mod configuration;

mod peers;

mod results;

mod report;

mod rounds;

pub(crate) use report::report;
pub(crate) use results::RESULTS;
pub(crate) use rounds::run;
