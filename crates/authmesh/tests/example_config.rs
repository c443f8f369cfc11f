//! The example of the configuration prints a report of both slips.

#[path = "../examples/config.rs"]
mod example;

#[test]
fn the_example_reports_both_slips() {
    example::main();
    let report = example::report();
    for part in ["AM-C004", "mesh.toml:3:14", "AM-C001", "did you mean `timeout`?", "2 errors"] {
        assert!(report.contains(part), "{report}");
    }
}
