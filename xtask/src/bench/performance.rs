//! Puts the document of performance together from the figures that are kept.

use std::fs;
use std::path::Path;

use anyhow::Result;

use super::{breaker, report, results, tls};
use crate::say::say;

/// Where the document stands.
pub(crate) const DOCUMENT: &str = "docs/performance.md";

/// The document, from what `kept` holds of each file of figures; nothing without any.
pub(crate) fn document(kept: impl Fn(&str) -> Option<String>) -> Result<Option<String>> {
    let proxy = kept(results::RESULTS).map(|figures| report::report(&figures)).transpose()?;
    let tls = kept(tls::RESULTS).map(|figures| tls::section(&figures)).transpose()?;
    let breaker = kept(breaker::RESULTS).map(|figures| breaker::section(&figures)).transpose()?;
    let sections: Vec<String> = [proxy, tls, breaker].into_iter().flatten().collect();
    Ok((!sections.is_empty()).then(|| match sections[0].starts_with("# ") {
        true => sections.join("\n"),
        false => format!("# Performance\n\n{}", sections.join("\n")),
    }))
}

/// Writes the document anew from the files under `root`.
pub(crate) fn write(root: &Path) -> Result<()> {
    let kept = |path: &str| fs::read_to_string(root.join(path)).ok();
    if let Some(text) = document(kept)? {
        fs::write(root.join(DOCUMENT), text)?;
        say(format!("wrote {DOCUMENT}"));
    }
    Ok(())
}
