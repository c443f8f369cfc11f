//! Access rules: who may do what.
//!
//! The model is that of Istio's `AuthorizationPolicy`: a rule allows or denies; it has clauses of
//! which one must hold; a clause says who calls, what is asked and under which conditions, and each
//! of its aspects names what is wanted and what is not. A rule that denies wins over every rule that
//! allows, whatever their order.
//!
//! Where it differs from Istio it is stricter: what no rule speaks of is refused unless
//! [`DefaultAccess::Allow`] is written down, and a rule that names callers never allows one who has
//! proved nothing.
//!
//! | an aspect of the request is absent | a rule that allows | a rule that denies |
//! |---|---|---|
//! | and one of some values is wanted | does not hold | does not hold |
//! | and only unwanted values are named | does not hold | holds |
//! | because the connection is not HTTP | does not hold | is judged without it |

mod address_block;
mod attribute;
mod caller_pattern;
mod case;
mod clause;
mod covers;
mod decision;
mod inquiry;
mod principal;
#[cfg(test)]
mod properties;
mod request_pattern;
mod rule;
mod rules;
mod selection;
mod text_pattern;

pub use address_block::AddressBlock;
pub use attribute::{Attribute, Condition};
pub use caller_pattern::CallerPattern;
pub use case::{AccessCase, CaseError, WrittenFields, WrittenToken};
pub use clause::Clause;
pub use decision::{Answer, Decision, Miss};
pub use inquiry::{Claims, Inquiry, RequestView};
pub use principal::{Principal, PrincipalError};
pub use request_pattern::RequestPattern;
pub use rule::{AccessRule, Action, Mode};
pub use rules::{AccessRules, DefaultAccess};
pub use selection::Selection;
pub use text_pattern::{TextPattern, TextPatternError};

pub(crate) use inquiry::each_element;
