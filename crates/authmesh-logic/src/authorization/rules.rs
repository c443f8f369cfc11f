//! All access rules of a mesh, and what they answer.

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::{AccessRule, Action, Answer, Decision, Inquiry, Miss, Mode};
use crate::discovery::ServiceName;

/// What happens to a request that no rule speaks of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum DefaultAccess {
    /// Refused.
    #[default]
    Deny,
    /// Let through.
    Allow,
}

/// All access rules of a mesh. A rule goes by its place among them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccessRules {
    rules: Box<[AccessRule]>,
    default: DefaultAccess,
    /// In the order of the names.
    of_service: Box<[(ServiceName, Places)]>,
    /// For a service that no rule names.
    of_others: Places,
    /// The places of the rules that look at tokens.
    of_tokens: Box<[usize]>,
}

/// The places of the rules about one service, in the order of the rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Places {
    deny: Box<[usize]>,
    allow: Box<[usize]>,
}

impl AccessRules {
    /// These rules, and what happens to what none of them speaks of.
    #[must_use]
    pub fn new(rules: Vec<AccessRule>, default: DefaultAccess) -> Self {
        let named: BTreeSet<&ServiceName> =
            rules.iter().filter_map(|rule| rule.service.as_ref()).collect();
        let of_service = named
            .into_iter()
            .map(|name| (name.clone(), Places::of(&rules, |rule| rule.is_about(name.as_str()))))
            .collect();
        let of_others = Places::of(&rules, |rule| rule.service.is_none());
        let looks_at_tokens =
            |(place, rule): (usize, &AccessRule)| rule.looks_at_tokens().then_some(place);
        let of_tokens = rules.iter().enumerate().filter_map(looks_at_tokens).collect();
        Self { rules: rules.into(), default, of_service, of_others, of_tokens }
    }

    /// The rules, in the order they were given.
    #[must_use]
    pub fn rules(&self) -> &[AccessRule] {
        &self.rules
    }

    /// What is answered: refused if a rule denies, else allowed if a rule allows, else what the
    /// default says. Does not allocate.
    #[must_use]
    pub fn decide(&self, inquiry: &Inquiry<'_>) -> Decision {
        let places = self.places(inquiry.service);
        let mut would_deny = None;
        for &place in &places.deny {
            let rule = &self.rules[place];
            if rule.miss(inquiry).is_some() {
                continue;
            }
            if rule.mode == Mode::Enforced {
                return Decision { answer: Answer::DeniedBy, rule: Some(place), shadow: None };
            }
            would_deny = would_deny.or(Some(place));
        }
        let mut would_allow = None;
        let mut refusal = Answer::NoAllowRule;
        for &place in &places.allow {
            let rule = &self.rules[place];
            match (rule.miss(inquiry), rule.mode) {
                (None, Mode::Enforced) => {
                    let answer = Answer::Allowed;
                    return Decision { answer, rule: Some(place), shadow: would_deny };
                }
                (None, Mode::Shadow) => would_allow = would_allow.or(Some(place)),
                (Some(miss), Mode::Enforced) if miss.is_of_authentication() => {
                    refusal = Answer::AuthenticationMissing;
                }
                (Some(_), _) => {}
            }
        }
        match self.default {
            DefaultAccess::Allow => {
                Decision { answer: Answer::Allowed, rule: None, shadow: would_deny }
            }
            // What a shadow rule allows, a shadow rule may deny.
            DefaultAccess::Deny => {
                let shadow = would_allow.filter(|_| would_deny.is_none());
                Decision { answer: refusal, rule: None, shadow }
            }
        }
    }

    /// Whether what a token says can matter to this request: a rule looks at tokens, and nothing else
    /// keeps it from holding. Only then is a token judged; every other request may carry whatever it
    /// likes to its service. [`Mode::Shadow`] if only rules ask that decide nothing.
    #[must_use]
    pub fn ask_for_token(&self, inquiry: &Inquiry<'_>) -> Option<Mode> {
        let asking = self.of_tokens.iter().map(|&place| &self.rules[place]);
        let mut asked = None;
        for rule in asking.filter(|rule| rule.waits_for_token(inquiry)) {
            if rule.mode == Mode::Enforced {
                return Some(Mode::Enforced);
            }
            asked = Some(Mode::Shadow);
        }
        asked
    }

    /// Each rule about the service of this request, in the order in which they are asked, by its
    /// place, with what is in its way; nothing if it holds.
    pub fn walk<'a>(
        &'a self,
        inquiry: &'a Inquiry<'_>,
    ) -> impl Iterator<Item = (usize, Option<Miss>)> + 'a {
        let places = self.places(inquiry.service);
        let in_order = places.deny.iter().chain(&places.allow);
        in_order.map(|&place| (place, self.rules[place].miss(inquiry)))
    }

    /// What a decision says, as a sentence goes on: "denied by policy `x`".
    #[must_use]
    pub fn describe(&self, decision: &Decision) -> String {
        let name = decision.rule.and_then(|place| self.rules.get(place)).map(|rule| &*rule.name);
        match (decision.answer, name) {
            (Answer::Allowed, Some(name)) => format!("allowed by policy `{name}`"),
            (Answer::Allowed, None) => "allowed, as no policy speaks of it".into(),
            (Answer::DeniedBy, name) => format!("denied by policy `{}`", name.unwrap_or_default()),
            (Answer::NoAllowRule, _) => "denied, as no policy allows it".into(),
            (Answer::AuthenticationMissing, _) => {
                "denied, as no policy allows it to a caller that proved nothing".into()
            }
            (Answer::AuthenticationInvalid, _) => "denied, as its token is not believed".into(),
            (Answer::AuthenticationUnavailable, _) => {
                "denied, as the keys for its token cannot be had".into()
            }
        }
    }

    fn places(&self, service: &str) -> &Places {
        let known = self.of_service.binary_search_by(|(name, _)| name.as_str().cmp(service));
        known.map_or(&self.of_others, |place| &self.of_service[place].1)
    }
}

impl Places {
    fn of(rules: &[AccessRule], is_of_it: impl Fn(&AccessRule) -> bool) -> Self {
        let places = |action| {
            let rules = rules.iter().enumerate();
            rules
                .filter(|(_, rule)| rule.action == action && is_of_it(rule))
                .map(|(place, _)| place)
                .collect()
        };
        Self { deny: places(Action::Deny), allow: places(Action::Allow) }
    }
}
