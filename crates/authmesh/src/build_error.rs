//! Why a mesh could not be built or changed.

use authmesh_logic::discovery::ServiceName;

use crate::config::Problems;
use crate::discovery::RegistryError;
use crate::identity::IdentityFault;

/// Why a mesh could not be built or changed.
#[derive(Debug)]
#[non_exhaustive]
pub enum BuildError {
    /// The configuration has faults.
    Config(Problems),
    /// The files of the identity have faults.
    Identity(Vec<IdentityFault>),
    /// The registry could not be opened.
    Registry(RegistryError),
    /// A service is learned from the registry, and the configuration has none.
    NoRegistry(ServiceName),
    /// Where the registry keeps its records cannot be changed while the mesh runs.
    RegistryMoved,
}

impl std::fmt::Display for BuildError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Config(problems) => problems.fmt(formatter),
            Self::Identity(faults) => {
                formatter.write_str("the identity of the mesh cannot be used")?;
                faults.iter().try_for_each(|fault| write!(formatter, "\n{fault}"))
            }
            Self::Registry(error) => error.fmt(formatter),
            Self::NoRegistry(service) => write!(
                formatter,
                "service `{service}` is learned from the registry, and there is none; write \
                 `[registry]` with `kind = \"embedded\"`"
            ),
            Self::RegistryMoved => formatter.write_str(
                "`kind` and `persist` of `[registry]` cannot change while the mesh runs; stop it and \
                 start it again",
            ),
        }
    }
}

impl std::error::Error for BuildError {}
