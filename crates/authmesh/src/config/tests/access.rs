//! What is wrong with access rules is told where it stands, and rules whose tests fail are refused.

use super::faults::check;
use crate::config::{Severity, load_untried, parse};

const LISTENER: &str = "[[listener]]\nname = 'a'\naddress = '127.0.0.1:80'\nforward_to = 'login'\n";
const ALLOW: &str = "[[policy]]\nname = 'a'\naction = 'allow'\nfrom = 'anyone'\n";

#[test]
fn faults_of_a_rule() {
    let rule = |keys: &str| format!("[[policy]]\nname = 'p'\naction = 'allow'\n{keys}");
    for (code, case) in [
        ("AM-C001", rule("from = 'anyone'\n§path = ['/login']")),
        ("AM-C001", rule("from = 'anyone'\nwhen = { §'x-tenant' = ['a'] }")),
        ("AM-C003", rule("from = 'anyone'\nmethods = §'GET'")),
        ("AM-C003", rule("from = 'anyone'\nports = [§'443']")),
        ("AM-C003", rule("from = 'anyone'\nwhen = §'x'")),
        ("AM-C003", rule("from = 'anyone'\nwhen = { 'header.x' = §'a' }")),
        ("AM-C003", rule("from = 'anyone'\nwhen = { 'header.x' = [§1] }")),
        ("AM-C004", rule("ip_blocks = [§'10.0.0.0/33']")),
        ("AM-C004", rule("not_ip_blocks = [§'here']")),
        ("AM-C005", rule("from = §'everyone'")),
        ("AM-C005", rule("from = §[]")),
        ("AM-C005", rule("ip_blocks = §[]")),
        ("AM-C005", rule("from = 'anyone'\npaths = §[]")),
        ("AM-C005", rule("from = 'anyone'\nmethods = [§'get']")),
        ("AM-C005", rule("from = 'anyone'\nhosts = [§'Login.example']")),
        ("AM-C005", rule("from = 'anyone'\nports = [§0]")),
        ("AM-C005", rule("from = 'anyone'\nmode = §'dry'")),
        ("AM-C005", rule("from = 'anyone'\nwhen = { 'header.x' = §[] }")),
        ("AM-C005", rule("from = 'anyone'\nwhen = { §'header.a b' = ['x'] }")),
        ("AM-C005", "[[policy]]\nname = 'p'\naction = §'audit'\nfrom = 'anyone'".to_owned()),
        ("AM-C007", "§[[policy]]\nname = 'p'\nfrom = 'anyone'".to_owned()),
        ("AM-C007", "§[[policy]]\naction = 'allow'\nfrom = 'anyone'".to_owned()),
        ("AM-C020", rule("from = 'anyone'\nservice = §'logn'")),
        (
            "AM-C022",
            format!(
                "{}\n{}",
                rule("from = 'anyone'"),
                "[[policy]]\nname = §'p'\naction = 'deny'\npaths = ['/x']"
            ),
        ),
        ("AM-C025", rule("from = [§'spiffe://Corp.example/web']")),
        ("AM-C025", rule("from = [§'web']")),
        ("AM-C025", rule("from = [§'spiffe://corp.example']")),
        ("AM-C027", rule("from = [§'spiffe://corp.example/web*']")),
        ("AM-C027", rule("from = 'anyone'\npaths = [§'/a*b']")),
        ("AM-C027", rule("from = 'anyone'\nnot_paths = [§'/a/{x}']")),
        ("AM-C027", rule("from = 'anyone'\nwhen = { 'header.x' = [§'a*b'] }")),
        ("AM-C050", "§[[policy]]\nname = 'p'\naction = 'allow'\npaths = ['/login']".to_owned()),
        ("AM-C050", rule("from = [§'*']")),
        ("AM-C050", rule("ip_blocks = [§'0.0.0.0/0']")),
        ("AM-C050", rule("remote_ip_blocks = [§'::/0']")),
        ("AM-C080", rule("from = 'anyone'\nwhen = { §'header.X-Authmesh-Identity' = ['a'] }")),
        ("AM-C099", rule("from = 'anyone'\nwhen = { §'claim.scope' = ['a'] }")),
    ] {
        check(Severity::Error, code, &case);
    }
    check(Severity::Warning, "AM-C082", &rule("ip_blocks = [§'10.1.2.3/8']"));
}

#[test]
fn faults_between_rules() {
    let rule = |action: &str, keys: &str| {
        format!("[[policy]]\nname = §'p'\naction = '{action}'\n{keys}\n")
    };
    let never = "from = 'anyone'\nmethods = ['GET']\nnot_methods = ['GET', 'POST']";
    check(Severity::Error, "AM-C052", &rule("allow", never));
    let inside = "ip_blocks = ['10.1.0.0/16']\nnot_ip_blocks = ['10.0.0.0/8']";
    check(Severity::Error, "AM-C052", &rule("allow", inside));
    let port = "[[policy]]\nname = 'p'\naction = 'deny'\nports = §[81]\n";
    check(Severity::Error, "AM-C052", &format!("{ALLOW}{port}{LISTENER}"));
    check(
        Severity::Error,
        "AM-C074",
        &format!(
            "[authorization]\ndefault = 'allow'\n{}{LISTENER}",
            rule("allow", "from = 'anyone'")
        ),
    );
    for denial in [
        "",
        "service = 'login'",
        "paths = ['/login/**', '/token']",
        "methods = ['GET', 'POST']\npaths = ['/login/**']",
        "ip_blocks = ['10.0.0.0/8']",
    ] {
        let allowed = "service = 'login'\nip_blocks = ['10.1.0.0/16']\nmethods = ['GET']\n\
                       paths = ['/login/x', '/login/y/**']";
        let denial = format!("[[policy]]\nname = 'd'\naction = 'deny'\n{denial}\n");
        check(Severity::Warning, "AM-C053", &format!("{}{denial}", rule("allow", allowed)));
    }
    let spared = "[[policy]]\nname = 'a'\naction = 'allow'\nfrom = 'anyone'\npaths = ['/x']\n\
                  [[policy]]\nname = 'd'\naction = 'deny'\npaths = ['/y']\n";
    let loaded = parse(&format!("version = 1\n{spared}"), "t").unwrap();
    assert!(loaded.warnings.is_empty(), "{}", loaded.warnings);
}

#[test]
fn a_service_that_no_rule_allows_is_named() {
    let services = "[service.login]\nendpoints = ['127.0.0.1:1']\n§[service.token]\n\
                    endpoints = ['127.0.0.1:2']\n";
    let rule = "[[policy]]\nname = 'a'\naction = 'allow'\nservice = 'login'\nfrom = 'anyone'\n";
    check(Severity::Warning, "AM-C051", &format!("{LISTENER}{rule}{services}"));
    let quiet = format!("{LISTENER}{ALLOW}{services}").replace('§', "");
    assert!(parse(&format!("version = 1\n{quiet}"), "t").unwrap().warnings.is_empty());
}

#[test]
fn an_identity_that_nobody_can_prove_denies_in_vain_and_allows_nobody() {
    let rule = |action: &str| {
        format!(
            "[[policy]]\nname = 'p'\naction = '{action}'\nfrom = §['spiffe://corp.example/web']\n"
        )
    };
    check(Severity::Error, "AM-C052", &format!("{ALLOW}{}{LISTENER}", rule("deny")));
    check(Severity::Warning, "AM-C052", &format!("{}{LISTENER}", rule("allow")));
}

#[test]
fn what_is_wrong_with_a_token_provider_is_told_though_none_is_in_force() {
    let found = |provider: &str| -> Vec<(&'static str, usize, usize)> {
        let problems = parse(&format!("version = 1\n{provider}"), "t").unwrap_err();
        let place = |problem: &crate::config::Problem| {
            let place = problems.place(problem.span);
            (problem.code.text(), place.line, place.column)
        };
        problems.iter().map(place).collect()
    };
    let sound = "[jwt.idp]\nissuer = 'https://idp'\njwks = 'https://idp/keys'\naudiences = ['a']\n";
    let used = "[[policy]]\nname = 'p'\naction = 'allow'\njwt = 'idp'\n";
    assert_eq!(found(&format!("{sound}{used}")), [("AM-C099", 2, 1), ("AM-C099", 9, 1)]);
    let both = |code| [(code, 2, 1), ("AM-C099", 2, 1)];
    assert_eq!(found(sound), both("AM-C043"));
    for (code, provider, line, column) in [
        ("AM-C040", sound.to_owned() + "algorithms = ['RS256', 'HS256']\n", 6, 24),
        ("AM-C041", sound.to_owned() + "algorithms = ['none']\n", 6, 15),
        ("AM-C042", sound.replace("audiences = ['a']\n", ""), 2, 1),
        ("AM-C044", sound.replace("https://idp/keys", "http://idp/keys"), 4, 8),
    ] {
        let found = found(&provider);
        assert!(found.contains(&(code, line, column)), "{code} {found:?}");
        assert!(found.contains(&("AM-C099", 2, 1)), "{found:?}");
    }
    let unknown = found("[[policy]]\nname = 'p'\naction = 'allow'\njwt = 'idp'\n");
    assert_eq!(unknown, [("AM-C099", 5, 1), ("AM-C020", 5, 7)]);
}

#[test]
fn rules_whose_tests_fail_are_not_put_in_force() {
    let test = |keys: &str| {
        format!("{ALLOW}paths = ['/login/**']\n§[[policy_test]]\nservice = 'login'\n{keys}")
    };
    for keys in [
        "request = 'GET /login/x'\nexpect = 'deny'",
        "request = 'GET /admin'\nexpect = 'allow'",
        "request = 'GET /login/../admin'\nexpect = 'allow'",
    ] {
        check(Severity::Error, "AM-C054", &test(keys));
    }
    let by = "request = 'GET /login/x'\nexpect = 'allow'\nby = 'b'\n\
              [[policy]]\nname = 'b'\naction = 'allow'\nfrom = 'anyone'";
    check(Severity::Error, "AM-C054", &test(by));
    for keys in [
        "request = 'GET /login/x?y=1'\nexpect = 'allow'\nby = 'a'",
        "request = 'GET /login/x/../../admin'\nexpect = 'deny'",
    ] {
        let text = test(keys).replace('§', "") + "\n[service.login]\nendpoints = ['127.0.0.1:1']";
        parse(&format!("version = 1\n{text}"), "t").unwrap();
    }
}

#[test]
fn faults_of_a_test() {
    let test =
        |keys: &str| format!("{ALLOW}[[policy_test]]\nservice = 'login'\nexpect = 'allow'\n{keys}");
    let sound = "request = 'GET /'\n";
    for (code, case) in [
        ("AM-C004", test(&format!("{sound}address = §'10.0.0.0/8'"))),
        ("AM-C005", test("request = §'login'")),
        ("AM-C005", test("request = §'get /'")),
        ("AM-C005", test("request = §'GET /a%2fb'")),
        ("AM-C005", test(&format!("{sound}host = §'a b'"))),
        ("AM-C005", test(&format!("{sound}port = §0"))),
        ("AM-C020", test(&format!("{sound}by = §'nobody'"))),
        ("AM-C025", test(&format!("{sound}from = §'spiffe://td/*'"))),
        ("AM-C003", test(&format!("{sound}headers = {{ x = §1 }}"))),
        ("AM-C007", format!("{ALLOW}§[[policy_test]]\nservice = 'login'\nexpect = 'allow'")),
    ] {
        check(Severity::Error, code, &case);
    }
}

#[test]
fn a_rule_knows_where_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let more = "[[policy]]\nname = 'more'\naction = 'deny'\npaths = ['/x']\n[[policy_test]]\n\
                request = 'GET /'\nservice = 'login'\nexpect = 'deny'\n";
    let main = format!(
        "version = 1\ninclude = ['more.toml']\n{ALLOW}[service.login]\nendpoints = ['127.0.0.1:1']\n"
    );
    std::fs::write(path("more.toml"), more).unwrap();
    std::fs::write(path("mesh.toml"), main).unwrap();
    let config = load_untried(path("mesh.toml")).unwrap().config;
    let origins: Vec<String> =
        config.security.policies.iter().map(|policy| policy.origin.to_string()).collect();
    let wanted = |name: &str, line: usize| format!("{}:{line}", path(name).display());
    assert_eq!(origins, [wanted("mesh.toml", 4), wanted("more.toml", 2)]);
    let test = &config.security.policy_tests[0];
    assert_eq!(test.origin.to_string(), wanted("more.toml", 5));
    assert!(test.run(&config.security.access_rules()).is_err());
}
