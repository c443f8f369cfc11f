//! Reads a configuration with two slips and prints what is wrong with it.

pub(crate) fn report() -> String {
    let text = "version = 1\n[service.login]\nendpoints = [\"127.0.0.1\"]\ntimeuot = \"2s\"\n";
    match authmesh::config::parse(text, "mesh.toml") {
        Ok(loaded) => format!("{} services", loaded.config.services.len()),
        Err(problems) => problems.to_string(),
    }
}

#[expect(clippy::print_stdout, reason = "an example shows what it does")]
pub(crate) fn main() {
    println!("{}", report());
}
