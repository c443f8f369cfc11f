//! The keys of access rules and of their tests.

use super::Fallback::{Depends, Example, Nothing, Required};
use super::Section;
use super::Weaker::{Larger, LongerThanOff, Lost, OneMore};
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
            when: "table", Nothing, r#"{ "header.x-tenant" = ["blue", "green-*"] }"#, "What header fields and, beside `jwt`, claims of the token (`\"claim.scope\"`) must say: `abc`, `abc*`, `*abc`, or `*` for anything. Of several values of a field, a rule that allows wants all, a rule that denies one; of a claim that is a list, one is enough.";
            not_when: "table", Nothing, r#"{ "header.x-debug" = ["*"] }"#, "What they must not say.";
            jwt: "name of a token provider", Depends("no token is looked at"), r#""corp""#, "Only requests with a valid token of this provider (`Authorization: Bearer`); of a rule that denies: those alone can be denied by it.", weaker "of a rule that allows: left out, or another";
        },
    },
    Section {
        name: "jwt",
        heading: "[jwt.NAME]",
        text: "A token provider: whose tokens (JSON Web Tokens) are believed. It has an effect where a \
               `[[policy]]` names it in `jwt`. [access.md](access.md#tokens) explains it.",
        keys: keys! {
            issuer: "text", Required, r#""https://idp.corp.example""#, "What `iss` must say, letter by letter.", weaker (Lost);
            audiences: "array of texts", Required, r#"["https://login.corp.example"]"#, "What `aud` must name: one of these.", weaker (OneMore);
            algorithms: "array of words", Example, r#"["ES256", "RS256", "PS256", "EdDSA"]"#, "By which of `RS256`, `RS384`, `RS512`, `PS256`, `PS384`, `PS512`, `ES256`, `ES384`, `ES512` and `EdDSA` tokens may be signed.", weaker (OneMore);
            typ: "array of texts", Example, r#"["JWT", "at+jwt"]"#, "Which kinds of token are taken; one that does not say its kind is a `JWT`.", weaker (OneMore);
            leeway: "duration or `off`", Example, r#""60s""#, "How far the clocks may be apart, at most `5m`.", weaker (LongerThanOff);
            max_lifetime: "duration or `off`", Example, r#""24h""#, "For how long a token may be valid, from when it was issued.", weaker (Larger);
            forward: "boolean", Example, "false", "Whether the token travels on to the service. Its subject does, in `x-authmesh-subject`.";
            jwks: "text or table", Required, r#""https://idp.corp.example/keys""#, "Where the keys come from; `https`, or `http` on this machine. A URL is the same as `{ url = … }`.", weaker "keys from elsewhere";
        },
    },
    Section {
        name: "jwks",
        heading: "jwks of [jwt.NAME]",
        text: "Exactly one of `discover`, `url` and `file`. Keys are fetched in the background, before \
               the first request and again in time; what cannot be fetched leaves the keys as they are, \
               until `stale_if_error` is over.",
        keys: keys! {
            discover: "`true`", Nothing, "true", "From where the issuer says, in `ISSUER/.well-known/openid-configuration`.", weaker "keys from elsewhere";
            url: "text", Nothing, r#""https://idp.corp.example/keys""#, "From here. Redirections are not followed.", weaker "keys from elsewhere";
            file: "path", Nothing, r#""/etc/authmesh/corp.jwks""#, "From a file, which is read again every minute.", weaker "keys from elsewhere";
            ca: "path", Depends("the authorities of the system"), r#""/etc/authmesh/corp-ca.pem""#, "The authorities, PEM, by which the server must prove itself.", weaker "other authorities";
            copy: "path", Depends("keys are not kept over a restart"), r#""/var/lib/authmesh/corp.jwks""#, "Where the keys that came last are kept, for a start while the issuer cannot be reached.";
            refresh: "duration", Example, r#""10m""#, "How often keys are fetched, unless `Cache-Control` says otherwise; from `1m` to `1h` in any case.", weaker (Larger);
            stale_if_error: "duration", Example, r#""24h""#, "For how long keys may be used after they came last; then tokens get 503 `authn_unavailable`.", weaker (Larger);
            cooldown: "duration", Example, r#""10s""#, "How long after a fetch no token with an unknown key causes another; `1s` to `1m`.";
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
            jwt: "name of a token provider", Depends("no token"), r#""corp""#, "Whose token the caller brought; it is taken for valid.";
            claims: "table", Nothing, r#"{ sub = "alice", scope = "read write" }"#, "What the token says: a text, or an array of texts.";
        },
    },
];
