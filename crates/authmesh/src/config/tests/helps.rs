//! What is said to write instead fits what was written.

use crate::config::parse;

#[test]
fn a_help_is_about_what_was_written() {
    for (case, help) in [
        ("[service.a]\nendpoints = ['localhost:3000']", "\"127.0.0.1:3000\""),
        (
            "[service.a]\nendpoints = ['http://10.0.0.1:80/x']",
            "an address has neither scheme nor path; write \"10.0.0.1:80\" if that is one",
        ),
        (
            "[service.a]\nendpoints = ['10.0.0.1:65536']",
            "a port is a number from 1 to 65535, and `65536` is none",
        ),
        ("[service.a]\nendpoints = ['token:80']", "names of hosts are not resolved here"),
        ("[limits]\nidle_timeout = 90", "idle_timeout = \"90s\" (units: ms, s, m, h, d)"),
        ("[limits]\nidle_timeout = '90'", "idle_timeout = \"90s\" (units: ms, s, m, h, d)"),
        ("[limits]\nidle_timeout = '9sec'", "idle_timeout = \"1m30s\" (units: ms, s, m, h, d)"),
        (
            "[identity]\ntrust_domain = 'A B'\ncert = 'a'\nkey = 'b'\nbundle = 'c'",
            "trust_domain = \"corp.example\"",
        ),
        (
            "[jwt.a]\nissuer = 'https://a'\naudiences = ['b']\njwks = 'http://a/keys?b'\n\
             [[policy]]\nname = 'c'\naction = 'allow'\njwt = 'a'",
            "jwks = \"https://a/keys?b\"",
        ),
        (
            "[jwt.a]\nissuer = 'https://a'\naudiences = ['b']\njwks = 'https://a/k'\n\
             algorithms = ['none']\n[[policy]]\nname = 'c'\naction = 'allow'\njwt = 'a'",
            "leave it out and name what the issuer signs with, such as `ES256`",
        ),
    ] {
        let problems = parse(&format!("version = 1\n{case}\n"), "mesh.toml").unwrap_err();
        let told = problems.iter().next().and_then(|problem| problem.help.clone());
        assert_eq!(told.as_deref(), Some(help), "{case}\n{problems}");
    }
}
