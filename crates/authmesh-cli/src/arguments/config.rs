//! The options of the verbs that are about the configuration.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{Asking, Output};

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The configuration file [default: ./mesh.toml, then /etc/authmesh/mesh.toml]
    pub(crate) file: Option<PathBuf>,
    /// Look at the files it speaks of too: certificates, keys, secrets
    #[arg(long)]
    pub(crate) files: bool,
    /// Look at the network too, and at the files: connect to every listed endpoint, let it prove who
    /// it is, ask it for an answer, make its health check, compare clocks
    #[arg(long)]
    pub(crate) online: bool,
    /// Say no to warnings too
    #[arg(long)]
    pub(crate) strict: bool,
    /// How the problems are written; words go to stderr in any case
    #[arg(short, long, value_enum, default_value_t = CheckForm::Text)]
    pub(crate) output: CheckForm,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CheckForm {
    /// For people
    Text,
    /// One JSON object
    Json,
    /// Annotations of GitHub Actions, a line for each problem
    Github,
}

#[derive(Debug, Args)]
pub(crate) struct Dump {
    /// The configuration file [default: ./mesh.toml, then /etc/authmesh/mesh.toml]
    pub(crate) file: Option<PathBuf>,
    /// As a file with the origin of each key behind it, or as one JSON object
    #[arg(short, long, value_enum, default_value_t = DumpForm::Toml)]
    pub(crate) output: DumpForm,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DumpForm {
    /// A file that means the same
    #[value(alias = "text")]
    Toml,
    /// One JSON object
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct Init {
    /// Where the file is written; one that is there is never replaced
    #[arg(default_value = "mesh.toml")]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// Where versions are kept.
#[derive(Debug, Args)]
pub(crate) struct State {
    /// The folder of the last good configurations
    /// [default: $STATE_DIRECTORY, else .authmesh/FILE beside the file]
    #[arg(long, value_name = "FOLDER")]
    pub(crate) state: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// The configuration file [default: ./mesh.toml, then /etc/authmesh/mesh.toml]
    pub(crate) file: Option<PathBuf>,
    /// Compare with the last good configuration on disk, not with the one that runs
    #[arg(long)]
    pub(crate) last_good: bool,
    #[command(flatten)]
    pub(crate) state: State,
    #[command(flatten)]
    pub(crate) asking: Asking,
}

#[derive(Debug, Args)]
pub(crate) struct Rollback {
    /// The version [default: the one before that in force]
    pub(crate) version: Option<u64>,
    /// Take it even if it protects less, and say why
    #[arg(long, value_name = "WHY")]
    pub(crate) weaker: Option<String>,
    #[command(flatten)]
    pub(crate) asking: Asking,
}
