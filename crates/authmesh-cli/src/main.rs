//! The program `authmesh`.
fn main() {}
