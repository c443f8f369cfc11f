//! What must hold for any input of a parser. The same functions run under `cargo fuzz` and, over the
//! committed inputs, with the tests.

use std::time::Duration;

use authmesh::config::{Problems, parse};
use authmesh::jwt::{KeySet, NumericDate, TokenPolicy};

/// A text of a configuration: reading it does not panic, what is wrong with it is told at places
/// that it has and without characters that move a cursor, and a lawful one means the same after a
/// dump.
///
/// # Panics
/// When one of these does not hold.
pub fn config(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match parse(text, "mesh.toml") {
        Ok(loaded) => {
            look_at(text, &loaded.warnings);
            let dumped = loaded.to_toml();
            let again = parse(&dumped, "dump.toml").map_err(|problems| problems.to_string());
            let again = again.map(|again| {
                let differing = again.changes_from(&loaded.settings);
                (again.config == loaded.config, differing)
            });
            assert_eq!(again, Ok((true, Vec::new())), "{dumped}");
            assert!(loaded.to_json().is_object());
        }
        Err(problems) => {
            assert!(!problems.is_empty());
            look_at(text, &problems);
        }
    }
}

/// A token in the first line and a key set behind it: neither makes the reader panic, and a token that is
/// believed is one of the key set's for the one subject that was ever signed with it.
///
/// # Panics
/// When one of these does not hold.
pub fn token(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (token, keys) = text.split_once('\n').unwrap_or((text, ""));
    let policy = TokenPolicy::new("https://idp.example.org", &["https://login.example.org"]);
    let Ok(keys) = KeySet::from_json(keys.as_bytes(), &policy) else { return };
    let now = NumericDate::since_1970(Duration::from_secs(1_800_000_000));
    if let Ok(claims) = keys.verify(token, &policy, now) {
        assert_eq!(claims.subject().as_str(), "alice");
        assert!(!keys.is_empty());
    }
}

fn look_at(text: &str, problems: &Problems) {
    let lines = text.matches('\n').count() + 1;
    for problem in problems {
        let place = problems.place(problem.span);
        assert!((1..=lines).contains(&place.line), "line {} of {lines}", place.line);
        assert!(place.column >= 1);
    }
    for shown in [problems.to_string(), problems.to_github()] {
        let moves = |char: char| char.is_control() && char != '\n';
        assert!(!shown.contains(moves), "{shown:?}");
    }
    assert!(problems.to_json().is_array());
}
