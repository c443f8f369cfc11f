//! The committed inputs of the fuzzers, each whole, cut off and with a line missing.

use std::fs;

use authmesh_testkit::fuzz;

/// How many pieces of an input are left out or cut off, one after the other.
const PIECES: usize = 40;

#[test]
fn what_must_hold_of_a_configuration_holds_over_the_corpus() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/config");
    let mut inputs = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        fuzz::config(&bytes);
        let size = bytes.len().div_ceil(PIECES).max(1);
        for start in (0..bytes.len()).step_by(size) {
            let end = (start + size).min(bytes.len());
            fuzz::config(&bytes[..end]);
            fuzz::config(&[&bytes[..start], &bytes[end..]].concat());
        }
        let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
        for line in 0..lines.len() {
            fuzz::config(&[&lines[..line], &lines[line + 1..]].concat().concat());
        }
        inputs += 1;
    }
    assert!(inputs >= 20, "{inputs} inputs");
}
