//! The committed inputs of the fuzzers, each whole, cut off and with a line missing.

#![expect(clippy::unwrap_used, reason = "helpers of tests; a fault here fails the test")]

use std::fs;

use authmesh_testkit::fuzz;

/// How many pieces of an input are left out or cut off, one after the other.
const PIECES: usize = 40;

#[test]
fn what_must_hold_of_a_configuration_holds_over_the_corpus() {
    let inputs = each_input("config", fuzz::config);
    assert!(inputs >= 20, "{inputs} inputs");
}

#[test]
fn what_must_hold_of_a_token_and_its_keys_holds_over_the_corpus() {
    let inputs = each_input("token", fuzz::token);
    assert!(inputs >= 15, "{inputs} inputs");
}

/// Feeds each input of a corpus, whole and in pieces; says how many there are.
fn each_input(corpus: &str, feed: fn(&[u8])) -> usize {
    let folder = format!("{}/../../fuzz/corpus/{corpus}", env!("CARGO_MANIFEST_DIR"));
    let mut inputs = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        feed(&bytes);
        let size = bytes.len().div_ceil(PIECES).max(1);
        for start in (0..bytes.len()).step_by(size) {
            let end = (start + size).min(bytes.len());
            feed(&bytes[..end]);
            feed(&[&bytes[..start], &bytes[end..]].concat());
        }
        let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
        for line in 0..lines.len() {
            feed(&[&lines[..line], &lines[line + 1..]].concat().concat());
        }
        inputs += 1;
    }
    inputs
}
