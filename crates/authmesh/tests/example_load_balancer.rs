//! The example `load_balancer` does what it shows.

#[path = "../examples/load_balancer.rs"]
mod example;

#[test]
fn the_example_runs() {
    example::main().unwrap();
}
