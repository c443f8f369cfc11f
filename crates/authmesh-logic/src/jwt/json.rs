//! JSON that was read: the tree that headers, claims and key sets are judged on.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// A JSON value (RFC 8259). Of an object every member stands once: whoever reads the bytes refuses
/// others, because two readers would believe different ones.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// A number; whole ones are exact up to 2⁵³.
    Number(f64),
    /// A text.
    Text(String),
    /// An array.
    List(Vec<Self>),
    /// An object.
    Object(BTreeMap<String, Self>),
}

/// The greatest whole number that no other one is read as: 2⁵³ − 1.
const LAST_EXACT: f64 = 9_007_199_254_740_991.0;

impl Json {
    /// A member of an object; nothing of anything else.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&Self> {
        let Self::Object(members) = self else { return None };
        members.get(name)
    }

    /// The text, if it is one.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Whether it is an object.
    #[must_use]
    pub const fn is_object(&self) -> bool {
        matches!(self, Self::Object(_))
    }

    /// Calls `visit` with the value as text, or with each such element of a list. Truth values and
    /// whole numbers are the text that JSON writes; a number that may stand for several, `null`, objects
    /// and what lies in a list of a list are passed over.
    pub(super) fn each_text(&self, visit: &mut dyn FnMut(&str)) {
        match self {
            Self::List(values) => values.iter().for_each(|value| value.visit_alone(visit)),
            value => value.visit_alone(visit),
        }
    }

    fn visit_alone(&self, visit: &mut dyn FnMut(&str)) {
        match self {
            Self::Text(text) => visit(text),
            Self::Boolean(true) => visit("true"),
            Self::Boolean(false) => visit("false"),
            #[expect(clippy::cast_possible_truncation, reason = "within the range just asked")]
            Self::Number(number) if (-LAST_EXACT..=LAST_EXACT).contains(number) => {
                let whole = *number as i64;
                #[expect(clippy::cast_precision_loss, reason = "within the range just asked")]
                if whole as f64 == *number {
                    visit(&whole.to_string());
                }
            }
            _ => {}
        }
    }
}

/// An object of these members, for tests.
#[cfg(test)]
pub(super) fn object(members: &[(&str, Json)]) -> Json {
    Json::Object(members.iter().map(|(name, value)| ((*name).into(), value.clone())).collect())
}

#[cfg(test)]
impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

#[cfg(test)]
impl From<f64> for Json {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

#[cfg(test)]
impl<T: Into<Self> + Clone, const N: usize> From<[T; N]> for Json {
    fn from(values: [T; N]) -> Self {
        Self::List(values.into_iter().map(Into::into).collect())
    }
}
