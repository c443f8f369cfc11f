//! Certificates, bundles and lists are exchanged while connections go on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use authmesh_testkit::certificates::Authority;

use crate::backend::Backend;
use crate::caller::Caller;
use crate::place::{IDENTITY, Place, address};

#[tokio::test]
async fn a_connection_ends_with_the_certificate_of_its_caller() {
    let (place, backend) = (Place::new(), Backend::start().await);
    let service = format!("endpoints = [\"{}\"]", backend.address);
    let proxy = place.proxy(IDENTITY, "mutual", &service).await;
    let short = place.authority.issue_for("/web", Duration::from_secs(3)).unwrap();
    let mut call = Caller::showing(Some(&short)).call(address(&proxy).await).await.unwrap();
    call.ask("").await.unwrap();
    call.closed().await;
    let error = Caller::showing(Some(&short)).ask(address(&proxy).await, "").await;
    assert!(error.is_err(), "{error:?}");
}

#[tokio::test]
async fn a_caller_that_is_revoked_or_no_longer_believed_loses_its_connection() {
    let (place, backend) = (Place::new(), Backend::start().await);
    let partner = Authority::of("partner.example").unwrap();
    place.write("partner.pem", &partner.bundle);
    place.write("crl.pem", &place.authority.revoke(&[1], Duration::from_secs(3_600)).unwrap());
    let service = format!("endpoints = [\"{}\"]", backend.address);
    let identity = format!(
        "{IDENTITY}crl = {{ file = \"crl.pem\", mode = \"warn\" }}\n\
         federation.other = {{ trust_domain = \"partner.example\", bundle = \"partner.pem\" }}\n"
    );
    let proxy = place.proxy(&identity, "mutual", &service).await;
    let address = address(&proxy).await;
    let issued = |path, serial: u64| {
        let with_serial =
            |params: &mut rcgen::CertificateParams| params.serial_number = Some(serial.into());
        place.authority.issue_as(path, with_serial).unwrap()
    };
    let (kept, revoked) = (issued("/kept", 10), issued("/revoked", 11));
    let mut kept = Caller::showing(Some(&kept)).call(address).await.unwrap();
    let mut revoked = Caller::showing(Some(&revoked)).call(address).await.unwrap();
    let foreign = partner.issue("/web").unwrap();
    let mut foreign = Caller::showing(Some(&foreign)).call(address).await.unwrap();
    for call in [&mut kept, &mut revoked, &mut foreign] {
        call.ask("").await.unwrap();
    }
    place.write("crl.pem", &place.authority.revoke(&[11], Duration::from_secs(3_600)).unwrap());
    place.write("partner.pem", &Authority::of("partner.example").unwrap().bundle);
    // The watch sees it by itself; nobody asks for it.
    revoked.closed().await;
    foreign.closed().await;
    kept.ask("").await.unwrap();
}

#[tokio::test]
async fn what_is_faulty_changes_nothing_and_is_told() {
    let (place, backend) = (Place::new(), Backend::start().await);
    let service = format!("endpoints = [\"{}\"]", backend.address);
    let proxy = place.proxy(IDENTITY, "mutual", &service).await;
    let identity = Arc::clone(proxy.mesh().identity());
    let web = place.authority.issue("/web").unwrap();
    for (name, text) in [
        ("bundle.pem", ""),
        ("bundle.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
        ("mesh.key", &*web.key),
        ("mesh.pem", "no certificate"),
    ] {
        let before = std::fs::read_to_string(place.file(name)).unwrap();
        place.write(name, text);
        assert!(identity.renew().is_err(), "{name}");
        assert!(identity.status().unwrap().refused.is_some(), "{name}");
        Caller::showing(Some(&web)).ask(address(&proxy).await, "").await.unwrap();
        place.write(name, &before);
        identity.renew().unwrap();
        assert!(identity.status().unwrap().refused.is_none(), "{name}");
    }
}

/// A folder as Kubernetes makes it: the files are links through `..data`, which is swapped.
fn swap(place: &Place, turn: usize) {
    let issued = place.authority.issue("/gate").unwrap();
    let folder = place.file(&format!("..{turn}"));
    std::fs::create_dir(&folder).unwrap();
    issued.write(&folder, "mesh").unwrap();
    let link = place.file("..data_tmp");
    std::os::unix::fs::symlink(format!("..{turn}"), &link).unwrap();
    std::fs::rename(link, place.file("..data")).unwrap();
}

const TURNS: usize = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_renewals_under_load_lose_nothing_on_either_protocol() {
    let (place, backend) = (Place::new(), Backend::start().await);
    swap(&place, 0);
    for name in ["mesh.pem", "mesh.key"] {
        std::fs::remove_file(place.file(name)).unwrap();
        std::os::unix::fs::symlink(format!("..data/{name}"), place.file(name)).unwrap();
    }
    let service = format!("endpoints = [\"{}\"]", backend.address);
    let proxy = place.proxy(IDENTITY, "mutual", &service).await;
    let address = address(&proxy).await;
    let place = Arc::new(place);
    let is_over = Arc::new(AtomicBool::new(false));
    let answered = Arc::new(AtomicUsize::new(0));
    let mut load = Vec::new();
    for protocol in ["http1", "http2"] {
        let endpoint = format!("\"{address}\"");
        let id = "spiffe://corp.example/gate";
        let mesh = super::names::calling_mesh(&place, protocol, &endpoint, id).await;
        for _ in 0..2 {
            let (mesh, is_over) = (mesh.clone(), Arc::clone(&is_over));
            let answered = Arc::clone(&answered);
            load.push(tokio::spawn(async move {
                while !is_over.load(Ordering::SeqCst) {
                    super::names::ask(&mesh).await.unwrap();
                    answered.fetch_add(1, Ordering::SeqCst);
                }
            }));
        }
    }
    // Callers of their own connection see each certificate as soon as it is in force.
    let web = Caller::showing(Some(&place.authority.issue("/once").unwrap()));
    let mut shown = web.call(address).await.unwrap().shown();
    for turn in 1..=TURNS {
        let before = answered.load(Ordering::SeqCst);
        swap(&place, turn);
        loop {
            let mut call = web.call(address).await.unwrap();
            call.ask("").await.unwrap();
            if call.shown() != shown {
                shown = call.shown();
                break;
            }
        }
        while answered.load(Ordering::SeqCst) < before + 20 {
            tokio::task::yield_now().await;
        }
    }
    is_over.store(true, Ordering::SeqCst);
    for task in load {
        task.await.unwrap();
    }
    assert!(answered.load(Ordering::SeqCst) >= TURNS * 20);
}
