//! Each fault is reported under its code, at its place, and alone.

use crate::config::{Problems, Severity, parse};

/// What a document needs beside the part that a case is about.
const SERVICE: &str = "[service.login]\nendpoints = ['127.0.0.1:3000']\n";
const ACCESS: &str = "[authorization]\ndefault = 'deny'\n";

/// The document of a case, and the line and column of its `§`.
pub(super) fn document(case: &str) -> (String, (usize, usize)) {
    let mut text = format!("version = 1\n{case}\n");
    if !case.contains("[service") {
        text.push_str(SERVICE);
    }
    if !case.contains("[authorization]") && case.contains("[[listener") {
        text.push_str(ACCESS);
    }
    let at = text.find('§').unwrap();
    let line = text[..at].matches('\n').count() + 1;
    let column = text[..at].chars().rev().take_while(|&char| char != '\n').count() + 1;
    (text.replacen('§', "", 1), (line, column))
}

fn found(problems: &Problems) -> Vec<(&'static str, usize, usize)> {
    let place = |span| problems.place(span);
    problems
        .iter()
        .map(|problem| {
            let place = place(problem.span);
            (problem.code.text(), place.line, place.column)
        })
        .collect()
}

pub(super) fn check(severity: Severity, code: &str, case: &str) {
    let (text, (line, column)) = document(case);
    let problems = match parse(&text, "mesh.toml") {
        Ok(loaded) => {
            assert_eq!(severity, Severity::Warning, "accepted: {case}");
            loaded.warnings
        }
        Err(problems) => problems,
    };
    assert_eq!(found(&problems), [(code, line, column)], "{case}\n{problems}");
    assert_eq!(problems.count(severity), 1, "{case}");
}

#[test]
fn errors_of_form() {
    for (code, case) in [
        ("AM-C001", "§lisener = 1"),
        ("AM-C001", "[service.login]\nendpoints = ['127.0.0.1:3000']\n§timeuot = '2s'"),
        ("AM-C001", "[service.login]\nendpoints = ['127.0.0.1:1']\nretry = { §atempts = 2 }"),
        ("AM-C003", "[service.login]\nendpoints = §'127.0.0.1:3000'"),
        ("AM-C003", "[service.login]\nendpoints = [§1]"),
        ("AM-C003", "limits = §3"),
        ("AM-C003", "[limits]\nheaders = §'many'"),
        ("AM-C003", "[limits]\nheaders = §1.5"),
        ("AM-C003", "listener = §'x'"),
        ("AM-C003", "[service]\nlogin = §3"),
        ("AM-C004", "[service.login]\nendpoints = [§'login:3000']"),
        ("AM-C004", "[service.login]\nendpoints = [§'10.0.0.1']"),
        ("AM-C004", "[service.login]\nendpoints = [§'::1:8443']"),
        ("AM-C004", "[service.login]\nendpoints = [§'unix:run/x']"),
        ("AM-C004", "[service.login]\nendpoints = [§'10.0.0.1:0']"),
        ("AM-C004", "[metrics]\naddress = §'unix:/run/x'"),
        ("AM-C004", "[admin]\nsocket = §'run/x'"),
        ("AM-C004", "[headers]\ntrusted_proxies = [§'10.0.0.0/33']"),
        ("AM-C004", "[headers]\ntrusted_proxies = [§'proxy']"),
        ("AM-C005", "[service.login]\nendpoints = ['127.0.0.1:1']\nprotocol = §'http3'"),
        ("AM-C005", "[service.login]\nendpoints = ['127.0.0.1:1']\nbalance = §'fastest'"),
        ("AM-C005", "[limits]\nheaders = §1001"),
        ("AM-C005", "[limits]\nheaders = §-1"),
        ("AM-C005", "[limits]\nheaders = §99999999999999999999999"),
        ("AM-C005", "[limits]\nheader_bytes = §'1KiB'"),
        ("AM-C005", "[limits]\nbody = §'1MB'"),
        ("AM-C005", "[service.§Login]\nendpoints = ['127.0.0.1:1']"),
        ("AM-C006", "[service.login]\nendpoints = ['127.0.0.1:1']\ntimeout = §2"),
        ("AM-C006", "[service.login]\nendpoints = ['127.0.0.1:1']\ntimeout = §'2'"),
        ("AM-C006", "[service.login]\nendpoints = ['127.0.0.1:1']\ntimeout = §'-2s'"),
        ("AM-C006", "[service.login]\nendpoints = ['127.0.0.1:1']\ntimeout = §'soon'"),
        ("AM-C007", "§[authorization]"),
        ("AM-C007", "§[identity]\ncert = 'a.pem'"),
        ("AM-C007", "§[metrics]"),
        ("AM-C007", "§[registry]\naddress = 'unix:/run/x'"),
        ("AM-C030", "[admin]\naddress = '127.0.0.1:1'\ntoken = §'hunter2'"),
        ("AM-C031", "[service.login]\ndiscover = { file = §'${X}' }"),
    ] {
        check(Severity::Error, code, case);
    }
}

#[test]
fn errors_between_sections() {
    let listener = "[[listener]]\nname = 'a'\nforward_to = 'login'\naddress = ";
    let second = "[[listener]]\nname = 'b'\nforward_to = 'login'\naddress = ";
    for (code, case) in [
        ("AM-C007", "§[[listener]]\naddress = '127.0.0.1:80'\nforward_to = 'login'".to_owned()),
        ("AM-C007", "§[[listener]]\nname = 'a'\naddress = '127.0.0.1:80'".to_owned()),
        ("AM-C007", "§[[route]]\nservice = 'login'".to_owned()),
        ("AM-C020", "[[route]]\nname = 'r'\nservice = §'logn'".to_owned()),
        ("AM-C020", "[[route]]\nname = 'r'\nservice = 'login'\nlistener = §'in'".to_owned()),
        ("AM-C020", format!("{}'127.0.0.1:80'", listener.replace("'login'", "§'tokens'"))),
        ("AM-C021", format!("{listener}'127.0.0.1:80'\n{second}§'127.0.0.1:80'")),
        ("AM-C021", format!("{listener}'unix:/a'\n{second}§'unix:/a'")),
        ("AM-C021", format!("{listener}'127.0.0.1:80'\n[metrics]\naddress = §'0.0.0.0:80'")),
        ("AM-C021", format!("{listener}'127.0.0.1:80'\n[metrics]\naddress = §'[::]:80'")),
        (
            "AM-C021",
            "[registry]\nkind = 'embedded'\naddress = 'unix:/run/a'\n[admin]\nsocket = §'/run/a'"
                .to_owned(),
        ),
        ("AM-C021", "[service.a]\nendpoints = ['127.0.0.1:1', §'127.0.0.1:1']".to_owned()),
        (
            "AM-C022",
            format!("{listener}'127.0.0.1:80'\n{}'127.0.0.1:81'", second.replace("'b'", "§'a'")),
        ),
        ("AM-C023", "§[service.login]\ntimeout = '2s'".to_owned()),
        ("AM-C023", "[service.login]\nendpoints = §[]".to_owned()),
        ("AM-C023", "[service.login]\ndiscover = §{ }".to_owned()),
        ("AM-C023", "§[admin]\nallow_uids = [0]".to_owned()),
        (
            "AM-C024",
            "[service.login]\nendpoints = ['127.0.0.1:1']\n§discover = { file = 'x' }".to_owned(),
        ),
        (
            "AM-C024",
            "[admin]\nsocket = '/run/a'\n§address = '127.0.0.1:1'\ntoken = { env = 'T' }"
                .to_owned(),
        ),
        ("AM-C007", "[service.login]\ndiscover = { registry = §true }".to_owned()),
        ("AM-C051", format!("§{listener}'127.0.0.1:80'\n# [authorization]")),
        (
            "AM-C052",
            "[[route]]\nname = 'a'\nservice = 'login'\n§[[route]]\nname = 'b'\nservice = 'login'"
                .to_owned(),
        ),
        ("AM-C061", "[admin]\naddress = §'0.0.0.0:9901'".to_owned()),
        ("AM-C062", "[admin]\naddress = §'127.0.0.1:9901'".to_owned()),
        ("AM-C063", format!("{listener}§'0.0.0.0:80'")),
        ("AM-C063", format!("{listener}'0.0.0.0:80'\ntls = {{ mode = §'plaintext' }}")),
        ("AM-C063", "[registry]\nkind = 'embedded'\naddress = §'0.0.0.0:9000'".to_owned()),
        ("AM-C007", format!("{listener}'127.0.0.1:80'\ntls = {{ mode = §'server' }}")),
        ("AM-C080", "[headers]\nidentity = §'host'".to_owned()),
        ("AM-C080", "[headers]\nidentity = §'X-Forwarded-User'".to_owned()),
        ("AM-C081", "[headers]\ntrusted_proxies = [§'0.0.0.0/0']".to_owned()),
        ("AM-C081", "[headers]\ntrusted_proxies = [§'::/0']".to_owned()),
        ("AM-C093", "include = [§'a.toml']".to_owned()),
    ] {
        check(Severity::Error, code, &case);
    }
}

#[test]
fn errors_of_policies() {
    for (code, key, value) in [
        ("AM-C005", "breaker", "{ failure_rate = §'101%' }"),
        ("AM-C005", "breaker", "{ failure_rate = §'half' }"),
        ("AM-C005", "breaker", "{ trials = 2, closes_at = §3 }"),
        ("AM-C005", "breaker", "{ window = '5ms', buckets = §10 }"),
        ("AM-C005", "breaker", "{ window = §'5ms' }"),
        ("AM-C005", "breaker", "{ wait = '2s', longest_wait = §'1s' }"),
        ("AM-C007", "breaker", "§{ slow_rate = '50%' }"),
        ("AM-C024", "breaker", "{ window = '5s', §window_calls = 50 }"),
        ("AM-C073", "breaker", "{ failure_rate = §'0%' }"),
        ("AM-C073", "breaker", "{ minimum_calls = §0 }"),
        ("AM-C073", "breaker", "{ consecutive_failures = §0 }"),
        ("AM-C073", "breaker", "{ wait = §'0s' }"),
        ("AM-C073", "breaker", "{ ramp = §'0s' }"),
        ("AM-C073", "breaker", "{ trials = §0 }"),
        ("AM-C074", "breaker", "{ §slower_than = '1s' }"),
        ("AM-C074", "breaker", "{ failure_rate = 'off', §minimum_calls = 5 }"),
        ("AM-C074", "breaker", "{ failure_rate = 'off', §window = '5s' }"),
        ("AM-C074", "breaker", "{ window_calls = 10, minimum_calls = §11 }"),
        ("AM-C074", "breaker", "{ window_calls = 10, failures_in_window = §11 }"),
        ("AM-C074", "breaker", "{ window_calls = 50, §buckets = 10 }"),
        ("AM-C074", "breaker", "{ multiplier = 1, §longest_wait = '2s' }"),
        ("AM-C023", "health", "§{ interval = '1s' }"),
        ("AM-C024", "health", "{ path = '/', §tcp = true }"),
        ("AM-C005", "health", "{ tcp = §false }"),
        ("AM-C005", "health", "{ path = §'healthz' }"),
        ("AM-C005", "health", "{ path = '/', expect = [§99] }"),
        ("AM-C005", "health", "{ path = '/', expect = [§'299-200'] }"),
        ("AM-C005", "health", "{ path = '/', expect = §[] }"),
        ("AM-C005", "health", "§{ path = '/', interval = '1s', failing_interval = '2s' }"),
        ("AM-C005", "health", "{ path = '/', jitter = §'0.5%' }"),
        ("AM-C005", "health", "{ path = '/', host = §'a b' }"),
        ("AM-C073", "health", "{ path = '/', rise = §0 }"),
        ("AM-C074", "health", "{ tcp = true, §host = 'a' }"),
        ("AM-C074", "health", "{ tcp = true, §expect = [200] }"),
        ("AM-C074", "health", "{ tcp = true, eject_on_first = [§'status'] }"),
        ("AM-C074", "health", "{ path = '/', eject_on_first = [§'passive'] }"),
        ("AM-C099", "health", "{ path = '/', eject_on_first = ['status', §'identity'] }"),
        ("AM-C005", "health", "{ path = '/', eject_on_first = [§'timeout'] }"),
        ("AM-C073", "retry", "{ attempts = §0 }"),
        ("AM-C074", "retry", "{ attempts = 1, §only_if_unprocessed = true }"),
        ("AM-C005", "retry", "{ attempts = §11 }"),
        ("AM-C005", "retry", "{ methods = §[] }"),
        ("AM-C005", "retry", "{ methods = [§'get'] }"),
        ("AM-C003", "retry", "{ methods = §'GET' }"),
        ("AM-C074", "retry", "{ attempts = 1, §methods = ['GET'] }"),
    ] {
        let case = format!("[service.login]\nendpoints = ['127.0.0.1:1']\n{key} = {value}");
        check(Severity::Error, code, &case);
    }
    for case in [
        "[limits]\nheader_timeout = §'0s'",
        "[limits]\nbody = §0",
        "[limits]\nconnections = §0",
        "[network]\npool_max_idle = §0",
    ] {
        check(Severity::Error, "AM-C073", case);
    }
    for (code, case) in [
        ("AM-C005", "methods = [§'post']"),
        ("AM-C005", "methods = §[]"),
        ("AM-C005", "hosts = [§'Login.example']"),
        ("AM-C027", "paths = [§'/a*b']"),
    ] {
        check(Severity::Error, code, &format!("[[route]]\nname = 'r'\nservice = 'login'\n{case}"));
    }
    for (code, case) in [
        ("AM-C074", "mode = 'plaintext', §min_version = '1.3'"),
        ("AM-C005", "mode = 'plaintext', min_version = §'1.1'"),
        ("AM-C007", "min_version = '1.2'"),
    ] {
        let open = if code == "AM-C007" { "§{" } else { "{" };
        let listener = "[[listener]]\nname = 'a'\nforward_to = 'login'\naddress = '127.0.0.1:1'";
        check(Severity::Error, code, &format!("{listener}\ntls = {open} {case} }}"));
    }
    for case in [
        "§address = 'unix:/run/a'",
        "§persist = 'x'",
        "§default = 'deny'",
        "§uids = { 1 = 'token' }",
        "§identities = { 'spiffe://corp.example/token' = 'token' }",
        "§tls = { mode = 'mutual' }",
    ] {
        check(Severity::Error, "AM-C074", &format!("[registry]\nkind = 'none'\n{case}"));
    }
    for (code, case) in [
        ("AM-C051", "address = §'127.0.0.1:1'"),
        ("AM-C051", "address = §'[::1]:1'\ndefault = 'deny'"),
        ("AM-C074", "address = '127.0.0.1:1'\ndefault = 'allow'\n§uids = { 1 = 'token' }"),
        ("AM-C074", "address = 'unix:/a'\ndefault = 'allow'\n§uids = { 1 = 'token' }"),
        ("AM-C074", "§uids = { 1 = 'token' }"),
        ("AM-C074", "§default = 'allow'"),
        ("AM-C074", "§identities = { 'spiffe://corp.example/a' = 'token' }"),
        ("AM-C074", "address = 'unix:/a'\n§identities = { 'spiffe://corp.example/a' = 'token' }"),
        ("AM-C003", "address = 'unix:/a'\nuids = §'token'"),
        ("AM-C003", "address = 'unix:/a'\nuids = { 1 = §7 }"),
        ("AM-C003", "address = 'unix:/a'\nuids = { 1 = ['token', §7] }"),
        ("AM-C005", "address = 'unix:/a'\nuids = { 1 = ['token', §'To/ken'] }"),
        ("AM-C005", "address = 'unix:/a'\nuids = { §root = 'token' }"),
        ("AM-C005", "address = 'unix:/a'\nuids = { §007 = 'token' }"),
        ("AM-C005", "address = 'unix:/a'\nuids = { §4294967296 = 'token' }"),
        ("AM-C005", "address = 'unix:/a'\ndefault = §'open'"),
    ] {
        check(Severity::Error, code, &format!("[registry]\nkind = 'embedded'\n{case}"));
    }
    check(Severity::Error, "AM-C074", "[admin]\nsocket = '/a'\n§token = { env = 'T' }");
}

#[test]
fn faults_of_a_registry_with_tls() {
    let trust = "[identity]\ncert = 'a'\nkey = 'b'\ntrust_domain = 'corp.example'\nbundle = 'c'\n";
    let tls = "tls = { mode = 'mutual' }\n";
    let id = "'spiffe://corp.example/token'";
    for (code, case) in [
        ("AM-C051", format!("address = §'10.0.0.1:1'\n{tls}")),
        ("AM-C051", format!("address = §'127.0.0.1:1'\ndefault = 'deny'\n{tls}")),
        ("AM-C063", "address = §'10.0.0.1:1'\ndefault = 'allow'".to_owned()),
        ("AM-C074", format!("address = 'unix:/a'\n§{tls}")),
        (
            "AM-C074",
            format!("address = '127.0.0.1:1'\ndefault = 'allow'\n§identities = {{ {id} = [] }}"),
        ),
        (
            "AM-C074",
            format!(
                "address = '10.0.0.1:1'\n{tls}identities = {{ {id} = [] }}\n§uids = {{ 1 = 'token' }}"
            ),
        ),
        (
            "AM-C074",
            format!(
                "address = '10.0.0.1:1'\n{tls}default = 'allow'\n§identities = {{ {id} = [] }}"
            ),
        ),
        ("AM-C007", format!("address = '10.0.0.1:1'\ntls = §{{ }}\nidentities = {{ {id} = [] }}")),
        (
            "AM-C005",
            format!(
                "address = '10.0.0.1:1'\ntls = {{ mode = §'server' }}\nidentities = {{ {id} = [] }}"
            ),
        ),
        (
            "AM-C005",
            format!(
                "address = '10.0.0.1:1'\ntls = {{ mode = §'plaintext' }}\nidentities = {{ {id} = [] }}"
            ),
        ),
        ("AM-C003", format!("address = '10.0.0.1:1'\n{tls}identities = §{id}")),
        ("AM-C005", format!("address = '10.0.0.1:1'\n{tls}identities = {{ {id} = §'To/ken' }}")),
        ("AM-C025", format!("address = '10.0.0.1:1'\n{tls}identities = {{ §'web' = 'token' }}")),
        (
            "AM-C025",
            format!(
                "address = '10.0.0.1:1'\n{tls}identities = {{ §'spiffe://corp.example' = 'token' }}"
            ),
        ),
        (
            "AM-C026",
            format!(
                "address = '10.0.0.1:1'\n{tls}identities = {{ §'spiffe://a.example/b' = 'token' }}"
            ),
        ),
    ] {
        check(Severity::Error, code, &format!("{trust}[registry]\nkind = 'embedded'\n{case}"));
    }
    // Without a trust domain nobody could prove anything.
    let door = "address = '10.0.0.1:1'\ntls = { mode = §'mutual' }\ndefault = 'allow'";
    check(Severity::Error, "AM-C007", &format!("[registry]\nkind = 'embedded'\n{door}"));
}

#[test]
fn faults_of_identity() {
    let own = "[identity]\ncert = 'a'\nkey = 'b'\n";
    let trust = format!("{own}trust_domain = 'corp.example'\nbundle = 'c'\n");
    let login = "[service.login]\nendpoints = ['127.0.0.1:1']\n";
    let listener =
        "[[listener]]\nname = 'a'\nforward_to = 'login'\naddress = '127.0.0.1:1'\ntls = ";
    for (code, case) in [
        ("AM-C007", format!("§{own}bundle = 'c'")),
        ("AM-C007", format!("§{own}trust_domain = 'corp.example'")),
        ("AM-C007", format!("{trust}crl = §{{ mode = 'warn' }}")),
        (
            "AM-C007",
            format!("{trust}[identity.federation.x]\nbundle = 'd'")
                .replace("[identity.f", "§[identity.f"),
        ),
        ("AM-C005", format!("{trust}crl = {{ file = 'd', mode = §'maybe' }}")),
        (
            "AM-C022",
            format!("{trust}federation.x = {{ trust_domain = §'corp.example', bundle = 'd' }}"),
        ),
        ("AM-C003", format!("{trust}federation = §1")),
        ("AM-C025", format!("{own}trust_domain = §'Corp.example'\nbundle = 'c'")),
        ("AM-C025", format!("{trust}{login}identity = §'spiffe://Corp.example/a'")),
        ("AM-C025", format!("{trust}{login}identity = §'spiffe://corp.example'")),
        ("AM-C026", format!("{trust}{login}identity = §'spiffe://partner.example/a'")),
        ("AM-C007", format!("{own}{login}identity = §'spiffe://corp.example/a'")),
        ("AM-C007", format!("{login}identity = §'spiffe://corp.example/a'")),
        ("AM-C007", format!("{listener}{{ mode = §'mutual' }}")),
        ("AM-C007", format!("{own}{listener}{{ mode = §'mutual' }}")),
        ("AM-C007", format!("§[identity]\ncert = 'a'\n{listener}{{ mode = 'mutual' }}")),
    ] {
        check(Severity::Error, code, &case);
    }
    let permissive = format!("{trust}{listener}{{ mode = §'permissive' }}");
    check(Severity::Warning, "AM-C060", &permissive);
    let federated = format!(
        "{trust}federation.x = {{ trust_domain = 'partner.example', bundle = 'd' }}\n\
         {login}identity = 'spiffe://partner.example/a'"
    );
    assert!(parse(&format!("version = 1\n{federated}\n"), "mesh.toml").is_ok());
}

#[test]
fn warnings() {
    let exposed = "[identity]\ncert = 'a'\nkey = 'b'\n[[listener]]\nname = 'a'\n\
                   address = '0.0.0.0:80'\nforward_to = 'login'\ntls = { mode = 'server' }";
    let login = "[service.login]\nendpoints = ['127.0.0.1:1']\ntimeout = '2s'";
    for (code, case) in [
        ("AM-C050", format!("[authorization]\ndefault = §'allow'\n{exposed}")),
        ("AM-C071", format!("{login}\nretry = {{ attempts = 3, §per_try = '1s' }}")),
        (
            "AM-C071",
            format!(
                "[[route]]\nname = 'r'\nservice = 'login'\nretry = {{ §per_try = '900ms' }}\n{login}"
            ),
        ),
        ("AM-C072", "[limits]\n§header_timeout = '2m'\nidle_timeout = '1m'".to_owned()),
        ("AM-C072", "[limits]\n§idle_timeout = '5s'".to_owned()),
        ("AM-C082", "[headers]\ntrusted_proxies = [§'10.1.2.3/16']".to_owned()),
    ] {
        check(Severity::Warning, code, &case);
    }
}

#[test]
fn what_nothing_enforces_yet_is_refused_by_name() {
    let listener = "[[listener]]\nname = 'a'\nforward_to = 'login'\naddress = '127.0.0.1:1'";
    let login = "[service.login]\nendpoints = ['127.0.0.1:1']";
    for case in [
        format!("{listener}\nprotocol = §'tcp'"),
        "[identity]\ncert = 'a'\nkey = 'b'\nsource = §'spiffe'".to_owned(),
        "§[[rate]]\nname = 'x'".to_owned(),
        "[[route]]\nname = 'r'\nservice = 'login'\n§cost = 1".to_owned(),
        "[[route]]\nname = 'r'\nservice = 'login'\nclassifier = §'ldap'".to_owned(),
        format!("{login}\n§weights = {{ }}"),
        format!("{login}\nbalance = §'maglev'"),
        format!("{login}\nbalance = {{ strategy = §'prequal' }}"),
        "[service.login]\ndiscover = { registry = true, §port = 1 }\n[registry]\nkind = 'embedded'"
            .to_owned(),
        "[registry]\nkind = §'etcd'".to_owned(),
        "[network]\n§dns = { }".to_owned(),
        "[network]\n§source_address = '10.0.0.1'".to_owned(),
        "[network]\n§tcp = { }".to_owned(),
        format!("{login}\nhealth = {{ §grpc = true }}"),
    ] {
        check(Severity::Error, "AM-C099", &case);
    }
}

#[test]
fn a_retry_of_what_must_not_be_sent_twice_is_named_as_such() {
    let case =
        "[service.login]\nendpoints = ['127.0.0.1:1']\nretry = { methods = ['GET', §'POST'] }";
    let (text, (line, column)) = document(case);
    let problems = parse(&text, "t").unwrap_err();
    assert_eq!(found(&problems), [("AM-C070", line, column)], "{problems}");
    let lawful = text.replace("['GET', 'POST']", "['GET', 'POST'], only_if_unprocessed = true");
    let service = &parse(&lawful, "t").unwrap().config.services[0];
    let repeated = ["GET", "POST", "PUT"].map(|method| service.retry.for_method(method).attempts);
    assert_eq!(repeated, [3, 3, 1]);
}

#[test]
fn ten_faults_are_ten_problems() {
    let text = "\
version = 2
colour = 'blue'
[[listener]]
name = 'in'
address = '0.0.0.0'
forward_to = 'nobody'
[admin]
address = '0.0.0.0:9901'
[limits]
header_timeout = '0s'
body = '1MB'
[headers]
identity = 'host'
[service.login]
timeout = 2
balance = 'fastest'
";
    let problems = parse(text, "mesh.toml").unwrap_err();
    let mut codes: Vec<&str> = problems.iter().map(|problem| problem.code.text()).collect();
    codes.sort_unstable();
    let wanted = [
        "AM-C001", "AM-C004", "AM-C005", "AM-C005", "AM-C006", "AM-C010", "AM-C020", "AM-C023",
        "AM-C051", "AM-C061", "AM-C073", "AM-C080",
    ];
    assert_eq!(codes, wanted, "{problems}");
    assert!(problems.to_string().ends_with("12 errors"), "{problems}");
}
