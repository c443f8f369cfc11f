//! The example `discovery` does what it shows.

#[path = "../examples/discovery.rs"]
mod example;

#[test]
fn the_example_runs() {
    example::main().unwrap();
}
