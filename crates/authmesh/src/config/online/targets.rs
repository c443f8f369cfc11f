//! Finds the endpoints that are to be looked at, each with its place in the file.

use std::sync::Arc;
use std::time::Duration;

use authmesh_logic::config::settings::{Group, Setting};
use authmesh_logic::config::{
    Code, DiscoverySource, MeshConfig, Problem, Protocol, ServiceConfig, Settings, Span, Value,
};

use crate::discovery::{Address, File, Source, Update};
use crate::health::{Check, Policy};
use crate::identity::{MeshIdentity, Pin, Pins, SpiffeId};

/// How long a file of instances may take to be read.
const FILE_LIMIT: Duration = Duration::from_secs(5);

/// What to do about a file of instances that says nothing.
const FILE_HELP: &str = "mend the file: a mesh that starts with it knows no instance, one that runs \
                         keeps those it knew";

/// One endpoint that is to be looked at.
#[derive(Clone)]
pub(super) struct Target {
    /// Its service's name.
    pub(super) service: String,
    pub(super) address: Address,
    /// Where it is written, or the file that lists it.
    pub(super) span: Span,
    /// Who it must be.
    pub(super) pin: Option<Pin>,
    pub(super) manner: Arc<Manner>,
}

/// How the endpoints of one service are spoken to.
pub(super) struct Manner {
    pub(super) protocol: Protocol,
    pub(super) health: Option<Policy>,
    /// How long a connection may take.
    pub(super) connect_limit: Duration,
    /// How long an answer may take.
    pub(super) answer_limit: Duration,
}

/// The longest that an answer is waited for, whatever a service's time-out says.
const LONGEST_ANSWER: Duration = Duration::from_secs(5);

impl Manner {
    fn of(service: &ServiceConfig, config: &MeshConfig) -> Self {
        Self {
            protocol: service.protocol,
            health: service.health.clone(),
            connect_limit: config.network.connect_timeout,
            answer_limit: service.timeout.min(LONGEST_ANSWER),
        }
    }

    /// Whether requests are what is said there: a service whose check only connects may speak
    /// anything.
    pub(super) fn is_http(&self) -> bool {
        self.health.as_ref().is_none_or(|policy| policy.check != Check::Tcp)
    }
}

/// The endpoints of every service, in the order of the services; files that list instances and
/// cannot be read are problems.
pub(super) async fn targets(
    config: &MeshConfig,
    settings: &Settings,
    identity: &Arc<MeshIdentity>,
) -> (Vec<Target>, Vec<Problem>) {
    let (mut targets, mut problems) = (Vec::new(), Vec::new());
    for service in &config.services {
        let manner = Arc::new(Manner::of(service, config));
        let pins = Pins::new(identity, service.identity.clone());
        let name = service.name.as_str();
        let found = match &service.source {
            DiscoverySource::Static(addresses) => {
                let places = places_of_endpoints(settings, name);
                let place = |index: usize| places.get(index).copied().unwrap_or_default();
                let addresses = addresses.iter().cloned().enumerate();
                addresses.map(|(index, address)| (address, None, place(index))).collect()
            }
            DiscoverySource::File(path) => {
                let span =
                    setting(settings, name, "discover.file").map_or(Span::default(), |it| it.span);
                match listed(path).await {
                    Ok(listed) => {
                        listed.into_iter().map(|(address, id)| (address, id, span)).collect()
                    }
                    Err(sentence) => {
                        let problem = Problem::new(Code::NoSuchFile, span, sentence).as_warning();
                        problems.push(problem.help(FILE_HELP));
                        Vec::new()
                    }
                }
            }
            // Who is registered is known to a running mesh alone.
            DiscoverySource::Registry => Vec::new(),
        };
        targets.extend(found.into_iter().map(|(address, registered, span)| Target {
            service: name.to_owned(),
            address,
            span,
            pin: pins.of(registered.as_ref()),
            manner: Arc::clone(&manner),
        }));
    }
    (targets, problems)
}

/// The first address of each instance that a file lists, as the mesh uses it, and who the instance must
/// be.
async fn listed(path: &str) -> Result<Vec<(Address, Option<SpiffeId>)>, String> {
    let mut file = File::watch(path);
    match tokio::time::timeout(FILE_LIMIT, file.next()).await {
        Ok(Update::View(view)) => {
            let listed = view.instances.iter().filter_map(|instance| {
                Some((instance.addresses.first()?.clone(), instance.identity.clone()))
            });
            Ok(listed.collect())
        }
        Ok(Update::Lost { reason }) => Err(reason),
        Err(_) => Err(format!("`{path}` was not read within {FILE_LIMIT:?}")),
    }
}

fn places_of_endpoints(settings: &Settings, service: &str) -> Vec<Span> {
    match setting(settings, service, "endpoints").map(|setting| &setting.value) {
        Some(Value::Array(nodes)) => nodes.iter().map(|node| node.span).collect(),
        _ => Vec::new(),
    }
}

fn setting<'a>(settings: &'a Settings, service: &str, path: &str) -> Option<&'a Setting> {
    let is_meant = |group: &&Group| group.path.strip_prefix("service.") == Some(service);
    let group = settings.groups.iter().find(is_meant)?;
    group.settings.iter().find(|setting| setting.path == path)
}
