//! Bytes as the cases write them.

use serde::Deserialize;

use crate::scenarios::Verdict;

/// A part of a text.
#[derive(Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub(super) enum Part {
    Text {
        text: String,
    },
    Repeated {
        repeat: String,
        n: usize,
    },
    /// `{i}` is the number of the copy.
    Counted {
        counted: String,
        n: usize,
    },
}

/// The most bytes one part may be.
const LARGEST: usize = 16 * 1024 * 1024;

/// The bytes of a text whose characters are bytes, or of parts of one, put together.
pub(super) fn bytes(raw: Option<&str>, parts: Option<&[Part]>) -> Result<Vec<u8>, Verdict> {
    let text = match (raw, parts) {
        (Some(raw), None) => raw.to_owned(),
        (None, Some(parts)) => {
            let text: Option<String> = parts.iter().map(Part::text).collect();
            text.ok_or_else(|| unsupported("a part that is too large"))?
        }
        _ => return Err(unsupported("either `raw` or `parts`")),
    };
    let bytes: Result<Vec<u8>, _> = text.chars().map(u8::try_from).collect();
    bytes.map_err(|_| unsupported("a character that is no byte"))
}

impl Part {
    fn text(&self) -> Option<String> {
        match self {
            Self::Text { text } => Some(text.clone()),
            Self::Repeated { repeat, n } => {
                (repeat.len().saturating_mul(*n) <= LARGEST).then(|| repeat.repeat(*n))
            }
            Self::Counted { counted, n } => {
                let copy = |number: usize| counted.replace("{i}", &number.to_string());
                (counted.len().saturating_mul(*n) <= LARGEST).then(|| (0..*n).map(copy).collect())
            }
        }
    }
}

fn unsupported(why: &str) -> Verdict {
    Verdict::Unsupported(why.to_owned())
}
