//! Every caller that must not enter is refused, and counted under the word for it.

use std::time::Duration;

use authmesh::identity::{HandshakeEnd, Side, SvidFault};
use authmesh_testkit::certificates::{Authority, Issued};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::backend::Backend;
use crate::caller::Caller;
use crate::place::{DOMAIN, IDENTITY, Place, address, counted};

/// What a caller of each kind shows, and how its handshake ends.
fn table(place: &Place) -> Vec<(&'static str, Option<Issued>, HandshakeEnd)> {
    use rcgen::{IsCa, KeyUsagePurpose, SanType};
    let own = &place.authority;
    let moment = rcgen::date_time_ymd(2020, 1, 1);
    let refused = HandshakeEnd::Refused;
    let issued = |change: &dyn Fn(&mut rcgen::CertificateParams)| {
        own.issue_as("/web", |params| change(params)).ok()
    };
    let uri = |text: &str| SanType::URI(text.try_into().unwrap());
    vec![
        ("nothing", None, HandshakeEnd::NoCertificate),
        (
            "of a stranger's authority",
            Authority::of(DOMAIN).unwrap().issue("/web").ok(),
            refused(SvidFault::UnknownAuthority),
        ),
        (
            "of an unknown trust domain",
            Authority::of("partner.example").unwrap().issue("/web").ok(),
            refused(SvidFault::NoBundle),
        ),
        (
            "ended",
            issued(&|params| {
                (params.not_before, params.not_after) = (moment, moment + Duration::from_secs(9));
            }),
            refused(SvidFault::Expired),
        ),
        (
            "revoked",
            issued(&|params| params.serial_number = Some(666.into())),
            refused(SvidFault::Revoked),
        ),
        (
            "without a name",
            issued(&|params| params.subject_alt_names.clear()),
            refused(SvidFault::NoUriSan),
        ),
        (
            "with the name among DNS names",
            issued(&|params| {
                let name = "spiffe://corp.example/web".try_into().unwrap();
                params.subject_alt_names = vec![SanType::DnsName(name)];
            }),
            refused(SvidFault::WrongSanType),
        ),
        (
            "with two names",
            issued(&|params| {
                params.subject_alt_names.push(uri("spiffe://corp.example/admin"));
            }),
            refused(SvidFault::MultipleUriSan),
        ),
        (
            "with a name that is none",
            issued(&|params| {
                params.subject_alt_names = vec![uri("spiffe://corp.example/web/")];
            }),
            refused(SvidFault::InvalidSpiffeId),
        ),
        (
            "of an authority",
            issued(&|params| params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained)),
            refused(SvidFault::LeafIsCa),
        ),
        (
            "that signs certificates",
            issued(&|params| params.key_usages.push(KeyUsagePurpose::KeyCertSign)),
            refused(SvidFault::LeafKeyCertSign),
        ),
        (
            "for servers only",
            issued(&|params| {
                params.extended_key_usages.pop();
            }),
            refused(SvidFault::EkuIncomplete),
        ),
        (
            "from below another trust domain",
            own.below("partner.example").unwrap().issue("/web").ok(),
            refused(SvidFault::IntermediateTrustDomain),
        ),
    ]
}

#[tokio::test]
async fn each_caller_that_proves_nothing_is_refused_under_its_word() {
    let (place, backend) = (Place::new(), Backend::start().await);
    place.write("crl.pem", &place.authority.revoke(&[666], Duration::from_secs(3_600)).unwrap());
    let service = format!("endpoints = [\"{}\"]", backend.address);
    let identity = format!("{IDENTITY}crl = {{ file = \"crl.pem\", mode = \"warn\" }}\n");
    let proxy = place.proxy(&identity, "mutual", &service).await;
    let address = address(&proxy).await;
    for (what, shown, end) in table(&place) {
        let before = proxy.mesh().identity().counted(Side::Inbound, end);
        let answer = Caller::showing(shown.as_ref()).ask(address, "").await;
        assert!(answer.is_err(), "{what}: {answer:?}");
        counted(&proxy, end, before + 1).await;
    }
    assert_eq!(backend.asked(), 0);
    let lawful = place.authority.below(DOMAIN).unwrap().issue("/web").unwrap();
    Caller::showing(Some(&lawful)).ask(address, "").await.unwrap();
    assert_eq!(backend.asked(), 1);
}

#[tokio::test]
async fn a_mutual_listener_does_not_speak_without_tls() {
    let (place, backend) = (Place::new(), Backend::start().await);
    let service = format!("endpoints = [\"{}\"]", backend.address);
    let proxy = place.proxy(IDENTITY, "mutual", &service).await;
    let mut plain = tokio::net::TcpStream::connect(address(&proxy).await).await.unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\nhost: login\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    // The alert may be lost in the reset that follows what was not read.
    let _ = plain.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP"));
    counted(&proxy, HandshakeEnd::Plaintext, 1).await;
    assert_eq!(backend.asked(), 0);
}

#[tokio::test]
async fn required_revocation_lists_that_say_nothing_let_nobody_in() {
    let (place, backend) = (Place::new(), Backend::start().await);
    let service = format!("endpoints = [\"{}\"]", backend.address);
    let lists = place.authority.revoke(&[666], Duration::from_secs(3_600)).unwrap();
    place.write("crl.pem", &lists);
    let identity = format!(
        "{IDENTITY}crl = {{ file = \"crl.pem\" }}\n\
         federation.other = {{ trust_domain = \"partner.example\", bundle = \"partner.pem\" }}\n"
    );
    let partner = Authority::of("partner.example").unwrap();
    place.write("partner.pem", &partner.bundle);
    let proxy = place.proxy(&identity, "mutual", &service).await;
    let address = address(&proxy).await;
    let known = Caller::showing(Some(&place.authority.issue("/web").unwrap()));
    known.ask(address, "").await.unwrap();
    let unspoken = Caller::showing(Some(&partner.issue("/web").unwrap()));
    unspoken.ask(address, "").await.unwrap_err();
    counted(&proxy, HandshakeEnd::Refused(SvidFault::CrlMissing), 1).await;

    place.write("crl.pem", &(lists + &partner.revoke(&[1], Duration::from_secs(3_600)).unwrap()));
    proxy.mesh().identity().renew().unwrap();
    let said = unspoken.ask(address, "").await.unwrap();
    assert!(said.contains("x-authmesh-identity: spiffe://partner.example/web"), "{said}");
}
