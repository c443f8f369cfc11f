//! Whatever the short way takes has one reading, and is sent as what it was read as.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use authmesh::Mesh;
use authmesh::config::{Files, load};
use authmesh::worker::{Lane, RawHead};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};

use super::request::{Found, find};
use crate::access::Access;
use crate::entrance::Entrance;
use crate::peer::Peer;
use crate::refusals::Refusals;
use crate::table::Table;

/// A table that sends everything to one service. The mesh behind it lives as long as its runtime.
fn table(runtime: &tokio::runtime::Runtime) -> Table {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mesh.toml");
    let text = "version = 1\n[authorization]\ndefault = \"allow\"\n\
                [[listener]]\nname = \"web\"\naddress = \"127.0.0.1:0\"\nforward_to = \"token\"\n\
                [service.token]\nendpoints = [\"127.0.0.1:9\"]\n";
    std::fs::write(&file, text).unwrap();
    let config = load(&file, Files::Look).unwrap().config;
    runtime.block_on(async {
        let mesh = Mesh::builder(config.clone()).build().await.unwrap();
        let refusals = Arc::new(Refusals::new(mesh.clone()));
        let access = Arc::new(Access::new(&config, &refusals, mesh.tokens().verifier()));
        Table::new(&mesh, &config, &access, Lane::new(0))
    })
}

// What requests are put together from, sound and otherwise; what stands twice comes twice as often.
const METHODS: [&str; 6] = ["GET", "POST", "POST", "HEAD", "get", ""];
const TARGETS: [&str; 10] =
    ["/", "/", "/a?b=c", "/a//b", "/a/../b", "http://a/", "/a#b", "/a b", "/%2F", "*"];
const VERSIONS: [&str; 6] =
    ["HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/2.0"];
const NAMES: [&str; 16] = [
    "accept",
    "accept",
    "content-length",
    "content-length",
    "Content-Length ",
    "Host",
    "Transfer-Encoding",
    "connection",
    "x-forwarded-for",
    "X-Authmesh-Identity",
    "x_authmesh_identity",
    "X-Request-Id",
    "cookie",
    " folded",
    "te",
    "expect",
];
const VALUES: [&str; 16] = [
    "a",
    "a",
    "0",
    "4",
    "4",
    "4, 4",
    "+4",
    "04",
    "chunked",
    "close",
    "keep-alive, host",
    "1.2.3.4",
    "a\rb",
    "a\0b",
    "a\u{e9}",
    "",
];
const ENDS: [&str; 16] = [
    "\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\r\n",
    "\r\n", "\n", "\r", "\r\n ",
];

fn line() -> impl Strategy<Value = String> {
    (select(&METHODS), select(&TARGETS), select(&VERSIONS))
        .prop_map(|(method, target, version)| format!("{method} {target} {version}"))
}

fn field() -> impl Strategy<Value = String> {
    (select(&NAMES), select(&VALUES)).prop_map(|(name, value)| format!("{name}: {value}"))
}

fn end() -> impl Strategy<Value = &'static str> {
    select(&ENDS)
}

fn request() -> impl Strategy<Value = String> {
    let fields = proptest::collection::vec((field(), end()), 0..4);
    (line(), end(), fields, end()).prop_map(|(line, first, fields, last)| {
        let fields: String = fields.into_iter().map(|(field, end)| field + end).collect();
        // Most have the one host that a request needs.
        format!("{line}{first}host: a\r\n{fields}{last}")
    })
}

/// Every value of each field, by its name in lower case.
type FieldMap = BTreeMap<String, Vec<Vec<u8>>>;

/// The fields of a head that another reader finds, and where it ends.
fn read(bytes: &[u8]) -> Option<(FieldMap, usize)> {
    let mut space = [httparse::EMPTY_HEADER; 64];
    let mut request = httparse::Request::new(&mut space);
    let httparse::Status::Complete(end) = request.parse(bytes).ok()? else { return None };
    let mut fields = FieldMap::new();
    for field in request.headers {
        fields.entry(field.name.to_lowercase()).or_default().push(field.value.to_vec());
    }
    Some((fields, end))
}

#[test]
fn what_is_taken_has_one_reading() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let table = table(&runtime);
    let together = proptest::collection::vec((request(), "[ -~]{0,6}"), 1..3);
    let taken = Cell::new(0);
    let proved =
        TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(20_000) }).run(
            &together,
            |requests| {
                let text: String = requests.into_iter().map(|(head, body)| head + &body).collect();
                taken.set(taken.get() + prove(&table, &text)?);
                Ok(())
            },
        );
    if let Err(fault) = proved {
        panic!("{fault}");
    }
    assert!(taken.get() > 500, "only {} requests were taken", taken.get());
}

/// How many requests were taken from the front of `text`.
fn prove(table: &Table, text: &str) -> Result<u32, TestCaseError> {
    let peer = Peer::at(IpAddr::V4(Ipv4Addr::LOCALHOST));
    let entrance = Entrance {
        listener: "web",
        peer: Some(&peer),
        identity: None,
        identity_field: None,
        port: Some(80),
        is_tls: false,
    };
    let (mut head, mut memory) = (RawHead::default(), Vec::new());
    let mut bytes = text.as_bytes().to_vec();
    let mut proved = 0;
    while !bytes.is_empty() {
        let Found::Whole(taken, length) =
            find(table, &entrance, &mut head, &mut bytes, &mut memory)
        else {
            break;
        };
        let sent = taken.request.bytes();
        let (fields, end) = read(sent).unwrap();
        // Its body is what is left of it, and as long as it says to every reader.
        let said = fields.get("content-length").map(|said| said.concat());
        let said =
            said.map_or(0, |said| String::from_utf8(said).unwrap().parse::<usize>().unwrap());
        prop_assert_eq!(sent.len() - end, said, "{:?}", text);
        prop_assert!(bytes[..length].ends_with(&sent[end..]));
        for name in ["host", "content-length", "x-forwarded-for", "x-request-id"] {
            prop_assert!(
                fields.get(name).is_none_or(|values| values.len() == 1),
                "{name}: {text:?}"
            );
        }
        for name in [
            "transfer-encoding",
            "connection",
            "te",
            "expect",
            "upgrade",
            "x-authmesh-identity",
            "x_authmesh_identity",
        ] {
            prop_assert!(!fields.contains_key(name), "{name}: {text:?}");
        }
        prop_assert!(fields.contains_key("host") && fields["x-forwarded-for"][0] == b"127.0.0.1");
        // No line ends in another way than every reader takes for an end.
        let head = &sent[..end];
        let ends = head.windows(2).filter(|pair| *pair == b"\r\n").count();
        let returns = head.iter().filter(|&&byte| byte == b'\r').count();
        let feeds = head.iter().filter(|&&byte| byte == b'\n').count();
        prop_assert!(ends == returns && ends == feeds && !head.contains(&0), "{text:?}");
        bytes.drain(..length);
        proved += 1;
    }
    Ok(proved)
}
