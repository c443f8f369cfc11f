//! The keys of access rules and of their tests.

use super::Fallback::{Depends, Example, Nothing, Required};
use super::Section;
use super::key::keys;

pub(super) const SECTIONS: &[Section] = &[
    Section {
        name: "policy",
        heading: "[[policy]]",
        text: "An access rule. It holds if everything holds that it names; of the values of one key \
               one is enough. A rule that denies wins over every rule that allows, whatever their \
               order. [access.md](access.md) explains it.",
        keys: keys! {
            name: "name", Required, r#""web-may-login""#, "Its name, once in the mesh.";
            action: "`allow` or `deny`", Required, r#""allow""#, "What happens to requests it holds for.", weaker "`deny` → `allow`";
            mode: "`enforced` or `shadow`", Example, r#""enforced""#, "Whether it decides; in `shadow`, what it would have changed is told and counted.", weaker "of a rule that denies: `enforced` → `shadow`";
            service: "service", Depends("every service"), r#""login""#, "Only requests to this service.";
            from: "array of SPIFFE IDs or `anyone`", Depends("anyone; where `action` is `allow`, who calls must be named"), r#"["spiffe://corp.example/web", "spiffe://corp.example/ns/auth/*"]"#, "Only callers that proved one of these identities; a `*` is a whole last segment and stands for one or more.", weaker "of a rule that allows: an identity more, a `*`, `anyone`";
            not_from: "array of SPIFFE IDs", Nothing, r#"["spiffe://corp.example/batch"]"#, "None of these; a caller that proved nothing is taken for one of them.";
            ip_blocks: "array of networks", Depends("every address"), r#"["10.1.0.0/16"]"#, "Only peers with one of these addresses.", weaker "of a rule that allows: a network more, or a larger one";
            not_ip_blocks: "array of networks", Nothing, r#"["10.1.9.0/24"]"#, "None of these; a peer without an address is taken for one of them.";
            remote_ip_blocks: "array of networks", Depends("every address"), r#"["203.0.113.0/24"]"#, "Only clients with one of these addresses, as far as `headers.trusted_proxies` vouch for them.", weaker "of a rule that allows: a network more, or a larger one";
            not_remote_ip_blocks: "array of networks", Nothing, r#"["203.0.113.9"]"#, "None of these.";
            methods: "array of methods", Depends("every method"), r#"["GET", "POST"]"#, "Only these methods.";
            not_methods: "array of methods", Nothing, r#"["DELETE"]"#, "None of these.";
            paths: "array of path patterns", Depends("every path"), r#"["/login/**"]"#, "Only these paths, as in a route; they are compared in normal form.";
            not_paths: "array of path patterns", Nothing, r#"["/login/admin/**"]"#, "None of these.";
            hosts: "array of host names", Depends("every host"), r#"["login.example", "*.login.example"]"#, "Only these hosts, as in a route.";
            not_hosts: "array of host names", Nothing, r#"["internal.login.example"]"#, "None of these.";
            ports: "array of integers", Depends("every port"), "[8443]", "Only connections that came in on one of these ports.";
            not_ports: "array of integers", Nothing, "[8080]", "None of these.";
            when: "table", Nothing, r#"{ "header.x-tenant" = ["blue", "green-*"] }"#, "What header fields must say: `abc`, `abc*`, `*abc`, or `*` for anything. Of several values, a rule that allows wants all, a rule that denies one.";
            not_when: "table", Nothing, r#"{ "header.x-debug" = ["*"] }"#, "What they must not say.";
            - jwt: "check tokens in the service";
        },
    },
    Section {
        name: "policy_test",
        heading: "[[policy_test]]",
        text: "A request and what the rules must say of it. A configuration with a test that fails is \
               not put in force (`AM-C054`); `authmesh policy test` runs them alone.",
        keys: keys! {
            name: "text", Nothing, r#""the web logs in""#, "What it shows.";
            request: "method and path", Required, r#""POST /login/password""#, "What is asked.";
            service: "service", Required, r#""login""#, "Of which service.";
            expect: "`allow` or `deny`", Required, r#""deny""#, "What the answer must be.";
            by: "policy", Nothing, r#""web-may-login""#, "Which rule must decide.";
            from: "SPIFFE ID", Depends("no identity"), r#""spiffe://corp.example/web""#, "The identity the caller proved.";
            address: "IP address", Depends("none, as on a Unix socket"), r#""10.1.2.3""#, "The address of the peer.";
            remote_address: "IP address", Depends("`address`"), r#""203.0.113.9""#, "The address of the client.";
            host: "host name", Depends("empty"), r#""login.example""#, "The host that is asked.";
            port: "integer", Depends("none, as on a Unix socket"), "8443", "The port the connection came in on.";
            headers: "table", Nothing, r#"{ x-tenant = "blue" }"#, "Header fields: a text, or an array of texts for one that comes more than once.";
        },
    },
];
