//! Why a demonstration could not be given.

use std::fmt;
use std::io;

use authmesh::config::Problems;
use authmesh_proxy::StartError;

/// Why a demonstration could not be given.
#[derive(Debug)]
#[non_exhaustive]
pub enum Failure {
    /// The system would not give a socket, a thread or a file, or the output is gone.
    System(io::Error),
    /// The configuration of the mesh has faults.
    Config(Problems),
    /// The mesh would not start.
    Mesh(StartError),
    /// The mesh did not find the instances in time.
    NotReady,
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System(error) => error.fmt(formatter),
            Self::Config(problems) => problems.fmt(formatter),
            Self::Mesh(error) => error.fmt(formatter),
            Self::NotReady => formatter.write_str("the mesh did not find the instances in time"),
        }
    }
}

impl std::error::Error for Failure {}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::System(error)
    }
}
