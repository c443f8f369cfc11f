//! The endpoint that fails more than its siblings is taken out, and comes back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use authmesh::Mesh;
use authmesh::telemetry::{EventKind, EventReceiver};
use authmesh_logic::Ratio;
use authmesh_logic::outlier::{Cause, Policy};

use crate::backend::{Raw, answer, get, mesh, whole};

async fn until(events: &mut EventReceiver, wanted: fn(&EventKind) -> bool) -> EventKind {
    loop {
        let kind = events.next().await.unwrap().kind;
        if wanted(&kind) {
            return kind;
        }
    }
}

fn states(mesh: &Mesh) -> Vec<&'static str> {
    mesh.status().services[0].instances.iter().map(|instance| instance.state).collect()
}

#[tokio::test]
async fn an_outlier_gets_nothing_until_its_time_has_passed() {
    let is_broken = Arc::new(AtomicBool::new(true));
    let broken = Arc::clone(&is_broken);
    let bad =
        Raw::start(move |_| answer(if broken.load(Ordering::SeqCst) { 500 } else { 200 }, "", ""))
            .await;
    let good =
        [Raw::start(|_| answer(200, "", "")).await, Raw::start(|_| answer(200, "", "")).await];
    let addresses = good.iter().chain([&bad]).map(|server| server.address.clone());
    let policy = Policy {
        interval: Duration::from_millis(100),
        first: Duration::from_millis(300),
        longest: Duration::from_millis(300),
        most: Ratio::percent(50),
        ..Policy::standard()
    };
    let (mesh, client) = mesh(addresses, |service| {
        service.outlier = Some(policy);
        service.endpoint_breaker.consecutive_failures = None;
        service.endpoint_breaker.failure_rate = None;
        service.breaker.failure_rate = None;
    })
    .await;
    let mut events = mesh.events();
    while bad.asked() < 5 {
        whole(client.send(get("/")).await).await.unwrap();
    }
    let ejected = until(&mut events, |kind| matches!(kind, EventKind::Ejected { .. })).await;
    let EventKind::Ejected { cause, .. } = ejected else { unreachable!() };
    assert_eq!(cause, Cause::Consecutive);
    is_broken.store(false, Ordering::SeqCst);
    let returned = tokio::spawn(async move {
        until(&mut events, |kind| matches!(kind, EventKind::Returned(_))).await
    });
    // While it is out nothing goes there; for how many requests that is depends on the machine.
    let asked = bad.asked();
    while !returned.is_finished() {
        whole(client.send(get("/")).await).await.unwrap();
        let is_out = states(&mesh).contains(&"ejected");
        assert!(bad.asked() == asked || !is_out);
    }
    returned.await.unwrap();
    while bad.asked() == asked {
        assert_eq!(whole(client.send(get("/")).await).await.unwrap().0, 200);
    }
    assert_eq!(states(&mesh), ["routable"; 3]);
}

#[tokio::test]
async fn never_are_all_taken_out() {
    let servers =
        [Raw::start(|_| answer(500, "", "")).await, Raw::start(|_| answer(500, "", "")).await];
    let addresses = servers.each_ref().map(|server| server.address.clone());
    let (mesh, client) = mesh(addresses, |service| {
        service.outlier = Some(Policy { most: Ratio::ONE, ..Policy::standard() });
        service.endpoint_breaker.consecutive_failures = None;
        service.endpoint_breaker.failure_rate = None;
        service.breaker.failure_rate = None;
    })
    .await;
    let mut events = mesh.events();
    for _ in 0..40 {
        whole(client.send(get("/")).await).await.unwrap();
    }
    until(&mut events, |kind| matches!(kind, EventKind::Spared { .. })).await;
    let mut found = states(&mesh);
    found.sort_unstable();
    assert_eq!(found, ["ejected", "routable"]);
}
