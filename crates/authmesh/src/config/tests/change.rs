//! Weaker settings are found, refused with a remedy, and taken when somebody answers for them.

use crate::config::{Change, Date, Effect, Loaded, Severity, parse};

const BEFORE: &str = "version = 1
[authorization]
default = 'deny'
[limits]
body = '1MiB'
header_timeout = '5s'
[headers]
trusted_proxies = ['10.0.0.0/8']
[[listener]]
name = 'in'
address = '127.0.0.1:1'
forward_to = 'token'
[service.token]
endpoints = ['127.0.0.1:2']
retry = { attempts = 2, only_if_unprocessed = true }
";

fn read(text: &str) -> Loaded {
    parse(text, "mesh.toml").unwrap_or_else(|problems| panic!("{text}\n{problems}"))
}

fn changes(from: &str, to: &str) -> Vec<Change> {
    read(&BEFORE.replace(from, to)).changes_from(&read(BEFORE).settings)
}

fn today() -> Date {
    "2026-11-25".parse().unwrap()
}

#[test]
fn each_change_is_marked() {
    use Effect::{Neutral, Stronger, Weaker};
    for (from, to, wanted) in [
        ("", "", &[][..]),
        ("body = '1MiB'\n", "", &[]),
        ("body = '1MiB'", "body = 1048576", &[]),
        ("header_timeout = '5s'", "header_timeout = '5000ms'", &[]),
        ("body = '1MiB'", "body = '2MiB'", &[("limits.body", Weaker)]),
        ("body = '1MiB'", "body = 'off'", &[("limits.body", Weaker)]),
        ("body = '1MiB'", "body = '1KiB'", &[("limits.body", Stronger)]),
        ("header_timeout = '5s'\n", "", &[("limits.header_timeout", Weaker)]),
        (
            "[limits]\nbody = '1MiB'\nheader_timeout = '5s'\n",
            "",
            &[("limits.header_timeout", Weaker)],
        ),
        ("default = 'deny'", "default = 'allow'", &[("authorization.default", Weaker)]),
        ("['10.0.0.0/8']", "['10.0.0.0/9']", &[("headers.trusted_proxies", Stronger)]),
        ("['10.0.0.0/8']", "['10.0.0.0/7']", &[("headers.trusted_proxies", Weaker)]),
        (
            ", only_if_unprocessed = true",
            "",
            &[("service.token.retry.only_if_unprocessed", Weaker)],
        ),
        ("'127.0.0.1:2'", "'127.0.0.1:3'", &[("service.token.endpoints", Neutral)]),
        (
            "token",
            "login",
            &[
                ("listener.in.forward_to", Neutral),
                ("service.login", Neutral),
                ("service.token", Neutral),
            ],
        ),
        (
            "[authorization]",
            "[metrics]\naddress = '127.0.0.1:9'\n[authorization]",
            &[("metrics.address", Neutral)],
        ),
        (
            "[authorization]",
            "[metrics]\naddress = '0.0.0.0:9'\n[authorization]",
            &[("metrics.address", Weaker)],
        ),
        ("'127.0.0.1:1'", "'unix:/run/in.sock'", &[("listener.in.address", Neutral)]),
        (
            "[service.token]",
            "[[policy_test]]\nrequest = 'GET /'\nservice = 'token'\nexpect = 'deny'\n\
             [service.token]",
            &[("policy_test.GET /", Neutral)],
        ),
    ] {
        let changes = changes(from, to);
        let found: Vec<_> = changes.iter().map(|it| (it.path.as_str(), it.effect)).collect();
        assert_eq!(found, wanted, "{from} → {to}");
    }
}

#[test]
fn a_token_provider_that_believes_more_is_weaker_also_by_what_is_not_written() {
    use Effect::{Stronger, Weaker};
    let with = |more: &str| {
        read(&format!(
            "{BEFORE}[jwt.corp]\nissuer = 'https://a'\naudiences = ['b']\n{more}\n\
             jwks = {{ discover = true }}\n[[policy]]\nname = 'p'\naction = 'deny'\njwt = 'corp'\n"
        ))
    };
    for (key, less, more) in [
        ("leeway", "leeway = 'off'", "leeway = '1s'"),
        ("leeway", "leeway = 'off'", ""),
        ("leeway", "leeway = '59s'", ""),
        ("leeway", "", "leeway = '61s'"),
        ("max_lifetime", "max_lifetime = '1h'", "max_lifetime = 'off'"),
        ("max_lifetime", "", "max_lifetime = '25h'"),
        ("algorithms", "algorithms = ['ES256']", ""),
        ("algorithms", "", "algorithms = ['ES256', 'RS256', 'PS256', 'EdDSA', 'RS512']"),
        ("typ", "typ = ['at+jwt']", ""),
    ] {
        let path = format!("jwt.corp.{key}");
        for (before, after, wanted) in [(less, more, Weaker), (more, less, Stronger)] {
            let changes = with(after).changes_from(&with(before).settings);
            let found: Vec<_> = changes.iter().map(|it| (it.path.as_str(), it.effect)).collect();
            assert_eq!(found, [(path.as_str(), wanted)], "{before} → {after}");
        }
    }
    let spelled = "algorithms = ['EdDSA', 'ES256', 'RS256', 'PS256']";
    let change = with(spelled).changes_from(&with("").settings);
    assert!(change.iter().all(|it| it.effect == Effect::Neutral), "{change:?}");
}

#[test]
fn one_more_who_may_look_at_the_registry_is_weaker() {
    use Effect::{Stronger, Weaker};
    let with = |uids: &str| {
        let address = "address = 'unix:/run/registry.sock'";
        read(&format!("{BEFORE}[registry]\nkind = 'embedded'\n{address}\nuids = {{ {uids} }}\n"))
    };
    for (less, more) in [
        ("7 = 'token'", "7 = 'token', 8 = []"),
        ("7 = []", "7 = 'token'"),
        ("7 = 'token'", "7 = ['token', 'login']"),
    ] {
        for (before, after, wanted) in [(less, more, Weaker), (more, less, Stronger)] {
            let changes = with(after).changes_from(&with(before).settings);
            let found: Vec<_> = changes.iter().map(|it| (it.path.as_str(), it.effect)).collect();
            assert_eq!(found, [("registry.uids", wanted)], "{before} → {after}");
        }
    }
}

#[test]
fn revocation_lists_protect_more_from_the_first_whatever_their_mode() {
    use Effect::{Neutral, Stronger, Weaker};
    let with = |crl: &str| {
        read(&format!(
            "{BEFORE}[identity]\ntrust_domain = 'a'\ncert = 'a'\nkey = 'b'\nbundle = 'c'\n{crl}"
        ))
    };
    let (none, file) = ("", "crl = { file = 'd' }");
    let (warn, require) =
        ("crl = { file = 'd', mode = 'warn' }", "crl = { file = 'd', mode = 'require' }");
    let (of_file, of_mode) = ("identity.crl.file", "identity.crl.mode");
    for (before, after, wanted) in [
        (none, file, &[(of_file, Stronger)][..]),
        (none, warn, &[(of_file, Stronger), (of_mode, Neutral)]),
        (warn, none, &[(of_file, Weaker), (of_mode, Neutral)]),
        (file, none, &[(of_file, Weaker)]),
        (file, require, &[]),
        (file, warn, &[(of_mode, Weaker)]),
        (warn, file, &[(of_mode, Stronger)]),
    ] {
        let changes = with(after).changes_from(&with(before).settings);
        let found: Vec<_> = changes.iter().map(|it| (it.path.as_str(), it.effect)).collect();
        assert_eq!(found, wanted, "{before} → {after}");
    }
}

#[test]
fn a_listener_that_other_machines_reach_from_now_on_protects_less() {
    let at = |address: &str| {
        let listener = format!("'{address}'\ntls = {{ mode = 'server' }}");
        let text = BEFORE.replace("'127.0.0.1:1'", &listener);
        read(&format!("{text}[identity]\ncert = 'a'\nkey = 'b'\n"))
    };
    for (before, after, wanted) in [
        ("127.0.0.1:1", "0.0.0.0:1", Effect::Weaker),
        ("unix:/run/a", "10.0.0.1:1", Effect::Weaker),
        ("10.0.0.1:1", "0.0.0.0:1", Effect::Neutral),
        ("127.0.0.1:1", "[::1]:1", Effect::Neutral),
        ("[::]:1", "[::1]:1", Effect::Stronger),
    ] {
        let changes = at(after).changes_from(&at(before).settings);
        let found: Vec<_> = changes.iter().map(|it| (it.path.as_str(), it.effect)).collect();
        assert_eq!(found, [("listener.in.address", wanted)], "{before} → {after}");
    }
}

#[test]
fn the_order_of_routes_is_a_change() {
    let routes = |one: &str, two: &str| {
        let route =
            |name| format!("[[route]]\nname = '{name}'\nservice = 'token'\npaths = ['/{name}']\n");
        read(&format!("{BEFORE}{}{}", route(one), route(two)))
    };
    let changes = routes("b", "a").changes_from(&routes("a", "b").settings);
    assert_eq!(changes.len(), 1, "{changes:?}");
    assert_eq!(changes[0].after.as_deref(), Some("route.b, route.a"));
}

#[test]
fn a_weaker_setting_is_refused_with_its_place_and_the_line_to_paste() {
    let after = read(&BEFORE.replace("body = '1MiB'", "body = 'off'"));
    let refused = after.changes_allowed(&read(BEFORE).settings, today()).unwrap_err();
    let wanted = "\
error[AM-C056]: `limits.body` would protect less: \"off\" instead of \"1MiB\"
 --> mesh.toml:5:1
  |
5 | body = 'off'
  | ^^^^^^^^^^^^
  = note: weaker is: larger or `off`
  = help: accept_weaker = [\"limits.body: WHY until 2026-12-25\"]   # at the top of the file

1 error";
    assert_eq!(refused.to_string(), wanted);
}

#[test]
fn an_acceptance_with_a_date_lets_it_through_until_then() {
    let after = |until: &str| {
        let accept = format!("accept_weaker = ['limits.body: scans until {until}']\n[auth");
        read(&BEFORE.replace("body = '1MiB'", "body = 'off'").replacen("[auth", &accept, 1))
    };
    let before = read(BEFORE).settings;
    let changes = after("2027-01-31").changes_allowed(&before, today()).unwrap();
    assert_eq!((changes[0].path.as_str(), changes[0].effect), ("limits.body", Effect::Weaker));
    for (until, codes) in
        [("2026-11-24", &["AM-C057", "AM-C056"][..]), ("2028-01-31", &["AM-C057"])]
    {
        let problems = after(until).changes_allowed(&before, today()).unwrap_err();
        let found: Vec<_> = problems.iter().map(|problem| problem.code.text()).collect();
        assert_eq!(found, codes, "{problems}");
    }
    let mut ended = after("2026-11-24");
    assert!(ended.acceptances_hold(today()).is_err());
    assert_eq!(ended.with_acceptances_as_warnings(today()).warnings.count(Severity::Warning), 1);
    let mut soon = after("2026-11-30");
    assert!(soon.acceptances_hold(today()).is_ok());
    assert_eq!(soon.warnings.count(Severity::Warning), 1);
}
