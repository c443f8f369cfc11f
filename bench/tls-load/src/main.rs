//! Callers that prove themselves by mutual TLS, on one thread.
//!
//! `tls-load kept PORT FOLDER PATH CALLERS SECONDS`: requests over kept connections.
//! `tls-load new PORT FOLDER PATH CALLERS SECONDS`: a connection for each request.
//! `tls-load held PORT FOLDER PATH CALLERS`: connections that wait after one request each, until the
//! input ends; it prints `held` once they all wait.
//!
//! FOLDER has `load.pem`, `load.key` and `bundle.pem`. The first two print one line at the end:
//! `succeeded N failed N group G suite S`. Nobody takes a session up again.

mod caller;

use std::cell::Cell;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::io::AsyncReadExt;
use tokio::task::LocalSet;

use crate::caller::{Call, Caller};

/// What has come of requests so far.
#[derive(Default)]
struct Counts {
    succeeded: Cell<u64>,
    failed: Cell<u64>,
}

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        match words[..] {
            [mode @ ("kept" | "new"), port, folder, path, callers, seconds] => {
                let caller = Caller::new(port.parse()?, Path::new(folder), path)?;
                let seconds = Duration::from_secs(seconds.parse().context("SECONDS")?);
                load(mode == "kept", caller, callers.parse().context("CALLERS")?, seconds).await
            }
            ["held", port, folder, path, callers] => {
                let caller = Caller::new(port.parse()?, Path::new(folder), path)?;
                hold(&caller, callers.parse().context("CALLERS")?).await
            }
            _ => bail!("usage: tls-load kept|new|held PORT FOLDER PATH CALLERS [SECONDS]"),
        }
    })
}

/// Puts load on the port for so long, and prints what came of it.
async fn load(is_kept: bool, caller: Caller, callers: usize, time: Duration) -> Result<()> {
    let first = caller.call().await.context("the first connection")?;
    let agreed = first.agreed();
    drop(first);
    let (caller, counts) = (Rc::new(caller), Rc::new(Counts::default()));
    let tasks = LocalSet::new();
    for _ in 0..callers {
        let (caller, counts) = (Rc::clone(&caller), Rc::clone(&counts));
        tasks.spawn_local(async move {
            loop {
                let ended = match is_kept {
                    true => keep_asking(&caller, &counts).await,
                    false => ask_once(&caller, &counts).await,
                };
                if ended.is_err() {
                    counts.failed.set(counts.failed.get() + 1);
                    // A port that refuses is not asked without end.
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            }
        });
    }
    // They go on for ever; what is under way at the end does not count.
    let _ = tokio::time::timeout(time, tasks).await;
    let (succeeded, failed) = (counts.succeeded.get(), counts.failed.get());
    print(&format!("succeeded {succeeded} failed {failed} {agreed}"))
}

async fn keep_asking(caller: &Caller, counts: &Counts) -> Result<()> {
    let mut call = caller.call().await?;
    loop {
        call.ask().await?;
        counts.succeeded.set(counts.succeeded.get() + 1);
    }
}

async fn ask_once(caller: &Caller, counts: &Counts) -> Result<()> {
    let mut call = caller.call().await?;
    call.ask().await?;
    counts.succeeded.set(counts.succeeded.get() + 1);
    call.end().await
}

/// Holds connections that wait, until the input ends.
async fn hold(caller: &Caller, callers: usize) -> Result<()> {
    let mut held: Vec<Call> = Vec::with_capacity(callers);
    // One after the other, so that a proxy needs one connection to its upstream.
    for _ in 0..callers {
        let mut call = caller.call().await?;
        call.ask().await?;
        held.push(call);
    }
    print("held")?;
    tokio::io::stdin().read_to_end(&mut Vec::new()).await?;
    Ok(())
}

fn print(line: &str) -> Result<()> {
    use std::io::Write;
    let mut out = std::io::stdout();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}
