//! A folder with an authority, certificates and a configuration, and a proxy that runs on it.

use std::path::{Path, PathBuf};

use authmesh::config::{Files, MeshConfig, load};
use authmesh::identity::{HandshakeEnd, Side};
use authmesh_logic::discovery::Address;
use authmesh_proxy::Proxy;
use authmesh_testkit::certificates::{Authority, write_closed};

pub(crate) const DOMAIN: &str = "corp.example";

/// What `[identity]` says in [`Place`]; revocation lists and other domains may follow.
pub(crate) const IDENTITY: &str = "[identity]\ntrust_domain = \"corp.example\"\n\
     cert = \"mesh.pem\"\nkey = \"mesh.key\"\nbundle = \"bundle.pem\"\n";

pub(crate) struct Place {
    folder: tempfile::TempDir,
    pub(crate) authority: Authority,
}

impl Place {
    /// A folder where the mesh is `spiffe://corp.example/gate`.
    pub(crate) fn new() -> Self {
        let authority = Authority::of(DOMAIN).unwrap();
        let place = Self { folder: tempfile::tempdir().unwrap(), authority };
        place.authority.issue("/gate").unwrap().write(place.path(), "mesh").unwrap();
        place.write("bundle.pem", &place.authority.bundle);
        place
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        write_closed(self.path(), name, text).unwrap();
    }

    /// A proxy with this `[identity]`, one listener of this mode, and one service behind it.
    pub(crate) async fn proxy(&self, identity: &str, mode: &str, service: &str) -> Proxy {
        Proxy::start(self.config(identity, mode, service), 1).await.unwrap()
    }

    /// The same proxy with another `[identity]` and what follows it; its service is found in the
    /// registry.
    pub(crate) async fn reload(&self, proxy: &Proxy, identity: &str) {
        let config = self.config(identity, "mutual", "discover = { registry = true }");
        proxy.reload(config).await.unwrap();
    }

    fn config(&self, identity: &str, mode: &str, service: &str) -> MeshConfig {
        self.write(
            "mesh.toml",
            &format!(
                "version = 1\n[authorization]\ndefault = \"allow\"\n{identity}\
                 [[listener]]\nname = \"in\"\naddress = \"127.0.0.1:0\"\nforward_to = \"login\"\n\
                 tls = {{ mode = \"{mode}\" }}\n[service.login]\n{service}\n"
            ),
        );
        load(self.file("mesh.toml"), Files::Look).unwrap().config
    }
}

/// Where the one listener listens.
pub(crate) async fn address(proxy: &Proxy) -> std::net::SocketAddr {
    match proxy.addresses().await.remove("in") {
        Some(Address::Tcp(address)) => address,
        other => panic!("{other:?}"),
    }
}

/// Waits until `count` handshakes have ended so: who is refused may know it before it is counted.
pub(crate) async fn counted(proxy: &Proxy, end: HandshakeEnd, count: u64) {
    while proxy.mesh().identity().counted(Side::Inbound, end) < count {
        tokio::task::yield_now().await;
    }
    assert_eq!(proxy.mesh().identity().counted(Side::Inbound, end), count, "{end:?}");
}
