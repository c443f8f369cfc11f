//! Feeds the reader of the configuration; what must hold stands in the testkit.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| authmesh_testkit::fuzz::config(bytes));
