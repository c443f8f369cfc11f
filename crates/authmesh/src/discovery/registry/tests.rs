//! The registry as its users meet it.

use std::fs;
use std::time::Duration;

use tokio::task::yield_now;

use super::*;
use crate::discovery::{
    Administration, Instance, InstanceId, Lease, ServiceName, Source, Update, View, Weight,
};

const TTL: Duration = Duration::from_secs(30);

fn token() -> ServiceName {
    "token".parse().unwrap()
}

fn id(name: &str) -> InstanceId {
    name.parse().unwrap()
}

fn instance(name: &str) -> Instance {
    Instance { id: id(name), ..Instance::at("127.0.0.1:8443".parse().unwrap()) }
}

fn names(view: &View) -> Vec<&str> {
    view.instances.iter().map(|instance| instance.id.as_str()).collect()
}

async fn told(watch: &mut Watch) -> View {
    match watch.next().await {
        Update::View(view) => view,
        Update::Lost { reason } => panic!("{reason}"),
    }
}

#[tokio::test]
async fn a_watcher_sees_who_comes_and_who_goes() {
    let registry = Registry::embedded();
    let mut watch = registry.watch(&token());
    assert_eq!(names(&told(&mut watch).await), [""; 0]);

    let first = registry.register(&token(), instance("a"), TTL).unwrap();
    assert_eq!(names(&told(&mut watch).await), ["a"]);
    let second = registry.register(&token(), instance("b"), TTL).unwrap();
    drop(first);
    assert_eq!(names(&told(&mut watch).await), ["b"], "a burst comes as one");

    let (view, ()) = tokio::join!(told(&mut watch), async {
        assert_eq!(registry.metrics().watchers, 1);
        second.deregister().await.unwrap();
    });
    assert_eq!(names(&view), [""; 0]);
    let metrics = registry.metrics();
    assert_eq!((metrics.watchers, metrics.instances, metrics.services), (0, 0, 0));
    assert_eq!((metrics.registrations, metrics.deregistrations, metrics.refusals), (2, 2, 0));
}

#[tokio::test]
async fn a_lease_that_runs_out_wakes_the_watcher() {
    let registry = Registry::embedded();
    registry.record(&token(), instance("a"), Duration::from_secs(1)).unwrap();
    let view = registry.list(&token());
    assert_eq!(view.instances[0].lease, Lease::Held);

    let view = registry.changed(&token(), view.revision).await;
    assert!(matches!(view.instances[0].lease, Lease::Expired { .. }));
    registry.heartbeat(&token(), &id("a")).unwrap();
    assert_eq!(registry.list(&token()).instances[0].lease, Lease::Held);
    assert_eq!(registry.metrics().ran_out, 1);
}

#[tokio::test]
async fn a_revision_that_was_never_told_is_answered_at_once() {
    let registry = Registry::embedded();
    let now = registry.list(&token()).revision;
    for revision in [0, now - 1, now + 1_000_000] {
        assert_eq!(registry.changed(&token(), revision).await.revision, now);
    }
}

/// Moves the clock a heartbeat at a time until `holds` does.
async fn until(holds: impl Fn() -> bool) {
    const MOST_BEATS: usize = 100;
    for _ in 0..MOST_BEATS {
        if holds() {
            return;
        }
        // A task that was just spawned first has to begin its wait.
        yield_now().await;
        tokio::time::advance(TTL / 3).await;
        yield_now().await;
    }
    panic!("not within {MOST_BEATS} heartbeats");
}

#[tokio::test(start_paused = true)]
async fn a_registration_is_renewed_three_times_in_its_time() {
    let registry = Registry::embedded();
    let registration = registry.register(&token(), instance("a"), TTL).unwrap();
    for beats in 1..=4 {
        until(|| registry.metrics().heartbeats >= beats).await;
    }
    // Forgotten behind its back, it registers again.
    registry.deregister(&token(), &id("a")).unwrap();
    until(|| registry.metrics().instances == 1).await;
    assert!(registration.is_held());
    drop(registration);
    assert_eq!(registry.metrics().instances, 0);
}

#[tokio::test(start_paused = true)]
async fn who_was_replaced_neither_renews_nor_deregisters() {
    let registry = Registry::embedded();
    let old = registry.register(&token(), instance("a"), TTL).unwrap();
    let new_life = Instance { incarnation: 1, ..instance("a") };
    let new = registry.register(&token(), new_life, TTL).unwrap();
    until(|| !old.is_held()).await;
    drop(old);
    assert_eq!(registry.list(&token()).instances[0].incarnation, 1);
    assert!(new.is_held());

    let refused = registry.register(&token(), instance("a"), TTL).unwrap_err();
    assert_eq!(refused.to_string(), "incarnation 1 is registered, which is later");
}

#[test]
fn without_a_runtime_nothing_is_registered() {
    let registry = Registry::embedded();
    let refused = registry.register(&token(), instance("a"), TTL);
    assert!(matches!(refused, Err(RegistryError::NoRuntime)));
    assert_eq!(registry.metrics().instances, 0);
}

#[tokio::test]
async fn a_persisted_registry_resumes_where_it_ended() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("made/on/the/way");
    let registry = Registry::embedded_persisted(&path).unwrap();
    let facts = Instance {
        incarnation: 7,
        addresses: vec!["[::1]:80".parse().unwrap(), "unix:/run/a.sock".parse().unwrap()],
        identity: Some("spiffe://corp.example/said".parse().unwrap()),
        zone: Some("a".into()),
        version: Some("2.4".into()),
        metadata: [("build".to_owned(), "41c2".to_owned())].into(),
        weight: Weight::hundredths(50),
        ..instance("a")
    };
    registry.record(&token(), facts.clone(), TTL).unwrap();
    let proved = Registrant::Workload("spiffe://corp.example/proved".parse().unwrap());
    for (id, by) in [("b", &proved), ("c", &Registrant::User(7))] {
        let facts = Instance { id: self::id(id), ..facts.clone() };
        registry.record_by(by, &token(), facts, TTL).unwrap();
    }
    registry.set_administration(&token(), &id("a"), Administration::Quarantined).unwrap();
    registry.set_weight(&token(), &id("a"), Weight::HEAVIEST).unwrap();
    registry.saved().await.unwrap();
    let metrics = registry.metrics();
    assert!(metrics.saves > 0 && metrics.failed_saves == 0);

    // What a crash in the middle of a write would have left.
    fs::write(path.join("registry.json.new"), "{\"format\":1,\"rev").unwrap();
    let before = registry.list(&token());
    let again = Registry::embedded_persisted(&path);
    assert!(matches!(again, Err(RegistryError::InUse { .. })));
    drop(registry);

    let registry = Registry::embedded_persisted(&path).unwrap();
    let after = registry.list(&token());
    assert_eq!(after.instances, before.instances);
    let identities = after.instances.iter().map(|instance| instance.identity.as_ref());
    let identities: Vec<_> = identities.map(|id| id.map(|id| id.path().to_owned())).collect();
    assert_eq!(identities, [Some("/said".to_owned()), Some("/proved".to_owned()), None]);
    let not_its_own = registry.deregister_by(&Registrant::User(7), &token(), &id("b"));
    assert_eq!(not_its_own, Err(Refusal::NotYours), "whose it is survives too");
    registry.deregister_by(&proved, &token(), &id("b")).unwrap();
    registry.deregister(&token(), &id("c")).unwrap();
    assert!(after.revision > before.revision);
    registry.set_weight(&token(), &id("a"), None).unwrap();
    assert_eq!(registry.list(&token()).instances[0].weight, Weight::hundredths(50));
    registry.deregister(&token(), &id("a")).unwrap();
    drop(registry);

    let registry = Registry::embedded_persisted(&path).unwrap();
    assert_eq!(names(&registry.list(&token())), [""; 0], "the last change was saved at the end");
    assert_eq!(registry.services(), [token()], "its quarantine was saved too");
}

#[test]
fn a_corrupt_file_is_an_error_and_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("registry.json");
    let saved = |what: &str| format!("{{\"format\":1,\"revision\":9,{what}}}");
    let registration = "\"service\":\"token\",\"id\":\"a\",\"registrant\":\"program\",\"incarnation\":0,\
                        \"addresses\":[],\"weight_hundredths\":100,\"ttl_ms\":1000";
    let table = [
        (String::new(), "EOF while parsing"),
        ("{\"format\":1".to_owned(), "line 1 column 11"),
        (saved("\"registrations\":[]"), "missing field `decisions`"),
        (saved("\"registrations\":[],\"decisions\":[],\"more\":1"), "unknown field `more`"),
        (
            saved("\"registrations\":[],\"decisions\":[]").replace(":1,", ":2,"),
            "its format is 2, this program reads 1",
        ),
        (
            saved(&format!("\"registrations\":[{{{registration}}}],\"decisions\":[]")),
            "instance `token/a`: an instance needs an address",
        ),
    ];
    for (text, reason) in table {
        fs::write(&path, &text).unwrap();
        let error = Registry::embedded_persisted(directory.path()).unwrap_err();
        assert!(matches!(error, RegistryError::Corrupt { .. }), "{error}");
        let sentence = error.to_string();
        assert!(sentence.contains(reason), "{sentence}");
        assert!(sentence.starts_with(path.to_str().unwrap()), "{sentence}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
}

#[tokio::test]
async fn a_directory_that_is_gone_is_said() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("records");
    let registry = Registry::embedded_persisted(&path).unwrap();
    fs::remove_dir_all(&path).unwrap();
    registry.record(&token(), instance("a"), TTL).unwrap();
    let error = registry.saved().await.unwrap_err();
    assert!(matches!(error, RegistryError::Storage { .. }), "{error}");
    assert!(registry.metrics().failed_saves > 0);

    fs::create_dir(&path).unwrap();
    registry.saved().await.unwrap();
    assert!(path.join("registry.json").exists());
}

#[tokio::test]
async fn many_that_wait_share_the_writing() {
    const CHANGES: u64 = 200;
    let directory = tempfile::tempdir().unwrap();
    let registry = Registry::embedded_persisted(directory.path()).unwrap();
    let mut waiting = tokio::task::JoinSet::new();
    for number in 0..CHANGES {
        registry.record(&token(), instance(&format!("a{number}")), TTL).unwrap();
        let registry = registry.clone();
        waiting.spawn(async move { registry.saved().await });
    }
    while let Some(saved) = waiting.join_next().await {
        saved.unwrap().unwrap();
    }
    let saves = registry.metrics().saves;
    assert!((1..=CHANGES / 2).contains(&saves), "{saves} writings of {CHANGES} changes");
    registry.saved().await.unwrap();
    assert_eq!(registry.metrics().saves, saves, "what is on disk is not written again");
}
