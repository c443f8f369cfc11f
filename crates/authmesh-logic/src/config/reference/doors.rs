//! The keys of the file's head, of identity and authorization, and of the three doors.

use super::Fallback::{Depends, Example, Nothing, Required};
use super::Section;
use super::Weaker::{Exposed, Lost, OneMore, Reach, Towards, WiderNetwork};
use super::key::keys;

pub(super) const SECTIONS: &[Section] = &[
    Section {
        name: "",
        heading: "top of the file",
        text: "The main file holds everything; an included file holds services, routes, listeners, \
               access rules, token providers and tests only.",
        keys: keys! {
            version: "integer", Required, "1", "The version of the format; this program understands 1.";
            include: "array of texts", Nothing, r#"["conf.d/*.toml"]"#, "Further files below the folder of this one, read in alphabetical order. `*` stands for any characters of a file name.";
            accept_weaker: "array of texts", Nothing, r#"["limits.body: uploads of scans until 2027-01-31"]"#, "Weaker settings that a reload takes, each with its key, a reason and the last day on which it is accepted, at most 366 days ahead.";
            authorization: "table", Depends("required beside a listener"), r#"{ default = "deny" }"#, "Who may do what.";
            identity: "table", Nothing, r#"{ cert = "tls/mesh.pem", key = "tls/mesh.key" }"#, "What this mesh proves itself with.";
            admin: "table", Nothing, r#"{ socket = "/run/authmesh/admin.sock" }"#, "The door for people.";
            metrics: "table", Nothing, r#"{ address = "127.0.0.1:9464" }"#, "The door for machines.";
            registry: "table", Nothing, r#"{ kind = "embedded" }"#, "Where instances are recorded.";
            network: "table", Nothing, r#"{ connect_timeout = "1s" }"#, "Connections to instances.";
            limits: "table", Nothing, r#"{ header_timeout = "10s" }"#, "What a client may ask for.";
            headers: "table", Nothing, "{ trusted_proxies = [] }", "Header fields with a meaning.";
            listener: "tables", Nothing, "[]", "Where requests come in.";
            route: "tables", Nothing, "[]", "Which request goes to which service.";
            service: "tables by name", Nothing, "{}", "The services.";
            policy: "tables", Nothing, "[]", "Access rules: who may do what.";
            policy_test: "tables", Nothing, "[]", "Requests that the access rules are tried with.";
            jwt: "tables by name", Nothing, "{}", "The token providers: whose tokens are believed.";
            - rate: "bound the rate in the service or before the mesh";
        },
    },
    Section {
        name: "authorization",
        heading: "[authorization]",
        text: "",
        keys: keys! {
            default: "`deny` or `allow`", Depends("required beside a listener without `[[policy]]`; `deny` with one"), r#""deny""#, "What happens to a request that no rule speaks of.", weaker (Towards(&[&["deny", ""], &["allow"]]));
        },
    },
    Section {
        name: "identity",
        heading: "[identity]",
        text: "Paths are relative to the main file. The files are watched: what is renewed is used \
               by the next handshake. With `trust_domain` and `bundle` callers and services prove \
               who they are by certificates that follow the X.509-SVID specification.",
        keys: keys! {
            source: "`files`", Example, r#""files""#, "Where the identity comes from.";
            cert: "path", Required, r#""/run/authmesh/tls/mesh.pem""#, "The certificate chain, PEM, the own certificate first.";
            key: "path", Required, r#""/run/authmesh/tls/mesh.key""#, "Its private key, PEM; refused when others than its owner may read it.";
            trust_domain: "trust domain", Depends("nobody is identified by certificate"), r#""corp.example""#, "The trust domain of this mesh; `cert` must prove a workload of it.", weaker (Lost);
            bundle: "path", Depends("required beside `trust_domain`"), r#""/run/authmesh/tls/bundle.pem""#, "The root certificates of the trust domain, PEM.", weaker (Lost);
            crl: "table", Depends("nobody is asked for revocation"), r#"{ file = "/run/authmesh/tls/crl.pem" }"#, "The revocation lists.";
            federation: "tables by name", Nothing, "{}", "Other trust domains that are believed, `[identity.federation.NAME]`.";
        },
    },
    Section {
        name: "crl",
        heading: "crl of [identity]",
        text: "A peer that a list names is always refused.",
        keys: keys! {
            file: "path", Required, r#""/run/authmesh/tls/crl.pem""#, "The lists of every authority, PEM.", weaker (Lost);
            mode: "`require` or `warn`", Example, r#""require""#, "What happens to a peer of whom no list that holds speaks: `require` refuses it, of other trust domains too; `warn` lets it in.", weaker (Towards(&[&["require", ""], &["warn"]]));
        },
    },
    Section {
        name: "federation",
        heading: "[identity.federation.NAME]",
        text: "The workloads of another trust domain, believed by that domain's own bundle.",
        keys: keys! {
            trust_domain: "trust domain", Required, r#""partner.example""#, "Its name.", weaker (OneMore);
            bundle: "path", Required, r#""/run/authmesh/tls/partner.pem""#, "Its root certificates, PEM.", weaker (OneMore);
        },
    },
    Section {
        name: "headers",
        heading: "[headers]",
        text: "",
        keys: keys! {
            trusted_proxies: "array of networks", Depends("nobody"), r#"["10.1.0.0/16"]"#, "Whose `x-forwarded-*` fields are believed.", weaker (WiderNetwork);
            identity: "field name", Depends("`x-authmesh-identity`"), r#""x-authmesh-identity""#, "The field that carries the identity a caller proved to the service; taken off requests that come in.";
        },
    },
    Section {
        name: "admin",
        heading: "[admin]",
        text: "Either `socket`, or `address` with `token`.",
        keys: keys! {
            socket: "absolute path", Nothing, r#""/run/authmesh/admin.sock""#, "A Unix socket; the peer's user id decides.";
            allow_uids: "array of integers", Depends("the mesh's own user"), "[0, 991]", "Who may enter by the socket.", weaker (OneMore);
            address: "ip:port", Nothing, r#""127.0.0.1:9901""#, "TCP, on loopback only.", weaker (Reach);
            token: "secret", Depends("required beside `address`"), r#"{ file = "/run/secrets/admin" }"#, "What the peer must know.";
        },
    },
    Section {
        name: "secret",
        heading: "a secret",
        text: "A secret never stands in the file. Exactly one of these keys says where it is; one \
               line break at its end is cut off.",
        keys: keys! {
            file: "path", Nothing, r#""/run/secrets/admin""#, "A file that only its owner may read.";
            env: "name", Nothing, r#""ADMIN_TOKEN""#, "An environment variable.";
            credential: "name", Nothing, r#""admin""#, "A systemd credential: a file in `$CREDENTIALS_DIRECTORY`.";
        },
    },
    Section {
        name: "metrics",
        heading: "[metrics]",
        text: "",
        keys: keys! {
            address: "ip:port", Required, r#""127.0.0.1:9464""#, "Where `/metrics`, `/healthz` and `/readyz` are served, without a token.", weaker (Exposed);
        },
    },
    Section {
        name: "registry",
        heading: "[registry]",
        text: "",
        keys: keys! {
            kind: "`embedded` or `none`", Required, r#""embedded""#, "Whether this process keeps a registry.";
            address: "ip:port or unix:/path", Nothing, r#""unix:/run/authmesh/registry.sock""#, "Where workloads register; only inside the process if absent. Without `tls`, TCP on loopback only.", weaker (Reach);
            tls: "table", Nothing, r#"{ mode = "mutual" }"#, "How workloads prove on TCP who they are.";
            default: "`deny` or `allow`", Example, r#""deny""#, "Whether whoever reaches `address` may register any service; on TCP without `tls` this must be `allow`, for nothing there says who asks.", weaker (Towards(&[&["deny"], &["allow"]]));
            uids: "table of services by user id", Depends("the mesh's own user, any service"), r#"{ 1001 = "token", 1002 = ["login", "session"] }"#, "Who may register which service on a Unix socket; a user with `[]` may look and no more.", weaker (OneMore);
            identities: "table of services by SPIFFE ID", Nothing, r#"{ "spiffe://corp.example/token" = "token", "spiffe://corp.example/web" = [] }"#, "Who may register which service with `tls`; a workload with `[]` may look and no more. What is registered so is called by TLS, and must prove the same SPIFFE ID.", weaker (OneMore);
            persist: "path of a folder", Nothing, r#""/var/lib/authmesh""#, "Where the registry survives a restart.";
            - etcd: "use `kind = \"embedded\"`";
        },
    },
    Section {
        name: "registry.tls",
        heading: "tls of the registry",
        text: "",
        keys: keys! {
            mode: "`mutual`", Required, r#""mutual""#, "Both sides prove who they are, with TLS 1.3 and the certificate of `[identity]`.", weaker (Lost);
        },
    },
];
