//! The keys of what comes in: listeners, routes, limits, connections.

use super::Fallback::{Depends, Example, Required};
use super::Section;
use super::Weaker::{Exposed, Larger, Towards};
use super::key::keys;

pub(super) const SECTIONS: &[Section] = &[
    Section {
        name: "listener",
        heading: "[[listener]]",
        text: "",
        keys: keys! {
            name: "name", Required, r#""inbound""#, "Its name, once in the mesh.";
            address: "ip:port or unix:/path", Required, r#""127.0.0.1:8080""#, "Where it listens.", weaker (Exposed);
            protocol: "`http`", Example, r#""http""#, "What is spoken: HTTP/1.1 and HTTP/2.";
            tls: "table", Depends("plaintext; required off loopback"), r#"{ mode = "plaintext" }"#, "How connections are secured.";
            forward_to: "service", Depends("required without a route"), r#""login""#, "The service that gets what no route takes.";
        },
    },
    Section {
        name: "listener.tls",
        heading: "tls of a listener",
        text: "",
        keys: keys! {
            mode: "`mutual`, `server`, `permissive` or `plaintext`", Required, r#""mutual""#, "`mutual`: both sides prove themselves. `server`: only the mesh does, with the certificate of `[identity]`. `permissive`: callers may speak with or without TLS, for a time of change. `plaintext`: on loopback and Unix sockets only.", weaker (Towards(&[&["mutual"], &["server"], &["permissive"], &["plaintext", ""]]));
            min_version: "`1.2` or `1.3`", Example, r#""1.3""#, "The oldest version of TLS that is spoken.", weaker (Towards(&[&["1.3"], &["1.2"]]));
        },
    },
    Section {
        name: "route",
        heading: "[[route]]",
        text: "The first route that matches decides.",
        keys: keys! {
            name: "name", Depends("`operation`"), r#""issue""#, "Its name.";
            listener: "listener", Depends("every listener"), r#""inbound""#, "Only requests of this listener.";
            hosts: "array of host names", Depends("every host"), r#"["login.example", "*.login.example"]"#, "Only these hosts, in lower case and without a port; a leading `*.` stands for one or more labels.";
            paths: "array of path patterns", Depends("every path"), r#"["/token", "/keys/**"]"#, "Only these paths: `{*}` is one segment, `{**}` any number, `/x/**` is `/x/{**}`; a `*` may begin or end a pattern.";
            methods: "array of methods", Depends("every method"), r#"["POST"]"#, "Only these methods, in upper case.";
            service: "service", Required, r#""login""#, "Where the requests go.";
            operation: "name", Depends("`name`; one of them is required"), r#""issue""#, "What the request does there: the key of breakers and metrics.";
            class: "`idempotent`, `if_unprocessed` or `single_use`", Depends("by method"), r#""single_use""#, "What a request survives: GET, HEAD, OPTIONS, PUT and DELETE are `idempotent`, others `if_unprocessed`.", weaker (Towards(&[&["single_use"], &["if_unprocessed", ""], &["idempotent"]]));
            classifier: "`http`, `oauth2` or `grpc`", Example, r#""http""#, "How an answer is judged: by its status alone, also by the error code in the JSON of a 400 or 401, or by the status of gRPC. LDAP and RADIUS, which no listener speaks, are judged by the program that speaks them.";
            priority: "integer, 0 to 4", Example, "2", "Who is refused first when a service has no room for all: 4 first, 0 last.";
            quota: "name", Depends("of its service and operation"), r#""idp""#, "Routes of one quota are closed together when a throttled answer names a pause, for at most 60 s.";
            timeout: "duration", Depends("the service's"), r#""2s""#, "How long a request may take to its response head.";
            retry: "table or `off`", Depends("the service's"), "{ attempts = 2 }", "Whether attempts are repeated.";
            - latency_class: "leave it out: latency is kept per endpoint";
            - cost: "leave it out: every request costs the same";
        },
    },
    Section {
        name: "limits",
        heading: "[limits]",
        text: "0 is never \"off\"; where a limit can be switched off, `\"off\"` is written.",
        keys: keys! {
            header_timeout: "duration or `off`", Example, r#""10s""#, "How long a request head may take to arrive.", weaker (Larger);
            idle_timeout: "duration or `off`", Example, r#""60s""#, "How long a connection may be unused.", weaker (Larger);
            body_idle_timeout: "duration or `off`", Example, r#""30s""#, "How long a body may make no progress, in either direction.", weaker (Larger);
            header_bytes: "size, 8KiB to 1MiB", Example, r#""60KiB""#, "The largest request head.", weaker (Larger);
            headers: "integer, 1 to 1000", Example, "100", "The most header fields.", weaker (Larger);
            target_bytes: "size, 128B to 64KiB", Example, r#""8KiB""#, "The longest request target.", weaker (Larger);
            body: "size or `off`", Example, r#""1MiB""#, "The largest request body.", weaker (Larger);
            connections: "integer or `off`", Example, "10000", "The most connections at once, over all listeners.", weaker (Larger);
            streams: "integer, 1 to 10000", Example, "100", "The most concurrent streams of an HTTP/2 connection.", weaker (Larger);
            drain_timeout: "duration", Example, r#""30s""#, "How long a stopping mesh waits for requests in flight.";
        },
    },
    Section {
        name: "network",
        heading: "[network]",
        text: "",
        keys: keys! {
            connect_timeout: "duration", Example, r#""1s""#, "How long connecting to an instance may take.";
            keep_alive: "duration", Example, r#""60s""#, "How long an unused connection to an instance is kept.";
            pool_max_idle: "integer, 1 to 100000", Example, "256", "How many unused connections an endpoint keeps, for each worker.";
            pool_max_age: "duration", Example, r#""10m""#, "How old a connection may become before it is no longer reused.";
            - dns: "list addresses in `endpoints`, or use `discover = { registry = true }`";
            - source_address: "leave it out: the system chooses it";
            - tcp: "leave it out: the system's settings hold";
        },
    },
];
