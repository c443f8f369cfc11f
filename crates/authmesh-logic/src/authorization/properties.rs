//! What holds for every set of rules: adding a denial or removing a permission never lets more
//! through, and what nobody allowed is refused.

use std::string::{String, ToString};
use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::discovery::ServiceName;
use crate::routing::{HostPattern, Pattern};

fn selection<T: Clone + std::fmt::Debug + 'static>(
    values: Vec<T>,
) -> impl Strategy<Value = Selection<T>> {
    let none = values.clone();
    let most = values.len();
    (
        prop_oneof![3 => Just(Vec::new()), 2 => prop::sample::subsequence(values, 0..=most)],
        prop_oneof![4 => Just(Vec::new()), 1 => prop::sample::subsequence(none, 0..=most)],
    )
        .prop_map(|(any_of, none_of)| Selection { any_of, none_of })
}

fn principals() -> Vec<Principal> {
    let texts = ["*", "spiffe://td/*", "spiffe://td/web", "spiffe://other/web"];
    texts.iter().map(|text| Principal::parse(text).unwrap()).collect()
}

fn blocks() -> Vec<AddressBlock> {
    let blocks = [("10.0.0.0", 8), ("10.1.0.0", 16), ("fd00::", 8)];
    let block = |(address, prefix): &(&str, u8)| {
        AddressBlock::new(address.parse().unwrap(), *prefix).unwrap()
    };
    blocks.iter().map(block).collect()
}

fn texts() -> Vec<TextPattern> {
    ["*", "a", "a*", "*b"].iter().map(|text| TextPattern::parse(text).unwrap()).collect()
}

fn paths() -> Vec<Pattern> {
    let texts = ["*", "/login", "/login/**", "/{*}/me", "*.json", "/l*"];
    texts.iter().map(|text| Pattern::parse(text).unwrap()).collect()
}

fn hosts() -> Vec<HostPattern> {
    ["a.example", "*.example"].iter().map(|text| HostPattern::parse(text).unwrap()).collect()
}

fn caller() -> impl Strategy<Value = CallerPattern> {
    (selection(principals()), selection(texts()), selection(blocks()), selection(blocks()))
        .prop_map(|(principals, token_principals, peers, clients)| CallerPattern {
            principals,
            token_principals,
            peers,
            clients,
        })
}

fn asked() -> impl Strategy<Value = RequestPattern> {
    let methods = ["GET", "POST"].map(Into::into).to_vec();
    (selection(methods), selection(paths()), selection(hosts()), selection(vec![80, 443]))
        .prop_map(|(methods, paths, hosts, ports)| RequestPattern { methods, paths, hosts, ports })
}

fn condition() -> impl Strategy<Value = Condition> {
    let attribute = prop_oneof![
        Just(Attribute::Header("x-tenant".into())),
        Just(Attribute::Claim("groups".into())),
    ];
    (attribute, selection(texts())).prop_map(|(attribute, values)| Condition { attribute, values })
}

fn clause() -> impl Strategy<Value = Clause> {
    (
        prop::collection::vec(caller(), 0..3),
        prop::collection::vec(asked(), 0..3),
        prop::collection::vec(condition(), 0..2),
    )
        .prop_map(|(from, to, when)| Clause { from, to, when })
}

fn service() -> impl Strategy<Value = ServiceName> {
    prop::sample::select(vec!["login", "token"]).prop_map(|name| name.parse().unwrap())
}

fn rule() -> impl Strategy<Value = AccessRule> {
    (
        prop::sample::select(vec![Action::Allow, Action::Deny]),
        prop_oneof![4 => Just(Mode::Enforced), 1 => Just(Mode::Shadow)],
        prop::option::of(service()),
        prop::collection::vec(clause(), 0..3),
    )
        .prop_map(|(action, mode, service, clauses)| AccessRule {
            name: "r".into(),
            action,
            mode,
            service,
            clauses,
        })
}

fn default() -> impl Strategy<Value = DefaultAccess> {
    prop::sample::select(vec![DefaultAccess::Deny, DefaultAccess::Allow])
}

#[derive(Clone, Debug)]
struct Token(String);

impl Claims for Token {
    fn issuer(&self) -> &str {
        "a"
    }

    fn subject(&self) -> &str {
        "b"
    }

    fn each_text(&self, _: &str, visit: &mut dyn FnMut(&str)) {
        visit(&self.0);
    }
}

#[derive(Clone, Debug)]
struct Request {
    case: AccessCase,
    is_http: bool,
    token: Option<Token>,
}

impl Request {
    fn decide(&self, rules: &AccessRules) -> Decision {
        rules.decide(&self.inquiry())
    }

    fn inquiry(&self) -> Inquiry<'_> {
        let inquiry = self.case.inquiry();
        Inquiry {
            request: inquiry.request.filter(|_| self.is_http),
            token: self.token.as_ref().map(|token| token as &dyn Claims),
            ..inquiry
        }
    }
}

fn request() -> impl Strategy<Value = Request> {
    let of = |texts: &[&str]| {
        prop::sample::select(texts.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    let request = of(&["GET /login", "POST /login/x", "GET /u/me", "GET /a.json", "OPTIONS *"]);
    let identity = of(&["spiffe://td/web", "spiffe://td/a/b", "spiffe://other/web"]);
    let address = prop::option::of(of(&["10.1.2.3", "10.9.9.9", "fd00::1", "203.0.113.9"]));
    (
        (service(), request, prop::option::of(identity)),
        (address.clone(), address, prop::option::of(prop::sample::select(vec![80_u16, 443, 8080]))),
        (
            of(&["a.example", "b.example", "c.net"]),
            prop::collection::vec(of(&["a", "ab", "c"]), 0..3),
        ),
        (prop::bool::weighted(0.9), prop::option::of(of(&["a", "b"]))),
    )
        .prop_map(
            |((service, request, identity), (peer, client, port), (host, values), rest)| {
                let mut case = AccessCase::new(service, &request).unwrap().at_host(&host).unwrap();
                case.identity = identity.map(Into::into);
                case.peer = peer.map(|text| text.parse().unwrap());
                case.client = client.map(|text| text.parse().unwrap());
                case.port = port;
                let field = |value: String| ("x-tenant".into(), value.into());
                case.fields = WrittenFields(values.into_iter().map(field).collect());
                Request { case, is_http: rest.0, token: rest.1.map(Token) }
            },
        )
}

fn rules() -> impl Strategy<Value = Vec<AccessRule>> {
    prop::collection::vec(rule(), 0..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn adding_a_denial_never_lets_more_through(
        before in rules(), added in rule(), place in any::<prop::sample::Index>(),
        default in default(), request in request(),
    ) {
        let mut after = before.clone();
        let added = AccessRule { action: Action::Deny, ..added };
        after.insert(place.index(before.len() + 1), added);
        let was = request.decide(&AccessRules::new(before, default)).answer.is_allowed();
        let is = request.decide(&AccessRules::new(after, default)).answer.is_allowed();
        prop_assert!(was || !is);
    }

    #[test]
    fn removing_a_permission_never_lets_more_through(
        before in rules(), default in default(), request in request(),
    ) {
        let was = request.decide(&AccessRules::new(before.clone(), default)).answer.is_allowed();
        for place in (0..before.len()).filter(|place| before[*place].action == Action::Allow) {
            let mut after = before.clone();
            after.remove(place);
            let is = request.decide(&AccessRules::new(after, default)).answer.is_allowed();
            prop_assert!(was || !is);
        }
    }

    #[test]
    fn what_no_enforced_rule_allows_is_refused_by_default(
        rules in rules(), request in request(),
    ) {
        let without: Vec<AccessRule> = rules
            .into_iter()
            .filter(|rule| rule.action == Action::Deny || rule.mode == Mode::Shadow)
            .collect();
        let decision = request.decide(&AccessRules::new(without, DefaultAccess::Deny));
        prop_assert!(!decision.answer.is_allowed());
    }

    #[test]
    fn where_no_rule_asks_for_a_token_none_changes_the_answer(
        rules in rules(), default in default(), request in request(),
    ) {
        let rules = AccessRules::new(rules, default);
        let without = Inquiry { token: None, ..request.inquiry() };
        let (bare, full) = (rules.decide(&without), request.decide(&rules));
        let is_asked = rules.ask_for_token(&without);
        prop_assert_eq!(is_asked, rules.ask_for_token(&request.inquiry()));
        let is_same = bare.answer.is_allowed() == full.answer.is_allowed();
        prop_assert!(is_asked == Some(Mode::Enforced) || is_same);
        prop_assert!(is_asked.is_some() || bare.shadow.is_some() == full.shadow.is_some());
    }

    #[test]
    fn the_order_of_the_rules_does_not_matter(
        rules in rules(), default in default(), request in request(),
    ) {
        let reversed = rules.iter().rev().cloned().collect();
        let one = request.decide(&AccessRules::new(rules, default));
        let other = request.decide(&AccessRules::new(reversed, default));
        prop_assert_eq!(one.answer, other.answer);
        prop_assert_eq!(one.rule.is_some(), other.rule.is_some());
        prop_assert_eq!(one.shadow.is_some(), other.shadow.is_some());
    }

    #[test]
    fn rules_in_shadow_change_nothing_and_tell_what_they_would_have_changed(
        rules in rules(), default in default(), request in request(),
    ) {
        let enforced_alone =
            rules.iter().filter(|rule| rule.mode == Mode::Enforced).cloned().collect();
        let told = request.decide(&AccessRules::new(rules.clone(), default));
        let alone = request.decide(&AccessRules::new(enforced_alone, default));
        prop_assert_eq!(told.answer, alone.answer);
        let as_enforced = rules
            .into_iter()
            .map(|rule| AccessRule { mode: Mode::Enforced, ..rule })
            .collect();
        let would_be = request.decide(&AccessRules::new(as_enforced, default)).answer;
        let changes = would_be.is_allowed() != told.answer.is_allowed();
        prop_assert_eq!(told.shadow.is_some(), changes);
    }

    #[test]
    fn proving_an_identity_is_all_that_is_wanting_where_the_answer_says_so(
        rules in rules(), request in request(),
    ) {
        let rules = AccessRules::new(rules, DefaultAccess::Deny);
        let decision = request.decide(&rules);
        if decision.answer == Answer::AuthenticationMissing {
            prop_assert!(request.case.identity.is_none() || request.token.is_none());
            prop_assert!(decision.rule.is_none());
        }
    }

    #[test]
    fn a_rule_shadowed_by_a_denial_never_allows(
        rule in rule(), denial in rule(), request in request(),
    ) {
        let rule = AccessRule { action: Action::Allow, mode: Mode::Enforced, ..rule };
        let denial = AccessRule { action: Action::Deny, mode: Mode::Enforced, ..denial };
        if rule.is_shadowed_by(&denial) {
            let rules = AccessRules::new(vec![rule, denial], DefaultAccess::Deny);
            prop_assert!(!request.decide(&rules).answer.is_allowed());
        }
    }

    #[test]
    fn a_rule_that_contradicts_itself_holds_for_nothing_that_proved_who_it_is(
        rule in rule(), request in request(),
    ) {
        let rule = AccessRule { action: Action::Allow, ..rule };
        if rule.contradicts_itself() {
            prop_assert!(rule.miss(&request.inquiry()).is_some());
        }
    }

    #[test]
    fn the_walk_says_what_decided(
        rules in rules(), default in default(), request in request(),
    ) {
        let rules = AccessRules::new(rules, default);
        let decision = request.decide(&rules);
        let inquiry = request.inquiry();
        let holds: Vec<usize> = rules
            .walk(&inquiry)
            .filter(|(place, miss)| miss.is_none() && rules.rules()[*place].mode == Mode::Enforced)
            .map(|(place, _)| place)
            .collect();
        prop_assert_eq!(decision.rule, holds.first().copied());
    }
}
