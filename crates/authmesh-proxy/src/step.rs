//! The steps of a start in their order: how long each may take, and what its absence means.

/// A step of the start. The order here is the order in which they are taken; a stop is the same list
/// backwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// The file is read.
    Configuration,
    /// What security stands on is there.
    SelfTest,
    /// Secrets are fetched.
    Secrets,
    /// The certificate and its key are read.
    Identity,
    /// Addresses are bound.
    Sockets,
    /// The registry's records are read.
    Registry,
    /// The doors open.
    Doors,
    /// The keys of token providers come for the first time.
    Keys,
    /// Sources speak for the first time.
    Discovery,
    /// Instances are checked.
    Health,
    /// Connections are accepted.
    Listeners,
}

/// What is said of a step.
pub struct StepRule {
    /// The step in readiness and documents.
    pub word: &'static str,
    /// What is done.
    pub what: &'static str,
    /// How long it may take.
    pub limit: &'static str,
    /// What happens if it fails at the start.
    pub at_start: &'static str,
    /// What happens if it fails later.
    pub while_running: &'static str,
    /// What a stop does about it.
    pub at_stop: &'static str,
}

/// The end of a process that does not start: code 2, and a sentence that says why.
const ENDS: &str = "ends with 2";

impl Step {
    /// Every step, in its order.
    pub const ALL: [Self; 11] = [
        Self::Configuration,
        Self::SelfTest,
        Self::Secrets,
        Self::Identity,
        Self::Sockets,
        Self::Registry,
        Self::Doors,
        Self::Keys,
        Self::Discovery,
        Self::Health,
        Self::Listeners,
    ];

    /// What is said of it.
    #[must_use]
    pub const fn rule(self) -> StepRule {
        match self {
            Self::Configuration => StepRule {
                word: "configuration",
                what: "the file and what it includes are read and judged",
                limit: "4 MiB a file, 256 files",
                at_start: "ends with 2; with `--last-good`, the last good one is taken",
                while_running: "the old one stays; `status` and `authmesh_reload_failures_total` tell",
                at_stop: "–",
            },
            Self::SelfTest => StepRule {
                word: "self-test",
                what: "the post-quantum key exchange is there; the clock is not before the program's \
                       own file",
                limit: "none: nothing is waited for",
                at_start: ENDS,
                while_running: "–",
                at_stop: "–",
            },
            Self::Secrets => StepRule {
                word: "secrets",
                what: "every secret is fetched; files of secrets and keys are closed to others",
                limit: "64 KiB each",
                at_start: ENDS,
                while_running: "the reload is refused, the old ones stay",
                at_stop: "wiped from memory",
            },
            Self::Identity => StepRule {
                word: "identity",
                what: "certificate and key are read and belong together; the bundles of the own and of \
                       other trust domains, and revocation lists, are read",
                limit: "64 KiB for certificate and key, 1 MiB a bundle, 16 MiB of lists",
                at_start: "ends with 2; a list that cannot be used is a warning under \
                           `crl.mode = \"warn\"`",
                while_running: "what was read last holds until it ends, and a reload is refused; then \
                                peers of a domain whose roots have all ended, or of whom a required \
                                list no longer speaks, are refused, and `/readyz` says no if that is \
                                the own domain, the own certificate or a required list",
                at_stop: "–",
            },
            Self::Sockets => StepRule {
                word: "sockets",
                what: "every address of listeners and doors is bound; nothing is accepted yet",
                limit: "none: nothing is waited for",
                at_start: ENDS,
                while_running: "the reload is refused, the old sockets stay",
                at_stop: "socket files are removed",
            },
            Self::Registry => StepRule {
                word: "registry",
                what: "the records of the registry are read from disk",
                limit: "none: nothing is waited for",
                at_start: ENDS,
                while_running: "records live in memory and are written again once that is possible",
                at_stop: "the last records are written",
            },
            Self::Doors => StepRule {
                word: "doors",
                what: "the doors for people, machines and workloads open, so that the rest of the start \
                       can be watched",
                limit: "none: nothing is waited for",
                at_start: ENDS,
                while_running: "–",
                at_stop: "closed last, once the answers being given are whole",
            },
            Self::Keys => StepRule {
                word: "keys",
                what: "the keys of each token provider come for the first time, or a kept copy is read",
                limit: "5 s for all of them",
                at_start: "goes on; what a rule lets through by tokens of that provider gets 503 \
                           `authn_unavailable`",
                while_running: "the keys that came last are used until `stale_if_error` is over",
                at_stop: "ends with the process",
            },
            Self::Discovery => StepRule {
                word: "discovery",
                what: "the source of each service says for the first time who is there",
                limit: "5 s for all of them",
                at_start: "goes on; requests of that service get 503 `no_endpoint`",
                while_running: "the last view is kept and its age told; refused beyond `max_age`",
                at_stop: "ends with the process",
            },
            Self::Health => StepRule {
                word: "health",
                what: "instances are checked",
                limit: "not waited for: an instance that is not checked yet takes requests",
                at_start: "goes on",
                while_running: "if too few are healthy, unhealthy ones take requests too",
                at_stop: "ends with the process",
            },
            Self::Listeners => StepRule {
                word: "listeners",
                what: "connections are accepted; the mesh is ready",
                limit: "none: the sockets are bound already",
                at_start: ENDS,
                while_running: "–",
                at_stop: "not ready at once; nothing more is accepted, what is in flight is finished \
                          within `limits.drain_timeout`",
            },
        }
    }

    /// Those that are not taken yet when this one is being taken.
    pub fn and_later(self) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |step| *step >= self)
    }
}

#[cfg(test)]
mod tests {
    use std::{env, fs};

    use super::*;

    const HEAD: &str = "\
# Starting and stopping

Generated from the list that the program goes by; the tests compare it with the program.

A start takes these steps in their order. What is missing while it goes on stands in `/readyz`, with
the step, a reason and since when. A stop takes them backwards.

| step | what | limit | absent at the start | absent while running | at the stop |
|---|---|---|---|---|---|
";

    fn page() -> String {
        let row = |step: Step| {
            let StepRule { word, what, limit, at_start, while_running, at_stop } = step.rule();
            format!("| {word} | {what} | {limit} | {at_start} | {while_running} | {at_stop} |\n")
        };
        HEAD.to_owned() + &Step::ALL.map(row).concat()
    }

    #[test]
    fn docs_starting_md_is_current() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/starting.md");
        if env::var_os("AUTHMESH_WRITE").is_some_and(|value| value == "1") {
            fs::write(path, page()).unwrap();
        }
        let file = fs::read_to_string(path).unwrap_or_default();
        assert!(file == page(), "{path} is old: run this test with AUTHMESH_WRITE=1");
    }

    #[test]
    fn the_list_is_in_the_order_of_the_steps() {
        assert!(Step::ALL.is_sorted());
        let later: Vec<_> = Step::Health.and_later().map(|step| step.rule().word).collect();
        assert_eq!(later, ["health", "listeners"]);
    }
}
