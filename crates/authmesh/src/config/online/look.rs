//! Looks at every endpoint at once, within bounds, and adds what is wrong to the warnings.

use std::pin::pin;
use std::time::Duration;

use authmesh_logic::config::{Code, Problem, Span};
use tokio::task::JoinSet;

use super::endpoint::{Seen, look_at};
use super::judge;
use super::report::Online;
use super::targets::{Target, targets};
use crate::config::Loaded;
use crate::identity::MeshIdentity;

/// The most endpoints that are looked at at once.
const MOST_AT_ONCE: usize = 32;

/// The most endpoints that are looked at.
const MOST_ENDPOINTS: usize = 1_000;

/// How long all of it may take.
const LOOK_LIMIT: Duration = Duration::from_secs(30);

impl Loaded {
    /// Looks at every endpoint that is listed in the configuration or in a file of instances, as the
    /// mesh would speak to it: connects, lets it prove who it is, asks for an answer, makes the
    /// service's health check, and compares clocks. What is wrong is added to the warnings, each
    /// with its place and what to do. Takes half a minute at most beside the reading of files, and must
    /// run on a tokio runtime.
    ///
    /// An endpoint is shown this mesh's certificate and sent `OPTIONS *`, which changes nothing; one
    /// whose service is checked by `tcp` alone is sent nothing.
    pub async fn look_online(&mut self) -> Online {
        // What is wrong with the files is for the look at files to say.
        let identity = self.config.security.identity.as_ref();
        let identity = identity.and_then(|config| MeshIdentity::read(config).ok());
        let identity = identity.unwrap_or_else(MeshIdentity::none);
        let (targets, mut problems) = targets(&self.config, &self.settings, &identity).await;
        let count = targets.len();
        let looked = look(targets).await;
        let now = identity.now();
        let judged = judge::problems(&looked, now);
        let not_looked_at = count - looked.len();
        problems.extend(judged.iter().flatten().cloned());
        problems.extend(late(not_looked_at));
        let online = Online::of(&looked, &judged, &problems, not_looked_at, now);
        self.warnings.add(problems);
        online
    }
}

/// What was seen of each endpoint that there was time for, in their order.
async fn look(targets: Vec<Target>) -> Vec<(Target, Seen)> {
    let mut waiting = targets.into_iter().take(MOST_ENDPOINTS).enumerate();
    let mut looking = JoinSet::new();
    let mut looked = Vec::new();
    let mut over = pin!(tokio::time::sleep(LOOK_LIMIT));
    loop {
        while looking.len() < MOST_AT_ONCE
            && let Some((index, target)) = waiting.next()
        {
            looking.spawn(async move {
                let seen = look_at(&target).await;
                (index, target, seen)
            });
        }
        tokio::select! {
            biased;
            joined = looking.join_next() => match joined {
                Some(Ok(one)) => looked.push(one),
                // A panic in it was reported where it happened.
                Some(Err(_)) => {}
                None => break,
            },
            () = &mut over => break,
        }
    }
    looked.sort_by_key(|(index, ..)| *index);
    looked.into_iter().map(|(_, target, seen)| (target, seen)).collect()
}

fn late(not_looked_at: usize) -> Option<Problem> {
    let sentence = format!(
        "{not_looked_at} endpoints were not looked at: at most {MOST_ENDPOINTS} are, within \
         {LOOK_LIMIT:?}"
    );
    let problem = Problem::new(Code::NotLookedAt, Span::default(), sentence);
    (not_looked_at > 0).then(|| {
        problem.help("shorten `network.connect_timeout` or a service's `timeout` for the look")
    })
}
