//! A look at the network through real sockets: what is well is not spoken of, and each fault has its
//! code, its place and a way to mend it.
#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

mod server;

use std::path::Path;
use std::time::Duration;

use authmesh::config::{Files, Loaded, Online, load};
use authmesh_testkit::certificates::{Authority, write_closed};

use crate::server::{Http, Kind, closed, start, tls};

/// A mesh of the trust domain `corp.example`, in a folder of its own.
struct Place {
    folder: tempfile::TempDir,
    authority: Authority,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::of("corp.example").unwrap();
        authority.issue("/gate").unwrap().write(folder.path(), "mesh").unwrap();
        write_closed(folder.path(), "bundle.pem", &authority.bundle).unwrap();
        Self { folder, authority }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Loads `services` and looks.
    async fn look(&self, services: &str) -> (Loaded, Online) {
        let text = format!(
            "version = 1\n[identity]\ntrust_domain = \"corp.example\"\ncert = \"mesh.pem\"\n\
             key = \"mesh.key\"\nbundle = \"bundle.pem\"\n[network]\nconnect_timeout = \"2s\"\n\
             {services}"
        );
        write_closed(self.path(), "mesh.toml", &text).unwrap();
        let mut loaded = load(self.path().join("mesh.toml"), Files::Look).unwrap();
        let online = loaded.look_online().await;
        (loaded, online)
    }

    /// A server that shows the certificate of this workload.
    async fn secure(&self, workload: &str, is_http2: bool) -> String {
        let shown = self.authority.issue(workload).unwrap();
        let protocol = if is_http2 { "h2" } else { "http/1.1" };
        let config = tls(self.path(), &shown, &self.authority, &[protocol]);
        start(Kind::Tls(config, Http { is_http2, ..Http::default() })).await
    }
}

/// The first line that a service stands on.
const FIRST_LINE: usize = 9;

/// Whether exactly one problem was found, as it must be: its code, on the line of the endpoints, and
/// these words in it.
fn assert_told(loaded: &Loaded, code: &str, words: &[&str]) {
    let found: Vec<_> = loaded.warnings.iter().collect();
    let report = loaded.warnings.to_string();
    assert_eq!(found.len(), 1, "{report}");
    assert_eq!(found[0].code.text(), code, "{report}");
    assert_eq!(loaded.warnings.place(found[0].span).line, FIRST_LINE + 1, "{report}");
    assert!(found[0].help.is_some(), "{report}");
    for wanted in words {
        assert!(report.contains(wanted), "{wanted} in\n{report}");
    }
}

#[tokio::test]
async fn what_is_well_is_not_spoken_of() {
    let place = Place::new();
    let http2 = Http { is_http2: true, ..Http::default() };
    let (one, two) = (start(Kind::Http(Http::default())).await, start(Kind::Http(http2)).await);
    let (three, four) = (place.secure("/three", false).await, place.secure("/four", true).await);
    let silent = start(Kind::Silent).await;
    let services = format!(
        "[service.one]\nendpoints = [\"{one}\"]\nhealth = {{ path = \"/healthz\" }}\n\
         [service.two]\nendpoints = [\"{two}\"]\nprotocol = \"http2\"\n\
         [service.three]\nendpoints = [\"{three}\"]\nidentity = \"spiffe://corp.example/three\"\n\
         health = {{ path = \"/healthz\" }}\n\
         [service.four]\nendpoints = [\"{four}\"]\nidentity = \"spiffe://corp.example/four\"\n\
         protocol = \"http2\"\n\
         [service.silent]\nendpoints = [\"{silent}\"]\nhealth = {{ tcp = true }}\n"
    );
    let (loaded, online) = place.look(&services).await;
    assert!(loaded.warnings.is_empty() && online.is_well, "{}", loaded.warnings);
    assert_eq!((online.endpoints.len(), online.reached(), online.not_looked_at), (5, 5, 0));
    let seen =
        |service: &str| online.endpoints.iter().find(|seen| seen.service == service).unwrap();
    for (service, identity, status) in [
        ("one", None, Some(204)),
        ("two", None, Some(204)),
        ("three", Some("spiffe://corp.example/three"), Some(204)),
        ("four", Some("spiffe://corp.example/four"), Some(204)),
        ("silent", None, None),
    ] {
        let seen = seen(service);
        assert_eq!((seen.identity.as_deref(), seen.status), (identity, status), "{service}");
        assert_eq!(seen.clock_ahead_s, status.map(|_| 0), "{service}");
        assert_eq!(seen.certificate_ends_at.is_some(), identity.is_some(), "{service}");
    }
}

#[tokio::test]
async fn an_endpoint_that_takes_no_connection_is_told_at_its_own_place() {
    let place = Place::new();
    let (well, gone) = (start(Kind::Http(Http::default())).await, closed().await);
    let services =
        format!("[service.a]\nendpoints = [\"{well}\", \"{gone}\", \"unix:/nowhere/a\"]\n");
    let (loaded, online) = place.look(&services).await;
    assert!(!online.is_well && online.reached() == 1);
    let columns: Vec<_> = loaded
        .warnings
        .iter()
        .map(|problem| (problem.code.text(), loaded.warnings.place(problem.span).column))
        .collect();
    let second = format!("endpoints = [\"{well}\", ").len() + 1;
    let third = second + format!("\"{gone}\", ").len();
    assert_eq!(columns, [("AM-N001", second), ("AM-N001", third)]);
}

#[tokio::test]
async fn who_proves_nothing_or_somebody_else_is_told_by_name() {
    let place = Place::new();
    let stranger = Authority::of("corp.example").unwrap();
    let partner = Authority::of("partner.example").unwrap();
    let over = place.authority.issue_as("/a", |params| {
        params.not_after = params.not_before + Duration::from_secs(30);
    });
    let late = place.authority.issue_as("/a", |params| {
        params.not_before = params.not_after;
        params.not_after = params.not_before + Duration::from_secs(3_600);
    });
    for (shown, code, words) in [
        (
            place.authority.issue("/b"),
            "AM-N002",
            &["is `spiffe://corp.example/b`, not who is wanted", "identity = \"spiffe://corp"][..],
        ),
        (stranger.issue("/a"), "AM-N002", &["(unknown_authority)", "into `bundle`"]),
        (partner.issue("/a"), "AM-N002", &["(no_bundle)", "identity.federation"]),
        (over, "AM-T021", &["(expired)", "renew"]),
        (late, "AM-T021", &["(not_yet_valid)", "clocks"]),
        (
            place.authority.issue_as("/a", |params| params.subject_alt_names.clear()),
            "AM-N002",
            &["(no_uri_san)", "X.509-SVID"],
        ),
    ] {
        let config = tls(place.path(), &shown.unwrap(), &place.authority, &["http/1.1"]);
        let address = start(Kind::Tls(config, Http::default())).await;
        let (loaded, online) = place.look(&pinned(&address, "")).await;
        assert_told(&loaded, code, words);
        assert!(!online.is_well && online.reached() == 1);
        assert_eq!(online.endpoints[0].problems, [code]);
    }
}

#[tokio::test]
async fn who_refuses_this_mesh_is_told_though_the_handshake_seemed_well() {
    let place = Place::new();
    let stranger = Authority::of("corp.example").unwrap();
    let shown = place.authority.issue("/a").unwrap();
    let config = tls(place.path(), &shown, &stranger, &["http/1.1", "h2"]);
    for (is_http2, more) in
        [(false, ""), (true, "protocol = \"http2\"\n"), (false, "health = { tcp = true }\n")]
    {
        let http = Http { is_http2, ..Http::default() };
        let address = start(Kind::Tls(config.clone(), http)).await;
        let (loaded, _) = place.look(&pinned(&address, more)).await;
        assert_told(
            &loaded,
            "AM-N002",
            &["refuses this mesh", "UnknownCA", "believe the authority"],
        );
    }
}

#[tokio::test]
async fn a_mesh_that_has_nothing_to_show_is_told_so() {
    let place = Place::new();
    let over = place.authority.issue_as("/gate", |params| {
        params.not_after = params.not_before + Duration::from_secs(30);
    });
    over.unwrap().write(place.path(), "mesh").unwrap();
    let address = place.secure("/a", false).await;
    let (loaded, online) = place.look(&pinned(&address, "")).await;
    let codes: Vec<_> = loaded.warnings.iter().map(|problem| problem.code.text()).collect();
    assert_eq!(codes, ["AM-T021", "AM-N002"], "{}", loaded.warnings);
    assert!(loaded.warnings.to_string().contains("this mesh has nothing that holds"));
    assert!(!online.is_well);
}

#[tokio::test]
async fn what_is_no_tls_or_not_the_protocol_is_told() {
    let place = Place::new();
    let http2 = || Http { is_http2: true, ..Http::default() };
    let plain = start(Kind::Http(Http::default())).await;
    let (loaded, _) = place.look(&pinned(&plain, "")).await;
    assert_told(&loaded, "AM-N002", &["speaks without TLS", "let `a` serve TLS"]);

    let silent = start(Kind::Silent).await;
    let (loaded, _) = place.look(&pinned(&silent, "")).await;
    assert_told(&loaded, "AM-N002", &["no TLS within 2s"]);

    let secure = place.secure("/a", true).await;
    let (loaded, _) = place.look(&pinned(&secure, "")).await;
    assert_told(&loaded, "AM-N003", &["HTTP/1.1 over TLS (ALPN)", "protocol = \"http2\""]);

    for (kind, more, words) in [
        (Kind::Http(http2()), "", &["no answer in HTTP/1.1", "protocol = \"http2\""][..]),
        (
            Kind::Http(Http::default()),
            "protocol = \"http2\"\n",
            &["no answer in HTTP/2", "protocol = \"http1\""],
        ),
        (Kind::Says(b"SSH-2.0-x\r\n"), "", &["no answer in HTTP/1.1", "health = { tcp = true }"]),
        (Kind::Silent, "timeout = \"1s\"\n", &["no answer within 1s"]),
        (Kind::Says(b""), "", &["no answer in HTTP/1.1"]),
    ] {
        let address = start(kind).await;
        let (loaded, online) = place.look(&bare(&address, more)).await;
        assert_told(&loaded, "AM-N003", words);
        assert!(!online.is_well && online.reached() == 1);
    }
    let secure = place.secure("/a", false).await;
    let (loaded, _) = place.look(&bare(&secure, "")).await;
    assert_told(&loaded, "AM-N003", &["if it serves TLS, name its `identity`"]);
}

#[tokio::test]
async fn a_certificate_that_ends_soon_is_told_and_no_reason_to_say_no() {
    let place = Place::new();
    let shown = place.authority.issue_for("/a", Duration::from_secs(29)).unwrap();
    let config = tls(place.path(), &shown, &place.authority, &["http/1.1"]);
    let address = start(Kind::Tls(config, Http::default())).await;
    let (loaded, online) = place.look(&pinned(&address, "")).await;
    assert_told(&loaded, "AM-T031", &["(`spiffe://corp.example/a`) ends in", "renew"]);
    assert!(online.is_well && online.endpoints[0].status == Some(204));
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_told_and_whose_it_may_be() {
    let place = Place::new();
    let old = || Http { date: Some("Sun, 06 Nov 1994 08:49:37 GMT".into()), ..Http::default() };
    let one = start(Kind::Http(old())).await;
    let (loaded, online) = place.look(&bare(&one, "")).await;
    assert_told(&loaded, "AM-N004", &["days behind", "may not hold here", "NTP"]);
    assert!(!online.is_well && online.endpoints[0].clock_ahead_s < Some(-1_000_000));

    let (two, right) = (start(Kind::Http(old())).await, start(Kind::Http(Http::default())).await);
    for (addresses, is_ours) in [([&one, &two], true), ([&one, &right], false)] {
        let services = format!("[service.a]\nendpoints = {addresses:?}\n");
        let report = place.look(&services).await.0.warnings.to_string();
        assert_eq!(report.contains("the clock here may be the wrong one"), is_ours, "{report}");
    }
    let nonsense = Http { date: Some("yesterday".into()), ..Http::default() };
    let (loaded, online) = place.look(&bare(&start(Kind::Http(nonsense)).await, "")).await;
    assert!(loaded.warnings.is_empty() && online.endpoints[0].clock_ahead_s.is_none());
}

#[tokio::test]
async fn a_health_check_that_would_fail_is_told() {
    let place = Place::new();
    let address = start(Kind::Http(Http::default())).await;
    let (loaded, online) = place.look(&bare(&address, "health = { path = \"/live\" }\n")).await;
    assert_told(
        &loaded,
        "AM-N005",
        &["does not pass the check of `a`: HTTP 404, expected 200-299"],
    );
    assert!(!online.is_well);
}

#[tokio::test]
async fn instances_of_a_file_are_looked_at_and_a_file_that_says_nothing_is_told() {
    let place = Place::new();
    let (well, gone) = (start(Kind::Http(Http::default())).await, closed().await);
    let instances =
        format!("[[instance]]\naddress = \"{well}\"\n[[instance]]\naddress = \"{gone}\"\n");
    write_closed(place.path(), "instances.toml", &instances).unwrap();
    let services = "[service.a]\ndiscover = { file = \"instances.toml\" }\n";
    let (loaded, online) = place.look(services).await;
    assert_told(&loaded, "AM-N001", &[&gone]);
    assert_eq!((online.endpoints.len(), online.reached()), (2, 1));

    write_closed(place.path(), "instances.toml", "[[instance]]\naddress = 7\n").unwrap();
    let (loaded, online) = place.look(services).await;
    assert_told(&loaded, "AM-C090", &["instances.toml"]);
    assert!(!online.is_well && online.endpoints.is_empty());
}

#[tokio::test]
async fn more_endpoints_than_there_is_time_for_are_counted() {
    let place = Place::new();
    let instance = |index: usize| format!("[[instance]]\naddress = \"unix:/nowhere/{index}\"\n");
    let instances: String = (0..1_003).map(instance).collect();
    write_closed(place.path(), "instances.toml", &instances).unwrap();
    let (loaded, online) =
        place.look("[service.a]\ndiscover = { file = \"instances.toml\" }\n").await;
    assert_eq!((online.endpoints.len(), online.not_looked_at), (1_000, 3));
    let late = loaded.warnings.iter().find(|problem| problem.code.text() == "AM-N006").unwrap();
    assert!(late.sentence.starts_with("3 endpoints"), "{}", late.sentence);
}

fn bare(address: &str, more: &str) -> String {
    format!("[service.a]\nendpoints = [\"{address}\"]\n{more}")
}

fn pinned(address: &str, more: &str) -> String {
    bare(address, &format!("identity = \"spiffe://corp.example/a\"\n{more}"))
}
