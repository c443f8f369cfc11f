//! Looks whether what a configuration names on the network is there.

use std::time::Duration;

use authmesh_logic::config::settings::Setting;
use authmesh_logic::config::{Code, Node, Problem, Span, Value};
use authmesh_logic::discovery::Address;
use tokio::net::{TcpStream, UnixStream};
use tokio::task::JoinSet;

use super::Loaded;

/// The most connections that are tried at once.
const MOST_AT_ONCE: usize = 32;

impl Loaded {
    /// Tries to connect to every endpoint that is listed, each as long as `network.connect_timeout`
    /// says; those that take no connection are added to the warnings. Returns how many did and how
    /// many did not.
    pub async fn look_online(&mut self) -> (usize, usize) {
        let limit = self.config.network.connect_timeout;
        let mut waiting = self.endpoints().into_iter();
        let mut trying = JoinSet::new();
        let (mut reached, mut problems) = (0, Vec::new());
        loop {
            while trying.len() < MOST_AT_ONCE
                && let Some((address, span)) = waiting.next()
            {
                trying.spawn(async move { (span, connect(&address, limit).await, address) });
            }
            match trying.join_next().await {
                Some(Ok((_, Ok(()), _))) => reached += 1,
                Some(Ok((span, Err(why), address))) => {
                    let sentence = format!("`{address}` takes no connection: {why}");
                    problems.push(Problem::new(Code::EndpointUnreached, span, sentence));
                }
                // A panic in it was reported where it happened.
                Some(Err(_)) => {}
                None => break,
            }
        }
        let unreached = problems.len();
        self.warnings.add(problems);
        (reached, unreached)
    }

    /// The addresses that are listed, each with its place.
    fn endpoints(&self) -> Vec<(Address, Span)> {
        let is_list = |setting: &&Setting| setting.key.name == "endpoints";
        let lists = self.settings.groups.iter().flat_map(|group| &group.settings).filter(is_list);
        let nodes = lists.flat_map(|setting| match &setting.value {
            Value::Array(nodes) => nodes.as_slice(),
            _ => &[],
        });
        let address = |node: &Node| match &node.value {
            Value::String(text) => Some((text.parse().ok()?, node.span)),
            _ => None,
        };
        nodes.filter_map(address).collect()
    }
}

async fn connect(address: &Address, limit: Duration) -> Result<(), String> {
    let connecting = async {
        match address {
            Address::Tcp(address) => TcpStream::connect(address).await.map(drop),
            Address::Unix(path) => UnixStream::connect(&**path).await.map(drop),
        }
    };
    match tokio::time::timeout(limit, connecting).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no answer within {limit:?}")),
    }
}
