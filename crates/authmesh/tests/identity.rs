//! Whatever is absent, unreadable, ended or faulty among the files of an identity is refused under
//! its code, or lets nobody in.
#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use authmesh::config::{Code, Files, IdentityConfig, load};
use authmesh::identity::{
    MeshIdentity, Part, RevocationLists, RevocationMode, Role, SvidFault, Trust, TrustBundle,
    certificates_from_pem,
};
use authmesh_testkit::certificates::{Authority, write_closed};

const DOMAIN: &str = "corp.example";

fn lawful(folder: &Path) -> (Authority, IdentityConfig) {
    let authority = Authority::of(DOMAIN).unwrap();
    authority.issue("/gate").unwrap().write(folder, "mesh").unwrap();
    write_closed(folder, "bundle.pem", &authority.bundle).unwrap();
    let partner = Authority::of("partner.example").unwrap();
    write_closed(folder, "partner.pem", &partner.bundle).unwrap();
    let lists = authority.revoke(&[666], Duration::from_secs(3_600)).unwrap();
    write_closed(folder, "crl.pem", &lists).unwrap();
    let text = format!(
        "version = 1\n[identity]\ntrust_domain = \"{DOMAIN}\"\ncert = \"mesh.pem\"\n\
         key = \"mesh.key\"\nbundle = \"bundle.pem\"\ncrl = {{ file = \"crl.pem\" }}\n\
         federation.p = {{ trust_domain = \"partner.example\", bundle = \"partner.pem\" }}\n"
    );
    write_closed(folder, "mesh.toml", &text).unwrap();
    let config = load(folder.join("mesh.toml"), Files::Look).unwrap().config;
    (authority, config.security.identity.unwrap())
}

/// Makes something wrong with a file.
type Spoil = fn(&Path);

/// What may be wrong with a file.
const SPOILT: [(&str, Spoil); 7] = [
    ("absent", |file| fs::remove_file(file).unwrap()),
    ("a folder", |file| {
        fs::remove_file(file).unwrap();
        fs::create_dir(file).unwrap();
    }),
    ("empty", |file| fs::write(file, "").unwrap()),
    ("no PEM", |file| fs::write(file, "-----BEGIN CERTIFICATE-----\nAAAA\n").unwrap()),
    ("of nonsense", |file| {
        let section = |kind| format!("-----BEGIN {kind}-----\nMAA=\n-----END {kind}-----\n");
        let kinds = ["CERTIFICATE", "X509 CRL", "PRIVATE KEY"];
        fs::write(file, kinds.map(section).concat()).unwrap();
    }),
    ("of another kind", |file| {
        let kind = "PUBLIC KEY";
        fs::write(file, format!("-----BEGIN {kind}-----\nMAA=\n-----END {kind}-----\n")).unwrap();
    }),
    ("too long", |file| fs::write(file, vec![b'\n'; 17 * 1024 * 1024]).unwrap()),
];

#[test]
fn every_file_that_is_spoilt_in_any_way_is_refused_under_its_code() {
    for (name, part, unusable) in [
        ("mesh.pem", Part::Cert, Code::CertificateUnreadable),
        ("mesh.key", Part::Key, Code::KeyUnreadable),
        ("bundle.pem", Part::Bundle, Code::CertificateUnreadable),
        ("crl.pem", Part::Crl, Code::CertificateUnreadable),
        ("partner.pem", Part::Federation(0), Code::CertificateUnreadable),
    ] {
        for (how, spoil) in SPOILT {
            let folder = tempfile::tempdir().unwrap();
            let (_authority, config) = lawful(folder.path());
            let identity = MeshIdentity::read(&config).unwrap();
            spoil(&folder.path().join(name));
            let code = match how {
                "absent" | "a folder" => Code::NoSuchFile,
                _ => unusable,
            };
            let faults = MeshIdentity::read(&config).unwrap_err();
            let found: Vec<_> = faults.iter().map(|fault| (fault.part, fault.code)).collect();
            assert_eq!(found, [(part, code)], "{name} is {how}: {faults:?}");
            // What was read before holds.
            assert_eq!(identity.renew().unwrap_err(), faults, "{name} is {how}");
            assert!(identity.own_end().is_some());
        }
    }
}

#[test]
fn certificates_that_do_not_fit_are_refused_under_their_code() {
    type Misfit = fn(&Path, &Authority);
    let table: [(&str, Part, Code, Misfit); 7] = [
        ("a foreign key", Part::Key, Code::KeyMismatch, |folder, authority| {
            let other = authority.issue("/gate").unwrap();
            write_closed(folder, "mesh.key", &other.key).unwrap();
        }),
        ("a key others may read", Part::Key, Code::KeyReadable, |folder, _| {
            let mode = fs::Permissions::from_mode(0o640);
            fs::set_permissions(folder.join("mesh.key"), mode).unwrap();
        }),
        ("an encrypted key", Part::Key, Code::KeyUnreadable, |folder, _| {
            let kind = "ENCRYPTED PRIVATE KEY";
            let text = format!("-----BEGIN {kind}-----\nMAA=\n-----END {kind}-----\n");
            write_closed(folder, "mesh.key", &text).unwrap();
        }),
        ("another root", Part::Cert, Code::CertificateUnreadable, |folder, _| {
            let other = Authority::of(DOMAIN).unwrap();
            write_closed(folder, "bundle.pem", &other.bundle).unwrap();
        }),
        ("another trust domain", Part::Cert, Code::CertificateUnreadable, |folder, _| {
            let other = Authority::of("partner.example").unwrap();
            other.issue("/gate").unwrap().write(folder, "mesh").unwrap();
            write_closed(folder, "partner.pem", &other.bundle).unwrap();
        }),
        ("a revoked certificate", Part::Cert, Code::CertificateUnreadable, |folder, authority| {
            let with_serial = |params: &mut rcgen::CertificateParams| {
                params.serial_number = Some(666.into());
            };
            authority.issue_as("/gate", with_serial).unwrap().write(folder, "mesh").unwrap();
        }),
        ("a workload in the bundle", Part::Bundle, Code::CertificateUnreadable, |folder, _| {
            fs::copy(folder.join("mesh.pem"), folder.join("bundle.pem")).unwrap();
        }),
    ];
    for (what, part, code, spoil) in table {
        let folder = tempfile::tempdir().unwrap();
        let (authority, config) = lawful(folder.path());
        spoil(folder.path(), &authority);
        let faults = MeshIdentity::read(&config).unwrap_err();
        let found: Vec<_> = faults.iter().map(|fault| (fault.part, fault.code)).collect();
        assert_eq!(found, [(part, code)], "{what}: {faults:?}");
    }
}

#[test]
fn ages_are_warned_of_and_what_has_ended_proves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (authority, config) = lawful(folder.path());
    let moment = rcgen::date_time_ymd(2020, 1, 1);
    let ended = authority.issue_as("/gate", |params| {
        (params.not_before, params.not_after) = (moment, moment + Duration::from_secs(9));
    });
    ended.unwrap().write(folder.path(), "mesh").unwrap();
    let loaded = load(folder.path().join("mesh.toml"), Files::Look).unwrap();
    let codes: Vec<_> = loaded.warnings.iter().map(|problem| problem.code).collect();
    assert_eq!(codes, [Code::CertificateEnded]);
    let identity = MeshIdentity::read(&config).unwrap();
    assert_eq!(identity.own_end(), None);
    let unusable = identity.status().unwrap().unusable.unwrap();
    assert_eq!(unusable, "the mesh's own certificate has ended");

    // A minute of the past and less than a third of the rest: its renewal is late.
    let late = authority.issue_for("/gate", Duration::from_secs(25)).unwrap();
    late.write(folder.path(), "mesh").unwrap();
    let loaded = load(folder.path().join("mesh.toml"), Files::Look).unwrap();
    let codes: Vec<_> = loaded.warnings.iter().map(|problem| problem.code).collect();
    assert_eq!(codes, [Code::CertificateEnding]);
}

#[test]
fn a_mesh_without_identity_proves_and_believes_nothing() {
    let identity = MeshIdentity::none();
    let web = Authority::of(DOMAIN).unwrap().issue("/web").unwrap();
    let chain = certificates_from_pem(web.cert.as_bytes()).unwrap();
    assert!(identity.verify(&chain, None, Role::Client).is_none());
    assert_eq!((identity.own_end(), identity.status()), (None, None));
}

#[test]
fn lists_decide_by_mode_and_a_named_certificate_never_passes() {
    let authority = Authority::of(DOMAIN).unwrap();
    let with_serial = |serial: u64| {
        let issued =
            authority.issue_as("/web", |params| params.serial_number = Some(serial.into()));
        certificates_from_pem(issued.unwrap().cert.as_bytes()).unwrap()
    };
    let (named, other) = (with_serial(666), with_serial(7));
    let stranger = Authority::of(DOMAIN).unwrap();
    let hour = Duration::from_secs(3_600);
    let now = std::time::UNIX_EPOCH;
    let now = authmesh::worker::Clock.time_of_day().duration_since(now).unwrap();
    let lists = |pem: String, mode| RevocationLists::from_pem(pem.as_bytes(), mode).unwrap();
    let fresh = authority.revoke(&[666], hour).unwrap();
    let old = authority.revoke(&[666], Duration::ZERO).unwrap();
    let forged = stranger.revoke(&[666], hour).unwrap();
    let (require, warn) = (RevocationMode::Require, RevocationMode::Warn);
    let (missing, expired) = (SvidFault::CrlMissing, SvidFault::CrlExpired);
    let (signature, revoked) = (SvidFault::CrlSignature, SvidFault::Revoked);
    for (row, lists, of_named, of_other) in [
        (1, lists(fresh.clone(), require), Some(revoked), None),
        (2, lists(fresh.clone(), warn), Some(revoked), None),
        (3, lists(old.clone(), require), Some(revoked), Some(expired)),
        (4, lists(old.clone(), warn), Some(revoked), None),
        (5, lists(forged.clone(), require), Some(signature), Some(signature)),
        (6, lists(forged.clone(), warn), None, None),
        (7, RevocationLists::none(require), Some(missing), Some(missing)),
        (8, RevocationLists::none(warn), None, None),
        (9, lists(forged.clone() + &fresh, require), Some(revoked), None),
        (10, lists(fresh + &old, require), Some(revoked), None),
    ] {
        let bundle = TrustBundle::from_pem(authority.bundle.as_bytes()).unwrap();
        let trust = Trust::new().with(DOMAIN.parse().unwrap(), bundle).with_revocation(lists);
        // Asked again, what is remembered of a list's signature says the same.
        for (chain, expected) in [(&named, of_named), (&other, of_other), (&named, of_named)] {
            let found = trust.verify(chain, None, Role::Client, now).err();
            assert_eq!(found, expected, "row {row}");
        }
    }
}

#[test]
fn a_root_that_has_ended_vouches_for_nobody() {
    let authority = Authority::of(DOMAIN).unwrap();
    let chain = certificates_from_pem(authority.issue("/web").unwrap().cert.as_bytes()).unwrap();
    let bundle = TrustBundle::from_pem(authority.bundle.as_bytes()).unwrap();
    let end = bundle.lifetimes()[0].until;
    let trust = Trust::new().with(DOMAIN.parse().unwrap(), bundle);
    let at = |now| trust.verify(&chain, None, Role::Server, now).map(|peer| peer.id.to_string());
    assert_eq!(at(end + Duration::from_secs(1)), Err(SvidFault::Expired));
    let now = end - Duration::from_secs(24 * 3_600);
    assert_eq!(at(now), Ok("spiffe://corp.example/web".to_owned()));
}

#[test]
fn a_damaged_chain_is_a_fault_and_never_a_panic() {
    let authority = Authority::of(DOMAIN).unwrap();
    let chain = certificates_from_pem(authority.issue("/web").unwrap().cert.as_bytes()).unwrap();
    let bundle = TrustBundle::from_pem(authority.bundle.as_bytes()).unwrap();
    let now = bundle.lifetimes()[0].from + Duration::from_secs(3_600);
    let trust = Trust::new().with(DOMAIN.parse().unwrap(), bundle);
    let sound = chain[0].to_vec();
    for place in 0..sound.len() {
        for flip in [0x01, 0x80] {
            let mut damaged = sound.clone();
            damaged[place] ^= flip;
            let found = trust.verify(&[damaged.into()], None, Role::Client, now);
            assert!(found.is_err(), "byte {place} may be {flip:x} else");
        }
    }
    assert_eq!(trust.verify(&[], None, Role::Client, now).err(), Some(SvidFault::EmptyChain));
}
