//! The command line: verbs and their options.

mod config;

use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use authmesh::config::units;
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

pub(crate) use config::{Check, CheckForm, Diff, Dump, DumpForm, Init, Rollback, State};

/// The service mesh for authentication systems.
#[derive(Debug, Parser)]
#[command(name = "authmesh", version, about, arg_required_else_help = true)]
#[command(after_help = "Exit codes: 0 yes or done, 1 no, 2 bad input or configuration, \
                        3 no running mesh reached, 130 interrupted.")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Carry traffic as a configuration file says, until told to stop
    Run(Run),
    /// Tell everything that is wrong with a configuration file
    Check(Check),
    /// Write a commented configuration file to begin with
    Init(Init),
    /// Write down what a configuration file means, with the origin of each key
    Dump(Dump),
    /// Write the JSON Schema of the configuration file, for editors
    Schema,
    /// Tell what a file would change of the running mesh, and what would protect less
    Diff(Diff),
    /// List the configurations that were in force
    Versions(Asking),
    /// Put an earlier configuration in force again; the file is not touched
    Rollback(Rollback),
    /// Say whether the running mesh is ready, and every state with its reason
    Status(Asking),
    /// List the services of the running mesh
    Services(Asking),
    /// List instances, of one service or of all
    Instances(Instances),
    /// Let an instance finish what it has, and give it nothing new
    Drain(Named),
    /// Let a drained or quarantined instance take requests again
    Undrain(Named),
    /// Give an instance nothing, at once
    Quarantine(Named),
    /// Set an instance's share of the load, whatever it registers with
    Weight(Weight),
    /// Look at circuit breakers, and hold them by hand
    Breaker(Breaker),
    /// Ask the running mesh why
    Explain(Explain),
    /// Try access rules
    Policy(Policy),
    /// Let the running mesh read its file again
    Reload(Asking),
    /// Tell what happens in the running mesh, as it happens
    Watch(Asking),
    /// Show an authentication system on a bad day, behind the mesh and without it
    Demo(Demo),
    /// Make certificates for development
    Ca(Ca),
    /// Write a completion script for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Write the manual page
    Man,
}

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// How many seconds all of it takes
    #[arg(long, default_value_t = 45, value_parser = clap::value_parser!(u32).range(8..=3_600))]
    pub(crate) seconds: u32,
    /// What load, luck and faults are drawn from
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Write the report to stdout as one JSON object, the same as `-o json`
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    /// The configuration file [default: ./mesh.toml, then /etc/authmesh/mesh.toml]
    pub(crate) file: Option<PathBuf>,
    /// How many worker threads carry traffic [default: one for each processor]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) workers: Option<u16>,
    /// Start with the last good configuration if the file has faults
    #[arg(long)]
    pub(crate) last_good: bool,
    #[command(flatten)]
    pub(crate) state: State,
    /// What is logged, as `level` or `module=level,...`
    #[arg(long, env = "RUST_LOG", default_value = "info")]
    pub(crate) log: String,
    /// How the log is written
    #[arg(long, value_enum, default_value_t = LogFormat::Auto)]
    pub(crate) log_format: LogFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people on a terminal, JSON otherwise
    Auto,
    /// For people
    Human,
    /// One JSON object a line
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct Instances {
    /// The service
    pub(crate) service: Option<String>,
    #[command(flatten)]
    pub(crate) asking: Asking,
}

/// An instance that registered.
#[derive(Debug, Args)]
pub(crate) struct Named {
    /// The service
    pub(crate) service: String,
    /// The instance
    pub(crate) instance: String,
    #[command(flatten)]
    pub(crate) asking: Asking,
}

#[derive(Debug, Args)]
pub(crate) struct Weight {
    /// The service
    pub(crate) service: String,
    /// The instance
    pub(crate) instance: String,
    /// Its shares, 0.1 to 10, or `registered` for those it registers with
    pub(crate) shares: Shares,
    #[command(flatten)]
    pub(crate) asking: Asking,
}

/// A share of the load; `None` is the one an instance registers with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Shares(pub(crate) Option<f64>);

impl FromStr for Shares {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "registered" {
            return Ok(Self(None));
        }
        match text.parse() {
            Ok(shares) if (0.1..=10.0).contains(&shares) => Ok(Self(Some(shares))),
            _ => Err("wanted: a number from 0.1 to 10, or `registered`"),
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Breaker {
    #[command(subcommand)]
    pub(crate) verb: BreakerVerb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum BreakerVerb {
    /// List every breaker with its state and what it saw
    List(Asking),
    /// Let a breaker refuse everything
    ForceOpen(BreakerCommand),
    /// Let a breaker let everything through, and count nothing
    Disable(BreakerCommand),
    /// Let a breaker let everything through, and only count
    Shadow(BreakerCommand),
    /// Close a breaker, with no evidence
    Reset(BreakerCommand),
}

/// What an operator tells a breaker.
#[derive(Debug, Args)]
pub(crate) struct BreakerCommand {
    /// Which: `SERVICE/OPERATION`, or `SERVICE@INSTANCE`; `breaker list` says them
    pub(crate) key: String,
    /// Why; it is kept beside the breaker, and told in the log
    #[arg(long)]
    pub(crate) why: String,
    /// For how long, as `10m` or `1h30m`, at most 7 days; then it is closed [default: 1h]
    #[arg(long = "for", value_name = "TIME", value_parser = duration)]
    pub(crate) lasts: Option<Duration>,
    #[command(flatten)]
    pub(crate) asking: Asking,
}

fn duration(text: &str) -> Result<Duration, &'static str> {
    match units::duration(text) {
        Ok(time) if !time.is_zero() => Ok(time),
        _ => Err("wanted: a time with units, as `30s`, `10m` or `1h30m`"),
    }
}

#[derive(Debug, Args)]
pub(crate) struct Explain {
    #[command(subcommand)]
    pub(crate) verb: ExplainVerb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ExplainVerb {
    /// Say whether a request may pass, which policy decides, and where that is written
    Access(Access),
}

/// A request to a service.
#[derive(Debug, Args)]
pub(crate) struct Access {
    /// The request: `POST /login`
    pub(crate) request: String,
    /// The service that is asked
    #[arg(long)]
    pub(crate) service: String,
    /// The SPIFFE ID that the caller proved
    #[arg(long)]
    pub(crate) from: Option<String>,
    /// The address of the peer
    #[arg(long)]
    pub(crate) address: Option<IpAddr>,
    /// The address of the client, as trusted proxies tell it [default: that of the peer]
    #[arg(long)]
    pub(crate) remote_address: Option<IpAddr>,
    /// The host that is asked
    #[arg(long)]
    pub(crate) host: Option<String>,
    /// The port the connection came in on
    #[arg(long)]
    pub(crate) port: Option<u16>,
    /// A header field, as `name: value`
    #[arg(long)]
    pub(crate) header: Vec<String>,
    /// The token provider whose valid token the caller brought
    #[arg(long)]
    pub(crate) jwt: Option<String>,
    /// What that token says, as `name=value`; once more for a further value
    #[arg(long, requires = "jwt")]
    pub(crate) claim: Vec<String>,
    #[command(flatten)]
    pub(crate) asking: Asking,
}

#[derive(Debug, Args)]
pub(crate) struct Policy {
    #[command(subcommand)]
    pub(crate) verb: PolicyVerb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PolicyVerb {
    /// Run the policy tests of a configuration file
    Test(PolicyTests),
}

#[derive(Debug, Args)]
pub(crate) struct PolicyTests {
    /// The configuration file [default: ./mesh.toml, then /etc/authmesh/mesh.toml]
    pub(crate) file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct Ca {
    #[command(subcommand)]
    pub(crate) verb: CaVerb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CaVerb {
    /// Make an authority for a trust domain
    Init(CaInit),
    /// Issue a certificate to a workload
    Issue(CaIssue),
    /// Make a new root; the old ones are believed until they end
    Rotate(CaRotate),
}

#[derive(Debug, Args)]
pub(crate) struct CaInit {
    /// The trust domain, as `corp.example`
    pub(crate) domain: String,
    /// Where the authority is kept
    #[arg(long, default_value = "authmesh-ca")]
    pub(crate) folder: PathBuf,
    /// For how many days its root holds
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..=365))]
    pub(crate) days: u16,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct CaIssue {
    /// Whose certificate: `spiffe://corp.example/token`, or `/token`
    pub(crate) id: String,
    /// Where the authority is kept
    #[arg(long, default_value = "authmesh-ca")]
    pub(crate) folder: PathBuf,
    /// The folder to write into
    #[arg(long, default_value = ".")]
    pub(crate) out: PathBuf,
    /// What the files are called [default: the last part of the path]
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// A host name or address beside the SPIFFE ID, for programs that know no SPIFFE IDs
    #[arg(long)]
    pub(crate) host: Vec<String>,
    /// For how many hours it holds
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u16).range(1..=720))]
    pub(crate) hours: u16,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct CaRotate {
    /// Where the authority is kept
    #[arg(long, default_value = "authmesh-ca")]
    pub(crate) folder: PathBuf,
    /// For how many days the new root holds
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..=365))]
    pub(crate) days: u16,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// How a running mesh is asked.
#[derive(Debug, Args)]
pub(crate) struct Asking {
    /// Where its admin door is: `unix:/path` or `http://127.0.0.1:port`
    /// [default: what the configuration file says]
    #[arg(long, env = "AUTHMESH_ADMIN")]
    pub(crate) admin: Option<String>,
    /// A file with the token for an admin door on TCP [default: $AUTHMESH_ADMIN_TOKEN]
    #[arg(long)]
    pub(crate) token_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct Output {
    /// How the answer is written; words go to stderr in any case
    #[arg(short, long, value_enum, default_value_t = Form::Text)]
    pub(crate) output: Form,
}

impl Output {
    pub(crate) fn is_json(&self) -> bool {
        self.output == Form::Json
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// For people
    Text,
    /// One JSON object
    Json,
}
