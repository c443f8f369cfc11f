//! Conditions on what a request carries: header fields, and claims of a verified token.

use alloc::boxed::Box;

use super::{Action, Claims, Inquiry, Miss, Selection, TextPattern};
use crate::request_head::Fields;

/// What a condition looks at.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Attribute {
    /// A header field, by its lower-case name.
    Header(Box<str>),
    /// A claim of a verified token, by its name.
    Claim(Box<str>),
}

/// What a request must carry, or must not.
///
/// A field that comes more than once lets a rule that allows hold only if every value is wanted and
/// none is unwanted, and a rule that denies if any value is wanted and not every one is unwanted.
/// For what refuses, each element of a comma-separated list counts as a value, too: the service may
/// read it so. Of a claim that is a list, one text is enough.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// What is looked at.
    pub attribute: Attribute,
    /// What its values must be, and must not be.
    pub values: Selection<TextPattern>,
}

impl Condition {
    pub(super) const fn is_of_header(&self) -> bool {
        matches!(self.attribute, Attribute::Header(_))
    }

    /// What is in the way of this request; nothing if the condition holds.
    pub(super) fn miss(&self, action: Action, inquiry: &Inquiry<'_>) -> Option<Miss> {
        match &self.attribute {
            Attribute::Header(name) => match &inquiry.request {
                Some(request) => {
                    (!self.header_holds(action, name, request.fields)).then_some(Miss::Header)
                }
                None => (action == Action::Allow).then_some(Miss::NotHttp),
            },
            Attribute::Claim(name) => match inquiry.token {
                Some(claims) => (!self.claim_holds(name, claims)).then_some(Miss::Claim),
                None => (!self.values.holds_for_absence(action)).then_some(Miss::TokenMissing),
            },
        }
    }

    fn header_holds(&self, action: Action, name: &str, fields: &dyn Fields) -> bool {
        let Selection { any_of, none_of } = &self.values;
        let wanted = Seen::of(name, fields, any_of);
        let unwanted = Seen::of(name, fields, none_of);
        match action {
            Action::Allow => (any_of.is_empty() || wanted.all_whole) && !unwanted.any_part,
            Action::Deny => (any_of.is_empty() || wanted.any_part) && !unwanted.all_whole,
        }
    }

    fn claim_holds(&self, name: &str, claims: &dyn Claims) -> bool {
        let (mut wanted, mut unwanted) = (self.values.any_of.is_empty(), false);
        claims.each_text(name, &mut |text| {
            let is_meant = |pattern: &TextPattern| pattern.matches(text.as_bytes());
            wanted |= self.values.any_of.iter().any(is_meant);
            unwanted |= self.values.none_of.iter().any(is_meant);
        });
        wanted && !unwanted
    }
}

/// What the values of a field are to some patterns.
struct Seen {
    /// There are values, and each as a whole is meant.
    all_whole: bool,
    /// A value is meant, as a whole or by one of its elements.
    any_part: bool,
}

impl Seen {
    fn of(name: &str, fields: &dyn Fields, patterns: &[TextPattern]) -> Self {
        let mut seen = Self { all_whole: false, any_part: false };
        if patterns.is_empty() {
            return seen;
        }
        let is_meant = |value: &[u8]| patterns.iter().any(|pattern| pattern.matches(value));
        let (mut values, mut whole) = (0_usize, 0_usize);
        fields.each(&mut |field, value| {
            if field == name {
                let is_whole = is_meant(value);
                values += 1;
                whole += usize::from(is_whole);
                seen.any_part |= is_whole
                    || value.split(|byte| *byte == b',').any(|part| is_meant(part.trim_ascii()));
            }
        });
        seen.all_whole = values > 0 && whole == values;
        seen
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authorization::RequestView;
    use crate::request_head::FieldList;
    use std::vec::Vec;

    struct Token(&'static [(&'static str, &'static str)]);

    impl Claims for Token {
        fn issuer(&self) -> &str {
            "https://idp"
        }

        fn subject(&self) -> &str {
            "alice"
        }

        fn each_text(&self, name: &str, visit: &mut dyn FnMut(&str)) {
            self.0.iter().filter(|claim| claim.0 == name).for_each(|claim| visit(claim.1));
        }
    }

    fn selection(any_of: &[&str], none_of: &[&str]) -> Selection<TextPattern> {
        let read = |texts: &[&str]| -> Vec<_> {
            texts.iter().map(|text| TextPattern::parse(text).unwrap()).collect()
        };
        Selection { any_of: read(any_of), none_of: read(none_of) }
    }

    fn inquiry<'a>(fields: &'a dyn Fields, token: Option<&'a dyn Claims>) -> Inquiry<'a> {
        let request = RequestView { method: "GET", host: "a", path: "/", fields };
        Inquiry {
            service: "login",
            identity: None,
            peer: None,
            client: None,
            port: None,
            request: Some(request),
            token,
        }
    }

    type Texts<'a> = &'a [&'a str];

    #[test]
    fn of_several_values_the_one_that_refuses_counts() {
        // Wanted, unwanted, values; what a rule that allows and one that denies make of them.
        let cases: &[(Texts<'_>, Texts<'_>, Texts<'_>, bool, bool)] = &[
            (&["blue"], &[], &["blue"], true, true),
            (&["blue"], &[], &["red"], false, false),
            (&["blue"], &[], &[], false, false),
            (&["blue"], &[], &["blue", "red"], false, true),
            (&["blue"], &[], &["red, blue"], false, true),
            (&["blue", "red"], &[], &["blue", "red"], true, true),
            (&["*"], &[], &[], false, false),
            (&["*"], &[], &["x"], true, true),
            (&[], &["blue"], &[], true, true),
            (&[], &["blue"], &["red"], true, true),
            (&[], &["blue"], &["blue"], false, false),
            (&[], &["blue"], &["blue", "red"], false, true),
            (&[], &["blue"], &["red,blue"], false, true),
            (&["*"], &["blue"], &["red"], true, true),
        ];
        for (any_of, none_of, values, allow, deny) in cases {
            let attribute = Attribute::Header("x-tenant".into());
            let condition = Condition { attribute, values: selection(any_of, none_of) };
            let fields: Vec<_> = values.iter().map(|value| ("x-tenant", *value)).collect();
            let fields = FieldList(&fields);
            let holds = |action| condition.miss(action, &inquiry(&fields, None)).is_none();
            let found = (holds(Action::Allow), holds(Action::Deny));
            assert_eq!(found, (*allow, *deny), "{any_of:?} {none_of:?} {values:?}");
        }
    }

    #[test]
    fn of_a_claim_one_text_is_enough_and_without_a_token_nothing_is_allowed() {
        let admin = Token(&[("groups", "dev"), ("groups", "admins")]);
        let cases: &[(Texts<'_>, Texts<'_>, Option<&Token>, bool, bool)] = &[
            (&["admins"], &[], Some(&admin), true, true),
            (&["ops"], &[], Some(&admin), false, false),
            (&[], &["admins"], Some(&admin), false, false),
            (&[], &["ops"], Some(&admin), true, true),
            (&["admins"], &[], None, false, false),
            (&[], &["admins"], None, false, true),
        ];
        for (any_of, none_of, token, allow, deny) in cases {
            let attribute = Attribute::Claim("groups".into());
            let condition = Condition { attribute, values: selection(any_of, none_of) };
            let token = token.map(|token| token as &dyn Claims);
            let fields = FieldList(&[]);
            let holds = |action| condition.miss(action, &inquiry(&fields, token)).is_none();
            let found = (holds(Action::Allow), holds(Action::Deny));
            assert_eq!(found, (*allow, *deny), "{any_of:?} {none_of:?}");
        }
    }
}
