//! Reads which weaker settings are accepted, why, and until when.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::config::reader::Reader;
use crate::config::{Acceptance, Code, Problem};

const FORM: &str = "an acceptance is written `KEY: REASON until YYYY-MM-DD`";
const HELP: &str = "accept_weaker = [\"limits.body: uploads of scans until 2027-01-31\"]";

pub(in crate::config) fn read_accepted(reader: &mut Reader<'_, '_>) -> Vec<Acceptance> {
    let texts = reader.strings("accept_weaker").map(|texts| texts.value).unwrap_or_default();
    let mut accepted = Vec::new();
    for text in texts {
        match parsed(text.value) {
            Some((path, reason, until)) => {
                accepted.push(Acceptance { path, reason, until, span: text.span });
            }
            None => {
                let problem = Problem::new(Code::NotAllowed, text.span, FORM);
                reader.report(problem.help(HELP));
            }
        }
    }
    accepted
}

fn parsed(text: &str) -> Option<(String, String, crate::config::Date)> {
    let (path, rest) = text.split_once(": ")?;
    let (reason, until) = rest.rsplit_once(" until ")?;
    let (path, reason) = (path.trim(), reason.trim());
    let is_whole = !path.is_empty() && !reason.is_empty();
    is_whole.then_some((path.to_string(), reason.to_string(), until.trim().parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_acceptance_has_a_key_a_reason_and_a_date() {
        let (path, reason, until) =
            parsed("listener.in.tls.mode: wait until all moved until 2027-01-31").unwrap();
        assert_eq!(
            (path.as_str(), reason.as_str()),
            ("listener.in.tls.mode", "wait until all moved")
        );
        assert_eq!(until.to_string(), "2027-01-31");
        for faulty in [
            "limits.body",
            "limits.body: until 2027-01-31",
            ": reason until 2027-01-31",
            "limits.body: reason until 2027-02-30",
            "limits.body: reason",
            "",
        ] {
            assert!(parsed(faulty).is_none(), "{faulty}");
        }
    }
}
