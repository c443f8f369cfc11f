//! Set-up, checks, tests, benches and generated documents: `cargo xtask VERB`.
fn main() {}
