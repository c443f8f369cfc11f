//! How a mesh begins, is shared by threads, and ends.

use authmesh::config::{DiscoverySource, ServiceConfig};
use authmesh::health::{Check, Policy};
use authmesh::{BuildError, Mesh};
use http::Method;
use tokio::runtime::Handle;

use crate::backend::{Backend, Manner};
use crate::mesh::{config, mesh, send, token, until};

const THREADS: usize = 8;
const REQUESTS_EACH: usize = 50;

#[tokio::test]
async fn a_mesh_is_loaded_from_its_file_or_every_fault_of_it_is_told() {
    let backend = Backend::start("token", Manner::Answers);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mesh.toml");
    let text = format!("version = 1\n[service.token]\nendpoints = [\"{}\"]\n", backend.address);
    std::fs::write(&path, &text).unwrap();
    let mesh = Mesh::load(&path).await.unwrap();
    assert_eq!(mesh.ready(std::time::Duration::from_secs(30)).await, []);
    let client = mesh.service("token").unwrap();
    assert_eq!(send(&client, Method::GET).await.unwrap().1, "token");
    assert!(mesh.service("login").is_none());

    std::fs::write(&path, text + "timeuot = \"1s\"\nretry = { attempts = 0 }\n").unwrap();
    let Err(BuildError::Config(problems)) = Mesh::load(&path).await else {
        panic!("it has faults")
    };
    let told = problems.to_string();
    assert!(told.contains("AM-C001") && told.contains("mesh.toml:4"), "{told}");
    assert!(told.contains("2 errors"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clones_are_used_from_many_threads_and_every_request_is_counted_once() {
    let backends = [Backend::start("a", Manner::Answers), Backend::start("b", Manner::Answers)];
    let mesh = mesh([token(backends.each_ref().map(|backend| backend.address.clone()))]).await;
    let threads: Vec<_> = (0..THREADS)
        .map(|_| {
            let (mesh, runtime) = (mesh.clone(), Handle::current());
            std::thread::spawn(move || {
                let client = mesh.service("token").unwrap();
                for _ in 0..REQUESTS_EACH {
                    let client = client.clone();
                    runtime.block_on(async move { send(&client, Method::GET).await.unwrap() });
                }
            })
        })
        .collect();
    for thread in threads {
        tokio::task::spawn_blocking(|| thread.join().unwrap()).await.unwrap();
    }
    let metrics = mesh.metrics();
    let service = metrics.service("token").unwrap();
    let all = (THREADS * REQUESTS_EACH) as u64;
    assert_eq!(service.operation("default").unwrap().answered, all);
    assert_eq!(service.balancer.endpoints.iter().map(|each| each.picks).sum::<u64>(), all);
    assert_eq!(backends.iter().map(Backend::requests).sum::<usize>() as u64, all);
    assert_eq!(service.in_flight(), 0);
}

#[tokio::test]
async fn a_mesh_that_is_dropped_leaves_no_task_and_no_connection() {
    let tasks = || Handle::current().metrics().num_alive_tasks();
    let before = tasks();
    let backend = Backend::start("token", Manner::Answers);
    let folder = tempfile::tempdir().unwrap();
    let listed = folder.path().join("instances.toml");
    std::fs::write(&listed, format!("[[instance]]\naddress = \"{}\"\n", backend.address)).unwrap();

    let mut checked = token([backend.address.clone()]);
    checked.health = Some(Policy::of(Check::Tcp));
    let file = DiscoverySource::File(listed.to_str().unwrap().into());
    let watched = ServiceConfig::new("watched".parse().unwrap(), file);
    let mesh = mesh([checked, watched]).await;
    let client = mesh.service("token").unwrap();
    send(&client, Method::GET).await.unwrap();
    send(&mesh.service("watched").unwrap(), Method::GET).await.unwrap();
    until(|| mesh.metrics().service("token").unwrap().health.healthy == 1).await;
    assert!(tasks() > before + 2, "drivers, checks and connections are at work");

    // A clone keeps the mesh; a service that is gone ends at once.
    let kept = mesh.clone();
    drop(mesh);
    kept.reconfigure(config([token([backend.address.clone()])])).await.unwrap();
    assert!(kept.service("watched").is_none());
    drop(kept);
    drop(client);
    until(|| tasks() == before).await;
}
