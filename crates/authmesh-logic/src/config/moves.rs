//! Tells which listeners a change takes somewhere else.

use alloc::format;
use alloc::vec::Vec;

use super::settings::Change;
use super::{Code, Problem, Span};

/// The listeners that stay and listen at another address, each as something worth knowing. `top` is
/// the place of what is written nowhere.
#[must_use]
pub fn moved_listeners(changes: &[Change], top: Span) -> Vec<Problem> {
    changes.iter().filter_map(|change| moved(change, top)).collect()
}

fn moved(change: &Change, top: Span) -> Option<Problem> {
    let name = change.path.strip_prefix("listener.")?.strip_suffix(".address")?;
    let before = unquoted(change.before.as_deref()?);
    let after = unquoted(change.after.as_deref()?);
    let sentence = format!("listener `{name}` moves from `{before}` to `{after}`");
    let note = format!(
        "new connections are taken at `{after}` only; those that are open at `{before}` finish what \
         they carry and are closed"
    );
    Some(Problem::new(Code::ListenerMoves, change.place.unwrap_or(top), sentence).note(note))
}

/// A text of TOML without its quotes.
fn unquoted(text: &str) -> &str {
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;
    use crate::config::Severity;
    use crate::config::reference::Effect;

    fn change(path: &str, before: Option<&str>, after: Option<&str>) -> Change {
        Change {
            path: path.into(),
            before: before.map(ToString::to_string),
            after: after.map(ToString::to_string),
            effect: Effect::Neutral,
            weaker: "".into(),
            place: Some(Span { file: 0, start: 3, end: 9 }),
        }
    }

    #[test]
    fn only_a_listener_that_stays_and_has_another_address_moves() {
        let (old, new) = (Some("\"127.0.0.1:1\""), Some("\"unix:/a\""));
        for (path, before, after, sentence) in [
            (
                "listener.web.address",
                old,
                new,
                Some("listener `web` moves from `127.0.0.1:1` to `unix:/a`"),
            ),
            (
                "listener.a.b.address",
                old,
                new,
                Some("listener `a.b` moves from `127.0.0.1:1` to `unix:/a`"),
            ),
            ("listener.web", Some("[[listener]]"), None, None),
            ("listener.web.forward_to", old, new, None),
            ("metrics.address", old, new, None),
        ] {
            let found = moved_listeners(&[change(path, before, after)], Span::default());
            let told = found.first().map(|problem| problem.sentence.as_str());
            assert_eq!(told, sentence, "{path}");
            for problem in found {
                assert_eq!((problem.severity, problem.span.start), (Severity::Info, 3));
            }
        }
    }
}
