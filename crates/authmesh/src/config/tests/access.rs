//! What is wrong with access rules is told where it stands, and rules whose tests fail are refused.

use std::time::Duration;

use authmesh_logic::jwt::{KeySource, RefreshPolicy, TokenPolicy};

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
        ("AM-C007", rule("from = 'anyone'\nwhen = { §'claim.scope' = ['a'] }")),
        ("AM-C020", rule("jwt = §'idp'")),
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

const PROVIDER: &str = "issuer = 'https://idp'\naudiences = ['a']\n";
const USED: &str = "[[policy]]\nname = 'p'\naction = 'allow'\njwt = 'idp'\n";

#[test]
fn faults_of_a_token_provider() {
    let provider = |keys: &str| format!("[jwt.idp]\n{PROVIDER}{keys}\n{USED}");
    let sound = "jwks = 'https://idp/keys'\n";
    let with = |keys: &str| provider(&format!("{sound}{keys}"));
    let without = |key: &str| {
        let lines = PROVIDER.lines().filter(|line| !line.starts_with(key));
        format!("§[jwt.idp]\n{}\n{sound}{USED}", lines.collect::<Vec<_>>().join("\n"))
    };
    for (code, case) in [
        ("AM-C002", format!("[jwt.idp]\n{PROVIDER}{sound}§[jwt.idp]\n{USED}")),
        ("AM-C004", provider("jwks = §'https://user@idp/keys'")),
        ("AM-C005", with("") + "when = { §'claim.' = ['a'] }"),
        ("AM-C005", with("algorithms = [§'ES257']")),
        ("AM-C005", with("algorithms = §[]")),
        ("AM-C005", with("typ = §[]")),
        ("AM-C005", with("leeway = §'6m'")),
        ("AM-C005", provider("jwks = { discover = §false }")),
        ("AM-C005", provider("jwks = { discover = true, refresh = §'1s' }")),
        ("AM-C005", provider("jwks = { discover = true, cooldown = §'2m' }")),
        ("AM-C005", provider("jwks = { discover = true, stale_if_error = §'20s' }")),
        ("AM-C007", without("issuer")),
        ("AM-C007", format!("§[jwt.idp]\n{PROVIDER}{USED}")),
        (
            "AM-C022",
            format!(
                "[jwt.idp]\n{PROVIDER}{sound}[jwt.other]\n{}{sound}{USED}\
             [[policy]]\nname = 'q'\naction = 'deny'\njwt = 'other'\n",
                PROVIDER.replace("'https://idp'", "§'https://idp'")
            ),
        ),
        ("AM-C023", provider("jwks = §{ refresh = '10m' }")),
        ("AM-C024", provider("jwks = §{ discover = true, file = 'keys' }")),
        ("AM-C040", with("algorithms = ['RS256', §'HS256']")),
        ("AM-C041", with("algorithms = [§'none']")),
        ("AM-C041", with("algorithms = [§'None']")),
        ("AM-C042", without("audiences")),
        ("AM-C044", provider("jwks = §'http://idp/keys'")),
        ("AM-C044", provider("jwks = { url = §'http://idp/keys' }")),
        ("AM-C044", provider("jwks = { discover = true }").replace("'https:", "§'http:")),
        ("AM-C073", with("max_lifetime = §'0s'")),
        ("AM-C074", provider("jwks = { file = 'keys', §copy = 'copy' }")),
    ] {
        check(Severity::Error, code, &case);
    }
    check(Severity::Warning, "AM-C043", &format!("§[jwt.idp]\n{PROVIDER}{sound}"));
}

#[test]
fn a_token_provider_is_read_with_its_defaults_and_keys_may_come_from_this_machine() {
    let text = "version = 1\n[jwt.idp]\nissuer = 'http://127.0.0.1:1'\naudiences = ['a']\n\
                jwks = { discover = true }\nleeway = 'off'\nmax_lifetime = 'off'\nforward = true\n";
    let loaded = parse(&format!("{text}{USED}"), "t").unwrap();
    let provider = &loaded.config.security.providers[0];
    let mut wanted = TokenPolicy::new("http://127.0.0.1:1", &["a"]);
    (wanted.leeway, wanted.longest_lifetime) = (Duration::ZERO, None);
    assert_eq!(provider.tokens, wanted);
    assert_eq!((&provider.keys, provider.forwards), (&KeySource::Discovery, true));
    assert_eq!(provider.refresh, RefreshPolicy::default());
    let rule = &loaded.config.security.policies[0].rule;
    assert_eq!(rule.clauses[0].when.len(), 1, "the issuer must be this one");
}

#[test]
fn rules_of_tokens_are_tried_with_claims_written_out() {
    let rules = format!(
        "[jwt.idp]\n{PROVIDER}jwks = 'https://idp/keys'\n\
         [jwt.partner]\nissuer = 'https://partner'\naudiences = ['a']\njwks = 'https://partner/k'\n\
         {USED}when = {{ 'claim.scope' = ['read'] }}\nnot_when = {{ 'claim.sub' = ['mallory'] }}\n\
         [[policy]]\nname = 'q'\naction = 'deny'\njwt = 'partner'\n\
         [service.login]\nendpoints = ['127.0.0.1:1']\n"
    );
    for (token, expect) in [
        ("", "deny"),
        ("jwt = 'idp'", "deny"),
        ("jwt = 'idp'\nclaims = { sub = 'alice', scope = 'read write' }", "allow"),
        ("jwt = 'idp'\nclaims = { sub = 'alice', scope = ['read'] }", "allow"),
        ("jwt = 'idp'\nclaims = { sub = 'alice', scope = 'write' }", "deny"),
        ("jwt = 'idp'\nclaims = { sub = 'mallory', scope = 'read' }", "deny"),
        ("jwt = 'partner'\nclaims = { sub = 'alice', scope = 'read' }", "deny"),
    ] {
        let test = format!(
            "[[policy_test]]\nservice = 'login'\nrequest = 'GET /'\nexpect = '{expect}'\n{token}\n"
        );
        if let Err(problems) = parse(&format!("version = 1\n{rules}{test}"), "t") {
            panic!("{token}\n{problems}");
        }
    }
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
