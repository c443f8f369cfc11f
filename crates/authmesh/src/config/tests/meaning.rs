//! What a whole file means.

use std::time::Duration;

use authmesh_logic::Ratio;
use authmesh_logic::circuit_breaker::{Growth, Jitter, RateTrip, SlowTrip, Window};
use authmesh_logic::health::{Check, Passive};
use authmesh_logic::load_balancer::Strategy;
use authmesh_logic::retry::OperationClass;

use crate::config::{
    AdminAccess, DefaultAccess, DiscoverySource, MeshConfig, Protocol, RegistryConfig,
    SecretReference, ServiceConfig, TlsMode, parse,
};

pub(in crate::config) const WHOLE: &str = r#"
version = 1

[authorization]
default = "allow"

[identity]
cert = "mesh.pem"
key = "mesh.key"

[admin]
address = "127.0.0.1:9901"
token = { env = "ADMIN_TOKEN" }

[registry]
kind = "embedded"
persist = "state"

[limits]
body = "2MiB"
connections = "off"
idle_timeout = "1m30s"

[headers]
trusted_proxies = ["10.0.0.0/8", "::1"]
identity = "X-Authmesh-Identity"

[[listener]]
name = "inbound"
address = "127.0.0.1:8443"
tls = { mode = "server", min_version = "1.2" }

[[route]]
name = "issue"
paths = ["/token"]
methods = ["POST"]
service = "token"
class = "single_use"
retry = { attempts = 2, only_if_unprocessed = true }

[[route]]
operation = "rest"
service = "login"

[service.token]
discover = { registry = true }
protocol = "http2"
timeout = "2s"
balance = { strategy = "round_robin" }
breaker = { failure_rate = "12.5%", slow_rate = "80%", slower_than = "300ms", window_calls = 50 }
endpoint_breaker = { consecutive_failures = "off", wait = "2m", jitter = "none", growth_resets = "on_close", trials = 1, ramp = "off" }
health = { path = "/healthz", expect = [200, "204-206"], interval = "500ms", passive = { failures = 4 } }
retry = "off"

[service.login]
endpoints = ["unix:/run/login.sock", "[::1]:3000"]
breaker = "off"
health = { tcp = true }
"#;

#[test]
fn a_whole_file_means_what_it_says() {
    let loaded = parse(WHOLE, "mesh.toml").unwrap();
    assert!(loaded.warnings.is_empty(), "{}", loaded.warnings);
    let config = loaded.config;
    assert_eq!(config.security.authorization, Some(DefaultAccess::Allow));
    let Some(AdminAccess::Loopback { address, token }) =
        config.security.admin.map(|admin| admin.access)
    else {
        panic!("admin is on loopback");
    };
    assert_eq!(address.port(), 9901);
    assert_eq!(token, SecretReference::Environment("ADMIN_TOKEN".into()));
    let persist = Some("state".into());
    assert_eq!(
        config.registry,
        RegistryConfig::Embedded {
            address: None,
            persist,
            is_mutual: false,
            registrants: crate::discovery::Registrants::Owner
        }
    );
    assert_eq!(config.network.limits.body, Some(2 << 20));
    assert_eq!(config.network.limits.connections, None);
    assert_eq!(config.network.limits.idle_timeout, Some(Duration::from_secs(90)));
    assert_eq!(config.security.trusted_proxies[1].prefix, 128);
    assert_eq!(config.security.identity_header.as_deref(), Some("x-authmesh-identity"));
    assert_eq!(config.network.listeners[0].tls, TlsMode::Server { allow_tls12: true });
    let [issue, rest] = &config.routes[..] else { panic!("two routes") };
    assert_eq!((issue.operation.as_str(), rest.name.as_str()), ("issue", "rest"));
    assert_eq!(issue.class, Some(OperationClass::SingleUse));
    assert_eq!(issue.retry.map(|retry| retry.attempts), Some(2));
    let names: Vec<&str> = config.services.iter().map(|service| service.name.as_str()).collect();
    assert_eq!(names, ["login", "token"]);
    check_token(&config.services[1]);
    let login = &config.services[0];
    assert!(matches!(&login.source, DiscoverySource::Static(addresses) if addresses.len() == 2));
    assert_eq!(login.breaker.failure_rate, None);
    assert_eq!(login.endpoint_breaker.consecutive_failures, Some(5));
    assert_eq!(login.health.as_ref().map(|health| &health.check), Some(&Check::Tcp));
}

fn check_token(token: &ServiceConfig) {
    assert_eq!(token.source, DiscoverySource::Registry);
    assert_eq!(token.protocol, Protocol::Http2);
    assert_eq!(token.balance.strategy, Strategy::RoundRobin);
    assert_eq!(token.retry.attempts, 1);
    let eighth = Ratio::from_fraction(0.125).unwrap();
    let breaker = &token.breaker;
    assert_eq!(breaker.failure_rate, Some(RateTrip { threshold: eighth, minimum_calls: 20 }));
    let slower_than = Duration::from_millis(300);
    let slow = SlowTrip { slower_than, threshold: Ratio::percent(80), minimum_calls: 20 };
    assert_eq!(breaker.slow_rate, Some(slow));
    assert_eq!(breaker.window, Window::Count { calls: 50 });
    assert_eq!(breaker.consecutive_failures, None);
    let breaker = &token.endpoint_breaker;
    assert_eq!(breaker.consecutive_failures, None);
    assert_eq!((breaker.wait.first, breaker.wait.longest), (MINUTES_2, MINUTES_2));
    assert_eq!(breaker.wait.jitter, Jitter::None);
    assert_eq!(breaker.wait.growth_resets, Growth::OnClose);
    assert_eq!((breaker.trials, breaker.closes_at), (1, 1));
    assert_eq!(breaker.ramp, None);
    let health = token.health.as_ref().unwrap();
    let Check::Http { path, expect, .. } = &health.check else { panic!("an HTTP check") };
    assert_eq!((&**path, &expect[..]), ("/healthz", &[(200, 200), (204, 206)][..]));
    assert_eq!(health.failing_interval, Duration::from_millis(500));
    assert_eq!(health.passive, Passive::On { failures: 4 });
}

const MINUTES_2: Duration = Duration::from_secs(120);

#[test]
fn the_least_file_is_the_defaults() {
    let config = parse("version = 1\n", "mesh.toml").unwrap().config;
    assert_eq!(config, MeshConfig::default());
    let text = "version = 1\n[service.login]\nendpoints = ['127.0.0.1:3000']\n";
    let config = parse(text, "mesh.toml").unwrap().config;
    let address = "127.0.0.1:3000".parse().unwrap();
    let source = DiscoverySource::Static(vec![address]);
    assert_eq!(config.services, [ServiceConfig::new("login".parse().unwrap(), source)]);
}
