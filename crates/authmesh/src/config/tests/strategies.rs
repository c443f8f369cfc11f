//! What the settings of breakers, outliers and admission mean, and what they may not say.

use std::time::Duration;

use authmesh_logic::circuit_breaker::{BurnTrip, Policy, Preset};
use authmesh_logic::concurrency::{Algorithm, Priority};
use authmesh_logic::throttle::Formula;
use authmesh_logic::{Factor, Ratio, outlier};

use super::faults::document;
use crate::config::{Classifier, MeshConfig, ServiceConfig, parse};

const LOGIN: &str = "[service.login]\nendpoints = ['127.0.0.1:1']\n";

fn config(text: &str) -> MeshConfig {
    let text = format!("version = 1\n{text}");
    parse(&text, "mesh.toml").unwrap_or_else(|problems| panic!("{text}\n{problems}")).config
}

fn login(keys: &str) -> ServiceConfig {
    config(&format!("{LOGIN}{keys}")).services.remove(0)
}

#[test]
fn a_preset_is_a_word_or_the_ground_of_a_table() {
    for preset in Preset::ALL {
        let word = preset.word();
        let service = login(&format!("breaker = '{word}'\nendpoint_breaker = '{word}'"));
        let of_service = Policy { consecutive_failures: None, ..preset.policy() };
        assert_eq!((service.breaker, service.endpoint_breaker), (of_service, preset.policy()));
    }
    let mended = login("endpoint_breaker = { preset = 'strict', trials = 1, objective = 'off' }");
    let strict = Policy { trials: 1, closes_at: 1, burn_rate: None, ..Policy::strict() };
    assert_eq!(mended.endpoint_breaker, strict);
}

#[test]
fn a_half_open_breaker_waits_long_enough_for_any_attempt_unless_told() {
    let limits = |keys: &str| {
        let service = login(keys);
        [service.breaker, service.endpoint_breaker].map(|breaker| breaker.trial_limit)
    };
    let seconds = |seconds| Some(Duration::from_secs(seconds));
    assert_eq!(limits(""), [seconds(10); 2]);
    assert_eq!(limits("timeout = '30s'\nbreaker = 'strict'"), [seconds(60); 2]);
    assert_eq!(limits("timeout = '6s'\nretry = { per_try = '2s' }"), [seconds(10); 2]);
    assert_eq!(limits("timeout = '99s'\nretry = { per_try = '20s' }"), [seconds(40); 2]);
    let told = "timeout = '6s'\nbreaker = { trial_limit = '1s' }\n\
                endpoint_breaker = { preset = 'patient', trial_limit = 'off' }";
    assert_eq!(limits(told), [seconds(1), None]);
}

#[test]
fn a_breaker_takes_no_more_trials_than_it_can_count() {
    assert_eq!(login("breaker = { trials = 500, closes_at = 500 }").breaker.trials, 500);
    let text = format!("version = 1\n{LOGIN}breaker = {{ trials = 501 }}");
    assert!(parse(&text, "mesh.toml").is_err());
}

#[test]
fn an_objective_is_burnt_over_two_windows() {
    let service = login(
        "breaker = { objective = '99.5%', burn_factor = 6, burn_long = '6h', burn_short = '30m' }",
    );
    let burn = BurnTrip {
        factor: Factor::thousandths(6_000),
        long: Duration::from_secs(6 * 3_600),
        short: Duration::from_secs(30 * 60),
        ..BurnTrip::of(Ratio::per_mille(995))
    };
    assert_eq!(service.breaker.burn_rate, Some(burn));
    assert_eq!(login("breaker = 'off'").breaker.burn_rate, None);
}

#[test]
fn outliers_are_looked_for_as_written() {
    assert_eq!(login("").outlier, None);
    assert_eq!(login("outlier = 'off'").outlier, None);
    assert_eq!(login("outlier = {}").outlier, Some(outlier::Policy::standard()));
    let written = login(
        "outlier = { consecutive = 'off', deviations = 'off', failure_share = '50%', \
         minimum_calls = 7, first = '10m', most = '40%', keep_at_least = 3, \
         returns_on_health = true }",
    );
    let standard = outlier::Policy::standard();
    let failure_share = standard.failure_share.map(|rule| outlier::FailureShare {
        share: Ratio::percent(50),
        minimum_calls: 7,
        ..rule
    });
    let ten_minutes = Duration::from_secs(600);
    let wanted = outlier::Policy {
        consecutive: None,
        success_rate: None,
        failure_share,
        first: ten_minutes,
        longest: ten_minutes,
        most: Ratio::percent(40),
        keep_at_least: 3,
        returns_on_health: true,
        ..standard
    };
    assert_eq!(written.outlier, Some(wanted));
}

#[test]
fn admission_has_a_limit_a_throttle_or_both() {
    let both = login(
        "admission = { concurrency = 'aimd', drop_after = '2s', most_limit = 10, \
         throttle = 'google_sre', requests_each = 1.5, window = '2m' }",
    );
    let concurrency = both.admission.concurrency.unwrap();
    assert_eq!((concurrency.initial, concurrency.least, concurrency.most), (10, 10, 10));
    let Algorithm::Aimd { timeout, .. } = concurrency.algorithm else { panic!("aimd") };
    assert_eq!(timeout, Duration::from_secs(2));
    let throttle = both.admission.throttle.unwrap();
    assert_eq!(throttle.formula, Formula::GoogleSre { multiplier: Factor::thousandths(1_500) });
    assert_eq!(throttle.window, Duration::from_secs(120));

    let envoy = login("admission = { throttle = 'envoy_admission', threshold = '90%' }").admission;
    assert_eq!(envoy.concurrency, None);
    let formula = envoy.throttle.unwrap().formula;
    assert!(
        matches!(formula, Formula::EnvoyAdmission { threshold, .. } if threshold == Ratio::percent(90))
    );
    assert_eq!(
        login("admission = 'off'").admission,
        ServiceConfig::new("x".parse().unwrap(), login("").source).admission
    );
}

#[test]
fn a_route_says_who_matters_how_answers_are_read_and_whose_quota_they_take() {
    let route = |keys: &str| {
        config(&format!("{LOGIN}[[route]]\nname = 'r'\nservice = 'login'\n{keys}")).routes.remove(0)
    };
    let written = route("classifier = 'oauth2'\npriority = 0\nquota = 'idp'");
    assert_eq!((written.classifier, written.priority), (Classifier::OAuth2, Priority::MOST));
    assert_eq!(written.quota.as_deref(), Some("idp"));
    let bare = route("");
    assert_eq!((bare.classifier, bare.priority.number(), bare.quota), (Classifier::Http, 2, None));
}

#[test]
fn what_means_nothing_or_can_never_happen_is_refused() {
    for (code, keys) in [
        ("AM-C005", "breaker = §'brave'"),
        ("AM-C005", "breaker = { preset = §'brave' }"),
        ("AM-C074", "breaker = { §burn_factor = 2 }"),
        ("AM-C005", "breaker = { objective = '99%', burn_factor = §0 }"),
        ("AM-C074", "breaker = { objective = '50%', burn_factor = §3 }"),
        ("AM-C005", "breaker = { objective = '99%', burn_long = '1m', burn_short = §'2m' }"),
        (
            "AM-C074",
            "outlier = §{ consecutive = 'off', deviations = 'off', failure_share = 'off' }",
        ),
        ("AM-C074", "outlier = { deviations = 'off', failure_share = 'off', §minimum_hosts = 3 }"),
        ("AM-C005", "outlier = { deviations = §11 }"),
        ("AM-C003", "outlier = { deviations = §true }"),
        ("AM-C005", "outlier = { first = '1m', longest = §'30s' }"),
        ("AM-C073", "outlier = { most = §'0%' }"),
        ("AM-C073", "outlier = { keep_at_least = §0 }"),
        ("AM-C001", "outlier = { §max = '10%' }"),
        ("AM-C023", "admission = §{ }"),
        ("AM-C005", "admission = { concurrency = §'fixed' }"),
        ("AM-C074", "admission = { throttle = 'failsafe', §least_limit = 5 }"),
        ("AM-C074", "admission = { concurrency = 'vegas', §drop_after = '1s' }"),
        ("AM-C074", "admission = { concurrency = 'vegas', §threshold = '90%' }"),
        ("AM-C074", "admission = { throttle = 'google_sre', §threshold = '90%' }"),
        ("AM-C005", "admission = { concurrency = 'vegas', least_limit = 5, most_limit = §4 }"),
        ("AM-C005", "admission = { concurrency = 'vegas', initial_limit = §201 }"),
    ] {
        let (text, place) = document(&format!("{LOGIN}{keys}"));
        let problems =
            parse(&text, "mesh.toml").err().unwrap_or_else(|| panic!("accepted: {keys}"));
        let found: Vec<_> = problems
            .iter()
            .map(|problem| {
                let at = problems.place(problem.span);
                (problem.code.text(), (at.line, at.column))
            })
            .collect();
        assert_eq!(found, [(code, place)], "{keys}\n{problems}");
    }
    let (text, _) = document("[[route]]\nname = 'r'\nservice = 'login'\npriority = §5");
    assert!(parse(&text, "mesh.toml").unwrap_err().to_string().contains("from 0 to 4"));
}
