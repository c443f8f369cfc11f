//! `ca`: a development authority for mutual TLS.

use std::path::Path;
use std::time::Duration;

use serde_json::json;

use crate::arguments::{CaInit, CaIssue, CaRotate, CaVerb, Output};
use crate::authority::{Authority, BUNDLE, write};
use crate::ending::{Ending, Failure};
use crate::print;

/// Makes, uses or renews an authority.
pub(crate) fn ca(verb: CaVerb) -> Result<Ending, Failure> {
    match verb {
        CaVerb::Init(init) => initialise(&init),
        CaVerb::Issue(issue) => issue_to(&issue),
        CaVerb::Rotate(rotate) => renew(&rotate),
    }
}

fn initialise(init: &CaInit) -> Result<Ending, Failure> {
    let domain = init.domain.parse().map_err(Failure::bad_input)?;
    let authority = Authority::make(&init.folder, domain, days(init.days))?;
    tell_root(&authority, &init.output);
    Ok(Ending::Done)
}

fn renew(rotate: &CaRotate) -> Result<Ending, Failure> {
    let authority = Authority::open(&rotate.folder)?.rotate(days(rotate.days))?;
    tell_root(&authority, &rotate.output);
    Ok(Ending::Done)
}

fn issue_to(issue: &CaIssue) -> Result<Ending, Failure> {
    let authority = Authority::open(&issue.folder)?;
    let life = Duration::from_secs(u64::from(issue.hours) * 3_600);
    let issued = authority.issue(&issue.id, &issue.host, life)?;
    // The last segment of the path names the files; a path has one.
    let last = issued.id.path().rsplit('/').next().unwrap_or_default();
    let name = issue.name.as_deref().unwrap_or(last);
    std::fs::create_dir_all(&issue.out).map_err(Failure::bad_input)?;
    let (cert, key) =
        (issue.out.join(format!("{name}.pem")), issue.out.join(format!("{name}.key")));
    let bundle = issue.out.join(BUNDLE);
    // The key first: whoever watches the certificate finds a pair.
    write(&key, &issued.key, 0o600)?;
    write(&cert, &issued.cert, 0o644)?;
    if !is_same(&bundle, &authority.bundle()) {
        let roots = std::fs::read_to_string(authority.bundle()).map_err(Failure::bad_input)?;
        write(&bundle, &roots, 0o644)?;
    }
    let report = json!({
        "id": issued.id.as_str(), "cert": cert, "key": key, "bundle": bundle,
        "ends_at": issued.ends.as_secs(),
    });
    if issue.output.is_json() {
        print::asked(&report.to_string());
    } else {
        print::asked(&format!("[identity]\ntrust_domain = \"{}\"", issued.id.trust_domain()));
        for (word, path) in [("cert", &cert), ("key", &key), ("bundle", &bundle)] {
            print::asked(&format!("{word} = \"{}\"", path.display()));
        }
        print::words(&format!("issued {} for {} hours", issued.id, issue.hours));
    }
    Ok(Ending::Done)
}

fn tell_root(authority: &Authority, output: &Output) {
    let bundle = authority.bundle();
    if output.is_json() {
        let report = json!({ "bundle": bundle, "ends_at": authority.ends.as_secs() });
        print::asked(&report.to_string());
    } else {
        print::words(&format!("{} holds the roots to believe", bundle.display()));
        print::words("for development only: the key of this authority lies in a file beside it");
    }
}

fn is_same(one: &Path, other: &Path) -> bool {
    one.canonicalize().ok().is_some_and(|one| other.canonicalize().is_ok_and(|other| one == other))
}

fn days(days: u16) -> Duration {
    Duration::from_secs(u64::from(days) * 24 * 3_600)
}
