//! No text makes the reader panic, and what it says of one is always a place in it.

use proptest::prelude::*;

use crate::config::parse;

/// Pieces of lawful files, put together unlawfully.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => prop::sample::select(PIECES).prop_map(str::to_owned),
        1 => "[ -~äé\\n]{0,12}",
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

const PIECES: &[&str] = &[
    "version = 1\n",
    "[[listener]]\n",
    "[service.login]\n",
    "[[route]]\n",
    "[limits]\n",
    "[admin]\n",
    "[identity]\n",
    "[headers]\n",
    "[registry]\n",
    "address = '127.0.0.1:80'\n",
    "name = 'a'\n",
    "service = 'login'\n",
    "endpoints = [",
    "'127.0.0.1:80'",
    ", ",
    "]\n",
    "breaker = { ",
    "window = '1s', ",
    "buckets = 65000, ",
    "closes_at = 9, ",
    " }\n",
    "health = { path = '/', ",
    "expect = [200, '1-9'], ",
    "retry = { attempts = 3 }\n",
    "token = ",
    "{ file = 'x' }\n",
    "'${X}'\n",
    "\"\"\"",
    "'''",
    "= ",
    "0",
    "-1",
    "1.5",
    "true\n",
    "'off'\n",
    "'5s'\n",
    "'50%'\n",
    "\n",
    "\t",
    "\\",
    "\u{1b}",
    "#",
    "tls = { mode = 'server' }\n",
    "trusted_proxies = ['10.0.0.1/8', '0/0', '::/1']\n",
    "include = ['x']\n",
    "1979-05-27\n",
    "policy = 3\n",
    "service = 3\n",
    "listener = [1, {}]\n",
    "paths = ['/**', '/*']\n",
    "[[policy]]\n",
    "action = 'allow'\n",
    "from = ['spiffe://td/*', '*', 'x*']\n",
    "from = 'anyone'\n",
    "ip_blocks = ['10.0.0.0/8', '::/0']\n",
    "not_ports = [80, 0]\n",
    "when = { 'header.x' = ['a*', '*'] }\n",
    "[[policy_test]]\n",
    "request = 'GET /a/../b'\n",
    "expect = 'deny'\n",
    "by = 'a'\n",
    "[jwt.idp]\n",
    "jwt = 'idp'\n",
];

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in text()) {
        let problems = match parse(&text, "mesh.toml") {
            Ok(loaded) => loaded.warnings,
            Err(problems) => {
                prop_assert!(!problems.is_empty());
                problems
            }
        };
        let lines = text.matches('\n').count() + 1;
        for problem in &problems {
            let place = problems.place(problem.span);
            prop_assert!((1..=lines).contains(&place.line) && place.column >= 1);
        }
        prop_assert!(problems.to_json().is_array());
        prop_assert!(problems.is_empty() || !problems.to_string().is_empty());
    }
}
