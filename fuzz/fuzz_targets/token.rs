//! Feeds the reader of tokens and of key sets; what must hold stands in the testkit.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| authmesh_testkit::fuzz::token(bytes));
