//! The keys of what requests go to: services, their breakers, health checks and retries.

use super::Fallback::{Depends, Example, Nothing, Required};
use super::Section;
use super::Weaker::{Larger, Lost, OneMoreOfAll, Towards};
use super::key::keys;

pub(super) const SECTIONS: &[Section] = &[
    Section {
        name: "service",
        heading: "[service.NAME]",
        text: "Either `endpoints` or `discover`.",
        keys: keys! {
            endpoints: "array of addresses", Nothing, r#"["127.0.0.1:3000", "unix:/run/login.sock"]"#, "Addresses, each an instance.";
            discover: "table", Nothing, r#"{ file = "instances.json" }"#, "Where instances are learned.";
            protocol: "`http1` or `http2`", Example, r#""http1""#, "How instances are spoken to; `http2` without negotiation.";
            identity: "SPIFFE ID", Depends("instances are spoken to without TLS"), r#""spiffe://corp.example/login""#, "Who every instance must prove to be, by mutual TLS; whoever proves another identity gets nothing.", weaker (Lost);
            timeout: "duration", Example, r#""5s""#, "How long a request may take to its response head.";
            max_age: "duration", Depends("any age"), r#""30s""#, "How old the view of the instances may be; beyond it requests are refused.", weaker (Larger);
            balance: "strategy or table", Example, r#""least_loaded""#, "How an endpoint is chosen.";
            breaker: "table or `standard`, `patient`, `strict` or `off`", Nothing, r#"{ failure_rate = "50%" }"#, "The breaker of the service as a whole, one for each operation.";
            endpoint_breaker: "table or `standard`, `patient`, `strict` or `off`", Nothing, "{ consecutive_failures = 5 }", "The breaker of each endpoint.";
            outlier: "table or `off`", Nothing, r#"{ most = "10%" }"#, "Which endpoints are taken out for a time because their outcomes stand out from their group.";
            admission: "table or `off`", Nothing, r#"{ concurrency = "gradient2" }"#, "How much of the load is let in, for each operation; the rest is refused at once.";
            health: "table", Nothing, r#"{ path = "/healthz" }"#, "How instances are checked.";
            retry: "table or `off`", Nothing, "{ attempts = 3 }", "Whether attempts are repeated.";
            - weights: "give weights at registration";
        },
    },
    Section {
        name: "discover",
        heading: "discover of a service",
        text: "Exactly one of these keys.",
        keys: keys! {
            registry: "`true`", Nothing, "true", "From the mesh's registry.";
            file: "path", Nothing, r#""instances.json""#, "From a watched file.";
            - dns: "list addresses in `endpoints`, or use `registry = true`";
            - port: "list addresses in `endpoints`, or use `registry = true`";
        },
    },
    Section {
        name: "balance",
        heading: "balance of a service",
        text: "`balance = \"round_robin\"` is the same as `balance = { strategy = \"round_robin\" }`.",
        keys: keys! {
            strategy: "`least_loaded` or `round_robin`", Example, r#""least_loaded""#, "How an endpoint is chosen.";
        },
    },
    Section {
        name: "breaker",
        heading: "breaker and endpoint_breaker of a service",
        text: "A key that is not written keeps its default. Every trip that is set may open the \
               breaker. `breaker = \"strict\"` is the same as `breaker = { preset = \"strict\" }`.",
        keys: keys! {
            preset: "`standard`, `patient` or `strict`", Example, r#""standard""#, "Whose defaults hold: `patient` opens late and tries again soon, `strict` opens early and asks for five good trials. In `breaker`, none of them trips on failures in a row.";
            consecutive_failures: "integer or `off`", Depends("`off` in `breaker`, 5 in `endpoint_breaker`"), "5", "Trips after this many failures in a row.";
            failures_in_window: "integer or `off`", Example, r#""off""#, "Trips at this many failures in the window.";
            failure_rate: "share or `off`", Example, r#""50%""#, "Trips when this share of the calls in the window failed.";
            slow_rate: "share or `off`", Example, r#""off""#, "Trips when this share of the calls in the window was slow.";
            slower_than: "duration", Depends("required beside `slow_rate`"), r#""500ms""#, "A call is slow when it takes longer.";
            minimum_calls: "integer", Example, "20", "The fewest calls in the window by which a rate is judged.";
            objective: "share or `off`", Depends("`off`; 99.9 % with `strict`"), r#""99.9%""#, "The share of calls that is meant to succeed; trips when failures use up what it allows too fast.";
            burn_factor: "number, 1 to 1000", Example, "14.4", "How many times as fast is too fast.";
            burn_long: "duration", Example, r#""1h""#, "The window that says that it is no blip.";
            burn_short: "duration", Depends("`5m`, or `burn_long` if that is less"), r#""5m""#, "The window that says that it still goes on.";
            burn_calls: "integer", Example, "100", "The fewest calls in the long window by which it is judged.";
            window: "duration", Example, r#""10s""#, "How far back the rates look.";
            buckets: "integer, 1 to 1000", Example, "10", "Into how many parts the window is divided.";
            window_calls: "integer, 1 to 100000", Nothing, "100", "Instead of a time: the rates look at this many calls.";
            wait: "duration", Example, r#""1s""#, "How long an open breaker refuses before it lets a trial through.";
            multiplier: "integer, 1 to 10", Example, "2", "What each further trip multiplies the wait by.";
            longest_wait: "duration", Depends("`60s`, or `wait` if that is longer"), r#""60s""#, "The longest wait.";
            jitter: "`equal` or `none`", Example, r#""equal""#, "How the wait is spread: half of it at random, or not at all.";
            growth_resets: "duration or `on_close`", Example, r#""60s""#, "How long the breaker stays closed until the wait is the first again.";
            trials: "integer, 1 to 500", Example, "3", "How many trials a half-open breaker lets through.";
            closes_at: "integer, at most `trials`", Depends("2, or `trials` if that is less"), "2", "How many successful trials close it.";
            trial_limit: "duration or `off`", Depends("twice the time of an attempt, but at least `10s`"), r#""10s""#, "How long half-open may last before it is open again; a trial that takes longer cannot pass.";
            ramp: "duration or `off`", Example, r#""10s""#, "After closing, how long the admitted share climbs from 10 % to all.";
        },
    },
    Section {
        name: "outlier",
        heading: "outlier of a service",
        text: "The results of each interval are compared with those of the whole group. Denials \
               count as successes, no more of them than of other successes.",
        keys: keys! {
            interval: "duration", Example, r#""10s""#, "The time between two comparisons.";
            consecutive: "integer or `off`", Example, "5", "Ejects at once after this many failures in a row.";
            deviations: "number, 1 to 10, or `off`", Example, "1.9", "Ejects at a success rate so many standard deviations below the mean of the group.";
            failure_share: "share or `off`", Example, r#""85%""#, "Ejects when this share of an interval failed.";
            minimum_hosts: "integer, 1 to 10000", Example, "5", "How many endpoints must have `minimum_calls`, for the two rules above.";
            minimum_calls: "integer", Depends("100 for `deviations`, 50 for `failure_share`"), "100", "The fewest results of an interval by which an endpoint is judged.";
            first: "duration", Example, r#""30s""#, "How long a first ejection lasts; the n-th in a row lasts n times as long.";
            longest: "duration", Depends("`5m`, or `first` if that is longer"), r#""5m""#, "The longest ejection.";
            most: "share", Example, r#""10%""#, "The largest share of the group that may be out; one may always be.";
            keep_at_least: "integer", Example, "1", "How many endpoints must be left.";
            returns_on_health: "boolean", Example, "false", "Whether a health check that passes ends an ejection.";
        },
    },
    Section {
        name: "admission",
        heading: "admission of a service",
        text: "`concurrency`, `throttle` or both.",
        keys: keys! {
            concurrency: "`aimd`, `vegas` or `gradient2`", Depends("any number at once"), r#""gradient2""#, "How the number of requests at once follows what the service carries.";
            initial_limit: "integer, 1 to 100000", Depends("20, within the bounds"), "20", "How many at once at the beginning.";
            least_limit: "integer, 1 to 100000", Depends("20, or `most_limit` if that is less"), "20", "How many at once at least.";
            most_limit: "integer, 1 to 100000", Depends("200, or `least_limit` if that is more"), "200", "How many at once at most.";
            drop_after: "duration", Example, r#""5s""#, "With `aimd`: an answer that takes longer lowers the limit.";
            throttle: "`google_sre`, `failsafe` or `envoy_admission`", Depends("nothing is refused"), r#""google_sre""#, "By which formula a share is refused while the service serves only a share.";
            requests_each: "number, 1 to 100", Example, "2", "With `google_sre`: how many requests are sent for each that is served.";
            threshold: "share", Depends("90 % with `failsafe`, 95 % with `envoy_admission`"), r#""95%""#, "The share that must be served before anything is refused.";
            most_refused: "share", Depends("90 % with `failsafe`, 80 % with `envoy_admission`"), r#""80%""#, "The largest share that is refused.";
            aggression: "number, 1 to 100", Example, "1", "With `envoy_admission`: more refuses more, earlier.";
            window: "duration", Example, r#""10s""#, "How far back the throttle looks.";
            minimum_requests: "integer", Example, "20", "The fewest requests in the window by which it refuses.";
        },
    },
    Section {
        name: "health",
        heading: "health of a service",
        text: "Either `path` or `tcp`.",
        keys: keys! {
            path: "path", Nothing, r#""/healthz""#, "Sends `GET` with this path.";
            tcp: "`true`", Nothing, "true", "Only connects.";
            host: "host name", Depends("the address"), r#""login.example""#, "The `Host` field of a check.";
            expect: "array of status codes and ranges", Example, r#"["200-299"]"#, "The status codes that pass.";
            interval: "duration", Example, r#""5s""#, "The time between two checks of an instance.";
            failing_interval: "duration", Depends("`1s`, or `interval` if that is less"), r#""1s""#, "The same while it is failing or not yet known.";
            jitter: "share", Example, r#""10%""#, "How much of an interval may be added at random, in whole percent.";
            timeout: "duration", Example, r#""1s""#, "How long one check may take.";
            rise: "integer, 1 to 100", Example, "2", "How many passing checks in a row make an instance healthy.";
            fall: "integer, 1 to 100", Example, "3", "How many failing checks in a row make it unhealthy.";
            passive: "table or `off`", Example, r#""off""#, "Whether outcomes of real traffic count.";
            eject_on_first: "array of `status` and `passive`", Depends("none"), r#"["status"]"#, "Failures that make an instance unhealthy at once, whatever `fall` says: a bad status, or too many failed requests in a row.";
            - grpc: "use `path` or `tcp`";
            - ldap: "use `tcp`";
            - redis: "use `tcp`";
            - exec: "use `path` or `tcp`";
            - ttl: "register the instance: its lease says that it lives";
            - agent: "use `path` or `tcp`";
        },
    },
    Section {
        name: "passive",
        heading: "passive of health",
        text: "",
        keys: keys! {
            failures: "integer, 1 to 1000", Required, "5", "This many failures in a row count as a failing check; a success replaces the next check.";
        },
    },
    Section {
        name: "retry",
        heading: "retry of a service or a route",
        text: "",
        keys: keys! {
            attempts: "integer, 1 to 10", Example, "3", "How many attempts a request may have, the first included.";
            per_try: "duration", Depends("the request's time-out"), r#""500ms""#, "How long one attempt may take to its response head.";
            methods: "array of methods", Depends("every method"), r#"["GET", "HEAD"]"#, "Only requests with these methods are repeated. POST, PATCH and others that must not be sent twice want `only_if_unprocessed`.", weaker (OneMoreOfAll);
            only_if_unprocessed: "boolean", Example, "false", "Only attempts that provably were not processed are repeated.", weaker (Towards(&[&["true"], &["false"]]));
        },
    },
];
