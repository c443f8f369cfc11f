//! The monitor against real sockets.

use std::time::Duration;

use authmesh_logic::health::{Check, CheckFailure, CheckResult, Passive};
use authmesh_logic::outcome::OutcomeKind;
use tokio::net::TcpListener;
use tokio::runtime::Handle;

use super::*;
use crate::discovery::Address;

fn quick(check: Check) -> Policy {
    let pause = Duration::from_millis(2);
    let timeout = Duration::from_secs(20);
    Policy { interval: pause, failing_interval: pause, timeout, ..Policy::of(check) }
}

fn get() -> Check {
    Check::Http { path: "/".into(), host: None, expect: vec![(200, 299)] }
}

async fn listener() -> (TcpListener, Arc<Instance>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = Address::Tcp(listener.local_addr().unwrap());
    (listener, Arc::new(Instance::at(address)))
}

fn monitor(policy: Policy, instances: &[&Arc<Instance>]) -> HealthMonitor {
    let mut monitor = HealthMonitor::new(policy);
    monitor.set_instances(each(instances));
    monitor
}

fn each(instances: &[&Arc<Instance>]) -> Vec<(Arc<Instance>, Arc<Traffic>)> {
    instances.iter().map(|&instance| (Arc::clone(instance), Arc::default())).collect()
}

/// The results up to the change, the newest first.
fn results_until(monitor: &HealthMonitor, change: &HealthChange) -> Vec<CheckResult> {
    let history = monitor.history(&change.instance);
    let until = history.iter().filter(|check| check.started <= change.at);
    until.rev().map(|check| check.evidence.result).collect()
}

#[tokio::test]
async fn it_falls_after_three_refusals_and_rises_after_two_connections() {
    let (listener, instance) = listener().await;
    let address = listener.local_addr().unwrap();
    let mut monitor = monitor(quick(Check::Tcp), &[&instance]);
    let change = monitor.next().await;
    assert_eq!((change.status, &*change.reason), (Verdict::Healthy, "connected"));
    assert_eq!(change.instance, instance.id);

    drop(listener);
    let change = monitor.next().await;
    assert_eq!(change.status, Verdict::Unhealthy);
    assert_eq!(change.reason, "connect: connection refused");
    let refused = CheckResult::Fail(CheckFailure::Refused);
    let results = results_until(&monitor, &change);
    assert_eq!(results[..3], [refused; 3]);
    assert!(results.get(3).is_none_or(|&before| before == CheckResult::Pass));

    let _listener = TcpListener::bind(address).await.unwrap();
    let change = monitor.next().await;
    assert_eq!((change.status, &*change.reason), (Verdict::Healthy, "connected"));
    assert_eq!(
        results_until(&monitor, &change)[..3],
        [CheckResult::Pass, CheckResult::Pass, refused]
    );

    let status = monitor.status();
    assert_eq!((status.len(), status[0].status), (1, Verdict::Healthy));
    let metrics = monitor.metrics();
    assert_eq!((metrics.healthy, metrics.changes, metrics.from_traffic), (1, 3, 0));
    assert!(metrics.passed >= 3 && metrics.failed >= 3, "{metrics:?}");
}

#[tokio::test]
async fn an_answer_that_is_not_expected_counts() {
    use tokio::io::AsyncWriteExt;
    let (listener, instance) = listener().await;
    let server = tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n").await.ok();
        }
    });
    let change = monitor(quick(get()), &[&instance]).next().await;
    assert_eq!(change.status, Verdict::Unhealthy);
    assert_eq!(change.reason, "HTTP 503, expected 200-299");
    server.abort();
}

#[tokio::test]
async fn a_server_that_does_not_answer_in_time_is_unhealthy() {
    let (_silent, instance) = listener().await;
    let policy = Policy { timeout: Duration::from_millis(20), ..quick(get()) };
    let change = monitor(policy, &[&instance]).next().await;
    let expected = (Verdict::Unhealthy, "no answer within 20ms");
    assert_eq!((change.status, &*change.reason), expected);
}

#[tokio::test]
async fn survivors_keep_their_state_and_leavers_their_task_no_longer() {
    let (_one, first) = listener().await;
    let (_two, second) = listener().await;
    let policy = Policy { interval: Duration::from_secs(3600), ..quick(Check::Tcp) };
    let mut monitor = monitor(policy, &[&first, &second]);
    for _ in 0..2 {
        assert_eq!(monitor.next().await.status, Verdict::Healthy);
    }
    let since = |monitor: &HealthMonitor| {
        let status = monitor.status();
        status.into_iter().find(|health| health.id == first.id).unwrap().since
    };
    let before = since(&monitor);

    let heavier = Instance { weight: crate::discovery::Weight::HEAVIEST, ..(*first).clone() };
    monitor.set_instances(each(&[&Arc::new(heavier)]));
    assert_eq!(since(&monitor), before);
    assert_eq!(monitor.verdict(&second.id), None);
    while Handle::current().metrics().num_alive_tasks() > 1 {
        tokio::task::yield_now().await;
    }

    let restarted = Instance { incarnation: 1, ..(*first).clone() };
    monitor.set_instances(each(&[&Arc::new(restarted)]));
    assert_eq!(monitor.verdict(&first.id), Some(Verdict::Unknown));
    assert_eq!(monitor.next().await.instance, first.id);

    drop(monitor);
    while Handle::current().metrics().num_alive_tasks() > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn requests_replace_checks_for_better_and_for_worse() {
    let (listener, instance) = listener().await;
    drop(listener);
    let passive = Passive::On { failures: 5 };
    let policy = Policy { passive, interval: Duration::from_secs(3600), ..quick(Check::Tcp) };
    let traffic = Arc::new(Traffic::new());
    traffic.record(OutcomeKind::Success, Clock.now() + Duration::from_secs(1));
    let mut monitor = HealthMonitor::new(Policy { fall: 1, ..policy });
    monitor.set_instances([(Arc::clone(&instance), Arc::clone(&traffic))]);
    let change = monitor.next().await;
    assert_eq!((change.status, &*change.reason), (Verdict::Healthy, "requests succeed"));

    for _ in 0..5 {
        traffic.record(OutcomeKind::Failure, Clock.now());
    }
    let change = monitor.next().await;
    assert_eq!(change.status, Verdict::Unhealthy);
    assert_eq!(change.reason, "too many requests in a row failed");
    assert_eq!(monitor.metrics().from_traffic, 2);
}

#[tokio::test]
async fn a_new_policy_is_followed_at_once() {
    let (_silent, instance) = listener().await;
    let slow = Policy { interval: Duration::from_secs(3600), ..quick(Check::Tcp) };
    let mut monitor = monitor(slow, &[&instance]);
    assert_eq!(monitor.next().await.status, Verdict::Healthy);

    monitor.set_policy(Policy { timeout: Duration::from_millis(5), ..quick(get()) });
    assert_eq!(monitor.next().await.status, Verdict::Unhealthy);
}
