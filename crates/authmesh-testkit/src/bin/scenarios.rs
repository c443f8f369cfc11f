//! Runs the cases of one file: `scenarios TOPIC FILE [--only GROUP[,GROUP]]`.

use std::io::{Write, stdout};
use std::process::ExitCode;
use std::{env, fs};

use anyhow::{Context, bail};
use authmesh_testkit::scenarios::{Report, TOPICS, Verdict, run};

fn main() -> ExitCode {
    match reports().and_then(|reports| tell(&reports)) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::from(2)
        }
    }
}

fn reports() -> anyhow::Result<Vec<Report>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (topic, path, groups) = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [topic, path] => (topic, path, Vec::new()),
        [topic, path, "--only", groups] => (topic, path, groups.split(',').collect()),
        _ => bail!("usage: scenarios TOPIC FILE [--only GROUP[,GROUP]]"),
    };
    let text = fs::read_to_string(path).with_context(|| format!("{path} cannot be read"))?;
    let file = serde_json::from_str(&text).with_context(|| format!("{path} is not JSON"))?;
    run(topic, &file, &groups)
        .with_context(|| format!("{path} holds no cases, or {topic} is none of {TOPICS:?}"))
}

fn tell(reports: &[Report]) -> anyhow::Result<ExitCode> {
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    let mut out = stdout().lock();
    for Report { name, verdict } in reports {
        match verdict {
            Verdict::Passed => passed += 1,
            Verdict::Failed(what) => {
                failed += 1;
                writeln!(out, "FAIL {name}: {what}")?;
            }
            Verdict::Unsupported(why) => {
                skipped += 1;
                writeln!(out, "UNSUPPORTED {name}: {why}")?;
            }
        }
    }
    writeln!(out, "{passed} passed, {failed} failed, {skipped} skipped")?;
    Ok(if failed > 0 { ExitCode::from(1) } else { ExitCode::SUCCESS })
}
