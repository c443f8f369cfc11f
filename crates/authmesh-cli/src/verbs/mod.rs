//! The verbs, one file each.

mod ask;
mod breaker;
mod ca;
mod check;
mod decide;
mod demo;
mod diff;
mod dump;
mod explain;
mod init;
mod pages;
mod policy;
mod reload;
mod rollback;
mod run;
mod versions;
mod watch;

use crate::arguments::{Arguments, BreakerVerb, ExplainVerb, PolicyVerb, Verb};
use crate::ending::{Ending, Failure};

/// Does what was asked.
pub(crate) fn perform(arguments: Arguments) -> Result<Ending, Failure> {
    match arguments.verb {
        Verb::Run(run) => run::run(run),
        Verb::Check(check) => check::check(check),
        Verb::Init(init) => init::init(&init),
        Verb::Dump(dump) => dump::dump(dump),
        Verb::Schema => dump::schema(),
        Verb::Diff(diff) => asked(diff::diff(diff)),
        Verb::Versions(asking) => asked(versions::versions(&asking)),
        Verb::Rollback(rollback) => asked(rollback::rollback(&rollback)),
        Verb::Status(asking) => asked(ask::status(&asking)),
        Verb::Services(asking) => asked(ask::services(&asking)),
        Verb::Instances(instances) => asked(ask::instances(&instances)),
        Verb::Drain(named) => asked(decide::decide(&named, "drain")),
        Verb::Undrain(named) => asked(decide::decide(&named, "undrain")),
        Verb::Quarantine(named) => asked(decide::decide(&named, "quarantine")),
        Verb::Weight(weight) => asked(decide::weigh(&weight)),
        Verb::Breaker(breaker) => match breaker.verb {
            BreakerVerb::List(asking) => asked(ask::breakers(&asking)),
            BreakerVerb::ForceOpen(told) => asked(breaker::command(&told, "force_open")),
            BreakerVerb::Disable(told) => asked(breaker::command(&told, "disable")),
            BreakerVerb::Shadow(told) => asked(breaker::command(&told, "shadow")),
            BreakerVerb::Reset(told) => asked(breaker::command(&told, "reset")),
        },
        Verb::Explain(explain) => match explain.verb {
            ExplainVerb::Access(access) => asked(explain::access(&access)),
        },
        Verb::Policy(policy) => match policy.verb {
            PolicyVerb::Test(tests) => policy::test(tests),
        },
        Verb::Reload(asking) => asked(reload::reload(&asking)),
        Verb::Watch(asking) => asked(watch::watch(&asking)),
        Verb::Demo(demo) => demo::demo(&demo),
        Verb::Ca(ca) => ca::ca(ca.verb),
        Verb::Completions { shell } => {
            pages::completions(shell);
            Ok(Ending::Done)
        }
        Verb::Man => pages::manual(),
    }
}

/// Waits for an answer of a running mesh, unless somebody interrupts.
fn asked(asking: impl Future<Output = Result<Ending, Failure>>) -> Result<Ending, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(Failure::bad_input)?.block_on(async {
        tokio::select! {
            ending = asking => ending,
            Ok(()) = tokio::signal::ctrl_c() => Ok(Ending::Interrupted),
        }
    })
}
