//! The example `health` does what it shows.

#[path = "../examples/health.rs"]
mod example;

#[test]
fn the_example_runs() {
    example::main().unwrap();
}
