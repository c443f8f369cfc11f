//! Sends the requests of one side on schedule, whatever became of those before.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

use super::errand::{Device, Errand, Outcome};
use super::plan::{Arrival, Plan, Wish};
use super::tally::Tally;
use crate::client::Client;
use crate::clock::{Clock, sleep_until};
use crate::secret::Secret;
use crate::services::ACCOUNTS;
use crate::wire::Answer;

/// The load of one side.
pub(crate) struct Load {
    client: Arc<Client>,
    passwords: Arc<[Secret]>,
    /// A device with a request in flight is away: it has taken its tokens along.
    devices: Vec<Option<Device>>,
    in_flight: JoinSet<Returned>,
    told: watch::Sender<Tally>,
}

struct Returned {
    arrival: Arrival,
    /// A device by its number; a guess comes from none.
    device: Option<(usize, Device)>,
    errand: Errand,
    answer: Option<Answer>,
    attempts: u64,
    took: Duration,
}

/// Devices on each side, and so the most requests of users in flight: one that finds every device
/// busy fails without being sent.
const DEVICES: usize = 128;

/// The most guesses in flight; a further one fails without being sent.
const IN_FLIGHT_MOST: usize = 256;

impl Load {
    pub(crate) fn new(client: Arc<Client>, passwords: Arc<[Secret]>) -> Self {
        let device = |number| Some(Device { account: number % ACCOUNTS, tokens: None });
        Self {
            client,
            passwords,
            devices: (0..DEVICES).map(device).collect(),
            in_flight: JoinSet::new(),
            told: watch::Sender::new(Tally::default()),
        }
    }

    /// What is counted, as it grows.
    pub(crate) fn tally(&self) -> watch::Receiver<Tally> {
        self.told.subscribe()
    }

    /// Sends what is planned and waits for the last answer.
    pub(crate) async fn run(mut self, plan: Plan) {
        for arrival in plan {
            let due = sleep_until(arrival.at);
            tokio::pin!(due);
            loop {
                tokio::select! {
                    biased;
                    () = &mut due => break,
                    Some(returned) = self.in_flight.join_next() => self.welcome(returned.ok()),
                }
            }
            self.send(arrival);
        }
        while let Some(returned) = self.in_flight.join_next().await {
            self.welcome(returned.ok());
        }
        self.client.close();
    }

    fn send(&mut self, arrival: Arrival) {
        let began = Clock.now();
        let Some((device, errand)) = self.errand(arrival) else {
            let outcome = Outcome::Failed;
            self.told.send_modify(|tally| tally.count(arrival.phase, outcome, 0, Duration::ZERO));
            return;
        };
        let client = Arc::clone(&self.client);
        self.in_flight.spawn(async move {
            let request = errand.request(client.side());
            let (answer, attempts) = client.send(errand.kind(), request).await;
            let took = Clock.now().since(began);
            Returned { arrival, device, errand, answer, attempts, took }
        });
    }

    /// What somebody asks for: a device that is not logged in can do nothing else first.
    fn errand(&mut self, arrival: Arrival) -> Option<(Option<(usize, Device)>, Errand)> {
        if self.in_flight.len() >= IN_FLIGHT_MOST {
            return None;
        }
        let who = usize::try_from(arrival.who % (1 << 31)).unwrap_or(0);
        if arrival.wish == Wish::Guess {
            return Some((None, Errand::Guess { account: who % ACCOUNTS }));
        }
        let (number, device) = (0..DEVICES).find_map(|step| {
            let number = (who + step) % DEVICES;
            self.devices[number].take().map(|device| (number, device))
        })?;
        let errand = match (arrival.wish, device.held()) {
            (Wish::Call, Some((access, _))) => Errand::Call(access.clone()),
            (Wish::Refresh, Some((_, refresh))) => Errand::Refresh(refresh.clone()),
            (Wish::Keys, _) => Errand::Keys,
            _ => {
                let password = self.passwords[device.account].clone();
                Errand::LogIn { account: device.account, password }
            }
        };
        Some((Some((number, device)), errand))
    }

    fn welcome(&mut self, returned: Option<Returned>) {
        // A request does not panic; one that did would be missing from the count of its phase.
        let Some(Returned { arrival, device, errand, answer, attempts, took }) = returned else {
            return;
        };
        let (number, mut device) =
            device.map_or((None, Device::default()), |(number, device)| (Some(number), device));
        let outcome = device.learn(&errand, answer.as_ref());
        if let Some(number) = number {
            self.devices[number] = Some(device);
        }
        self.told.send_modify(|tally| tally.count(arrival.phase, outcome, attempts, took));
    }
}
